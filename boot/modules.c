/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot modules: found by fdt_chosen.c, checked here before anybody reads
 * a byte of them.
 *
 * Not     what is inside (kernel_image.c).
 * Bounds  MAX_MODULES times banks, reserved ranges and modules.
 */
#include "modules.h"

#include <hv/console.h>
#include <lib/errno.h>

const char *module_kind_name(enum module_kind kind)
{
	switch (kind) {
	case MODULE_KERNEL:
		return "kernel";
	case MODULE_RAMDISK:
		return "ramdisk";
	case MODULE_DTB:
		return "device tree";
	case MODULE_OTHER:
		break;
	}
	return "other";
}

static bool is_overlap(uint64_t a, uint64_t a_size, uint64_t b,
		       uint64_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

static bool is_inside(uint64_t a, uint64_t a_size, const struct mem_range *r)
{
	return a >= r->start && a - r->start <= r->size &&
	       a_size <= r->size - (a - r->start);
}

int module_error(const struct module_place *m, const char *what, int rc)
{
	log_err("boot module %s%s%s at 0x%llx, 0x%llx bytes: %s\n",
		module_kind_name(m->kind), m->domain ? " of " : "",
		m->domain ? m->domain : "", (unsigned long long)m->r.start,
		(unsigned long long)m->r.size, what);
	return rc;
}

static int check_memory(const struct platform *p, const struct module_place *m)
{
	for (uint32_t i = 0; i < p->nr_banks; i++) {
		if (is_inside(m->r.start, m->r.size, &p->bank[i])) {
			return 0;
		}
	}
	return module_error(m, "is not inside one bank of memory; load it "
			    "elsewhere", -EINVAL);
}

static int check_reserved(const struct platform *p,
			  const struct module_place *m)
{
	for (uint32_t i = 0; i < p->nr_reserved; i++) {
		const struct mem_range *r = &p->reserved[i];

		if (!is_overlap(m->r.start, m->r.size, r->start, r->size)) {
			continue;
		}
		/* Boot loaders list what they loaded in /memreserve/. */
		if (!(p->reserved_flags[i] & RESERVED_NODE) &&
		    is_inside(m->r.start, m->r.size, r)) {
			continue;
		}
		return module_error(m, "overlaps reserved memory; load it "
				    "elsewhere", -EINVAL);
	}
	return 0;
}

/* The first @n of dom0's modules. */
static int check_others(const struct platform *p, uint32_t n,
			const struct module_place *m)
{
	for (uint32_t i = 0; i < n; i++) {
		if (is_overlap(m->r.start, m->r.size, p->module[i].start,
			       p->module[i].size)) {
			return module_error(m, "overlaps another boot module; "
					    "load them apart", -EINVAL);
		}
	}
	return 0;
}

static int module_check(const struct platform *p, uint32_t n,
			const struct module_place *m,
			const struct mem_range *image,
			const struct mem_range *dtb)
{
	int rc;

	if (m->r.size == 0) {
		return module_error(m, "is empty; load it and set \"reg\"",
				    -EINVAL);
	}
	rc = check_memory(p, m);
	if (rc) {
		return rc;
	}
	if (is_overlap(m->r.start, m->r.size, image->start, image->size)) {
		return module_error(m, "overlaps the hypervisor; load it "
				    "elsewhere", -EINVAL);
	}
	if (dtb->size != 0 &&
	    is_overlap(m->r.start, m->r.size, dtb->start, dtb->size)) {
		return module_error(m, "overlaps the device tree; load it "
				    "elsewhere", -EINVAL);
	}
	rc = check_reserved(p, m);
	return rc ? rc : check_others(p, n, m);
}

const struct boot_module *module_find(const struct platform *p,
				      enum module_kind kind)
{
	for (uint32_t i = 0; i < p->nr_modules; i++) {
		if (p->module[i].kind == kind) {
			return &p->module[i];
		}
	}
	return NULL;
}

int modules_check(const struct platform *p, const struct mem_range *image,
		  const struct mem_range *dtb)
{
	for (uint32_t i = 0; i < p->nr_modules; i++) {
		const struct module_place m = {
			.kind = p->module[i].kind,
			.r = { p->module[i].start, p->module[i].size },
		};
		int rc = module_check(p, i, &m, image, dtb);

		if (rc) {
			return rc;
		}
	}
	return 0;
}

int modules_check_domain(const struct platform *p,
			 const struct mem_range *image,
			 const struct mem_range *dtb,
			 const struct module_place *m)
{
	return module_check(p, p->nr_modules, m, image, dtb);
}

int modules_need_kernel(const struct platform *p)
{
	if (module_find(p, MODULE_KERNEL)) {
		return 0;
	}
	log_err("device tree: /chosen: no node is compatible with "
		"\"multiboot,kernel\", \"multiboot,module\", nor with "
		"\"xen,domain\"; load dom0's kernel and add it\n");
	return -ENOENT;
}

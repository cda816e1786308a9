/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything boot/ reads before there is a guest: device tree, command line,
 * kernel image. Whatever comes in, nothing is read or written out of bounds,
 * a tree that libfdt accepts makes a dom0 tree that it accepts, dom0 gets no
 * page of RAM or of the GIC, and what is set aside for domains is apart.
 */
// LINK: boot/cmdline.c boot/dom_devices.c boot/dom_fdt.c boot/dom_nodes.c
// LINK: boot/dom_nodes_new.c boot/dom_nodes_shared.c
// LINK: boot/fdt_addr.c boot/fdt_chosen.c
// LINK: boot/dom_fdt_guest.c $(FDT_DOM)
// LINK: boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/gunzip.c
// LINK: boot/inflate.c boot/kernel_image.c boot/modules.c
// LINK: boot/option_values.c boot/ranges.c lib/printf.c
// LINK: tests/fakes/fake_log.c
// LIBS: -lfdt
// RUNS: 30000
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "boot/cmdline.h"
#include "boot/dom_fdt.h"
#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "boot/kernel_image.h"
#include "boot/modules.h"

#define ROOM (128u << 10)

static struct platform p;

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static int check_mmio(uint64_t start, uint64_t size, void *arg)
{
	uint64_t *next = arg;

	must(((start | size) & 0xfff) == 0 && size > 0 && start >= *next);
	*next = start + size;
	for (uint32_t i = 0; i < p.nr_banks; i++) {
		must(start + size <= p.bank[i].start ||
		     start >= p.bank[i].start + p.bank[i].size);
	}
	must(p.gic.gicd_base < start || p.gic.gicd_base >= start + size);
	return 0;
}

static int check_spi(uint32_t intid, enum irq_trigger trigger, void *arg)
{
	(void)trigger;
	(void)arg;
	must(intid >= 32 && intid < 1020);
	return 0;
}

static void check_extended(const struct mem_range *r, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		for (uint32_t b = 0; b < p.nr_banks; b++) {
			must(r[i].start + r[i].size <= p.bank[b].start ||
			     r[i].start >= p.bank[b].start + p.bank[b].size);
		}
	}
}

static void build(void)
{
	static const struct dom0_devices cb = {
		.mmio = check_mmio, .spi = check_spi,
	};
	struct mem_range extended[8];
	struct dom0_fdt_args a = {
		.platform = &p, .bootargs = p.dom0_cmdline, .bank = p.bank,
		.nr_banks = 1, .nr_vcpus = p.nr_cpus, .evtchn_intid = 17,
		.grant_window = p.bank[0], .extended = extended,
		.shm = dom0_mem.shm, .nr_shm = dom0_mem.nr_shm,
	};
	uint8_t *out = malloc(ROOM);
	uint64_t next = 0;
	uint32_t size;

	(void)!dom0_devices_walk(&p, &cb, &next);
	if (dom0_find_extended_regions(&p, 40, p.bank, 1, extended, 8,
				       &a.nr_extended) == 0) {
		check_extended(extended, a.nr_extended);
	}
	/* libfdt is stricter about names, which come from the host's tree. */
	if (dom0_fdt_build(&a, out, ROOM, &size) == 0 &&
	    fdt_check_full(p.fdt, p.fdt_size) == 0) {
		must(fdt_check_full(out, size) == 0);
	}
	free(out);
}

/* One page is one domain's, or the same region's for all that have it. */
static bool is_apart(const struct mem_range *a, const struct mem_range *b)
{
	return a->start + a->size <= b->start || b->start + b->size <= a->start;
}

static void check_pair(const struct boot_mem *a, const struct boot_mem *b)
{
	for (uint32_t i = 0; i < a->nr_banks; i++) {
		for (uint32_t k = 0; k < b->nr_banks; k++) {
			must((a == b && i == k) ||
			     is_apart(&a->bank[i], &b->bank[k]));
		}
		for (uint32_t k = 0; k < b->nr_shm; k++) {
			must(is_apart(&a->bank[i], &b->shm[k].host));
		}
	}
	for (uint32_t i = 0; i < a->nr_shm; i++) {
		must(strnlen(a->shm[i].id, SHM_ID_SIZE) < SHM_ID_SIZE);
		for (uint32_t k = 0; k < b->nr_shm; k++) {
			bool same = strcmp(a->shm[i].id, b->shm[k].id) == 0;

			must(same ? a->shm[i].host.start ==
					    b->shm[k].host.start :
				    is_apart(&a->shm[i].host,
					     &b->shm[k].host));
		}
	}
}

static void check_mem(const struct boot_mem *m, const struct mem_range *image)
{
	check_pair(m, m);
	check_pair(m, &dom0_mem);
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		if (!boot_domains[i].refused) {
			check_pair(m, &boot_domains[i].mem);
		}
	}
	for (uint32_t i = 0; i < m->nr_banks; i++) {
		must(m->bank[i].size != 0 && is_apart(&m->bank[i], image));
	}
}

/* The tree of its own that a domain gets. */
static void build_guest(const struct boot_domain *b)
{
	struct dom_config cfg = {
		.nr_vcpus = b->nr_vcpus, .gic_version = p.gic.version,
		.uart_base = p.uart.base, .uart_intid = 33,
	};
	struct guest_fdt_args a = {
		.cfg = &cfg, .bootargs = b->bootargs, .bank = b->mem.bank,
		.nr_banks = b->mem.nr_banks ? b->mem.nr_banks : 1,
		.shm = b->mem.shm, .nr_shm = b->mem.nr_shm,
		.vpl011 = b->vpl011, .hypervisor = b->enhanced,
	};
	uint32_t size = guest_fdt_size(&a);
	uint8_t *out = malloc(size);

	must(guest_fdt_build(&a, out, size, &size) == 0);
	must(fdt_check_full(out, size) == 0);
	free(out);
}

static void try_domains(const struct mem_range *image)
{
	(void)!fdt_static_heap_parse(&host_dt, &p);
	fdt_dom_parse(&host_dt, &p);
	fdt_dom_check_modules(&p, image, image);
	must(nr_boot_domains <= MAX_BOOT_DOMAINS);
	check_mem(&dom0_mem, image);
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		const struct boot_domain *b = &boot_domains[i];

		must(!b->refused || b->kernel.size == 0);
		if (!b->refused) {
			check_mem(&b->mem, image);
			build_guest(b);
		}
	}
}

static void try_tree(const uint8_t *data, size_t size)
{
	struct mem_range image = { .start = 0x40200000, .size = 0x200000 };
	uint8_t *copy = malloc(size);
	struct options o;

	memcpy(copy, data, size);
	/* The header's claim is checked where the size is known. */
	if (size >= sizeof(struct fdt_header) &&
	    fdt_totalsize(copy) <= size &&
	    fdt_platform_parse(copy, 0, &p) == 0) {
		if (cmdline_parse(p.hv_cmdline, &o) ||
		    fdt_platform_find_console(&p, o.dtuart)) {
			(void)!fdt_platform_find_console(&p, "");
		}
		if (modules_check(&p, &image, &image) == 0) {
			try_domains(&image);
		}
		build();
	}
	free(copy);
}

static void try_image(const uint8_t *data, size_t size)
{
	struct kernel_image k;
	uint8_t *copy = malloc(size ? size : 1);
	uint8_t *out;

	memcpy(copy, data, size);
	if (kernel_image_probe(copy, size, &k) == 0 && k.file_size < ROOM) {
		out = malloc(k.file_size);
		(void)!kernel_image_load(&k, copy, out, k.file_size);
		free(out);
	}
	free(copy);
}

static void try_line(const uint8_t *data, size_t size)
{
	static char line[CMDLINE_MAX];
	struct options o;

	if (size < sizeof(line)) {
		memcpy(line, data, size);
		line[size] = 0;
		(void)!cmdline_parse(line, &o);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 4 && memcmp(data, "\xd0\x0d\xfe\xed", 4) == 0) {
		try_tree(data, size);
	} else {
		try_image(data, size);
		try_line(data, size);
	}
	return 0;
}

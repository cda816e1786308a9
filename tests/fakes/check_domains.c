/* SPDX-License-Identifier: Apache-2.0 */
/* The domains of a tree, whatever is in it. */
#include "check_domains.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "boot/dom_fdt.h"
#include "boot/fdt_dom.h"
#include "boot/fdt_dom_dev.h"
#include "boot/fdt_util.h"

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
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
static void build_guest(const struct platform *p,
			const struct boot_domain *b)
{
	struct dom_config cfg = {
		.nr_vcpus = b->nr_vcpus, .gic_version = p->gic.version,
		.uart_base = p->uart.base, .uart_intid = 33,
	};
	const struct boot_devices none = { 0 };
	struct guest_fdt_args a = {
		.devices = &none,
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

void check_domains(const struct platform *p, const struct mem_range *image)
{
	(void)!fdt_static_heap_parse(&host_dt, p);
	fdt_dom_parse(&host_dt, p);
	fdt_dom_check_modules(p, image, image);
	must(nr_boot_domains <= MAX_BOOT_DOMAINS);
	check_mem(&dom0_mem, image);
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		const struct boot_domain *b = &boot_domains[i];

		must(!b->refused || b->kernel.size == 0);
		if (!b->refused) {
			check_mem(&b->mem, image);
			build_guest(p, b);
		}
	}
}

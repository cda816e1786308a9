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
// LINK: boot/dom_fdt_guest.c boot/fdt_dom_dev.c $(FDT_DOM)
// LINK: boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c
// LINK: boot/fdt_platform.c boot/fdt_util.c boot/fdt_writer.c boot/gunzip.c
// LINK: boot/inflate.c boot/kernel_image.c boot/modules.c
// LINK: boot/option_values.c boot/ranges.c lib/printf.c
// LINK: tests/fakes/check_domains.c tests/fakes/fake_log.c
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
#include "boot/iommu.h"
#include "boot/kernel_image.h"
#include "boot/modules.h"
#include "check_domains.h"

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
			check_domains(&p, &image);
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

struct iommu_device *boot_iommu_device(uint32_t node)
{
	(void)node;
	return NULL;
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of domains that are whole but for a few properties and numbers: what
 * is set aside for those that are not refused is apart, and they get trees.
 */
// LINK: boot/dom_fdt_guest.c boot/dom_nodes_new.c boot/dom_nodes_shared.c
// LINK: boot/dom_nodes.c boot/fdt_dom_dev.c $(FDT_DOM)
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c boot/fdt_gic.c
// LINK: boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c boot/fdt_util.c
// LINK: boot/fdt_writer.c boot/modules.c lib/printf.c
// LINK: tests/fakes/check_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
// RUNS: 15000
#include <string.h>

#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "check_domains.h"
#include "fake_tree.h"

static struct platform p;

static const char *const nodes[] = {
	"/chosen", "/chosen/one", "/chosen/two", "/chosen/shm@1",
	"/chosen/one/shm@1", "/chosen/two/shm@1", "/chosen/one/module@1",
	"/chosen/two/module@1",
};
static const char *const props[] = {
	"xen,static-mem", "xen,shared-mem", "xen,static-heap", "memory", "reg",
	"cpus", "nr_spis", "role", "xen,shm-id", "direct-map", "vpl011",
	"#address-cells", "#size-cells", "#xen,static-mem-size-cells",
	"#xen,shared-mem-address-cells", "xen,enhanced",
};

/* What is in the tree, and what ends things. */
static const uint32_t values[] = {
	0x60100000, 0x61100000, 0x70000000, 0x60000000, 0x61000000, 0x50000000,
	0x40200000, 0x80000000, 0x10000000, 0x100000, 0x1000, 0, 1, 2,
	0xfffff000, 0x08000000,
};
static const uint32_t deltas[] = { 0, 0x1000, 0xfffff000, 0x80000 };

/*
 * @how: node in bits 2:0, property in 7:4, cell in 11:8; bit 16: the property
 * goes, 17: @value is added at its end, else it is that cell, 18: as it is,
 * else one of values[] by bits 3:0 and one of deltas[] by bits 5:4.
 */
static void edit(void *fdt, uint32_t how, uint32_t value)
{
	int node = fdt_path_offset(fdt, nodes[how % 8]);
	const char *name = props[how >> 4 & 15];
	fdt32_t cell = cpu_to_fdt32(how & 1u << 18 ? value :
				    values[value & 15] +
					    deltas[value >> 4 & 3]);
	uint32_t at = 4 * (how >> 8 & 15);
	int len;
	uint8_t *old = fdt_getprop_w(fdt, node, name, &len);

	if (how & 1u << 16) {
		(void)fdt_delprop(fdt, node, name);
	} else if (how & 1u << 17 || !old) {
		(void)fdt_appendprop(fdt, node, name, &cell, sizeof(cell));
	} else if (at + 4 <= (uint32_t)len) {
		memcpy(old + at, &cell, sizeof(cell));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mem_range image = { .start = 0x40200000,
					 .size = 0x200000 };
	void *fdt = fake_tree_domains();
	uint32_t w[2];

	for (size_t at = 0; at + sizeof(w) <= size && at < 256;
	     at += sizeof(w)) {
		memcpy(w, data + at, sizeof(w));
		edit(fdt, w[0], w[1]);
	}
	if (fdt_platform_parse(fdt, 0, &p) == 0) {
		check_domains(&p, &image);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* First inputs for fuzz_dom_fdt: seeds_dom_fdt DIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fakes/fake_tree.h"

static void put(const char *dir, const char *name, const void *data,
		size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, size, f) != size) {
		perror(path);
		exit(1);
	}
	fclose(f);
}

static void put_tree(const char *dir, const char *name, int gic_version)
{
	void *t = fake_tree(gic_version);

	fdt_pack(t);
	put(dir, name, t, fdt_totalsize(t));
}

/* Of region "one" for @dom, at @ipa there. */
static void add_shared(void *t, const char *dom, uint32_t ipa,
		       const char *role)
{
	char path[64];

	fake_tree_add(t, dom, "shm@1", "xen,domain-shared-memory-v1");
	snprintf(path, sizeof(path), "%s/shm@1", dom);
	fdt_setprop_string(t, fake_tree_node(t, path), "xen,shm-id", "one");
	fdt_setprop_string(t, fake_tree_node(t, path), "role", role);
	CELLS(t, path, "xen,shared-mem", 0, 0x70000000, 0, ipa, 0, 0x100000);
}

static void add_domain(void *t, const char *name, uint32_t at)
{
	char path[64];
	int node;

	fake_tree_add(t, "/chosen", name, "xen,domain");
	snprintf(path, sizeof(path), "/chosen/%s", name);
	CELLS(t, path, "#address-cells", 2);
	CELLS(t, path, "#size-cells", 2);
	CELLS(t, path, "memory", 0, 1024);
	CELLS(t, path, "cpus", 1);
	CELLS(t, path, "xen,static-mem", 0, at + 0x100000, 0, 0x100000);
	node = fake_tree_node(t, path);
	fdt_setprop_string(t, node, "xen,enhanced", "no-xenstore");
	fdt_setprop(t, node, "vpl011", NULL, 0);
	fake_tree_add(t, path, "module@1", "multiboot,module");
	snprintf(path, sizeof(path), "/chosen/%s/module@1", name);
	CELLS(t, path, "reg", 0, at, 0, 0x100000);
}

/* Two domains with memory set aside, which share some with dom0. */
static void put_domains(const char *dir)
{
	void *t = fake_tree(3);

	CELLS(t, "/chosen", "#address-cells", 2);
	CELLS(t, "/chosen", "#size-cells", 2);
	CELLS(t, "/chosen", "xen,static-heap", 0, 0x50000000, 0, 0x8000000);
	add_shared(t, "/chosen", 0x10000000, "owner");
	add_domain(t, "one", 0x60000000);
	add_shared(t, "/chosen/one", 0x50000000, "borrower");
	add_domain(t, "two", 0x61000000);
	fdt_setprop(t, fake_tree_node(t, "/chosen/two"), "direct-map", NULL,
		    0);
	add_shared(t, "/chosen/two", 0x70000000, "borrower");
	fdt_pack(t);
	put(dir, "domains.dtb", t, fdt_totalsize(t));
}

/* An arm64 Image with nothing in it, plain and packed by gzip(1). */
static void put_image(const char *dir)
{
	static const uint8_t head[64] = {
		[18] = 1, [24] = 0xa, [56] = 'A', [57] = 'R', [58] = 'M',
		[59] = 0x64,
	};
	static uint8_t image[4096];
	char cmd[1100];

	for (size_t i = 0; i < sizeof(image); i++) {
		image[i] = (uint8_t)(i * i >> 4);
	}
	memcpy(image, head, sizeof(head));
	put(dir, "image", image, sizeof(image));
	snprintf(cmd, sizeof(cmd), "gzip -nc %s/image > %s/image.gz", dir,
		 dir);
	if (system(cmd) != 0) {
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const char line[] =
		"console=dtuart dtuart=\"/soc/uart@0:9600\" "
		"dom0_mem=512M,min:1G,max:2T dom0_max_vcpus=1-4 sched=null "
		"no-bootscrub watchdog_timeout=3 loglvl=error/all vwfi=native "
		"dom0_vcpus_pin=yes timer_slop=0x10 unknown";

	if (argc != 2) {
		return 2;
	}
	put_tree(argv[1], "gicv2.dtb", 2);
	put_tree(argv[1], "gicv3.dtb", 3);
	put_domains(argv[1]);
	put(argv[1], "line", line, sizeof(line) - 1);
	put_image(argv[1]);
	return 0;
}

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

/* Two domains with memory set aside, which share some with dom0. */
static void put_domains(const char *dir)
{
	void *t = fake_tree_domains();

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

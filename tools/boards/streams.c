/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot code makes of the SMMUs in device trees, on the host.
 *
 *   streams DTB...
 *
 * Lines: "tree FILE"; "unit PATH MASK INTERRUPTS" of each SMMU; for each
 * device behind one "dev PATH UNIT FIRST NR" of each range of streams, or
 * "bad PATH ERROR".
 */
#include <stdio.h>
#include <stdlib.h>

#include "boot/dom_nodes.h"
#include "boot/fdt_iommu.h"
#include "boot/fdt_util.h"

static _Alignas(8) uint8_t tree[DT_MAX_SIZE];
static struct dt t;

static const char *path_of(uint32_t idx)
{
	static char path[2][256];
	static int which;

	which ^= 1;
	return dt_path(&t, idx, path[which], sizeof(path[0]));
}

static uint32_t find_gic(void)
{
	static const char *const gic[] = {
		"arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic",
		"qcom,msm-qgic2", NULL
	};

	for (uint32_t i = 1; i < t.nr_nodes; i++) {
		if (dt_is_compatible(&t, i, gic)) {
			return i;
		}
	}
	return 0;
}

static void unit(uint32_t gic, uint32_t idx)
{
	struct dt_smmu n;
	int rc = dt_smmu(&t, gic, idx, &n);

	if (rc) {
		printf("bad %s %d\n", path_of(idx), -rc);
		return;
	}
	printf("unit %s %#x %u\n", path_of(idx), dt_stream_mask(&t, idx),
	       n.nr_irqs);
}

static void device(uint32_t idx)
{
	struct dt_stream s[IOMMU_DEV_STREAMS];
	uint32_t nr = 0;
	int rc = dt_streams(&t, idx, s, IOMMU_DEV_STREAMS, &nr);

	if (rc) {
		printf("bad %s %d\n", path_of(idx), -rc);
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		printf("dev %s %s %#x %#x\n", path_of(idx), path_of(s[i].smmu),
		       s[i].first, s[i].nr);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t len = f ? fread(tree, 1, sizeof(tree), f) : 0;
		uint32_t gic;

		if (!f || fclose(f) || dt_open(&t, tree, len)) {
			fprintf(stderr, "%s: not a device tree\n", argv[i]);
			return 1;
		}
		printf("tree %s\n", argv[i]);
		gic = find_gic();
		for (uint32_t n = 1; n < t.nr_nodes; n++) {
			if (dom_node_is_smmu(&t, n)) {
				unit(gic, n);
			}
			device(n);
		}
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machines that QEMU plays and a description can name.
 *
 * To add  one: its row.
 */
#include "image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lib/types.h>

#include "report.h"

static const struct qemu_board boards[] = {
	{ .name = "virt-gicv2", .model = "virt,gic-version=2,virtualization=on" },
	{ .name = "virt-gicv3", .model = "virt,gic-version=3,virtualization=on" },
	{ .name = "virt-smmu", .model = "virt,gic-version=3,virtualization=on,"
					"iommu=smmuv3" },
	{ .name = "imx8mp-evk", .model = "imx8mp-evk", .ram = 0x40000000,
	  .console = 1 },
};

const struct qemu_board *qemu_board(const struct cfg_section *m)
{
	const char *name = cfg_text(m, "machine", "");

	for (uint32_t i = 0; i < ARRAY_SIZE(boards); i++) {
		if (strcmp(boards[i].name, name) == 0) {
			return &boards[i];
		}
	}
	return NULL;
}

bool has_own_tree(const struct qemu_board *b)
{
	return b->ram != 0;
}

/* Paths in a description are from its folder, this one from where we are. */
void qemu_board_choose(struct cfg_section *m, const char *words)
{
	const char *tree = strchr(words, '=');
	char path[PATH_MAX];

	cfg_set(m, "dtb", NULL);
	cfg_set(m, "machine", need_text("%.*s", (int)strcspn(words, "="),
					words));
	if (!tree) {
		return;
	}
	if (!realpath(tree + 1, path)) {
		die("-m %s: there is no %s; name the board's .dtb", words,
		    tree + 1);
	}
	cfg_set(m, "dtb", path);
	cfg_set(m, "cpu", NULL);
	cfg_set(m, "cpus", NULL);
}

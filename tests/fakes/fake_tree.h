/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small complete machine as a device tree, to be changed with libfdt: two
 * CPUs, 1 GiB at 0x40000000, GIC, timer, PSCI, a bus at 0x09000000 with a
 * console, devices, an SMMU, a PCI bridge, two boot modules.
 */
#ifndef FAKE_TREE_H
#define FAKE_TREE_H

#include <libfdt.h>
#include <stdint.h>

#define FAKE_TREE_SIZE 32768
#define FAKE_TREE_GIC 1u  /* phandles */
#define FAKE_TREE_MSI 2u
#define FAKE_TREE_SMMU 3u
#define FAKE_TREE_GPIO 4u

/* @gic_version 2 or 3. The same buffer each time, 8-byte aligned. */
void *fake_tree(int gic_version);
/*
 * The same with two domains, "one" and "two", that have memory set aside,
 * share region "one" with dom0 (nodes shm@1), and a static heap.
 */
void *fake_tree_domains(void);
/* Node at @path or a failed assertion. */
int fake_tree_node(const void *fdt, const char *path);
/* A new node below @parent. */
void fake_tree_add(void *fdt, const char *parent, const char *name,
		   const char *compatible);
void fake_tree_set_cells(void *fdt, const char *path, const char *prop,
			 const int64_t *list);
/* Set a property to a list of cells. */
#define CELLS(fdt, path, prop, ...)                                           \
	do {                                                                  \
		const int64_t list_[] = { __VA_ARGS__, -1 };                 \
		fake_tree_set_cells(fdt, path, prop, list_);                  \
	} while (0)

/* What boot_iommu_device() says of each node. */
struct iommu_device;
extern struct iommu_device *fake_tree_behind;

#endif

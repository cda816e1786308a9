/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_tree() with three domains below /chosen: "first", "bad" and "third",
 * of which tests spoil the one in the middle.
 */
#ifndef FAKE_DOMAINS_H
#define FAKE_DOMAINS_H

#include <stdint.h>

#define BAD "/chosen/bad"
#define KERNEL_AT 0x60000000 /* of "bad" */

/* @gic_version 2 or 3. */
void *fake_domains(int gic_version);
/* 64 MiB, two vCPUs, a kernel of 1 MiB at @kernel_at. */
void fake_domain_add(void *fdt, const char *name, uint32_t kernel_at);
/* A module of 1 MiB at @at below the node @dom. */
void fake_module(void *fdt, const char *dom, const char *name,
			const char *kind, uint32_t at);

/* Properties of the node at @path. */
void fake_tree_text(void *fdt, const char *path, const char *prop,
		    const char *value);
void fake_tree_flag(void *fdt, const char *path, const char *prop);
void fake_tree_drop(void *fdt, const char *path, const char *prop);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libfdt's sequential writer with the error kept until the end. */
#ifndef BOOT_FDT_WRITER_H
#define BOOT_FDT_WRITER_H

#include "fdt_util.h"

struct fdt_writer {
	void *fdt;
	const struct dt *host; /* whose properties fdtw_prop_host() copies */
	int error;             /* first one: -ENOSPC; nothing is done then */
};

/* @size bytes at @buf are cleared: do not give what is not needed. */
void fdtw_begin(struct fdt_writer *w, const struct dt *host, void *buf,
		uint32_t size);
void fdtw_node(struct fdt_writer *w, const char *name);
/* "name@unit", unit in hexadecimal. */
void fdtw_node_at(struct fdt_writer *w, const char *name, uint64_t unit);
void fdtw_end_node(struct fdt_writer *w);
void fdtw_prop(struct fdt_writer *w, const char *name, const void *data,
	       uint32_t len);
/* A property as the host tree has it. */
void fdtw_prop_host(struct fdt_writer *w, const struct dt_prop *p);
/* The same, to be changed where it returns; NULL: no room. */
uint8_t *fdtw_prop_copy(struct fdt_writer *w, const struct dt_prop *p);
void fdtw_string(struct fdt_writer *w, const char *name, const char *text);
void fdtw_u32(struct fdt_writer *w, const char *name, uint32_t v);
void fdtw_u64(struct fdt_writer *w, const char *name, uint64_t v);
/* @n cells, at most FDTW_MAX_CELLS. */
#define FDTW_MAX_CELLS 32u
void fdtw_cells(struct fdt_writer *w, const char *name, const uint32_t *v,
		uint32_t n);
/* Close the tree: 0 and its size, or the first error. */
__must_check int fdtw_finish(struct fdt_writer *w, uint32_t *out_size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree written front to back by libfdt.
 *
 * Why     each property brings its name along: looking for an earlier copy in
 *         the block of names costs more than the bytes. docs/adr/0008.
 * Errors  sticky: the caller looks at fdtw_finish() only.
 * Bounds  the caller's buffer.
 */
#include "fdt_writer.h"

#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <libfdt.h>

/* libfdt's @rc; all but a full buffer would be a fault of ours. */
static void note(struct fdt_writer *w, int rc)
{
	if (rc) {
		w->error = rc == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
	}
}

void fdtw_begin(struct fdt_writer *w, const struct dt *host, void *buf,
		uint32_t size)
{
	*w = (struct fdt_writer){ .fdt = buf, .host = host };
	note(w, fdt_create_with_flags(buf, (int)size,
				      FDT_CREATE_FLAG_NO_NAME_DEDUP));
	if (!w->error) {
		note(w, fdt_finish_reservemap(buf));
	}
}

void fdtw_node(struct fdt_writer *w, const char *name)
{
	if (!w->error) {
		note(w, fdt_begin_node(w->fdt, name));
	}
}

void fdtw_node_at(struct fdt_writer *w, const char *name, uint64_t unit)
{
	char text[64];

	(void)hv_snprintf(text, sizeof(text), "%s@%llx", name,
			  (unsigned long long)unit);
	fdtw_node(w, text);
}

void fdtw_end_node(struct fdt_writer *w)
{
	if (!w->error) {
		note(w, fdt_end_node(w->fdt));
	}
}

void fdtw_prop(struct fdt_writer *w, const char *name, const void *data,
	       uint32_t len)
{
	if (!w->error) {
		note(w, fdt_property(w->fdt, name, data, (int)len));
	}
}

void fdtw_prop_host(struct fdt_writer *w, const struct dt_prop *p)
{
	fdtw_prop(w, w->host->strings + p->nameoff, p->data, p->len);
}

uint8_t *fdtw_prop_copy(struct fdt_writer *w, const struct dt_prop *p)
{
	void *copy = NULL;

	if (!w->error) {
		note(w, fdt_property_placeholder(w->fdt,
						 w->host->strings + p->nameoff,
						 (int)p->len, &copy));
	}
	return w->error ? NULL : memcpy(copy, p->data, p->len);
}

void fdtw_string(struct fdt_writer *w, const char *name, const char *text)
{
	fdtw_prop(w, name, text, (uint32_t)strlen(text) + 1);
}

void fdtw_u32(struct fdt_writer *w, const char *name, uint32_t v)
{
	fdt32_t cell = cpu_to_fdt32(v);

	fdtw_prop(w, name, &cell, sizeof(cell));
}

void fdtw_u64(struct fdt_writer *w, const char *name, uint64_t v)
{
	fdt64_t cells = cpu_to_fdt64(v);

	fdtw_prop(w, name, &cells, sizeof(cells));
}

void fdtw_cells(struct fdt_writer *w, const char *name, const uint32_t *v,
		uint32_t n)
{
	fdt32_t be[FDTW_MAX_CELLS];

	if (n > FDTW_MAX_CELLS) {
		note(w, -FDT_ERR_BADVALUE);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		be[i] = cpu_to_fdt32(v[i]);
	}
	fdtw_prop(w, name, be, n * (uint32_t)sizeof(be[0]));
}

int fdtw_finish(struct fdt_writer *w, uint32_t *out_size)
{
	if (!w->error) {
		note(w, fdt_finish(w->fdt));
	}
	if (!w->error) {
		*out_size = fdt_totalsize(w->fdt);
	}
	return w->error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /reserved-memory/xen-shmem@...: memory that a domain shares with others.
 *
 * Bounds  MAX_SHARED nodes.
 * Spec    Linux bindings/reserved-memory/xen,shared-memory.txt.
 */
#include "dom_nodes_shared.h"

#include <hv/console.h>

static uint32_t put_cells(uint32_t *to, uint64_t v, uint32_t n)
{
	if (n == 2) {
		*to++ = (uint32_t)(v >> 32);
	}
	*to = (uint32_t)v;
	return n;
}

static void put_one(struct fdt_writer *w, const struct shm_use *u, uint32_t ac,
		    uint32_t sc)
{
	uint32_t reg[4];
	uint32_t nr;

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2 ||
	    (ac == 1 && u->ipa > UINT32_MAX) ||
	    (sc == 1 && u->host.size > UINT32_MAX)) {
		log_err("shared memory \"%s\" does not fit the #address-cells "
			"and #size-cells of /reserved-memory; use 2 and 2 "
			"there; left out\n", u->id);
		return;
	}
	fdtw_node_at(w, "xen-shmem", u->ipa);
	fdtw_string(w, "compatible", "xen,shared-memory-v1");
	nr = put_cells(reg, u->ipa, ac);
	nr += put_cells(reg + nr, u->host.size, sc);
	fdtw_cells(w, "reg", reg, nr);
	fdtw_string(w, "xen,id", u->id);
	if (u->role != SHM_OWNER) {
		fdtw_u64(w, "xen,offset", 0); /* all of the region */
	}
	fdtw_end_node(w);
}

void dom_nodes_put_shared(struct fdt_writer *w, const struct shm_use *u,
			  uint32_t nr, uint32_t ac, uint32_t sc)
{
	for (uint32_t i = 0; i < nr; i++) {
		put_one(w, &u[i], ac, sc);
	}
}

void dom_nodes_write_shared(struct fdt_writer *w, const struct shm_use *u,
			    uint32_t nr, uint32_t ac, uint32_t sc)
{
	if (nr == 0) {
		return;
	}
	fdtw_node(w, "reserved-memory");
	fdtw_u32(w, "#address-cells", ac);
	fdtw_u32(w, "#size-cells", sc);
	fdtw_prop(w, "ranges", "", 0);
	dom_nodes_put_shared(w, u, nr, ac, sc);
	fdtw_end_node(w);
}

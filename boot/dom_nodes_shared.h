/* SPDX-License-Identifier: Apache-2.0 */
/* How a domain is told of the memory that it shares with others. */
#ifndef BOOT_DOM_NODES_SHARED_H
#define BOOT_DOM_NODES_SHARED_H

#include "fdt_dom_mem.h"
#include "fdt_writer.h"

/*
 * The nodes of @nr regions into the open /reserved-memory, whose addresses
 * have @ac cells and sizes @sc. One that does not fit them is left out, logged.
 */
void dom_nodes_put_shared(struct fdt_writer *w, const struct shm_use *u,
			  uint32_t nr, uint32_t ac, uint32_t sc);
/*
 * /reserved-memory with them and nothing else, in the root's cells; nothing
 * for 0 of them.
 */
void dom_nodes_write_shared(struct fdt_writer *w, const struct shm_use *u,
			    uint32_t nr, uint32_t ac, uint32_t sc);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Small zeroed objects of the hypervisor, charged to a domain when given. */
#ifndef HV_HEAP_H
#define HV_HEAP_H

#include <lib/types.h>

struct domain;

/* Zeroed, 16-byte aligned, up to 64 KiB; NULL: none. @d may be NULL. */
void *heap_alloc(struct domain *d, size_t size);
void heap_free(struct domain *d, void *p); /* NULL allowed */
/* Pages of objects that are smaller than a page: nobody is charged for them. */
uint32_t heap_nr_slabs(void);

#endif

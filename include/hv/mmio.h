/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emulated device registers: per domain a sorted table of address ranges,
 * fixed before the domain runs, looked up without a lock.
 */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include <lib/types.h>

struct vcpu;
struct domain;

#define MMIO_MAX_RANGES 16u

struct mmio_access {
	uint64_t offset; /* from the start of the range */
	uint64_t value;  /* write: the value, zero-extended; read: the answer */
	uint8_t size;    /* bytes: 1, 2, 4, 8 */
	bool write;
};

/* What the instruction gets. */
enum mmio_result {
	MMIO_OK = 0,
	MMIO_ABORT = 1, /* external abort, as hardware would give */
	MMIO_AGAIN = 2, /* not, or a write in part: the guest repeats it */
};

struct mmio_range {
	uint64_t start; /* IPA */
	uint64_t size;
	enum mmio_result (*fn)(struct vcpu *v, struct mmio_access *a,
			       void *opaque);
	void *opaque;
};

struct mmio_table {
	uint32_t nr;
	struct mmio_range range[MMIO_MAX_RANGES]; /* sorted by start */
};

/* While the domain is being built. -ENOSPC, -EEXIST (overlap). */
__must_check int mmio_register(struct domain *d, const struct mmio_range *r);
/* NULL: nobody models @addr. */
const struct mmio_range *mmio_find(const struct domain *d, ipa_t addr);
/* Whether a model of @d's has any of the @size bytes, 1 or more, at @start. */
bool mmio_is_modelled(const struct domain *d, ipa_t start, uint64_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory that counts how often each byte was served, and inverts it
 * afterwards, so that a second read gives something else.
 */
#include "fake_guest_mem.h"

#include <stdlib.h>
#include <string.h>

#include "arch/fake/fake_arch.h"

#undef memcpy

#define MAX_COPIES 4096u

static uint8_t *served; /* one counter a byte of RAM; NULL: friendly */
/* Counters for RAM of this size, all 0 but where they were used. */
static uint8_t *counters;
static uint64_t nr_counters;
static struct {
	uint64_t off;
	size_t n;
} copy[MAX_COPIES];
static uint32_t nr_copies;

static void counters_clear(void)
{
	if (nr_counters != fake_ram_size || nr_copies >= MAX_COPIES) {
		free(counters);
		nr_counters = fake_ram_size;
		counters = calloc(1, nr_counters);
	} else {
		for (uint32_t i = 0; i < nr_copies; i++) {
			memset(counters + copy[i].off, 0, copy[i].n);
		}
	}
	nr_copies = 0;
}

void fake_guest_hostile(bool on)
{
	served = NULL;
	if (on) {
		counters_clear();
		served = counters;
	}
}

void *fake_guest_memcpy(void *dst, const void *src, size_t n)
{
	uint64_t off = (uint64_t)((const uint8_t *)src - fake_ram);
	size_t i;

	__builtin_memcpy(dst, src, n);
	if (served && off < fake_ram_size) {
		if (nr_copies < MAX_COPIES) {
			copy[nr_copies].off = off;
			copy[nr_copies++].n = n;
		}
		for (i = 0; i < n; i++) {
			fake_ram[off + i] = (uint8_t)~fake_ram[off + i];
			served[off + i]++;
		}
	}
	return dst;
}

static uint8_t *host_of(struct domain *d, uint64_t va)
{
	struct p2m_entry e = arch_p2m_lookup(d, gfn(va >> PAGE_SHIFT));

	if (e.type == P2M_NONE) {
		abort(); /* the test has not mapped it */
	}
	return (uint8_t *)hv_va(mfn_to_paddr(e.mfn)) + (va & ~PAGE_MASK);
}

unsigned int guest_reads(struct domain *d, uint64_t va)
{
	return served ? served[host_of(d, va) - fake_ram] : 0;
}

void guest_put(struct domain *d, uint64_t va, const void *src, size_t n)
{
	const uint8_t *from = src;
	size_t i;

	for (i = 0; i < n; i++) {
		*host_of(d, va + i) = from[i];
	}
}

void guest_get(struct domain *d, uint64_t va, void *dst, size_t n)
{
	uint8_t *to = dst;
	size_t i;

	for (i = 0; i < n; i++) {
		to[i] = *host_of(d, va + i);
	}
}

uint64_t guest_get_u64(struct domain *d, uint64_t va)
{
	uint64_t v;

	guest_get(d, va, &v, sizeof(v));
	return v;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: RAM in one array, and guest addresses that equal IPAs.
 *
 * Owns    fake_ram and the counters of what was done to it.
 * Not     what guests have mapped (p2m.c of this directory).
 */
#include "fake_arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/domain.h>
#include <lib/errno.h>

#define PATTERN 0xa5
/* Larger RAM is left to the host's zero pages, or a test would touch it all. */
#define PATTERN_MAX (UINT64_C(256) << 20)

uint8_t *fake_ram;
uint64_t fake_ram_size;
uint64_t fake_nr_clears;
uint64_t fake_nr_cache_cleans;
uint64_t fake_nr_translations;
void (*fake_on_translate)(struct vcpu *v, uint64_t va, bool write);

void fake_ram_fini(void)
{
	free(fake_ram);
	fake_ram = NULL;
	fake_ram_size = 0;
}

void fake_ram_init(uint64_t size)
{
	fake_ram_fini();
	fake_ram = aligned_alloc(PAGE_SIZE, size);
	if (!fake_ram) {
		abort();
	}
	fake_ram_size = size;
	if (size <= PATTERN_MAX) {
		memset(fake_ram, PATTERN, size);
	}
	fake_nr_clears = 0;
	fake_nr_cache_cleans = 0;
	fake_nr_translations = 0;
	fake_on_translate = NULL;
}

void *hv_va(paddr_t pa)
{
	if (pa.v - FAKE_RAM_BASE >= fake_ram_size) {
		fprintf(stderr, "hv_va(%#llx): not RAM\n",
			(unsigned long long)pa.v);
		abort();
	}
	return fake_ram + (pa.v - FAKE_RAM_BASE);
}

paddr_t hv_pa(const void *va)
{
	uint64_t off = (uint64_t)((const uint8_t *)va - fake_ram);

	if (off >= fake_ram_size) {
		fprintf(stderr, "hv_pa(%p): not RAM\n", va);
		abort();
	}
	return paddr(FAKE_RAM_BASE + off);
}

/* A page that nobody wrote stays without memory of the host. */
void arch_clear_page(void *page)
{
	static const uint8_t zero[PAGE_SIZE];

	if (memcmp(page, zero, PAGE_SIZE) != 0) {
		memset(page, 0, PAGE_SIZE);
	}
	fake_nr_clears++;
}

void arch_clean_dcache(const void *va, size_t len)
{
	(void)va;
	fake_nr_cache_cleans += (len + PAGE_SIZE - 1) / PAGE_SIZE;
}

void arch_invalidate_icache(void)
{
}

int arch_gva_to_pa(struct vcpu *v, gva_t va, bool write, paddr_t *pa)
{
	struct p2m_entry e =
		arch_p2m_lookup(v->domain, gfn(va.v >> PAGE_SHIFT));

	fake_nr_translations++;
	if (e.type == P2M_NONE || (write && !p2m_type_is_writable(e.type) &&
				   p2m_type_is_counted(e.type))) {
		return -EFAULT;
	}
	*pa = paddr(mfn_to_paddr(e.mfn).v | (va.v & ~PAGE_MASK));
	if (fake_on_translate) {
		fake_on_translate(v, va.v, write);
	}
	return 0;
}

void arch_walk_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2: the p2m port of include/hv/arch.h over the walker.
 *
 * Owns    VTTBR/VTCR_EL2, the descriptor bits of each p2m type, TLB
 *         maintenance of guests' translations.
 * Not     who may map what, nor references on frames (core/p2m.c).
 * Locks   edits under the domain's P2M lock; lookups without.
 * Bounds  a walk is at most 4 levels; tear-down goes by steps.
 * Spec    [ARM] D8.2 "Translation process", D8.14 "TLB maintenance".
 */
#include <arch/stage2.h>
#include "pgtable.h"
#include "vmid.h"
#include <arch/barrier.h>
#include <arch/directmap.h>
#include <arch/sysreg.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/page_alloc.h>
#include <lib/check.h>
#include <lib/errno.h>

#define VTCR_RES1 BIT64(31)
#define VTCR_VS BIT64(19)
#define VTCR_PS FIELD64(18, 16)
#define VTCR_SH0_INNER field_prep(FIELD64(13, 12), 3)
#define VTCR_ORGN0_WBWA field_prep(FIELD64(11, 10), 1)
#define VTCR_IRGN0_WBWA field_prep(FIELD64(9, 8), 1)
#define VTCR_SL0 FIELD64(7, 6)
#define VTCR_T0SZ FIELD64(5, 0)

/* One row per PARange: how the tables start. */
static const struct {
	uint8_t bits;
	uint8_t start_level;
	uint8_t root_order; /* log2 of concatenated tables */
} ipa_sizes[] = {
	{ 32, 1, 0 }, { 36, 1, 0 }, { 40, 1, 1 },
	{ 42, 1, 3 }, { 44, 0, 0 }, { 48, 0, 0 },
};

static uint64_t vtcr __attribute__((section(".data.ro_after_boot")));
static uint8_t ipa_row __attribute__((section(".data.ro_after_boot")));

unsigned int arch_ipa_bits(void)
{
	return ipa_sizes[ipa_row].bits;
}

__cold void stage2_init(void)
{
	uint64_t parange = read_sysreg(id_aa64mmfr0_el1) & 0xf;
	uint64_t vmid16 = (read_sysreg(id_aa64mmfr1_el1) >> 4) & 0xf;

	ipa_row = parange < ARRAY_SIZE(ipa_sizes) ?
			  (uint8_t)parange :
			  (uint8_t)(ARRAY_SIZE(ipa_sizes) - 1);
	/* SL0: 1 starts at level 1, 2 at level 0. */
	vtcr = VTCR_RES1 | VTCR_SH0_INNER | VTCR_ORGN0_WBWA | VTCR_IRGN0_WBWA |
	       field_prep(VTCR_PS, ipa_row) |
	       field_prep(VTCR_SL0, 2u - ipa_sizes[ipa_row].start_level) |
	       field_prep(VTCR_T0SZ, 64u - ipa_sizes[ipa_row].bits);
	if (vmid16 == 2) {
		vtcr |= VTCR_VS;
	}
	vmid_init(vmid16 == 2 ? 16 : 8);
}

__cold void stage2_init_cpu(void)
{
	write_sysreg(vtcr, vtcr_el2);
	write_sysreg(0, vttbr_el2);
	isb();
	__asm__ volatile("tlbi alle1" : : : "memory");
	dsb(nsh);
	isb();
}

/* ---- the walker's surroundings ------------------------------------------ */

struct stage2 {
	struct pgtable pt;
	struct domain *d;
};

static struct domain *owner_of(struct pgtable *t)
{
	return container_of(t, struct stage2, pt)->d;
}

static uint64_t table_alloc(struct pgtable *t)
{
	struct domain *d = owner_of(t);
	void *va;

	if (d->p2m.used_pages >= d->p2m.pool_pages) {
		return 0; /* its own pool is empty: its own failure */
	}
	va = hv_alloc_pages(d, 0);
	if (!va) {
		return 0;
	}
	d->p2m.used_pages++;
	return hv_pa(va).v;
}

static void table_free(struct pgtable *t, uint64_t pa)
{
	struct domain *d = owner_of(t);

	hv_free_pages(d, hv_va(paddr(pa)), 0);
	d->p2m.used_pages--;
}

static uint64_t *table_va(uint64_t pa)
{
	return hv_va(paddr(pa));
}

static void sync_walkers(struct pgtable *t)
{
	(void)t;
	dsb(ishst);
}

/* Out of the tables for devices too, and out of what their unit remembers. */
static __cold void tell_devices(struct pgtable *t, uint64_t addr)
{
	struct domain *d = owner_of(t);

	if (d->arch.uncached) {
		pgtable_clean(t, addr, arch_clean_dcache);
	}
	iommu_flush(d, addr);
}

/*
 * Drop the translation of one IPA on all CPUs. TLBIs act on the VMID in
 * VTTBR_EL2: another domain's is put there for the moment; no EL1 access
 * happens in between.
 */
static void invalidate(struct pgtable *t, uint64_t addr)
{
	struct domain *d = owner_of(t);
	uint64_t mine = read_sysreg(vttbr_el2);
	uint64_t theirs = vmid_vttbr(d);

	if (unlikely(d->iommu.units)) {
		tell_devices(t, addr);
	}
	if (theirs == 0) {
		return; /* never ran since the last rollover: nothing cached */
	}
	if (mine != theirs) {
		write_sysreg(theirs, vttbr_el2);
		isb();
	}
	__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(addr >> PAGE_SHIFT)
			 : "memory");
	dsb(ish); /* stage 2 gone before the combined entries go */
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	dsb(ish);
	isb();
	if (mine != theirs) {
		write_sysreg(mine, vttbr_el2);
		isb();
	}
}

static const struct pgtable_env stage2_env = {
	.table_alloc = table_alloc,
	.table_free = table_free,
	.table_va = table_va,
	.sync = sync_walkers,
	.invalidate = invalidate,
};

static struct stage2 stage2_of(struct domain *d)
{
	return (struct stage2){
		.pt = {
			.env = &stage2_env,
			.root = d->arch.vttbr_root,
			.start_level = ipa_sizes[ipa_row].start_level,
			.nr_roots = (uint8_t)
				(1u << ipa_sizes[ipa_row].root_order),
			.addr_bits = ipa_sizes[ipa_row].bits,
		},
		.d = d,
	};
}

/* ---- the port ------------------------------------------------------------ */

/* All that a CPU may reach it may read. */
#define S2_CPU_READ (S2_AP_READ | PTE_AF)

/* Descriptor bits of each type; the type itself travels in software bits. */
static const uint64_t type_attrs[NR_P2M_TYPES] = {
	[P2M_RAM_RW] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ |
		       S2_AP_WRITE,
	[P2M_RAM_RO] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ,
	/* The guest's own stage 1 decides. */
	[P2M_MMIO_DIRECT] = S2_MEMATTR_NORMAL | PTE_SH_OUTER | S2_CPU_READ |
			    S2_AP_WRITE | S2_XN,
	[P2M_MMIO_DEV] = S2_MEMATTR_DEVICE_NGNRE | PTE_SH_OUTER | S2_CPU_READ |
			 S2_AP_WRITE | S2_XN,
	/* CPUs fault for want of the access flag; SMMUs ignore it. */
	[P2M_DOORBELL] = S2_MEMATTR_DEVICE_NGNRE | PTE_SH_OUTER | S2_AP_WRITE |
			 S2_XN,
	[P2M_FOREIGN_RW] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ |
			   S2_AP_WRITE | S2_XN,
	[P2M_FOREIGN_RO] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ |
			   S2_XN,
	[P2M_GRANT_RW] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ |
			 S2_AP_WRITE | S2_XN,
	[P2M_GRANT_RO] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ | S2_XN,
	[P2M_XEN_RW] = S2_MEMATTR_NORMAL | PTE_SH_INNER | S2_CPU_READ |
		       S2_AP_WRITE | S2_XN,
};

__cold int arch_p2m_init(struct domain *d)
{
	/* Freed in whole by arch_p2m_fini_step. */
	void *root = hv_alloc_pages(d, ipa_sizes[ipa_row].root_order);

	if (!root) {
		return -ENOMEM;
	}
	d->arch.vttbr_root = hv_pa(root).v;
	d->arch.vmid_gen = 0;
	return 0;
}

__cold int arch_p2m_fini_step(struct domain *d)
{
	struct stage2 s2 = stage2_of(d);
	int rc;

	if (!d->arch.vttbr_root) {
		return 0;
	}
	vmid_release(d);
	rc = pgtable_free_step(&s2.pt, 16);
	if (rc) {
		return rc;
	}
	hv_free_pages(d, hv_va(paddr(d->arch.vttbr_root)),
		      ipa_sizes[ipa_row].root_order);
	d->arch.vttbr_root = 0;
	return 0;
}

/* @size bytes from @ipa as they are in the tables, for who reads memory. */
static __cold void clean_range(struct stage2 *s2, uint64_t ipa, uint64_t size)
{
	uint64_t step = BIT64(PT_LEVEL_SHIFT(2)); /* a table of pages */

	for (uint64_t at = 0; at < size; at += step) {
		pgtable_clean(&s2->pt, ipa + at, arch_clean_dcache);
	}
}

/* A block that is split is broken first: a device would not wait for it. */
static __cold int map_for_devices(struct stage2 *s2, gfn_t g, mfn_t m,
				  unsigned int order, uint64_t attrs)
{
	uint8_t t = (uint8_t)field_get(S2_SW_TYPE, attrs);
	uint64_t size = PAGE_SIZE << order;
	int rc;

	s2->pt.pages_only = p2m_type_is_ram(t);
	rc = pgtable_map(&s2->pt, gfn_to_ipa(g).v, mfn_to_paddr(m).v, size,
			 attrs);
	if (rc == 0 && s2->d->arch.uncached) {
		clean_range(s2, gfn_to_ipa(g).v, size);
	}
	return rc;
}

int arch_p2m_map(struct domain *d, gfn_t g, mfn_t m, unsigned int order,
		 enum p2m_type t)
{
	struct stage2 s2 = stage2_of(d);
	uint64_t attrs = type_attrs[t] | field_prep(S2_SW_TYPE, t);

	if (unlikely(d->iommu.enabled)) {
		return map_for_devices(&s2, g, m, order, attrs);
	}
	return pgtable_map(&s2.pt, gfn_to_ipa(g).v, mfn_to_paddr(m).v,
			   PAGE_SIZE << order, attrs);
}

static struct p2m_entry entry_of(uint64_t pte, uint64_t ipa_v,
				 unsigned int level)
{
	uint64_t in_block = BIT64(PT_LEVEL_SHIFT(level)) - 1;

	return (struct p2m_entry){
		.mfn = mfn(((pte & PTE_ADDR) | (ipa_v & in_block)) >>
			   PAGE_SHIFT),
		.type = (uint8_t)field_get(S2_SW_TYPE, pte),
		.order = (uint8_t)(PT_LEVEL_SHIFT(level) - PAGE_SHIFT),
	};
}

int arch_p2m_unmap(struct domain *d, gfn_t g, struct p2m_entry *old)
{
	struct stage2 s2 = stage2_of(d);
	uint64_t pte = 0;
	int rc = pgtable_unmap_page(&s2.pt, gfn_to_ipa(g).v, &pte);

	if (rc == 0) {
		*old = entry_of(pte, gfn_to_ipa(g).v, 3);
	}
	return rc;
}

struct p2m_entry arch_p2m_lookup(struct domain *d, gfn_t g)
{
	struct stage2 s2 = stage2_of(d);
	unsigned int level = 3;
	uint64_t pte = pgtable_lookup(&s2.pt, gfn_to_ipa(g).v, &level);

	if (!pte) { /* the whole span of the empty entry is empty */
		return (struct p2m_entry){
			.type = P2M_NONE,
			.order = (uint8_t)(PT_LEVEL_SHIFT(level) - PAGE_SHIFT),
		};
	}
	return entry_of(pte, gfn_to_ipa(g).v, level);
}

__cold void arch_p2m_share(struct domain *d, bool uncached,
			   struct iommu_space *out)
{
	if (uncached && !d->arch.uncached) {
		struct stage2 s2 = stage2_of(d);

		d->arch.uncached = true;
		clean_range(&s2, 0, (d->p2m.max_gfn + 1) << PAGE_SHIFT);
	}
	out->root = d->arch.vttbr_root;
	out->bits = ipa_sizes[ipa_row].bits;
	out->start_level = ipa_sizes[ipa_row].start_level;
}

/* ---- audit --------------------------------------------------------------- */

/* All the bits of a leaf but its address and what makes it one. */
static bool is_sound(uint64_t pte, unsigned int level)
{
	uint64_t t = field_get(S2_SW_TYPE, pte);
	bool is_leaf = (level == 3) == ((pte & PTE_TABLE) != 0);

	return is_leaf && t != P2M_NONE && t < NR_P2M_TYPES &&
	       (pte & ~(PTE_ADDR | PTE_VALID | PTE_TABLE)) ==
		       (type_attrs[t] | field_prep(S2_SW_TYPE, t));
}

/*
 * A walk of its own: it enters no table that is not ours. Whoever goes through
 * all entries enters each at its first.
 */
__cold void arch_p2m_inspect(struct domain *d, gfn_t g, struct p2m_raw *r)
{
	struct stage2 s2 = stage2_of(d);
	uint64_t addr = gfn_to_ipa(g).v;
	unsigned int level = s2.pt.start_level;
	uint64_t pte = table_va(s2.pt.root)[addr >> PT_LEVEL_SHIFT(level)];
	uint64_t idx;

	*r = (struct p2m_raw){ .is_bad_table = false };
	while (level < 3 && (pte & PTE_VALID) && (pte & PTE_TABLE)) {
		if (is_aligned(addr, BIT64(PT_LEVEL_SHIFT(level))) &&
		    !page_is_hv(mfn((pte & PTE_ADDR) >> PAGE_SHIFT))) {
			r->is_bad_table = true;
			break;
		}
		level++;
		idx = (addr >> PT_LEVEL_SHIFT(level)) & (PT_ENTRIES - 1);
		pte = table_va(pte & PTE_ADDR)[idx];
	}
	r->e = entry_of(pte, r->is_bad_table ? 0 : addr, level);
	r->is_mapped = (pte & PTE_VALID) != 0;
	r->is_sound = is_sound(pte, level);
}

__cold uint64_t arch_p2m_tag(const struct domain *d, uint64_t *root)
{
	*root = d->arch.vttbr_root;
	return d->arch.vmid_gen;
}

void stage2_load(struct vcpu *v)
{
	vmid_load(v);
}

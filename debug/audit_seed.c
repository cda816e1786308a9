/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking build: console keys that make what the auditor must find, on a
 * machine with dom0 and another domain; tests/sys/test_audit.py.
 *
 * Bounds  none kept: a search goes over an address space.
 */
#include "audit_seed.h"

#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>

/* Of a stock guest's kernel: nobody else maps that. */
#define KERNEL ((UINT64_C(0x40000000) >> PAGE_SHIFT) + 528)

/* SMMUv3: the first word of a stream's entry; valid, untranslated. */
#define STE_BYPASS 9u

/* What is seeded, and how to take it back. */
static struct {
	struct domain *d; /* a reference; NULL: nothing is seeded */
	bool is_entry;    /* at @g */
	gfn_t g;
	struct virq *virq;
	struct page *pg;
	uint16_t owner;
	struct iommu *unit; /* its last stream, which no device has */
} seed;

/* The first guest frame of @d from @g on that is mapped as one of @types. */
static gfn_t find(struct domain *d, uint64_t g, uint32_t types, mfn_t *m)
{
	uint64_t limit = BIT64(arch_ipa_bits() - PAGE_SHIFT);

	while (g < limit) {
		struct p2m_entry e = p2m_lookup(d, gfn(g));

		if (P2M_MASK(e.type) & types) {
			*m = e.mfn;
			return gfn(g);
		}
		g = align_down(g, BIT64(e.order)) + BIT64(e.order);
	}
	*m = mfn(INVALID_FRAME);
	return gfn(INVALID_FRAME);
}

/* The last stream of the first unit goes by the tables of @d. */
static int redirect(struct iommu *u, struct domain *d)
{
	struct iommu_space s;
	int rc;

	iommu_space_of(d, &s);
	spin_lock(&u->lock);
	u->ops->detach(u, u->max_stream, 1, &s);
	rc = u->ops->attach(u, u->max_stream, 1, &s);
	spin_unlock(&u->lock);
	return rc;
}

static void take_back(void)
{
	struct p2m_entry old;
	int rc = 0;

	if (seed.unit) {
		rc = redirect(seed.unit, seed.d);
		seed.unit = NULL;
	}

	if (seed.is_entry) {
		spin_lock(&seed.d->p2m.lock);
		rc = arch_p2m_unmap(seed.d, seed.g, &old);
		spin_unlock(&seed.d->p2m.lock);
	}
	if (seed.virq) {
		seed.virq->hw = 0;
		seed.virq->pintid = 0;
	}
	if (seed.pg) {
		seed.pg->owner = seed.owner;
	}
	domain_put(seed.d);
	seed.d = NULL;
	log_err("seed: taken back, %d\n", rc);
}

/* The other domain with a reference; NULL: there is none, or a seed was. */
static struct domain *other(void)
{
	struct domain *best = NULL;
	struct domain *d = domain_next_get(0);

	if (seed.d) {
		domain_put(d);
		take_back();
		return NULL;
	}
	while (d) { /* bound: MAX_DOMAINS, ids rise */
		domid_t next = (domid_t)(d->id + 1);

		if (best) {
			domain_put(best);
		}
		best = d;
		d = domain_next_get(next);
	}
	return best;
}

/* An entry that nothing stands behind, in @in, whose reference it takes. */
static void seed_entry(struct domain *in, mfn_t m, enum p2m_type t)
{
	mfn_t none;
	int rc;

	seed.g = find(in, 0, P2M_MASK(P2M_NONE), &none);
	spin_lock(&in->p2m.lock);
	rc = arch_p2m_map(in, seed.g, m, 0, t);
	spin_unlock(&in->p2m.lock);
	seed.d = in;
	seed.is_entry = rc == 0;
	seed.virq = NULL;
	seed.pg = NULL;
	log_err("seed: mfn=%#llx, %d\n", (unsigned long long)m.v, rc);
}

/* A frame of the other domain in dom0's tables, as @t. */
static void seed_frame(enum p2m_type t)
{
	struct domain *d = other();
	mfn_t m;

	if (!d) {
		return;
	}
	(void)find(d, KERNEL, P2M_MASK_RAM, &m);
	domain_get(hardware_domain);
	seed_entry(hardware_domain, m, t);
	domain_put(d);
}

void key_seed_stale(void)
{
	struct domain *d = other();
	void *va;

	if (d) {
		domain_put(d);
		domain_get(hardware_domain);
		va = hv_alloc_pages(NULL, 0);
		seed_entry(hardware_domain, paddr_to_mfn(hv_pa(va)),
			   P2M_RAM_RW);
		hv_free_pages(NULL, va, 0);
	}
}

void key_seed_twice(void)
{
	seed_frame(P2M_RAM_RW);
}

void key_seed_foreign(void)
{
	seed_frame(P2M_FOREIGN_RW);
}

void key_seed_grant(void)
{
	seed_frame(P2M_GRANT_RW);
}

/* The root of its own tables. */
void key_seed_hypervisor(void)
{
	struct domain *d = other();
	uint64_t root = 0;

	if (d) {
		(void)arch_p2m_tag(d, &root);
		seed_entry(d, paddr_to_mfn(paddr(root)), P2M_RAM_RW);
	}
}

void key_seed_device(void)
{
	struct domain *d = other();
	mfn_t m;

	if (d) {
		(void)find(hardware_domain, 0, P2M_MASK(P2M_MMIO_DIRECT), &m);
		seed_entry(d, m, P2M_MMIO_DEV);
	}
}

/* A frame of its own that says it is dom0's. */
void key_seed_owner(void)
{
	struct domain *d = other();
	mfn_t m;

	if (d) {
		(void)find(d, KERNEL, P2M_MASK_RAM, &m);
		seed.d = d;
		seed.is_entry = false;
		seed.virq = NULL;
		seed.pg = page_of(m);
		seed.owner = seed.pg->owner;
		seed.pg->owner = hardware_domain->id;
		log_err("seed: mfn=%#llx\n",
			(unsigned long long)page_mfn(seed.pg).v);
	}
}

/* A line of dom0's, linked to a second interrupt of it. */
void key_seed_irq(void)
{
	struct domain *d = other();
	uint32_t virq = VGIC_NR_PRIVATE;
	uint32_t line = VGIC_NR_PRIVATE;
	uint32_t linked;

	if (!d) {
		return;
	}
	domain_put(d);
	while (irq_desc_of(line) && irq_desc_of(line)->owner != IRQ_GUEST) {
		line++;
	}
	while (arch_virq_line(hardware_domain, virq, &linked)) {
		virq++;
	}
	domain_get(hardware_domain);
	seed.d = hardware_domain;
	seed.is_entry = false;
	seed.pg = NULL;
	seed.virq = arch_virq_of(hardware_domain, virq);
	seed.virq->hw = 1;
	seed.virq->pintid = (uint16_t)line;
	log_err("seed: line=%u virq=%u\n", line, virq);
}

/* A stream of dom0's that goes by @d's tables, as long as @d and after. */
static void seed_stream(struct domain *d, bool bypass)
{
	struct iommu_look l;
	int rc;

	if (!iommu_inspect(0, 0, &l) ||
	    !iommu_inspect(0, l.unit->max_stream, &l)) {
		log_err("seed: no IOMMU\n");
		return;
	}
	rc = redirect(l.unit, d);
	domain_get(hardware_domain);
	seed.d = hardware_domain;
	seed.is_entry = false;
	seed.virq = NULL;
	seed.pg = NULL;
	seed.unit = l.unit;
	(void)iommu_inspect(0, l.unit->max_stream, &l);
	if (bypass && l.is.entry) {
		l.is.entry[0] = STE_BYPASS;
		arch_clean_dcache(l.is.entry, sizeof(uint64_t));
	}
	log_err("seed: stream=%#x, %d\n", l.unit->max_stream, rc);
}

void key_seed_stream(void)
{
	struct domain *d = other();

	if (d) {
		seed_stream(d, false);
		domain_put(d);
	}
}

void key_seed_bypass(void)
{
	struct domain *d = other();

	if (d) {
		seed_stream(hardware_domain, true);
		domain_put(d);
	}
}

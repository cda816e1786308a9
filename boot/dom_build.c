/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder of boot-time domains: memory, devices, vCPUs, from what an
 * author has decided.
 *
 * Not     decisions: what a domain gets is its author's business.
 * CPU     the boot CPU; the domain is not published yet.
 * Bounds  work grows with 2 MiB chunks of memory and with devices.
 */
#include "dom_build.h"
#include "fdt_dom.h"
#include "fdt_dom_vcpu.h"
#include <abi/xen.h>
#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/static_mem.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

/* The largest order that alignment of both and length allow: 0, 9 or 18. */
static unsigned int best_order(uint64_t g, uint64_t m, uint64_t nr)
{
	if (is_aligned(g | m, BIT64(ORDER_1G)) && nr >= BIT64(ORDER_1G)) {
		return ORDER_1G;
	}
	if (is_aligned(g | m, BIT64(ORDER_2M)) && nr >= BIT64(ORDER_2M)) {
		return ORDER_2M;
	}
	return ORDER_4K;
}

/* What is mapped before an error stays so. */
static int map_frames(struct domain *d, uint64_t g, uint64_t m, uint64_t nr,
		      enum p2m_type t)
{
	while (nr) { /* bound: chunks of a bank */
		unsigned int order = best_order(g, m, nr);
		int rc = p2m_map_ram(d, gfn(g), mfn(m), order, t);

		if (rc) {
			page_release_range(d, mfn(m), nr);
			return rc;
		}
		g += BIT64(order);
		m += BIT64(order);
		nr -= BIT64(order);
	}
	return 0;
}

static int told(const struct domain *d, const struct mem_range *host, int rc)
{
	if (rc) {
		log_err("%s: memory %#llx+%#llx: error %d\n", d->name,
			(unsigned long long)host->start,
			(unsigned long long)host->size, -rc);
	}
	return rc;
}

int dom_build_ram(struct domain *d, uint64_t ipa, const struct mem_range *host)
{
	uint64_t m = host->start >> PAGE_SHIFT;
	uint64_t nr = host->size >> PAGE_SHIFT;
	int rc = dom_claim_range(d, mfn(m), nr);

	if (rc == 0) {
		rc = map_frames(d, ipa >> PAGE_SHIFT, m, nr, P2M_RAM_RW);
	}
	return told(d, host, rc);
}

/* ---- what the device tree sets aside ------------------------------------- */

int dom_build_static(struct domain *d, uint64_t ipa,
		     const struct mem_range *host)
{
	const struct static_piece p = {
		.gfn = ipa >> PAGE_SHIFT,
		.mfn = host->start >> PAGE_SHIFT,
		.nr = host->size >> PAGE_SHIFT,
	};
	int rc = dom_claim_static(d, &p);

	if (rc == 0) {
		rc = map_frames(d, p.gfn, p.mfn, p.nr, P2M_RAM_RW);
	}
	return told(d, host, rc);
}

static bool is_claimed(const struct shm_use *u)
{
	const struct page *pg = page_of(mfn(u->host.start >> PAGE_SHIFT));

	return pg && page_owner(pg) == DOMID_IO;
}

static int claim_regions(const struct boot_mem *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->nr_shm && rc == 0; i++) {
		const struct mem_range *r = &m->shm[i].host;

		if (!is_claimed(&m->shm[i])) {
			rc = static_mem_claim(DOMID_IO,
					      mfn(r->start >> PAGE_SHIFT),
					      r->size >> PAGE_SHIFT);
		}
	}
	return rc;
}

int dom_build_regions(void)
{
	int rc = claim_regions(&dom0_mem);

	for (uint32_t i = 0; i < nr_boot_domains && rc == 0; i++) {
		if (!boot_domains[i].refused) {
			rc = claim_regions(&boot_domains[i].mem);
		}
	}
	return rc;
}

/* Nothing is mapped there. */
static bool is_empty(struct domain *d, uint64_t g, uint64_t nr)
{
	uint64_t at = g;

	while (at < g + nr) { /* bound: entries of the range's tables */
		struct p2m_entry e = p2m_lookup(d, gfn(at));

		if (e.type != P2M_NONE) {
			return false;
		}
		at = align_down(at, BIT64(e.order)) + BIT64(e.order);
	}
	return true;
}

static int build_one_shared(struct domain *d, const struct shm_use *u)
{
	uint64_t g = u->ipa >> PAGE_SHIFT;
	uint64_t nr = u->host.size >> PAGE_SHIFT;
	uint64_t limit = BIT64(arch_ipa_bits() - PAGE_SHIFT);
	int rc = -EEXIST;

	if (g < limit && nr <= limit - g && is_empty(d, g, nr)) {
		rc = map_frames(d, g, u->host.start >> PAGE_SHIFT, nr,
				P2M_FOREIGN_RW);
	}
	if (rc) {
		log_err("%s: shared memory \"%s\" at guest address %#llx: "
			"something is there, or it is beyond the %u-bit guest "
			"address space, or its tables have no room (error "
			"%d)\n", d->name, u->id, (unsigned long long)u->ipa,
			arch_ipa_bits(), -rc);
	}
	return rc;
}

int dom_build_shared(struct domain *d, const struct boot_mem *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->nr_shm && rc == 0; i++) {
		rc = build_one_shared(d, &m->shm[i]);
	}
	return rc;
}

void dom_build_dom0_shared(struct domain *d)
{
	uint32_t i = 0;

	while (i < dom0_mem.nr_shm) { /* bound: MAX_SHARED */
		if (build_one_shared(d, &dom0_mem.shm[i])) {
			dom0_mem.shm[i] = dom0_mem.shm[--dom0_mem.nr_shm];
		} else {
			i++;
		}
	}
}

void dom_host_gic(struct dom_config *cfg)
{
	cfg->gicd_base = platform.gic.gicd_base;
	cfg->gicd_size = platform.gic.gicd_size;
	cfg->gicc_base = platform.gic.gicc_base;
	cfg->gicc_size = platform.gic.gicv_size < platform.gic.gicc_size ?
				 platform.gic.gicv_size :
				 platform.gic.gicc_size;
	cfg->gicr_base = platform.gic.nr_gicr ? platform.gic.gicr[0].start : 0;
	cfg->gicr_size = platform.gic.nr_gicr ? platform.gic.gicr[0].size : 0;
}

int dom_build_mmio(struct domain *d, uint64_t start, uint64_t size)
{
	uint64_t first = start >> PAGE_SHIFT;
	uint64_t limit = BIT64(arch_ipa_bits() - PAGE_SHIFT);
	uint64_t nr = align_up(start + size, PAGE_SIZE) / PAGE_SIZE - first;

	if (first >= limit || nr > limit - first) {
		log_warn("%s: device at %#llx is beyond the %u-bit guest "
			 "address space: left out\n", d->name,
			 (unsigned long long)start, arch_ipa_bits());
		return 0;
	}
	return p2m_map_mmio(d, gfn(first), mfn(first), nr, P2M_MMIO_DIRECT);
}

uint16_t dom_build_next_cpu(uint32_t nr_vcpus)
{
	static uint32_t taken;
	uint32_t first;

	if (taken == 0 && hardware_domain) {
		taken = hardware_domain->max_vcpus;
	}
	first = taken % nr_pcpus;
	taken += nr_vcpus;
	return (uint16_t)first;
}

void dom_build_scrub(const struct mem_range *r)
{
	for (uint64_t at = 0; at < r->size; at += PAGE_SIZE) {
		void *page = hv_va(paddr(r->start + at));

		arch_clear_page(page);
		arch_clean_dcache(page, PAGE_SIZE);
	}
}

int dom_build_spi(struct domain *d, uint32_t intid, enum irq_trigger t)
{
	int rc = irq_assign_guest(d, intid, intid, t);

	if (rc == 0) {
		rc = vgic_link_hw(d, NULL, intid, intid);
	}
	if (rc) {
		log_err("%s: interrupt %u: error %d\n", d->name, intid, -rc);
	}
	return rc;
}

int dom_build_vcpus(struct domain *d, const struct dom_config *cfg,
		    uint64_t entry, uint64_t fdt)
{
	for (uint32_t i = 0; i < cfg->nr_vcpus; i++) {
		uint16_t cpu = (uint16_t)((cfg->first_cpu + i) % nr_pcpus);
		int rc = vcpu_create(d, i, cpu);

		if (rc) {
			log_err("%s: vCPU %u: error %d\n", d->name, i, -rc);
			return rc;
		}
		if (cfg->pin_vcpus) {
			rc = vcpu_set_hard_affinity(d->vcpu[i],
						    BIT64(d->vcpu[i]->cpu));
		}
		if (rc) {
			return rc;
		}
		arch_vcpu_reset(d->vcpu[i], 0, 0);
	}
	arch_vcpu_reset(d->vcpu[0], entry, fdt);
	return 0;
}

/* What is wrong with @cpus for a vCPU of @d; NULL: nothing. */
static const char *affinity_mistake(const struct domain *d, uint64_t cpus)
{
	uint64_t there = nr_pcpus < 64 ? BIT64(nr_pcpus) - 1 : UINT64_MAX;

	if ((cpus & ~there) != 0) {
		return "names a CPU that did not start, or was left out by "
		       "maxcpus=";
	}
	return (cpus & ~d->pool->cpus) != 0 ?
		       "names a CPU that is not in the domain's pool; "
		       "leave it out" :
		       NULL;
}

/* Marks of the console that would pass for another's: "d7" is a guest of xl. */
static bool is_one_of_ours(const char *name)
{
	return strcmp(name, "BH") == 0 || strcmp(name, "dom0") == 0 ||
	       (name[0] == 'd' && name[1] >= '0' && name[1] <= '9');
}

void dom_build_name(struct dom_config *cfg, const char *name)
{
	if (is_one_of_ours(name)) {
		hv_snprintf(cfg->name, sizeof(cfg->name), "d%u", cfg->domid);
	} else {
		hv_snprintf(cfg->name, sizeof(cfg->name), "%s", name);
	}
}

int dom_build_affinity(struct domain *d, uint8_t dom)
{
	for (uint32_t i = 0; i < nr_boot_vcpus; i++) {
		const struct boot_vcpu *v = &boot_vcpus[i];
		const char *wrong;

		if (v->dom != dom || v->cpus == 0) {
			continue;
		}
		wrong = affinity_mistake(d, v->cpus);
		if (wrong) {
			log_err("device tree: /chosen/%s: \"hard-affinity\" "
				"%s\n", boot_domains[dom].name, wrong);
			return -ENXIO;
		}
		if (vcpu_set_hard_affinity(d->vcpu[v->id], v->cpus)) {
			return -ENXIO; /* checked: cannot be */
		}
	}
	return 0;
}

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
#include <arch/vgic.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>

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

static int map_frames(struct domain *d, uint64_t g, uint64_t m, uint64_t nr)
{
	while (nr) { /* bound: chunks of a bank */
		unsigned int order = best_order(g, m, nr);
		int rc = p2m_map_ram(d, gfn(g), mfn(m), order, P2M_RAM_RW);

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

int dom_build_ram(struct domain *d, uint64_t ipa, const struct mem_range *host)
{
	uint64_t m = host->start >> PAGE_SHIFT;
	uint64_t nr = host->size >> PAGE_SHIFT;
	int rc = dom_claim_range(d, mfn(m), nr);

	if (rc == 0) {
		rc = map_frames(d, ipa >> PAGE_SHIFT, m, nr);
	}
	if (rc) {
		log_err("%s: memory %#llx+%#llx: error %d\n", d->name,
			(unsigned long long)host->start,
			(unsigned long long)host->size, -rc);
	}
	return rc;
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
			rc = vcpu_set_hard_affinity(d->vcpu[i], BIT64(cpu));
		}
		if (rc) {
			return rc;
		}
		arch_vcpu_reset(d->vcpu[i], 0, 0);
	}
	arch_vcpu_reset(d->vcpu[0], entry, fdt);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMIDs. A domain keeps its VMID until the numbers run out; then a new
 * generation begins: all guest translations are dropped once, VMIDs that are
 * live on some CPU keep their number, all others are handed out anew.
 *
 * Owns    the bitmap, the generation, the VMID live on each CPU.
 * Locks   vmid_lock, short, never held across another.
 * Bounds  a search of the bitmap; NR_CPUS at a rollover.
 * Spec    [ARM] D8.14 "TLB maintenance", VTTBR_EL2.VMID. VMID 0 is ours.
 */
#include "vmid.h"
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <hv/domain.h>
#include <hv/percpu.h>
#include <lib/check.h>

#define VTTBR_VMID FIELD64(63, 48)
#define GEN_SHIFT 16
#define MAX_VMIDS 1024u /* of the 256 or 65536 there are; MAX_DOMAINS fit */

static struct spinlock vmid_lock = SPINLOCK_INIT(HEAP);
static uint64_t used[MAX_VMIDS / 64];
static uint64_t generation = 1;
static uint32_t nr_vmids = 256;
static uint64_t live[NR_CPUS];            /* generation << 16 | VMID */
static uint16_t last_vcpu[NR_CPUS][MAX_VMIDS]; /* id + 1; 0: none */

void vmid_init(unsigned int bits)
{
	nr_vmids = bits > 10 ? MAX_VMIDS : (1u << bits);
	used[0] = 1;
}

static uint32_t find_free(void)
{
	for (uint32_t w = 0; w < nr_vmids / 64; w++) { /* bound: 16 */
		if (~used[w]) {
			return w * 64 + ffs64(~used[w]);
		}
	}
	return 0;
}

static void rollover(void)
{
	generation++;
	for (uint32_t w = 0; w < nr_vmids / 64; w++) {
		used[w] = 0;
	}
	used[0] = 1;
	for (uint32_t c = 0; c < NR_CPUS; c++) {
		uint64_t id = live[c] & 0xffff;

		used[id / 64] |= BIT64(id % 64);
	}
	__asm__ volatile("tlbi alle1is" : : : "memory");
	dsb(ish);
	isb();
}

static bool is_live(uint64_t vmid_gen)
{
	for (uint32_t c = 0; c < NR_CPUS; c++) {
		if (live[c] == vmid_gen && vmid_gen) {
			return true;
		}
	}
	return false;
}

static void renew(struct domain *d)
{
	uint32_t id;

	if (d->arch.vmid_gen >> GEN_SHIFT == generation) {
		return;
	}
	if (is_live(d->arch.vmid_gen)) { /* kept across the rollover */
		d->arch.vmid_gen = generation << GEN_SHIFT |
				   (d->arch.vmid_gen & 0xffff);
		return;
	}
	id = find_free();
	if (id == 0) {
		rollover();
		id = find_free();
	}
	ASSERT(id != 0); /* more numbers than CPUs */
	used[id / 64] |= BIT64(id % 64);
	d->arch.vmid_gen = generation << GEN_SHIFT | id;
	for (uint32_t c = 0; c < NR_CPUS; c++) {
		last_vcpu[c][id] = 0;
	}
}

uint64_t vmid_vttbr(const struct domain *d)
{
	if (!d->arch.vmid_gen) {
		return 0;
	}
	return d->arch.vttbr_root |
	       field_prep(VTTBR_VMID, d->arch.vmid_gen & 0xffff);
}

/*
 * Two vCPUs of one domain share its VMID, but a guest may use an ASID for
 * different things on different CPUs: when another vCPU of the domain ran
 * here last, this CPU's entries of the VMID go.
 */
void vmid_load(struct vcpu *v)
{
	struct domain *d = v->domain;
	uint16_t cpu = this_cpu();
	uint16_t *last;

	spin_lock(&vmid_lock);
	renew(d);
	live[cpu] = d->arch.vmid_gen;
	spin_unlock(&vmid_lock);
	write_sysreg(vmid_vttbr(d), vttbr_el2);
	isb();
	last = &last_vcpu[cpu][d->arch.vmid_gen & 0xffff];
	if (*last != v->id + 1) {
		if (*last) {
			__asm__ volatile("tlbi vmalle1" : : : "memory");
			dsb(nsh);
			isb();
		}
		*last = (uint16_t)(v->id + 1);
	}
}

void vmid_release(struct domain *d)
{
	uint64_t mine = read_sysreg(vttbr_el2);
	uint64_t id = d->arch.vmid_gen & 0xffff;

	if (!d->arch.vmid_gen) {
		return;
	}
	write_sysreg(vmid_vttbr(d), vttbr_el2);
	isb();
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	dsb(ish);
	isb();
	write_sysreg(mine, vttbr_el2);
	isb();
	spin_lock(&vmid_lock);
	if (d->arch.vmid_gen >> GEN_SHIFT == generation &&
	    !is_live(d->arch.vmid_gen)) {
		used[id / 64] &= ~BIT64(id % 64);
	}
	d->arch.vmid_gen = 0;
	spin_unlock(&vmid_lock);
}

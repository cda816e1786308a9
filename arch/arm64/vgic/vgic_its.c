/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual ITS: creation and end, and the physical ITS's CPUs.
 *
 * Owns    its_lock, struct vits.
 * Not     commands (vgic_its_cmd.c), registers (vgicits_v3.c), interrupts
 *         that arrive (vgic_lpi.c).
 * Memory  all of it is ours and charged to the domain: the guest's tables are
 *         never read, but for the queue and the configuration of its LPIs.
 * Locks   its_lock, one for all: the physical queue is one as well. Who holds
 *         it does a few commands (VITS_STEP), or ends one device.
 * End     arch_msi_stop_step() ends the devices and takes the domain out of
 *         the table by which LPIs find it, all CPUs pass a work point, then
 *         vits_domain_fini() frees memory and block. In between an LPI that
 *         comes nevertheless (of an ITS that does not answer) is dropped.
 * Spec    [GIC] "The ITS", "GICR_PROPBASER".
 */
#include <lib/bits.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/vpci.h>
#include "vgic_its.h"

struct spinlock its_lock = SPINLOCK_INIT(ITS);
static uint32_t blocks_taken; /* bit n: block n */

static uint32_t block_of(const struct vits *s)
{
	return (s->first_lpi - LPI_FIRST) / VGIC_NR_LPIS;
}

static int take_block(struct vits *s) REQUIRES(its_lock)
{
	uint32_t i = (uint32_t)ffs64(~(uint64_t)blocks_taken);

	if (i >= ARRAY_SIZE(vits_of_block)) {
		return -ENOSPC;
	}
	blocks_taken |= BIT32(i);
	s->first_lpi = LPI_FIRST + i * VGIC_NR_LPIS;
	return 0;
}

/* Nobody can find it any more. */
__cold static void free_vits(struct vits *s)
{
	spin_lock(&its_lock);
	if (s->first_lpi) {
		blocks_taken &= ~BIT32(block_of(s));
	}
	spin_unlock(&its_lock);
	heap_free(s->d, s);
}

/* From here on it is found, by those who look at interrupts of @d's, too. */
__cold static void publish(struct vits *s) REQUIRES(its_lock)
{
	struct vgic *vgic = &s->d->arch.vgic;

	vgic->its = s;
	__atomic_store_n(&vgic->lpi, s->lpi, __ATOMIC_RELEASE);
	__atomic_store_n(&vits_of_block[block_of(s)], s, __ATOMIC_RELEASE);
}

__cold int vits_domain_init(struct domain *d, uint64_t base)
{
	struct vits *s = heap_alloc(d, sizeof(*s));
	int rc;

	if (!s) {
		return -ENOMEM;
	}
	s->d = d;
	for (uint32_t i = 0; i < VGIC_NR_LPIS; i++) {
		virq_init(&s->lpi[i], LPI_FIRST + i, VGIC_NO_VCPU, 3);
		s->lpi[i].edge = 1;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(s->collection); i++) {
		s->collection[i] = VGIC_NO_VCPU;
	}
	spin_lock(&its_lock);
	rc = take_block(s);
	spin_unlock(&its_lock);
	if (rc == 0) {
		rc = vits_map_regs(s, base);
	}
	if (rc) {
		free_vits(s);
		return rc;
	}
	spin_lock(&its_lock);
	publish(s);
	spin_unlock(&its_lock);
	return 0;
}

/* A device, or the last: who takes an LPI does not find @s any more. */
static int stop_step(struct vits *s) REQUIRES(its_lock)
{
	s->enabled = false;
	if (vits_drop_some(s)) {
		return -EAGAIN;
	}
	__atomic_store_n(&vits_of_block[block_of(s)], NULL, __ATOMIC_RELEASE);
	return 0;
}

/*
 * No CPU is about to take an LPI of @d's any more, and no vCPU is left. The
 * block is another's from here on, so that nobody gets what came for @d.
 */
__cold void vits_domain_fini(struct domain *d)
{
	struct vits *s = d->arch.vgic.its;

	if (!s) {
		return;
	}
	spin_lock(&its_lock);
	while (stop_step(s) == -EAGAIN) {
		/* bound: VITS_MAX_DEVICES and its LPIs; none, if it ran */
	}
	spin_unlock(&its_lock);
	d->arch.vgic.its = NULL;
	d->arch.vgic.lpi = NULL;
	free_vits(s);
}

/* ---- domains of a toolstack ---------------------------------------------- */

/* One that answers, and devices whose messages say whose they are. */
static bool can_share(const struct domain *d)
{
	bool is_there;

	if (!platform.its.node || d->arch.vgic.version != 3 ||
	    !d->iommu.enabled) {
		return false;
	}
	spin_lock(&its_lock);
	is_there = its_has_device(0);
	spin_unlock(&its_lock);
	return is_there;
}

__cold int arch_msi_domain_init(struct domain *d)
{
	int rc;

	if (!can_share(d)) {
		return -ENODEV;
	}
	if (d->arch.vgic.its) {
		return -EEXIST;
	}
	rc = vits_domain_init(d, VPCI_ITS_BASE);
	vgicd_v3_describe(d);
	return rc;
}

__cold void arch_msi_forget(struct domain *d, uint32_t device_id)
{
	struct vits *s = d->arch.vgic.its;

	if (s) {
		spin_lock(&its_lock);
		vits_drop_device(s, device_id);
		spin_unlock(&its_lock);
	}
}

__cold int arch_msi_stop_step(struct domain *d)
{
	struct vits *s = d->arch.vgic.its;
	int rc = 0;

	if (s) {
		spin_lock(&its_lock);
		rc = stop_step(s);
		spin_unlock(&its_lock);
	}
	return rc;
}

/* ---- the machine's CPUs -------------------------------------------------- */

static void tell(int rc)
{
	if (rc == -EIO) { /* -ENODEV: there is none, or no LPIs */
		log_err("ITS: does not answer; no messages of devices\n");
	}
}

__cold void arch_irq_join(void)
{
	spin_lock(&its_lock);
	tell(its_join_cpu(this_cpu()));
	spin_unlock(&its_lock);
}

__cold void arch_irq_leave(uint16_t cpu)
{
	spin_lock(&its_lock);
	tell(its_leave_cpu(cpu, this_cpu()));
	spin_unlock(&its_lock);
}

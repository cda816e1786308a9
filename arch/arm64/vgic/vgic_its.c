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
 *         it does a few commands (VITS_STEP).
 * Spec    [GIC] "The ITS", "GICR_PROPBASER".
 */
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/heap.h>
#include <hv/percpu.h>
#include "vgic_its.h"

struct spinlock its_lock = SPINLOCK_INIT(ITS);

static int take_block(struct vits *s)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(vits_of_block); i++) {
		if (!vits_of_block[i]) {
			s->first_lpi = LPI_FIRST + i * VGIC_NR_LPIS;
			__atomic_store_n(&vits_of_block[i], s,
					 __ATOMIC_RELEASE);
			return 0;
		}
	}
	return -ENOSPC;
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
	d->arch.vgic.its = s;
	d->arch.vgic.lpi = s->lpi;
	spin_lock(&its_lock);
	rc = take_block(s);
	spin_unlock(&its_lock);
	return rc ? rc : vits_map_regs(d, base);
}

/* No CPU is about to take an LPI of @d's any more, and no vCPU is left. */
__cold void vits_domain_fini(struct domain *d)
{
	struct vits *s = d->arch.vgic.its;

	if (!s) {
		return;
	}
	spin_lock(&its_lock);
	vits_drop_devices(s);
	if (s->first_lpi) {
		vits_of_block[(s->first_lpi - LPI_FIRST) / VGIC_NR_LPIS] =
			NULL;
	}
	spin_unlock(&its_lock);
	d->arch.vgic.its = NULL;
	d->arch.vgic.lpi = NULL;
	heap_free(d, s);
}

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

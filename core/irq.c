/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical interrupt lines: each belongs to nobody, to the hypervisor, or to
 * one (domain, virtual line).
 *
 * Owns    the table of struct irq_desc.
 * Not     the controller (irqchip), nor how a guest sees a line (arch_virq_*).
 * Locks   irq_lock (rank IRQ) for every change; irq_dispatch() reads without
 *         it: a line is masked before its owner changes, and the domain of a
 *         line that fired just before lives, with its interrupts, until every
 *         CPU has passed its next work point; who may have it next waits for
 *         that, too (platdev.c).
 * Guests  what a domain sees of its line is looked up once, when it gets it:
 *         irq_desc.guest, which says at once that the line is a guest's.
 * Bounds  every operation is O(1); irq_release_all() visits each line once.
 */
#include <hv/irq.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/lock.h>
#include <hv/percpu.h>
#include <hv/trace.h>

#define FIRST_SHARED_LINE 32u /* below: one such line per CPU */
#define FIRST_CPU_LINE 16u    /* below: IPIs */
#define MOVE_STEP 128u

/* Chosen at boot. */
const struct irqchip *irqchip __ro_after_boot;
uint32_t irqchip_nr_lines __ro_after_boot;

static struct irq_desc descs[NR_INTIDS];
static struct spinlock irq_lock = SPINLOCK_INIT(IRQ);

static bool line_exists(uint32_t line)
{
	return line >= FIRST_CPU_LINE && line < NR_INTIDS &&
	       line < irqchip_nr_lines;
}

const struct irq_desc *irq_desc_of(uint32_t line)
{
	return line < NR_INTIDS ? &descs[line] : NULL;
}

/* The owner last, @guest very last: irq_dispatch() reads them first. */
static void desc_publish(struct irq_desc *q, enum irq_owner o,
			 struct virq *guest)
{
	__atomic_store_n(&q->owner, (uint8_t)o, __ATOMIC_RELEASE);
	__atomic_store_n(&q->guest, guest, __ATOMIC_RELEASE);
}

int irq_request(uint32_t line, enum irq_trigger t,
		void (*handler)(uint32_t line))
{
	struct irq_desc *q;
	int rc = 0;

	if (!line_exists(line) || !handler) {
		return -EINVAL;
	}
	q = &descs[line];
	spin_lock(&irq_lock);
	if (q->owner != IRQ_NOBODY) {
		rc = -EBUSY;
	} else {
		q->trigger = (uint8_t)t;
		q->cpu = this_cpu();
		q->handler = handler;
		desc_publish(q, IRQ_HV, NULL);
		irqchip->set_trigger(line, t);
		if (line >= FIRST_SHARED_LINE) {
			irqchip->route(line, q->cpu);
		}
		irqchip->enable(line);
	}
	spin_unlock(&irq_lock);
	return rc;
}

void irq_enable_cpu_ppis(void)
{
	spin_lock(&irq_lock);
	for (uint32_t i = FIRST_CPU_LINE; i < FIRST_SHARED_LINE; i++) {
		enum irq_trigger trigger = (enum irq_trigger)descs[i].trigger;

		if (descs[i].owner == IRQ_HV) {
			irqchip->set_trigger(i, trigger);
			irqchip->enable(i);
		}
	}
	spin_unlock(&irq_lock);
}

int irq_assign_guest(struct domain *d, uint32_t line, uint32_t virq,
		     enum irq_trigger t)
{
	struct virq *guest = arch_virq_of(d, virq);
	struct irq_desc *q;
	int rc = 0;

	if (!line_exists(line) || line < FIRST_SHARED_LINE || !guest) {
		return -EINVAL;
	}
	q = &descs[line];
	spin_lock(&irq_lock);
	if (q->owner != IRQ_NOBODY) {
		rc = -EBUSY;
	} else {
		irqchip->disable(line);
		irqchip->set_trigger(line, t);
		irqchip->route(line, 0);
		q->trigger = (uint8_t)t;
		q->first_trigger = (uint8_t)t;
		q->cpu = 0;
		q->virq = (uint16_t)virq;
		q->domain = d;
		desc_publish(q, IRQ_GUEST, guest);
	}
	spin_unlock(&irq_lock);
	return rc;
}

static void release_locked(uint32_t line, struct irq_desc *q)
{
	irqchip->disable(line);
	desc_publish(q, IRQ_NOBODY, NULL);
	/* The guest may have died between taking it and ending it. */
	irqchip->set_active(line, false);
	irqchip->set_pending(line, false);
	q->domain = NULL;
	q->virq = 0;
}

void irq_release(struct domain *d, uint32_t line)
{
	spin_lock(&irq_lock);
	if (line < NR_INTIDS && descs[line].owner == IRQ_GUEST &&
	    descs[line].domain == d) {
		release_locked(line, &descs[line]);
	}
	spin_unlock(&irq_lock);
}

void irq_release_all(struct domain *d)
{
	spin_lock(&irq_lock);
	for (uint32_t i = FIRST_SHARED_LINE; i < NR_INTIDS; i++) {
		if (descs[i].owner == IRQ_GUEST && descs[i].domain == d) {
			release_locked(i, &descs[i]);
		}
	}
	spin_unlock(&irq_lock);
}

void irq_guest_enable(uint32_t line, bool enable)
{
	if (line >= NR_INTIDS) {
		return;
	}
	spin_lock(&irq_lock);
	if (descs[line].owner == IRQ_GUEST) {
		if (enable) {
			irqchip->enable(line);
		} else {
			irqchip->disable(line);
		}
	}
	spin_unlock(&irq_lock);
}

void irq_guest_set_trigger(uint32_t line, enum irq_trigger t)
{
	if (line >= NR_INTIDS) {
		return;
	}
	spin_lock(&irq_lock);
	if (descs[line].owner == IRQ_GUEST && descs[line].trigger != t) {
		descs[line].trigger = (uint8_t)t;
		irqchip->set_trigger(line, t);
	}
	spin_unlock(&irq_lock);
}

void irq_guest_route(uint32_t line, uint16_t cpu)
{
	if (line >= NR_INTIDS || cpu >= nr_pcpus) {
		return;
	}
	spin_lock(&irq_lock);
	if (descs[line].owner == IRQ_GUEST && descs[line].cpu != cpu) {
		descs[line].cpu = cpu;
		irqchip->route(line, cpu);
	}
	spin_unlock(&irq_lock);
}

/* Where @q goes from a CPU that goes off line. */
static uint16_t other_cpu(const struct irq_desc *q)
{
	uint64_t cpus = q->owner == IRQ_GUEST ? q->domain->pool->cpus : 0;

	return cpus ? (uint16_t)ffs64(cpus) : this_cpu();
}

int irq_move_step(uint16_t cpu, uint32_t *line)
{
	uint32_t end = min_u32(NR_INTIDS, irqchip_nr_lines);
	uint32_t i = *line < FIRST_SHARED_LINE ? FIRST_SHARED_LINE : *line;

	*line = i + MOVE_STEP;
	spin_lock(&irq_lock);
	for (; i < end && i < *line; i++) {
		struct irq_desc *q = &descs[i];

		if (q->owner != IRQ_NOBODY && q->cpu == cpu) {
			q->cpu = other_cpu(q);
			irqchip->route(i, q->cpu);
		}
	}
	spin_unlock(&irq_lock);
	if (i < end) {
		return -EAGAIN;
	}
	arch_irq_leave(cpu);
	return 0;
}

void irq_guest_reset(uint32_t line)
{
	struct irq_desc *q;

	if (line >= NR_INTIDS) {
		return;
	}
	q = &descs[line];
	spin_lock(&irq_lock);
	if (q->owner == IRQ_GUEST) {
		irqchip->disable(line);
		q->trigger = q->first_trigger;
		irqchip->set_trigger(line, (enum irq_trigger)q->trigger);
		irqchip->set_pending(line, false);
	}
	spin_unlock(&irq_lock);
}

/* Out of line: what a guest's interrupt does not need costs it nothing. */
static __attribute__((noinline)) void dispatch_ours(uint32_t line)
{
	const struct irq_desc *q = &descs[line];

	if (__atomic_load_n(&q->owner, __ATOMIC_ACQUIRE) == IRQ_HV) {
		q->handler(line);
		irqchip->deactivate(line);
		return;
	}
	irqchip->disable(line);
	irqchip->deactivate(line);
	trace_event(TRACE_IRQ_SPURIOUS, line, 0, 0);
}

void irq_dispatch(uint32_t line)
{
	const struct irq_desc *q;
	struct virq *guest;
	struct domain *d;

	if (line >= NR_INTIDS) {
		return; /* the controller's special numbers: nothing to end */
	}
	q = &descs[line];
	guest = __atomic_load_n(&q->guest, __ATOMIC_ACQUIRE);
	d = q->domain;
	if (likely(guest && d)) { /* else released just now */
		/* Stays active until the guest ends it. */
		arch_virq_post_hw(d, guest);
		return;
	}
	dispatch_ours(line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical interrupt lines: each belongs to nobody, to the hypervisor, or to
 * one (domain, virq).
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <lib/types.h>
#include <hv/irqchip.h>

struct domain;
struct virq; /* the architecture's */

enum irq_owner { IRQ_NOBODY /* at first */, IRQ_HV, IRQ_GUEST };

struct irq_desc {
	struct virq *guest;     /* what .domain sees; NULL: not IRQ_GUEST */
	uint8_t owner;          /* enum irq_owner; IRQ lock, line masked */
	uint8_t trigger;
	uint16_t cpu;           /* routed to */
	uint16_t virq;
	uint8_t first_trigger;  /* of irq_assign_guest() */
	union {
		struct domain *domain; /* IRQ_GUEST; else NULL or: */
		void (*handler)(uint32_t intid); /* IRQ_HV; only posts work */
	};
};

/* Take a line for the hypervisor; enables it. -EBUSY, -EINVAL. */
__must_check int irq_request(uint32_t intid, enum irq_trigger t,
			     void (*handler)(uint32_t intid));
/*
 * Give SPI @intid to @d, which has it already, as @virq, disabled until the
 * guest enables it. -EBUSY (hypervisor's or another domain's), -EINVAL.
 */
__must_check int irq_assign_guest(struct domain *d, uint32_t intid,
				  uint32_t virq, enum irq_trigger t);
const struct irq_desc *irq_desc_of(uint32_t intid);
/* Another CPU, once: enable the hypervisor's per-CPU lines there. */
void irq_enable_cpu_ppis(void);
/*
 * Take one back: masked, not active, nobody's. A CPU may have it in hand up to
 * its next work point.
 */
void irq_release(struct domain *d, uint32_t intid);
/* Take back every line of @d: masked, not active, nobody's. */
void irq_release_all(struct domain *d);

/*
 * A bounded step: lines from *@line on that go to @cpu, go to another one: of
 * their domain's pool, or to this. *@line is 0 at first; -EAGAIN: call again.
 */
__must_check int irq_move_step(uint16_t cpu, uint32_t *line);

/* vGIC side: the guest changed enable/trigger/target of a line it owns. */
void irq_guest_enable(uint32_t intid, bool enable);
void irq_guest_set_trigger(uint32_t intid, enum irq_trigger t);
void irq_guest_route(uint32_t intid, uint16_t cpu);
/* Masked, as it was assigned, and an edge that nobody has taken is gone. */
void irq_guest_reset(uint32_t intid);

#endif

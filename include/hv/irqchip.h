/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: the physical interrupt controller. One implementation is chosen at
 * boot; the table is const.
 */
#ifndef HV_IRQCHIP_H
#define HV_IRQCHIP_H

#include <lib/types.h>

#define INTID_NONE 1023u
#define NR_INTIDS 1020u

enum irq_trigger { IRQ_LEVEL, IRQ_EDGE };

struct irqchip {
	const char *name;
	/* Next pending interrupt, now active; NR_INTIDS or more: none. */
	uint32_t (*ack)(void);
	/* Drop its running priority; the line stays active (EOImode 1). */
	void (*eoi)(uint32_t intid);
	/* End of the active state; others than HW-linked ones need it. */
	void (*deactivate)(uint32_t intid);
	void (*enable)(uint32_t intid);   /* PPIs: of the calling CPU */
	void (*disable)(uint32_t intid);
	void (*set_trigger)(uint32_t intid, enum irq_trigger t);
	void (*route)(uint32_t intid, uint16_t cpu); /* SPIs */
	void (*send_ipi)(uint16_t cpu, uint32_t sgi);
	/* Set or clear the pending / active latch of a line. */
	void (*set_pending)(uint32_t intid, bool pending);
	void (*set_active)(uint32_t intid, bool active);
	bool (*is_pending)(uint32_t intid);
	void (*init_cpu)(void);           /* each CPU, at its bring-up */
};

extern const struct irqchip *irqchip;
/* INTIDs 0..irqchip_nr_lines-1 exist; set by the driver's init. */
extern uint32_t irqchip_nr_lines;

/* IPIs the hypervisor uses (SGIs of its own; guests never see them). */
enum ipi { IPI_KICK, IPI_STOP, NR_IPIS };

#endif

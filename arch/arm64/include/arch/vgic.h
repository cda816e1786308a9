/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: state of a domain's interrupts. Owned by arch/arm64/vgic.
 */
#ifndef ARCH_VGIC_H
#define ARCH_VGIC_H

#include <lib/types.h>
#include <hv/lock.h>
#include <arch/vgic_hw.h>

struct domain;
struct vcpu;
struct dom_config;

#define VGIC_NR_PRIVATE 32u
#define VGIC_MAX_INTIDS 1020u
#define VGIC_LR_NONE 0xffu

/* One virtual interrupt; under the domain's vGIC lock. */
struct virq {
	uint16_t intid;
	uint16_t pintid;    /* HW-linked physical line, or 0 */
	uint16_t target;    /* vCPU it is routed to (SPIs) */
	uint16_t lr_vcpu;   /* whose list register holds it */
	uint8_t lr;         /* which one, VGIC_LR_NONE: none */
	uint8_t priority;
	uint8_t enabled : 1;
	uint8_t edge : 1;   /* configuration: edge-triggered */
	uint8_t line : 1;   /* level of the input line */
	uint8_t latch : 1;  /* pending by an edge or by ISPENDR */
	uint8_t active : 1;
	uint8_t hw : 1;     /* linked to pintid */
	uint8_t group1 : 1;
	uint8_t queued : 1; /* its bit is set in the target's candidates */
	uint8_t sources;    /* GICv2 SGIs: pending per source CPU */
	uint8_t targets_v2; /* GICD_ITARGETSR byte */
	uint64_t irouter;   /* GICD_IROUTER as written */
};

/* Interrupts of one vCPU that may need a list register, one bit an INTID. */
struct vgic_vcpu {
	struct virq priv[VGIC_NR_PRIVATE];
	uint64_t candidates[16]; /* vGIC lock */
	uint16_t summary;        /* bit n: candidates[n] != 0 */
	uint16_t lr_used;        /* bit n: list register n in use */
	uint16_t lr_intid[VGIC_MAX_LRS];
	uint64_t lr_saved[VGIC_MAX_LRS]; /* while not loaded */
	bool loaded;             /* list registers are in hardware */
	struct vgic_cpuif cpuif;
};

struct vgic {
	struct spinlock lock;    /* rank VGIC */
	uint8_t version;         /* 2 or 3 */
	bool enabled;            /* GICD_CTLR group enable */
	uint32_t ctlr;
	uint32_t nr_spis;
	struct virq *spi;        /* [nr_spis] */
};

__must_check int vgic_domain_init(struct domain *d,
				  const struct dom_config *cfg);
void vgic_domain_fini(struct domain *d);
__must_check int vgic_vcpu_init(struct vcpu *v);
void vgic_vcpu_fini(struct vcpu *v);
/* Owner CPU: list registers and virtual CPU interface in / out. */
void vgic_vcpu_load(struct vcpu *v);
void vgic_vcpu_save(struct vcpu *v);

/* Any CPU: the input line of @intid (PPI of @v, or an SPI: v may be NULL). */
void vgic_set_level(struct domain *d, struct vcpu *v, uint32_t intid,
		    bool level);
/* Any CPU: an edge. */
void vgic_post_edge(struct domain *d, struct vcpu *v, uint32_t intid);
/*
 * A physical line linked to @intid fired and is now active in the GIC: the
 * guest's deactivation will end it. Any CPU.
 */
void vgic_post_hw(struct domain *d, struct vcpu *v, uint32_t intid);
/* Link / unlink @intid to a physical line. -EINVAL, -EBUSY. */
__must_check int vgic_link_hw(struct domain *d, struct vcpu *v,
			      uint32_t intid, uint32_t pintid);
void vgic_unlink_hw(struct domain *d, struct vcpu *v, uint32_t intid);
/* Owner CPU, work point (VWORK_VIRQ): fill list registers. */
void vgic_flush(struct vcpu *v);
/* A maintenance interrupt of the loaded vCPU. */
void vgic_maintenance(struct vcpu *v);
/* Would @v take an interrupt, ignoring PSTATE: ends WFI. */
bool vgic_has_pending(struct vcpu *v);
/* ICC_SGI1R_EL1 written by @v. */
void vgic_v3_write_sgi1r(struct vcpu *v, uint64_t val);
/* Guest address space of the register files; registers mmio ranges. */
__must_check int vgic_v2_map(struct domain *d, const struct dom_config *cfg);
__must_check int vgic_v3_map(struct domain *d, const struct dom_config *cfg);

#endif

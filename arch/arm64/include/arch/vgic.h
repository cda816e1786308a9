/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: state of a domain's interrupts. Owned by arch/arm64/vgic.
 */
#ifndef ARCH_VGIC_H
#define ARCH_VGIC_H

#include <lib/types.h>
#include <lib/bits.h>
#include <hv/lock.h>
#include <arch/vgic_hw.h>

struct domain;
struct vcpu;
struct dom_config;
struct vits;

#define VGIC_NR_PRIVATE 32u
#define VGIC_MAX_INTIDS 1020u
#define VGIC_LR_NONE 0xffu
#define VGIC_NO_VCPU 0xffffu
/* LPIs of a domain with an ITS: INTIDs from VGIC_LPI_FIRST on. */
#define VGIC_LPI_FIRST 8192u
#define VGIC_NR_LPIS 1024u
/* Their numbers among candidates, behind those of all others. */
#define VGIC_LPI_INDEX 1024u
#define VGIC_NR_INDICES (VGIC_LPI_INDEX + VGIC_NR_LPIS)

/* struct virq.flags; the test of the vGIC compares with the bit fields. */
#define VIRQ_ENABLED BIT32(0)
#define VIRQ_EDGE BIT32(1)
#define VIRQ_LINE BIT32(2)
#define VIRQ_LATCH BIT32(3)
#define VIRQ_ACTIVE BIT32(4)
#define VIRQ_HW BIT32(5)
#define VIRQ_GROUP1 BIT32(6)
#define VIRQ_QUEUED BIT32(7)
#define VIRQ_LR_LATCH BIT32(8)
#define VIRQ_LR_SW BIT32(9)
#define VIRQ_STALE BIT32(10)
#define VIRQ_PHYS BIT32(11)
#define VIRQ_SOFT BIT32(12)
#define VIRQ_REQUESTS (BIT32(13) | BIT32(14) | BIT32(15))

/*
 * One virtual interrupt; under the domain's vGIC lock. While a list register
 * holds it, pending and active state are there and the fields below are what
 * has to be added to it; vgic_state.c tells how.
 */
struct virq {
	uint16_t intid;
	uint16_t pintid;    /* HW-linked physical line, or 0 */
	uint16_t target;    /* vCPU it is routed to; VGIC_NO_VCPU: none */
	uint16_t lr_vcpu;   /* whose LR or candidates hold it, or NO_VCPU */
	uint8_t lr;         /* which one, VGIC_LR_NONE: none */
	uint8_t priority;
	union {
		struct {
			uint16_t enabled : 1;
			uint16_t edge : 1;   /* configuration: edge-triggered */
			uint16_t line : 1;   /* level of the input line */
			uint16_t latch : 1;  /* pending: an edge or ISPENDR */
			uint16_t active : 1;
			uint16_t hw : 1;     /* linked to pintid */
			uint16_t group1 : 1; /* GICv3 guests: 1, GICv2: 0 */
			uint16_t queued : 1; /* bit in candidates of lr_vcpu */
			uint16_t lr_latch : 1; /* its LR's pending was latch */
			uint16_t lr_sw : 1;  /* linked, but LR has HW=0 */
			uint16_t stale : 1;  /* its LR must be written anew */
			uint16_t phys : 1;   /* pintid is active for us */
			uint16_t soft : 1;   /* linked, latch is of ISPENDR */
			uint16_t req_unpend : 1; /* drop pending in its LR */
			uint16_t req_inactive : 1; /* drop active in its LR */
			uint16_t req_active : 1; /* add active */
		};
		uint16_t flags; /* all of them, VIRQ_* */
	};
	uint8_t sources;    /* GICv2 SGIs: pending per source CPU */
	uint8_t active_src; /* GICv2 SGIs: source CPU of the active one */
	uint8_t targets_v2; /* GICD_ITARGETSR byte */
	uint64_t irouter;   /* GICD_IROUTER as written */
};
STATIC_ASSERT(sizeof(struct virq) == 24, "988 of them fit the heap's limit");

/* Interrupts of one vCPU that may need a list register; virq_index(). */
struct vgic_vcpu {
	struct virq priv[VGIC_NR_PRIVATE];
	uint32_t summary;        /* bit n: candidates[n] != 0 */
	union {
		struct {
			uint16_t lr_used; /* bit n: list register n in use */
			uint16_t is_slow; /* below; 0 or 1 */
		};
		uint32_t used_or_slow; /* both in one look */
	};
	uint16_t lr_eoi;         /* bit n: its end is told by an interrupt */
	uint16_t loaded_on;      /* CPU whose LRs hold its state, or CPU_NONE */
	uint32_t linked;         /* bit n: PPI n is linked to a physical PPI */
	bool resync;             /* write all list registers anew */
	bool waiting;            /* something waits for a list register */
	/* is_slow: one of the above, or candidates, or not loaded. */
	uint16_t lr_intid[VGIC_MAX_LRS];
	uint64_t lr_saved[VGIC_MAX_LRS]; /* while not loaded */
	struct vgic_cpuif cpuif;
	uint64_t candidates[VGIC_NR_INDICES / 64]; /* vGIC lock */
};

struct vgic {
	struct spinlock lock;    /* rank VGIC */
	uint8_t version;         /* 2 or 3 */
	bool enabled;            /* GICD_CTLR group enable */
	uint32_t ctlr;
	uint32_t typer;          /* GICv3: GICD_TYPER, constant */
	uint32_t nr_spis;
	struct virq *spi;        /* [nr_spis] */
	struct virq *lpi;        /* [VGIC_NR_LPIS]; NULL: without an ITS */
	struct vits *its;
};

/* Needs d->max_vcpus. -EINVAL (version, nr_spis, vCPUs), -ENOMEM. */
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
/* NULL: @d has no such shared interrupt. It stays until vgic_domain_fini(). */
struct virq *vgic_spi_of(struct domain *d, uint32_t intid);
/*
 * A physical line linked to @q of @d fired and is now active in the GIC: the
 * guest's deactivation will end it. Any CPU; a PPI: its vCPU is loaded here.
 */
void vgic_post_hw(struct domain *d, struct virq *q);
/* LPI @q of @d: its message has come. Any CPU. */
void vgic_post_lpi(struct domain *d, struct virq *q);
/* Physical LPI @intid has fired here and is ended. */
void vgic_take_lpi(uint32_t intid);
/* Link / unlink @intid to a physical line. -EINVAL, -EBUSY. */
__must_check int vgic_link_hw(struct domain *d, struct vcpu *v,
			      uint32_t intid, uint32_t pintid);
void vgic_unlink_hw(struct domain *d, struct vcpu *v, uint32_t intid);
/* Owner CPU, work point (VWORK_VIRQ): fill list registers. */
void vgic_flush(struct vcpu *v);
/*
 * A maintenance interrupt of the loaded vCPU: ends its cause and posts
 * VWORK_VIRQ; with VWORK_UPCALL first when a level-sensitive one ended.
 */
void vgic_maintenance(struct vcpu *v);
/* Would @v take an interrupt, ignoring PSTATE: ends WFI. */
bool vgic_has_pending(struct vcpu *v);
/* Interrupts of @v to the console; where arch_vcpu_dump() may be called. */
void vgic_dump(struct vcpu *v);
/* ICC_SGI1R_EL1 written by @v. */
void vgic_v3_write_sgi1r(struct vcpu *v, uint64_t val);
/*
 * As after creation, links to physical lines kept. The vCPUs of @d are not
 * loaded but on this CPU, which has one of them. A bounded step; @at is 0 at
 * first; -EAGAIN: call again.
 */
__must_check int vgic_reset_step(struct domain *d, uint64_t *at);
/*
 * An ITS at @base, before vgic_v3_map(). -ENOMEM, -ENOSPC (also: no LPIs left
 * in the machine), -EEXIST; nothing remains after an error.
 */
__must_check int vits_domain_init(struct domain *d, uint64_t base);
void vits_domain_fini(struct domain *d);
/*
 * Guest address space of the register files: registers mmio ranges. After
 * vgic_domain_init(), the one for its version. -EINVAL, -ENOSPC, -EEXIST.
 */
__must_check int vgic_v2_map(struct domain *d, const struct dom_config *cfg);
__must_check int vgic_v3_map(struct domain *d, const struct dom_config *cfg);

#endif

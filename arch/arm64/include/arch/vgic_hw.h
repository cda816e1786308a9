/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only thing a vGIC model knows of a physical GIC: its list registers.
 * Implemented by drivers/gic/gich.c (GICv2), ich.c (GICv3) and
 * tests/fakes/fake_ich.c. All functions act on the calling CPU.
 */
#ifndef ARCH_VGIC_HW_H
#define ARCH_VGIC_HW_H

#include <lib/types.h>

#define VGIC_MAX_LRS 16u

enum vgic_lr_state { LR_FREE = 0, LR_PENDING = 1, LR_ACTIVE = 2, LR_BOTH = 3 };

/*
 * A list register's contents in the GICv3 layout of ICH_LR<n>_EL2; the GICv2
 * driver converts. Use the ICH_LR_* fields below. For GICv2 SGIs the source
 * CPU (0..7) travels in ICH_LR_V2_SOURCE.
 */
#define ICH_LR_STATE FIELD64(63, 62)
#define ICH_LR_HW BIT64(61)
#define ICH_LR_GROUP BIT64(60)
#define ICH_LR_PRIORITY FIELD64(55, 48)
#define ICH_LR_PINTID FIELD64(44, 32)
#define ICH_LR_EOI BIT64(41)
#define ICH_LR_V2_SOURCE FIELD64(34, 32) /* HW=0 and a v2 SGI */
#define ICH_LR_VINTID FIELD64(31, 0)

/* What a vCPU's virtual CPU interface holds while it is not loaded. */
struct vgic_cpuif {
	uint64_t vmcr;
	uint64_t hcr;
	uint32_t ap0r[4];
	uint32_t ap1r[4];
};

struct vgic_hw {
	uint8_t version;   /* 2 or 3: which register files guests see */
	/* Each CPU: all list registers empty, the virtual interface off. */
	void (*init_cpu)(void);
	uint64_t (*read_lr)(unsigned int n);
	void (*write_lr)(unsigned int n, uint64_t lr);
	/* Bit n: list register n is empty (state free, no EOI pending). */
	uint64_t (*empty_lrs)(void);
	/* Bit n: list register n signals an EOI maintenance interrupt. */
	uint64_t (*eoi_lrs)(void);
	/*
	 * Maintenance interrupt when at most one list register is still in
	 * use (@few), when none is pending any more (@no_pending).
	 */
	void (*refill_irq)(bool few, bool no_pending);
	void (*save_cpuif)(struct vgic_cpuif *c);  /* and switch it off */
	void (*load_cpuif)(const struct vgic_cpuif *c);
	void (*reset_cpuif)(struct vgic_cpuif *c); /* a new vCPU's values */
	/* Physical line: drive its active state (hand-over of HW lines). */
	void (*set_phys_active)(uint32_t pintid, bool active);
	/* Physical line: latched or, when level-sensitive, high. */
	bool (*is_phys_pending)(uint32_t pintid);
};

/* What the driver's init found; the table itself is const. */
struct vgic_hw_caps {
	uint8_t nr_lrs;    /* 1..VGIC_MAX_LRS */
	uint8_t nr_prio_bits;
};

extern const struct vgic_hw *vgic_hw; /* set once at boot */
extern struct vgic_hw_caps vgic_hw_caps;

#endif

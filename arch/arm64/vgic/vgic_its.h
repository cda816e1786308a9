/* SPDX-License-Identifier: Apache-2.0 */
/* A domain's ITS, for the files that serve it. */
#ifndef VGIC_ITS_H
#define VGIC_ITS_H

#include <arch/its.h>
#include "vgic_priv.h"

#define VITS_EVENT_BITS 11u   /* of a device: as many as MSI-X has at most */
#define VITS_MAX_EVENTS 8192u /* of all its devices, mapped or not */
#define VITS_MAX_DEVICES 256u
#define VITS_BUCKETS 64u
#define VITS_NO_DEVICE NULL

/* A device that the guest has mapped. */
struct vits_dev {
	struct vits_dev *next; /* of its bucket */
	uint32_t id;           /* the machine's */
	uint32_t guest_id;     /* by which it is found */
	uint32_t nr_events;
	void *itt;             /* the physical ITS has it */
	uint16_t lpi[];        /* of each event: its place + 1; 0: not mapped */
};

/* Who raises an LPI; dev == NULL: nobody. */
struct vits_event {
	struct vits_dev *dev;
	uint16_t event;
	uint16_t collection;
};

/*
 * its_lock for everything but: lpi[], which is under the domain's vGIC lock;
 * enabled and lpis_on, which who takes an LPI reads without.
 */
struct vits {
	struct domain *d;
	bool enabled;
	uint32_t first_lpi;    /* physical, of lpi[0] */
	uint32_t nr_devices;
	uint32_t nr_events;
	uint64_t cbaser, cwriter, creadr;
	uint64_t propbaser;
	uint64_t pendbaser[MAX_VCPUS_PER_DOMAIN];
	uint64_t lpis_on[MAX_VCPUS_PER_DOMAIN / 64]; /* GICR_CTLR; atomic */
	uint16_t collection[MAX_VCPUS_PER_DOMAIN + 1]; /* vCPU or NO_VCPU */
	struct vits_dev *dev[VITS_BUCKETS];
	struct vits_dev *ending; /* unmapped; map[] has what is left of it */
	struct vits_event map[VGIC_NR_LPIS];
	struct virq lpi[VGIC_NR_LPIS];
};
STATIC_ASSERT(sizeof(struct vits) <= 65536, "the heap's limit");

extern struct spinlock its_lock;
/*
 * Who gets the LPIs of each block of VGIC_NR_LPIS; read without a lock. A
 * domain that ends keeps its block for longer than it is here.
 */
extern struct vits *vits_of_block[LPI_NR / VGIC_NR_LPIS];

static inline uint32_t vits_nr_collections(const struct vits *s)
{
	return s->d->max_vcpus + 1;
}

/* vgic_its_cmd.c; its_lock is held. */
/* Some commands of the guest's queue; true: more are waiting. */
bool vits_run_queue(struct vits *s) REQUIRES(its_lock);
/* A device, or some LPIs of one that ends; false: there is none left. */
bool vits_drop_some(struct vits *s) REQUIRES(its_lock);
/* The one with this id of the machine's, if it is mapped. */
void vits_drop_device(struct vits *s, uint32_t id) REQUIRES(its_lock);
/* vgicd_v3.c: GICD_TYPER by what @d has. */
void vgicd_v3_describe(struct domain *d);
/* vgicits_v3.c */
/* Nothing remains after an error. */
__must_check int vits_map_regs(struct vits *s, uint64_t base);

#endif

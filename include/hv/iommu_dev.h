/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices behind units of hv/iommu.h, and the domains they belong to. A
 * device that belongs to none reaches nothing.
 */
#ifndef HV_IOMMU_DEV_H
#define HV_IOMMU_DEV_H

#include <hv/iommu.h>
#include <lib/types.h>

struct domain;
struct iommu_fault;

#define IOMMU_DEV_STREAMS 8u

struct stream_range {
	struct iommu *unit;
	uint32_t first;
	uint32_t nr;
};

/*
 * All the streams of one device of the tree; of a PCI host, of all behind. A
 * function behind one is a device of one stream, .of the host: while it is
 * .away the stream is not the host's, whoever has that.
 */
struct iommu_device {
	const char *name; /* for messages; lives as long as this */
	struct domain *owner; /* NULL: nobody; iommu_lock */
	struct iommu_device *next; /* of all; iommu_add_device() */
	struct iommu_device *of; /* NULL: no function */
	struct iommu_device *functions; /* of a host; iommu_lock */
	struct iommu_device *next_function;
	bool away; /* iommu_lock */
	uint32_t nr;
	struct stream_range stream[IOMMU_DEV_STREAMS];
};

/* Boot: @u, whose driver works, may be a device's from now on. -ENOSPC. */
__must_check int iommu_add_unit(struct iommu *u);
void iommu_add_device(struct iommu_device *dev);
/* There is at least one unit that works. */
bool iommu_is_present(void);

/*
 * @dev does its accesses as @d from now on. -EINVAL: @d is not one that may
 * have devices; -EBUSY: it has an owner; -ENOSPC: too many domains have
 * devices; what the unit says. Undone after an error.
 */
__must_check int iommu_assign(struct domain *d, struct iommu_device *dev);
/* Nothing of @dev, one of @d's, is under way, and it reaches nothing. */
void iommu_return(struct domain *d, struct iommu_device *dev);
/*
 * All of @d's devices, one by one: they reach nothing any more, and nothing of
 * them is under way. A part of its end, before its memory goes.
 */
__must_check int iommu_return_all_step(struct domain *d);

/* ---- one function of a PCI host's (iommu_function.c) --------------------- */

/*
 * @f, a new device with its name, is the function behind @host with @stream of
 * @unit. -EINVAL: that is none of the host's, or another function's.
 */
__must_check int iommu_function_add(struct iommu_device *host,
				    struct iommu *unit, uint32_t stream,
				    struct iommu_device *f);
/*
 * From @from, which has the host, to nobody: nothing of @f is under way, and
 * it reaches nothing. iommu_assign() and iommu_return() go on from here.
 * -EBUSY: it is away already, or @from has not got the host; -ENOMEM. NULL:
 * nobody has the host.
 */
__must_check int iommu_function_take(struct domain *from,
				     struct iommu_device *f);
/*
 * From nobody back to @to, which has the host. After an error it reaches
 * nothing and is nobody's still.
 */
__must_check int iommu_function_back(struct domain *to,
				     struct iommu_device *f);

/*
 * P2M lock of @d held, d->iommu.units not 0: the frame at @address is no
 * longer what it was in its tables, which is visible already.
 */
void iommu_flush(struct domain *d, uint64_t address);

/* struct iommu_config.fault: who tried what, to the log. */
void iommu_report(struct iommu *u, const struct iommu_fault *f);
/* PWORK_DOMAIN: report what devices tried, at a work point. */
void iommu_poll(void);

/* ---- for the auditor ----------------------------------------------------- */

/* Streams of one unit, as many as .is.nr, of which the same holds. */
struct iommu_look {
	struct iommu *unit;
	bool is_dead; /* it refuses everything */
	struct iommu_route is; /* as the unit itself has it */
	uint16_t owner; /* a domain's id, or OWNER_NONE */
	uint16_t other_owner; /* another one; OWNER_NONE: as it should be */
	struct iommu_space must; /* the owner's */
};

/* False: there is no such unit, or no such stream of it. */
bool iommu_inspect(uint32_t unit, uint32_t stream, struct iommu_look *l);
/*
 * The tables and the tag by which devices of @d go; a tag of 0: none do.
 * Its P2M lock is not held.
 */
void iommu_space_of(struct domain *d, struct iommu_space *s);

/* iommu_mem.c: struct iommu_config.alloc and .at. */
void *iommu_alloc_frames(unsigned int order, uint64_t *pa);
void *iommu_memory_at(uint64_t pa);

#endif

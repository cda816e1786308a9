/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine that the toolstack may give to domains: those that
 * the machine's tree keeps from dom0 for that (xen,passthrough).
 */
#ifndef HV_PLATDEV_H
#define HV_PLATDEV_H

#include <lib/types.h>

struct domain;
struct iommu_device;

#define PLATDEV_RANGES 8u
#define PLATDEV_LINES 16u
#define PLATDEV_PATH_MAX 256u

/*
 * One node of the machine's tree. Whole pages of registers that no other
 * device has a part in, shared lines, and what it does to memory. All of it
 * is one domain's, or nobody's.
 */
struct platdev {
	struct platdev *next;
	const char *path;            /* of the node; lives as long as this */
	struct domain *owner;        /* control_lock */
	struct iommu_device *behind; /* NULL: nothing watches its accesses */
	bool has_regs;               /* the owner may map the registers */
	bool does_dma;               /* .behind is the owner's, too */
	uint8_t nr_ranges;
	uint8_t nr_lines;
	struct {
		uint64_t mfn;
		uint64_t nr;
	} range[PLATDEV_RANGES];
	struct {
		uint16_t line;
		uint8_t trigger;     /* enum irq_trigger */
	} line[PLATDEV_LINES];
};

/* Boot: there is @dev, too. */
void platdev_add(struct platdev *dev);
/* Boot: @d has got the device with register page @mfn or @line already. */
void platdev_note_page(struct domain *d, uint64_t mfn);
void platdev_note_line(struct domain *d, uint32_t line);

/*
 * The rest: control_lock is held. A device goes to the first domain that gets
 * any of it, and stays that one's until its end. -EPERM: no such thing can be
 * given away; -EBUSY: another domain's; -EINVAL: @d is at its end.
 */
/* @d may map (or may no longer) @nr frames of registers from @mfn. */
__must_check int platdev_permit_pages(struct domain *d, uint64_t mfn,
				      uint64_t nr, bool allow);
/* -EPERM: @d may not map all of these. */
__must_check int platdev_check_pages(const struct domain *d, uint64_t mfn,
				     uint64_t nr);
/* @line interrupts @d. -EINVAL: no such line, or @d has no such number. */
__must_check int platdev_bind_line(struct domain *d, uint32_t line);
/* @d may have @line (or may not: -EBUSY when it has). */
__must_check int platdev_permit_line(struct domain *d, uint32_t line,
				     bool allow);
/* NULL: none of that name that can be given away. */
struct platdev *platdev_find(const char *path);
/* Its accesses to memory are @d's. -ENODEV: nothing could watch them. */
__must_check int platdev_assign(struct domain *d, struct platdev *dev);
/* It reaches nothing any more. -EINVAL: was not assigned to @d. */
__must_check int platdev_deassign(struct domain *d, struct platdev *dev);
/* @d is at its end, and has lines, tables and accesses no more. */
int platdev_release_all(struct domain *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine that the toolstack gives to domains: which there
 * are, and whose each is.
 *
 * Owns    the list, which boot makes, and the owner of each.
 * Not     mapping (p2m.c), lines (irq.c), what devices do to memory
 *         (iommu.c); who may ask (hc_domctl.c).
 * Rule    a device is one domain's from the first part that this one gets
 *         until nothing of the domain is left that could reach it: its vCPUs
 *         have stopped, every CPU has passed a work point since, and it has
 *         no tables. So no other can have a line or page too early. What is
 *         in no device of the list is given to nobody.
 * Locks   control_lock, held by the caller; at boot there is one CPU.
 * Bounds  all devices, each with PLATDEV_RANGES and PLATDEV_LINES.
 */
#include <hv/platdev.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct platdev *platdevs __ro_after_boot;

void platdev_add(struct platdev *dev)
{
	dev->next = platdevs;
	platdevs = dev;
}

/* ---- looking for them ---------------------------------------------------- */

/* Whose page @mfn is, and how many from there on; NULL: nobody's. */
static struct platdev *of_page(uint64_t mfn, uint64_t *nr)
{
	struct platdev *dev = platdevs;

	for (; dev; dev = dev->next) {
		for (uint32_t i = 0; i < dev->nr_ranges; i++) {
			uint64_t at = mfn - dev->range[i].mfn;

			if (at < dev->range[i].nr) {
				*nr = dev->range[i].nr - at;
				return dev;
			}
		}
	}
	return NULL;
}

/* Entry of @line in @dev; .nr_lines: it has not that one. */
static uint32_t entry_of(const struct platdev *dev, uint32_t line)
{
	uint32_t i = 0;

	while (i < dev->nr_lines && dev->line[i].line != line) {
		i++;
	}
	return i;
}

struct platdev *platdev_find(const char *path)
{
	struct platdev *dev = platdevs;

	while (dev && strcmp(dev->path, path) != 0) {
		dev = dev->next;
	}
	return dev;
}

static int may_have(const struct domain *d, const struct platdev *dev)
{
	if (d->state >= DOM_DYING || d->is_hardware) {
		return -EINVAL;
	}
	return dev->owner && dev->owner != d ? -EBUSY : 0;
}

/* ---- registers ----------------------------------------------------------- */

/*
 * Every page of [mfn, mfn + nr) is of a device that @d may have, or with
 * @mapping of one whose registers it has.
 */
static int check_pages(const struct domain *d, uint64_t mfn, uint64_t nr,
		       bool mapping)
{
	uint64_t left = 0;

	if (nr == 0 || nr > UINT64_MAX - mfn) {
		return -EINVAL;
	}
	for (; nr != 0; mfn += left, nr -= left) { /* bound: all ranges */
		const struct platdev *dev = of_page(mfn, &left);
		int rc = dev ? may_have(d, dev) : -EPERM;

		if (rc == 0 && mapping && !(dev->owner && dev->has_regs)) {
			rc = -EPERM;
		}
		if (rc) {
			return rc;
		}
		left = left < nr ? left : nr;
	}
	return 0;
}

int platdev_check_pages(const struct domain *d, uint64_t mfn,
			uint64_t nr)
{
	return check_pages(d, mfn, nr, true);
}

int platdev_permit_pages(struct domain *d, uint64_t mfn, uint64_t nr,
			 bool allow)
{
	uint64_t left = 0;
	int rc = check_pages(d, mfn, nr, false);

	for (; rc == 0 && nr != 0; mfn += left, nr -= left) { /* as above */
		struct platdev *dev = of_page(mfn, &left);

		if (allow) {
			dev->owner = d;
		}
		dev->has_regs = allow;
		left = left < nr ? left : nr;
	}
	return rc;
}

/* ---- lines --------------------------------------------------------------- */

/*
 * All the devices that pull @line are ones that @d may have; *@trigger is how
 * they do.
 */
static int check_line(const struct domain *d, uint32_t line,
		      enum irq_trigger *trigger)
{
	const struct irq_desc *q = irq_desc_of(line);
	const struct platdev *dev = platdevs;
	int rc = q && q->owner != IRQ_NOBODY ? -EBUSY : -EPERM;

	for (; dev; dev = dev->next) {
		uint32_t i = entry_of(dev, line);

		if (i < dev->nr_lines) {
			*trigger = (enum irq_trigger)dev->line[i].trigger;
			rc = may_have(d, dev);
		}
		if (i < dev->nr_lines && rc) {
			break;
		}
	}
	return q ? rc : -EINVAL;
}

static void own_line(struct domain *d, uint32_t line)
{
	struct platdev *dev = platdevs;

	for (; dev; dev = dev->next) {
		if (entry_of(dev, line) < dev->nr_lines) {
			dev->owner = d;
		}
	}
}

int platdev_bind_line(struct domain *d, uint32_t line)
{
	enum irq_trigger trigger = IRQ_LEVEL;
	int rc = check_line(d, line, &trigger);

	if (rc == 0) {
		rc = irq_assign_guest(d, line, line, trigger);
	}
	if (rc) {
		return rc;
	}
	rc = arch_virq_link(d, line, line);
	if (rc) {
		irq_release(d, line);
		return rc;
	}
	own_line(d, line);
	return 0;
}

int platdev_permit_line(struct domain *d, uint32_t line, bool allow)
{
	const struct irq_desc *q = irq_desc_of(line);
	enum irq_trigger trigger;
	int rc = check_line(d, line, &trigger);

	if (rc) {
		return rc;
	}
	if (allow) {
		own_line(d, line);
	} else if (q->owner == IRQ_GUEST) {
		rc = -EBUSY; /* it keeps its line until its end */
	}
	return rc;
}

/* ---- memory -------------------------------------------------------------- */

int platdev_assign(struct domain *d, struct platdev *dev)
{
	int rc = may_have(d, dev);

	if (rc == 0 && !dev->behind) {
		rc = -ENODEV;
	}
	if (rc == 0) {
		rc = iommu_assign(d, dev->behind);
	}
	if (rc == 0) {
		dev->owner = d;
		dev->does_dma = true;
	}
	return rc;
}

int platdev_deassign(struct domain *d, struct platdev *dev)
{
	if (dev->owner != d || !dev->does_dma || d->state >= DOM_DYING) {
		return -EINVAL;
	}
	iommu_return(d, dev->behind);
	dev->does_dma = false;
	return 0;
}

/* ---- boot-time domains, and the end -------------------------------------- */

void platdev_note_page(struct domain *d, uint64_t mfn)
{
	uint64_t nr;
	struct platdev *dev = of_page(mfn, &nr);

	if (dev) {
		dev->owner = d;
		dev->has_regs = true;
	}
}

void platdev_note_line(struct domain *d, uint32_t line)
{
	own_line(d, line);
}

int platdev_release_all(struct domain *d)
{
	struct platdev *dev = platdevs;

	for (; dev; dev = dev->next) {
		if (dev->owner == d) {
			dev->owner = NULL;
			dev->has_regs = false;
			dev->does_dma = false;
		}
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices behind IOMMUs: who owns each, and which tables its accesses go by.
 *
 * Owns    the list of units and of devices, and the numbers (tags) by which
 *         units tell domains' tables apart. A domain has one tag from its
 *         first device to its last; the CPUs' numbers come and go.
 * Not     registers (drivers/smmu), nor the tables (arch_p2m_*): a device
 *         walks the very tables that its domain's vCPUs walk.
 * Rule    a unit's bit is in d->iommu.units before it may have seen a table
 *         of @d's, and until nothing of it is remembered there: whoever edits
 *         a table and finds the bit tells the unit before the frame is free.
 * Locks   iommu_lock (rank IOMMU_DEV): owners, tags. d->iommu.units changes
 *         under it and the P2M lock of @d. A unit's lock (rank IOMMU) around
 *         each call of its driver.
 * Bounds  one device and its ranges; a search of all devices. Waits are the
 *         drivers', and bounded.
 * Storms  a device can do what is refused faster than it can be looked at: a
 *         unit is asked CALLS_A_PERIOD times in PERIOD_NS, then its line stays
 *         masked until a timer says that the period is over.
 */
#include <hv/iommu.h>
#include <hv/iommu_dev.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/timer.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include "iommu_priv.h"

#define SAME_FAULT_NS UINT64_C(1000000000)
/* What a device does, and did while it was its owner's. */
#define ITS_OWN_FAULT                                                         \
	(1u << IOMMU_OTHER | 1u << IOMMU_NOT_MAPPED |                         \
	 1u << IOMMU_NOT_ALLOWED | 1u << IOMMU_BAD_ADDRESS)
#define PERIOD_NS UINT64_C(1000000)
#define CALLS_A_PERIOD 8u
#define LAST_CALLS 16u /* of irq() when a device goes: more than a queue */

struct iommu *iommu_units[MAX_IOMMUS] __ro_after_boot;
uint32_t iommu_nr_units __ro_after_boot;
struct iommu_device *iommu_devices; /* boot adds to it, and pci.c */
static uint64_t tags[IOMMU_TAGS / 64] = { 1 };    /* 0 is nobody's */
struct iommu_space iommu_spaces[IOMMU_TAGS];      /* by tag */
static struct {
	const struct iommu *of;
	struct iommu_fault what;
	uint64_t at_ns;
} last_fault; /* told; iommu_lock */
static uint32_t fired; /* units with an interrupt to look at; atomic */
static uint32_t waiting; /* units that are looked at later; atomic */
static struct timer period; /* armed while there are such; iommu_lock */
struct spinlock iommu_lock = SPINLOCK_INIT(IOMMU_DEV);

/* ---- units --------------------------------------------------------------- */

static void irq_fired(uint32_t line);
static void period_over(void *arg);

int iommu_add_unit(struct iommu *u)
{
	int rc = 0;

	timer_init(&period, period_over, NULL);
	if (iommu_nr_units == MAX_IOMMUS) {
		return -ENOSPC;
	}
	u->index = iommu_nr_units;
	iommu_units[iommu_nr_units++] = u;
	for (uint32_t i = 0; i < u->nr_irqs && rc == 0; i++) {
		rc = irq_request(u->irq[i],
				 u->irq_edge[i] ? IRQ_EDGE : IRQ_LEVEL,
				 irq_fired);
	}
	return rc;
}

void iommu_add_device(struct iommu_device *dev)
{
	dev->next = iommu_devices;
	iommu_devices = dev;
}

bool iommu_is_present(void)
{
	return iommu_nr_units != 0;
}

/* ---- tags ---------------------------------------------------------------- */

static uint16_t tag_get_locked(void)
{
	for (uint32_t w = 0; w < IOMMU_TAGS / 64; w++) { /* bound: 4 */
		if (~tags[w]) {
			uint32_t bit = ffs64(~tags[w]);

			tags[w] |= BIT64(bit);
			return (uint16_t)(w * 64 + bit);
		}
	}
	return 0;
}

static void tag_put_locked(uint16_t tag)
{
	tags[tag / 64] &= ~BIT64(tag % 64);
}

/* ---- whose a device is --------------------------------------------------- */

static bool ranges_meet(const struct stream_range *a,
			const struct stream_range *b)
{
	return a->unit == b->unit && a->first < b->first + b->nr &&
	       b->first < a->first + a->nr;
}

/* Another device with an owner has streams of @r; @owner: of that one's. */
static bool is_shared_locked(const struct iommu_device *dev,
			     const struct stream_range *r,
			     const struct domain *owner)
{
	const struct iommu_device *o = iommu_devices;

	for (; o; o = o->next) { /* bound: all devices' ranges */
		if (o == dev || !o->owner || (owner && o->owner != owner)) {
			continue;
		}
		for (uint32_t i = 0; i < o->nr; i++) {
			if (ranges_meet(&o->stream[i], r) &&
			    !(dev->of == o && dev->away)) {
				return true;
			}
		}
	}
	return false;
}

/* Devices that the unit cannot tell apart have one owner. */
static bool may_own_locked(const struct domain *d,
			   const struct iommu_device *dev)
{
	const struct iommu_device *o = iommu_devices;

	for (; o; o = o->next) { /* bound: all devices */
		if (o == dev || !o->owner || o->owner == d) {
			continue;
		}
		for (uint32_t i = 0; i < dev->nr; i++) {
			if (is_shared_locked(dev, &dev->stream[i], o->owner)) {
				return false;
			}
		}
	}
	return true;
}

/*
 * Stream @at of @r: is it one of another device of @d's, too? The same is so
 * up to *@end, the end of @r at most.
 */
static bool is_kept_locked(const struct domain *d,
			   const struct iommu_device *dev,
			   const struct stream_range *r, uint64_t at,
			   uint64_t *end)
{
	const struct iommu_device *o = iommu_devices;
	bool kept = false;

	*end = (uint64_t)r->first + r->nr;
	for (; o; o = o->next) { /* bound: all devices' ranges */
		bool away = o->of == dev && o->away; /* out of @dev */
		uint32_t nr = away || (o != dev && o->owner == d) ? o->nr : 0;

		for (uint32_t i = 0; i < nr; i++) {
			const struct stream_range *b = &o->stream[i];
			uint64_t b_end = (uint64_t)b->first + b->nr;
			uint64_t edge = b->first > at ? b->first : b_end;

			if (b->unit != r->unit || b_end <= at) {
				continue;
			}
			kept |= b->first <= at;
			*end = edge < *end ? edge : *end;
		}
	}
	return kept;
}

/* What another device of @d's needs stays attached. */
static void detach_range_locked(const struct domain *d,
				const struct iommu_device *dev,
				const struct stream_range *r)
{
	uint64_t at = r->first;
	uint64_t end;

	for (; at < (uint64_t)r->first + r->nr; at = end) {
		if (is_kept_locked(d, dev, r, at, &end)) {
			continue; /* bound: twice the other devices' ranges */
		}
		spin_lock(&r->unit->lock);
		r->unit->ops->detach(r->unit, (uint32_t)at,
				     (uint32_t)(end - at),
				     &iommu_spaces[d->iommu.tag]);
		spin_unlock(&r->unit->lock);
	}
}

static void detach_locked(const struct domain *d,
			  const struct iommu_device *dev, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		detach_range_locked(d, dev, &dev->stream[i]);
	}
}

static int attach_locked(struct domain *d, struct iommu_device *dev)
{
	int rc = 0;

	for (uint32_t i = 0; i < dev->nr && rc == 0; i++) {
		const struct stream_range *r = &dev->stream[i];

		spin_lock(&r->unit->lock);
		rc = r->unit->dead
			     ? -EIO
			     : r->unit->ops->attach(r->unit, r->first, r->nr,
					     &iommu_spaces[d->iommu.tag]);
		spin_unlock(&r->unit->lock);
		if (rc) {
			detach_locked(d, dev, i);
		}
	}
	return rc;
}

/* From here on edits of @d's tables are told to the units of @dev. */
static int watch_locked(struct domain *d, const struct iommu_device *dev)
{
	uint32_t bits = 0;
	bool uncached = false;
	int rc = -EINVAL;

	for (uint32_t i = 0; i < dev->nr; i++) {
		bits |= 1u << dev->stream[i].unit->index;
		uncached |= !dev->stream[i].unit->walks_coherent;
	}
	spin_lock(&d->p2m.lock);
	if (!d->p2m.dying) {
		d->iommu.units |= bits;
		arch_p2m_share(d, uncached, &iommu_spaces[d->iommu.tag]);
		rc = 0;
	}
	spin_unlock(&d->p2m.lock);
	return rc;
}

/* The last device has gone: no unit remembers anything of @d. */
static void forget_locked(struct domain *d)
{
	struct iommu_domain *id = &d->iommu;

	if (id->nr_devices != 0 || id->tag == 0) {
		return;
	}
	spin_lock(&d->p2m.lock);
	iommu_flush(d, IOMMU_ALL);
	id->units = 0;
	id->grants = false;
	spin_unlock(&d->p2m.lock);
	tag_put_locked(id->tag);
	id->tag = 0;
}

static int assign_locked(struct domain *d, struct iommu_device *dev)
{
	int rc;

	if (!d->iommu.enabled) {
		return -EINVAL;
	}
	if (dev->owner || !may_own_locked(d, dev)) {
		return -EBUSY;
	}
	if (d->iommu.tag == 0) {
		d->iommu.tag = tag_get_locked();
	}
	if (d->iommu.tag == 0) {
		return -ENOSPC;
	}
	iommu_spaces[d->iommu.tag].tag = d->iommu.tag;
	rc = watch_locked(d, dev);
	if (rc == 0) {
		rc = attach_locked(d, dev);
	}
	if (rc == 0) {
		dev->owner = d;
		d->iommu.nr_devices++;
		d->iommu.grants = d->direct_mapped;
	}
	forget_locked(d);
	return rc;
}

int iommu_assign(struct domain *d, struct iommu_device *dev)
{
	int rc;

	spin_lock(&iommu_lock);
	rc = assign_locked(d, dev);
	spin_unlock(&iommu_lock);
	return rc;
}

void iommu_hear_locked(const struct iommu_device *dev)
{
	for (uint32_t i = 0; i < dev->nr; i++) {
		struct iommu *u = dev->stream[i].unit;
		uint32_t n = 0;

		spin_lock(&u->lock);
		while (u->ops->irq(u) && n < LAST_CALLS) {
			n++;
		}
		spin_unlock(&u->lock);
	}
}

static void return_locked(struct domain *d, struct iommu_device *dev)
{
	detach_locked(d, dev, dev->nr);
	iommu_hear_locked(dev);
	dev->owner = NULL;
	d->iommu.nr_devices--;
	forget_locked(d);
}

void iommu_return(struct domain *d, struct iommu_device *dev)
{
	spin_lock(&iommu_lock);
	if (dev->owner == d) {
		return_locked(d, dev);
	}
	spin_unlock(&iommu_lock);
}

int iommu_return_all_step(struct domain *d)
{
	struct iommu_device *dev;

	if (d->iommu.nr_devices == 0) {
		return 0;
	}
	spin_lock(&iommu_lock);
	dev = iommu_devices;
	while (dev && dev->owner != d) {
		dev = dev->next; /* bound: all devices */
	}
	if (!NEVER(!dev)) {
		return_locked(d, dev);
	}
	spin_unlock(&iommu_lock);
	return -EAGAIN;
}

/* ---- what a domain's tables do not say any more -------------------------- */

void iommu_flush(struct domain *d, uint64_t address)
{
	bool all = address == IOMMU_ALL;

	for (uint32_t m = d->iommu.units; m; m &= m - 1) { /* MAX_IOMMUS */
		struct iommu *u = iommu_units[ffs64(m)];

		spin_lock(&u->lock);
		if (!u->dead) {
			u->ops->flush(u, &iommu_spaces[d->iommu.tag],
				      all ? 0 : address, all ? IOMMU_ALL : 1);
		}
		spin_unlock(&u->lock);
	}
}

/* ---- faults -------------------------------------------------------------- */

static const char *const reasons[NR_IOMMU_REASONS] = {
	[IOMMU_NOT_MAPPED] = "nothing is mapped there",
	[IOMMU_NOT_ALLOWED] = "it may not do that there",
	[IOMMU_NO_SPACE] = "the device is nobody's",
	[IOMMU_BAD_ADDRESS] = "there is no such address",
	[IOMMU_TABLE_FAULT] = "the tables cannot be read",
	[IOMMU_OTHER] = "the unit refuses it",
};

static const struct iommu_device *device_of(const struct iommu *u,
					    uint32_t stream)
{
	const struct iommu_device *dev = iommu_devices;

	for (; dev; dev = dev->next) { /* bound: all devices' ranges */
		bool in_host = dev->of && !dev->away;

		for (uint32_t i = 0; !in_host && i < dev->nr; i++) {
			const struct stream_range *r = &dev->stream[i];

			if (r->unit == u && stream - r->first < r->nr) {
				return dev;
			}
		}
	}
	return NULL;
}

static void unit_speaks(const struct iommu *u, const struct iommu_fault *f)
{
	unsigned long long base = u->base;

	if (f->reason == IOMMU_LOST) {
		log_guest(NULL, LOG_WARN, "%s at %#llx: faults were lost\n",
			  u->ops->name, base);
	} else if (f->reason == IOMMU_DEAD) {
		log_err("%s at %#llx does not answer (%#x): every device "
			"behind it is cut off from memory\n",
			u->ops->name, base, f->code);
	} else {
		log_err("%s at %#llx: error %#x\n", u->ops->name, base,
			f->code);
	}
}

/* A transfer is many accesses: the first of a page is told, once a while. */
static bool is_told(const struct iommu *u, const struct iommu_fault *f)
{
	const struct iommu_fault *l = &last_fault.what;
	uint64_t now = arch_time_ns();
	bool same = u == last_fault.of && f->stream == l->stream &&
		    f->write == l->write && f->reason == l->reason &&
		    f->address >> PAGE_SHIFT == l->address >> PAGE_SHIFT &&
		    now - last_fault.at_ns < SAME_FAULT_NS;

	if (!same) {
		last_fault.of = u;
		last_fault.what = *f;
		last_fault.at_ns = now;
	}
	return same;
}

void iommu_report(struct iommu *u, const struct iommu_fault *f)
{
	const struct iommu_device *dev;
	struct domain *d;
	unsigned long long at = f->address;

	if (f->reason >= IOMMU_LOST) {
		unit_speaks(u, f);
		return;
	}
	dev = device_of(u, f->stream);
	d = dev ? dev->owner : NULL;
	if (d && options.iommu_crash && !d->is_hardware &&
	    (ITS_OWN_FAULT >> f->reason & 1)) {
		domain_crash_soon(d, "its device tried to reach what is not "
				     "its own");
	}
	if (is_told(u, f)) {
		return;
	}
	if (d) {
		d->guest_errors++;
	}
	log_guest(d, LOG_WARN,
		  "stream %#x (%s) %s %#llx: refused by %s: %s (%#x)\n",
		  f->stream, dev ? dev->name : "no known device",
		  !f->has_address ? "accesses"
		  : f->write	  ? "writes"
				  : "reads",
		  at, u->ops->name, reasons[f->reason], f->code);
}

static void mask_lines(const struct iommu *u, bool mask)
{
	for (uint32_t i = 0; i < u->nr_irqs; i++) {
		if (mask) {
			irqchip->disable(u->irq[i]);
		} else {
			irqchip->enable(u->irq[i]);
		}
	}
}

/* The line stays masked until a work point has seen to it. */
static void irq_fired(uint32_t line)
{
	for (uint32_t n = 0; n < iommu_nr_units; n++) { /* MAX_IOMMUS */
		for (uint32_t i = 0; i < iommu_units[n]->nr_irqs; i++) {
			if (iommu_units[n]->irq[i] == line) {
				mask_lines(iommu_units[n], true);
				__atomic_fetch_or(&fired, 1u << n,
						  __ATOMIC_RELEASE);
			}
		}
	}
	pcpu_post_self(PWORK_DOMAIN);
}

static void period_over(void *arg)
{
	(void)arg;
	__atomic_fetch_or(&fired, __atomic_exchange_n(&waiting, 0,
						      __ATOMIC_ACQUIRE),
			  __ATOMIC_RELEASE);
	pcpu_post_self(PWORK_DOMAIN);
}

/* True: no more of @u until the period is over. */
static bool is_storm_locked(struct iommu *u)
{
	uint64_t now = arch_time_ns();

	if (now - u->since_ns >= PERIOD_NS) {
		u->since_ns = now;
		u->nr_calls = 0;
	}
	if (++u->nr_calls < CALLS_A_PERIOD) {
		return false;
	}
	__atomic_fetch_or(&waiting, 1u << u->index, __ATOMIC_RELEASE);
	timer_set(&period, now + PERIOD_NS);
	return true;
}

/* The line of @u is masked, and stays so unless all has been heard. */
static void poll_unit(struct iommu *u)
{
	bool more, later;

	spin_lock(&iommu_lock); /* owners stay while they are named */
	spin_lock(&u->lock);
	more = u->ops->irq(u);
	spin_unlock(&u->lock);
	later = is_storm_locked(u);
	spin_unlock(&iommu_lock);
	if (more && !later) {
		__atomic_fetch_or(&fired, 1u << u->index, __ATOMIC_RELEASE);
		pcpu_post_self(PWORK_DOMAIN);
	} else if (!later) {
		mask_lines(u, false);
	}
}

void iommu_poll(void)
{
	uint32_t todo = __atomic_exchange_n(&fired, 0, __ATOMIC_ACQUIRE);

	for (; todo; todo &= todo - 1) { /* MAX_IOMMUS */
		poll_unit(iommu_units[ffs64(todo)]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of day for guests: wc_* of shared_info, relative to the zero of each
 * domain's clock.
 *
 * Owns    the machine's time of day, as its hardware domain told it.
 * Locks   wallclock_lock around the machine's value, d->lock around a domain's
 *         record; the guest-side protocol is the version counter.
 * Bounds  one record a domain.
 * Spec    [XEN] xen.h "struct shared_info", wc_version.
 */
#include <hv/arch.h>
#include <hv/domain.h>

#define NS_PER_SEC UINT64_C(1000000000)

static struct spinlock wallclock_lock = SPINLOCK_INIT(TIMER);
static uint64_t boot_sec; /* time of day at hypervisor time 0 */
static uint32_t boot_nsec;

void domain_set_wallclock(struct domain *d, uint64_t sec, uint32_t nsec)
{
	struct shared_info *s = d->shared_info;
	uint32_t version;

	spin_lock(&d->lock); /* one writer at a time */
	version = __atomic_load_n(&s->wc_version, __ATOMIC_RELAXED);
	__atomic_store_n(&s->wc_version, version | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	s->wc_sec = (uint32_t)sec;
	s->wc_sec_hi = (uint32_t)(sec >> 32);
	s->wc_nsec = nsec;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&s->wc_version, (version | 1) + 1, __ATOMIC_RELAXED);
	spin_unlock(&d->lock);
}

void domain_update_wallclock(struct domain *d)
{
	uint64_t ns, sec;

	spin_lock(&wallclock_lock);
	sec = boot_sec;
	ns = boot_nsec + (uint64_t)d->time_offset_ns;
	spin_unlock(&wallclock_lock);
	domain_set_wallclock(d, sec + ns / NS_PER_SEC,
			     (uint32_t)(ns % NS_PER_SEC));
}

void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_ns)
{
	uint64_t back_sec = system_ns / NS_PER_SEC;
	uint32_t back_ns = (uint32_t)(system_ns % NS_PER_SEC);
	domid_t id = 0;
	struct domain *d;

	if (nsec < back_ns) {
		nsec += (uint32_t)NS_PER_SEC;
		back_sec++;
	}
	spin_lock(&wallclock_lock);
	boot_sec = sec - back_sec;
	boot_nsec = nsec - back_ns;
	spin_unlock(&wallclock_lock);
	while ((d = domain_next_get(id)) != NULL) { /* bound: MAX_DOMAINS */
		id = (domid_t)(d->id + 1);
		domain_update_wallclock(d);
		domain_put(d);
	}
}

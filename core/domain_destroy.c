/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a domain: everything it holds goes, in bounded steps, and what
 * others hold of it goes with them.
 *
 * Owns    the order of tear-down; d->teardown, d->teardown_gen; the list of
 *         domains without references, whose memory goes at work points.
 * Not     the parts: each module gives back its own.
 * Order   vCPUs stop first, so nothing of the guest's own doing can race; then
 *         its devices, by messages and to memory; its signals and mappings of
 *         others go before its memory does.
 * Locks   control_lock: one tear-down at a time. domain_list_lock (rank
 *         DOMAIN_LIST) for the list; who takes a domain from it is alone.
 * Races   another CPU may have a vCPU in hand that it has just saved or taken
 *         from a queue, run a timer of the domain, or handle a line or message
 *         of it, all without a reference. It does so between two of its work
 *         points: the tear-down goes on after each CPU has passed one.
 * Bounds  each part does a bounded piece and answers -EAGAIN for more.
 */
#include <hv/domain.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/heap.h>
#include <hv/hypercall.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/pci.h>
#include <hv/platdev.h>
#include <hv/restart.h>
#include <hv/static_mem.h>
#include <hv/work.h>
#include <lib/errno.h>

#define FREE_VCPUS 8u

static struct domain *dead; /* by next_dead */
static uint32_t nr_dead;    /* in it or in hand; atomic */

/* No vCPU of it runs again, on any CPU. */
static int stop(struct domain *d)
{
	if (__atomic_exchange_n(&d->state, DOM_DYING, __ATOMIC_SEQ_CST) !=
	    DOM_DYING) {
		domain_pause(d);
		domain_tell_controller();
	}
	return domain_is_descheduled(d) ? 0 : -EAGAIN;
}

/* Only now: a vCPU that still ran could have started a watchdog again. */
static int silence(struct domain *d)
{
	domain_watchdog_stop(d);
	restart_cancel(d);
	irq_release_all(d);
	page_unclaim(d);
	work_gen_snapshot(d->teardown_gen);
	return 0;
}

static int settle(struct domain *d)
{
	return work_gen_passed(d->teardown_gen) ? 0 : -EAGAIN;
}

static int (*const parts[])(struct domain *d) = {
	stop,
	arch_msi_stop_step,
	silence,
	settle,
	pci_release_step,
	iommu_return_all_step,
	restart_fini_step,
	evtchn_fini_step,
	gnttab_release_step,
	p2m_fini_step,
	platdev_release_all,
	static_mem_fini_step,
};

int domain_destroy_step(struct domain *d)
{
	int rc;

	if (d->state == DOM_DEAD) {
		return 0;
	}
	while (d->teardown < ARRAY_SIZE(parts)) {
		rc = parts[d->teardown](d);
		if (rc) {
			return rc;
		}
		d->teardown++;
	}
	d->state = DOM_DEAD;
	domain_put(d); /* the one it was made with */
	return 0;
}

/* ---- without references -------------------------------------------------- */

static int free_vcpus(struct domain *d)
{
	uint32_t freed = 0;

	for (uint32_t i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i] && freed++ == FREE_VCPUS) {
			return -EAGAIN;
		}
		vcpu_destroy(d->vcpu[i]);
	}
	return 0;
}

static int free_arch(struct domain *d)
{
	pci_domain_fini(d);
	arch_domain_fini(d);
	guest_console_fini(d);
	return 0;
}

static int (*const free_parts[])(struct domain *d) = {
	iommu_return_all_step,
	restart_fini_step,
	free_vcpus,
	free_arch,
	gnttab_fini_step,
	evtchn_free_step,
	p2m_fini_step,
	static_mem_fini_step,
};

/* -EAGAIN: call again. 0: there is no @d any more. */
static int free_step(struct domain *d)
{
	if (d->free_part < ARRAY_SIZE(free_parts)) {
		if (free_parts[d->free_part](d) == 0) {
			d->free_part++;
		}
		return -EAGAIN;
	}
	domain_unpublish(d);
	hv_free_pages(d, d->shared_info, 0);
	heap_free(d, d->static_mem);
	heap_free(d, d->vcpu);
	heap_free(NULL, d);
	return 0;
}

void domain_free(struct domain *d)
{
	while (free_step(d) == -EAGAIN) {
		/* bound: what the domain has */
	}
}

static void queue_dead(struct domain *d)
{
	spin_lock(&domain_list_lock);
	d->next_dead = dead;
	dead = d;
	spin_unlock(&domain_list_lock);
	pcpu_post_self(PWORK_DOMAIN);
}

void domain_bury(struct domain *d)
{
	__atomic_fetch_add(&nr_dead, 1, __ATOMIC_RELAXED);
	queue_dead(d);
}

bool domain_any_dead(void)
{
	return __atomic_load_n(&nr_dead, __ATOMIC_ACQUIRE) != 0;
}

void domain_free_some(void)
{
	struct domain *d;

	spin_lock(&domain_list_lock);
	d = dead;
	if (d) {
		dead = d->next_dead;
	}
	spin_unlock(&domain_list_lock);
	if (d && free_step(d) == -EAGAIN) {
		queue_dead(d);
	} else if (d) {
		__atomic_fetch_sub(&nr_dead, 1, __ATOMIC_RELEASE);
	}
}

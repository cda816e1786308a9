/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and freeing a vCPU.
 *
 * Owns    the allocation of struct vcpu and its place in d->vcpu[].
 * Not     its states (vcpu.c).
 * Locks   none: a vCPU is made while its domain is not published, or by a
 *         control operation before it is started (control_lock), and freed
 *         when nobody can find the domain any more.
 */
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

static void singleshot_expired(void *arg)
{
	evtchn_send_virq(arg, VIRQ_TIMER);
}

static void poll_expired(void *arg)
{
	vcpu_wake(arg);
}

/* Where it starts from; the policy chooses when it goes online. */
static uint16_t first_cpu(const struct vcpu *v, uint16_t cpu)
{
	return cpu < nr_pcpus && (v->cpus & BIT64(cpu)) ?
		       cpu : (uint16_t)ffs64(v->cpus);
}

struct vcpu_info *vcpu_first_info(struct vcpu *v)
{
	return v->id < XEN_LEGACY_MAX_VCPUS ?
		       &v->domain->shared_info->vcpu_info[v->id] :
		       &v->own_info;
}

int vcpu_create(struct domain *d, uint32_t id, uint16_t cpu)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus) {
		return -EINVAL;
	}
	if (d->vcpu[id]) {
		return -EEXIST;
	}
	v = heap_alloc(d, sizeof(*v));
	if (!v) {
		return -ENOMEM;
	}
	v->id = id;
	v->domain = d;
	v->state = VCPU_OFFLINE;
	v->runstate = RUNSTATE_offline;
	v->runstate_entry_ns = arch_time_ns();
	v->hard_affinity = UINT64_MAX;
	v->soft_affinity = UINT64_MAX;
	vcpu_cpus_set(v, d->pool->cpus);
	v->cpu = first_cpu(v, cpu);
	v->loaded_on = CPU_NONE;
	v->info = vcpu_first_info(v);
	timer_init(&v->singleshot, singleshot_expired, v);
	timer_init(&v->poll_timer, poll_expired, v);

	rc = sched_vcpu_init(v);
	if (rc) {
		goto out_heap;
	}
	rc = arch_vcpu_init(v);
	if (rc) {
		goto out_sched;
	}
	v->pause_count = (d->controller_pause ? 1u : 0u) +
			 (d->shutdown_claimed ? 1u : 0u) + (d->moves ? 1u : 0u);
	__atomic_store_n(&d->vcpu[id], v, __ATOMIC_RELEASE); /* commit */
	d->nr_vcpus++;
	return 0;

out_sched:
	sched_vcpu_fini(v);
out_heap:
	heap_free(d, v);
	return rc;
}

void vcpu_destroy(struct vcpu *v)
{
	struct domain *d;

	if (!v) {
		return;
	}
	d = v->domain;
	ASSERT(vcpu_is_descheduled(v));
	timer_cancel_wait(&v->singleshot);
	timer_cancel_wait(&v->poll_timer);
	d->vcpu[v->id] = NULL;
	d->nr_vcpus--;
	arch_vcpu_fini(v);
	sched_vcpu_fini(v);
	if (v->info_page) {
		page_put(v->info_page);
	}
	vcpu_runstate_release(v);
	heap_free(d, v);
}

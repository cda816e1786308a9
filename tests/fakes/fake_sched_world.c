/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/domain.c and core/sched.c call of vcpu.c, runstate.c and
 * console.c: the states change, and nothing else happens. vCPUs are calloc()ed.
 */
#include <stdlib.h>

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/platform.h>

struct options options;

#define WEAK __attribute__((weak))

WEAK int cpupool_enter(struct domain *d, uint32_t id)
{
	d->pool_id = id;
	return 0;
}

WEAK void cpupool_leave(struct domain *d)
{
	(void)d;
}

/* Of core/cpupool.c, for who links it: nothing moves. */
WEAK bool domain_any_dead(void)
{
	return false;
}

WEAK void vcpu_fit_pool(struct vcpu *v)
{
	(void)v;
}

WEAK int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg)
{
	(void)cpu;
	(void)fn;
	(void)arg;
	return 0;
}

WEAK void work_gen_snapshot(uint32_t gen[NR_CPUS])
{
	(void)gen;
}

WEAK bool work_gen_passed(const uint32_t gen[NR_CPUS])
{
	(void)gen;
	return true;
}

void vcpu_destroy(struct vcpu *v)
{
	if (v) {
		v->domain->vcpu[v->id] = NULL;
		free(v);
	}
}

void vcpu_online(struct vcpu *v)
{
	v->state = VCPU_RUNNABLE;
}

void vcpu_pause(struct vcpu *v)
{
	v->pause_count++;
}

void vcpu_unpause(struct vcpu *v)
{
	v->pause_count--;
}

bool vcpu_is_descheduled(const struct vcpu *v)
{
	return v->loaded_on == CPU_NONE;
}

void vcpu_runstate_change(struct vcpu *v, uint8_t to, uint64_t now_ns)
{
	v->runstate_ns[v->runstate] += now_ns - v->runstate_entry_ns;
	v->runstate_entry_ns = now_ns;
	v->runstate = to;
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	(void)lvl;
	(void)fmt;
}

/* No device is behind anything. */
void iommu_poll(void)
{
}

int iommu_return_all_step(struct domain *d)
{
	(void)d;
	return 0;
}

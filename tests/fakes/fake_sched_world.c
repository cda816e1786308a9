/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/domain.c and core/sched.c call of vcpu.c, runstate.c and
 * console.c: the states change, and nothing else happens. vCPUs are calloc()ed.
 */
#include <stdlib.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/platform.h>

struct options options;

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

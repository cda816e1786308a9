/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies of this build, and what a controller asks about scheduling:
 * parameters and consumed time.
 *
 * Owns    the table of policies.
 * Locks   the run queue lock of v->cpu around each question.
 */
#include <lib/string.h>
#include <hv/arch.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

const struct sched_policy *const sched_policies[] = {
	&sched_credit2,
	&sched_rtds,
	&sched_arinc653,
	&sched_null,
	NULL,
};

const struct sched_policy *sched_policy_by_id(uint32_t id)
{
	for (int i = 0; sched_policies[i]; i++) {
		if (sched_policies[i]->sched_id == id) {
			return sched_policies[i];
		}
	}
	return NULL;
}

const struct sched_policy *sched_policy_by_name(const char *name)
{
	if (!*name) {
		return sched_policies[0];
	}
	for (int i = 0; sched_policies[i]; i++) {
		if (strcmp(sched_policies[i]->name, name) == 0) {
			return sched_policies[i];
		}
	}
	return NULL;
}

uint64_t sched_vcpu_cpu_time_ns(struct vcpu *v)
{
	struct pcpu *c = sched_lock_vcpu(v);
	uint64_t ns = v->runstate_ns[RUNSTATE_running];

	if (v->runstate == RUNSTATE_running) {
		ns += arch_time_ns() - v->runstate_entry_ns;
	}
	sched_unlock(c);
	return ns;
}

int sched_admit(const struct domain *d, const struct vcpu *v,
		const struct sched_params *p)
{
	const struct sched_policy *policy = d->pool->policy;

	return policy->admit ? policy->admit(d, v, p) : 0;
}

int sched_set_params(struct vcpu *v, const struct sched_params *p)
{
	struct pcpu *c = sched_lock_vcpu(v);
	int rc = c->policy->set_params(c, v, p);

	sched_unlock(c);
	return rc;
}

void sched_get_params(struct vcpu *v, struct sched_params *p)
{
	struct pcpu *c = sched_lock_vcpu(v);

	c->policy->get_params(v, p);
	sched_unlock(c);
}

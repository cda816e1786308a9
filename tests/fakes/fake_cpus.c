/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_cpus.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdlib.h>

#include <hv/audit.h>
#include <hv/console.h>
#include <hv/entry.h>
#include <hv/evtchn.h>
#include <hv/guest_win.h>
#include <hv/heap.h>
#include <hv/iommu_dev.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <hv/restart.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <lib/errno.h>

struct options options;

#define WEAK	  __attribute__((weak))
#define MAX_STEPS 1000

struct domain cpus_dom;
unsigned int cpus_fail_at;
long cpus_live;
void (*cpus_in_has_pending)(struct vcpu *v);
void (*cpus_after_time)(void);
void (*cpus_in_flush)(struct vcpu *v);
uint32_t cpus_ipis[NR_CPUS][NR_IPIS];
uint32_t cpus_sleeps[NR_CPUS];
uint32_t cpus_halted[NR_CPUS];
typeof(cpus_seen) cpus_seen;

static struct shared_info shared_info;
static struct vcpu *vcpu[CPUS_VCPUS];
static uint64_t born_ns[CPUS_VCPUS];
static jmp_buf asleep;
static bool may_sleep;

/* ---- what the real files call -------------------------------------------- */

bool cpus_fails(void)
{
	return cpus_fail_at != 0 && --cpus_fail_at == 0;
}

void *heap_alloc(struct domain *d, size_t size)
{
	void *p = cpus_fails() ? NULL : calloc(1, size);

	(void)d;
	cpus_live += p != NULL;
	return p;
}

void heap_free(struct domain *d, void *p)
{
	(void)d;
	cpus_live -= p != NULL;
	free(p);
}

void page_put_last(struct page *pg, uint32_t was)
{
	(void)pg;
	cr_assert_eq(was, 1);
	cpus_live--;
}

static void send_ipi(uint16_t cpu, uint32_t sgi)
{
	cr_assert_lt(cpu, nr_pcpus);
	cpus_ipis[cpu][sgi]++;
}

static const struct irqchip chip = {.name = "fake", .send_ipi = send_ipi};
const struct irqchip *irqchip = &chip;

WEAK int guest_win_open(struct vcpu *v, uint64_t va, uint32_t len,
			unsigned int dir, struct guest_win *w)
{
	(void)v;
	(void)va;
	(void)len;
	(void)dir;
	(void)w;
	return -EFAULT;
}

WEAK void guest_win_write(const struct guest_win *w, const void *src,
			  uint32_t off, uint32_t len)
{
	(void)w;
	(void)src;
	(void)off;
	(void)len;
}

WEAK void guest_win_close(struct guest_win *w)
{
	(void)w;
}

WEAK void restart_step(struct vcpu *v)
{
	(void)v;
}

WEAK bool evtchn_upcall_pending(const struct vcpu *v)
{
	(void)v;
	cpus_seen.upcalls++;
	return true;
}

void evtchn_send_virq(struct vcpu *v, uint32_t virq)
{
	(void)v;
	cr_assert_eq(virq, VIRQ_TIMER);
	cpus_seen.virqs++;
}

void console_tell_news(void)
{
	cpus_seen.keys++;
}

void audit_step(void)
{
	cpus_seen.audits++;
}

void domain_poll(void)
{
	cpus_seen.polls++;
}

WEAK void iommu_poll(void)
{
}

WEAK void log_printf(enum log_level lvl, const char *fmt, ...)
{
	(void)lvl;
	(void)fmt;
}

WEAK void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)e;
	(void)a;
	(void)b;
	(void)c;
}

/* ---- domains that core/cpupool.c looks for: cpus_dom --------------------- */

WEAK struct domain *domain_next_get(domid_t id)
{
	return id <= cpus_dom.id ? &cpus_dom : NULL;
}

WEAK void domain_put(struct domain *d)
{
	(void)d;
}

WEAK bool domain_any_dead(void)
{
	return false;
}

WEAK void domain_pause(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		vcpu_pause(v);
	}
}

WEAK void domain_unpause(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		vcpu_unpause(v);
	}
}

WEAK bool domain_is_descheduled(const struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		if (!vcpu_is_descheduled(v)) {
			return false;
		}
	}
	return true;
}

/* ---- the fake architecture, with hooks in it ----------------------------- */

int __real_arch_vcpu_init(struct vcpu *v);
void __real_arch_vcpu_fini(struct vcpu *v);
uint64_t __real_arch_time_ns(void);
bool __real_arch_vcpu_has_pending(struct vcpu *v);

int __wrap_arch_vcpu_init(struct vcpu *v)
{
	if (cpus_fails()) {
		return -ENOSPC;
	}
	cpus_live++;
	return __real_arch_vcpu_init(v);
}

void __wrap_arch_vcpu_fini(struct vcpu *v)
{
	cpus_live--;
	__real_arch_vcpu_fini(v);
}

uint64_t __wrap_arch_time_ns(void)
{
	void (*hook)(void) = cpus_after_time;
	uint64_t now = __real_arch_time_ns();

	cpus_after_time = NULL;
	if (hook) {
		hook();
	}
	return now;
}

bool __wrap_arch_vcpu_has_pending(struct vcpu *v)
{
	void (*hook)(struct vcpu *) = cpus_in_has_pending;

	cpus_in_has_pending = NULL;
	if (hook) {
		hook(v);
	}
	return __real_arch_vcpu_has_pending(v);
}

void __wrap_arch_virq_flush(struct vcpu *v)
{
	void (*hook)(struct vcpu *) = cpus_in_flush;

	cpus_in_flush = NULL;
	cpus_seen.flushes++;
	if (hook) {
		hook(v);
	}
}

void __wrap_arch_vtimer_sync(struct vcpu *v)
{
	(void)v;
	cpus_seen.vtimers++;
}

/* Where a real CPU would wait, the test goes on with the next one. */
void __wrap_arch_cpu_idle(void)
{
	cpus_sleeps[this_cpu()]++;
	cr_assert(may_sleep, "CPU %u sleeps in a guest's call", this_cpu());
	cr_assert_eq(this_pcpu()->held_ranks, 0);
	longjmp(asleep, 1);
}

void __wrap_arch_halt(void)
{
	cpus_halted[this_cpu()]++;
	cr_assert(may_sleep);
	longjmp(asleep, 1);
}

/* ---- simulated CPUs ------------------------------------------------------ */

void on_cpu(uint32_t cpu)
{
	fake_this_pcpu = pcpus[cpu];
}

void cpus_start(uint16_t nr, const char *policy)
{
	for (uint16_t i = 0; i < nr; i++) {
		fake_this_pcpu = percpu_init(i, i, 0);
		timer_init_cpu();
	}
	cr_assert_eq(cpupool_create(0, sched_policy_by_name(policy),
				    &cpus_dom.pool), 0);
	cr_assert_str_eq(cpus_dom.pool->policy->name, policy);
	for (uint16_t i = 0; i < nr; i++) {
		on_cpu(i);
		cr_assert_eq(sched_init_cpu(), 0);
	}
	cpus_dom.vcpu = vcpu;
	cpus_dom.max_vcpus = CPUS_VCPUS;
	cpus_dom.shared_info = &shared_info;
	cpus_settle();
	on_cpu(0);
}

struct vcpu *cpus_vcpu(uint16_t cpu)
{
	uint32_t id = cpus_dom.nr_vcpus;

	cr_assert_eq(vcpu_create(&cpus_dom, id, cpu), 0);
	born_ns[id] = fake_time_ns;
	return vcpu[id];
}

void cpus_step(uint32_t cpu)
{
	uint16_t before = this_cpu();

	on_cpu(cpu);
	may_sleep = true;
	if (setjmp(asleep) == 0) {
		(void)work_run(pcpus[cpu]);
	}
	may_sleep = false;
	on_cpu(before);
}

/* It has work, or its current vCPU has some that it was kicked for. */
static bool has_work(const struct pcpu *c)
{
	return c->work || (c->current ? c->current->work != 0 : !c->idle);
}

void cpus_settle(void)
{
	uint16_t before = this_cpu();
	uint32_t steps = 0;

	for (uint32_t i = 0; i < nr_pcpus; i++) {
		if (!pcpus[i]->online) {
			continue;
		}
		on_cpu(i);
		timer_run_due();
		if (has_work(pcpus[i])) {
			cr_assert_lt(++steps, MAX_STEPS, "never settles");
			cpus_step(i);
			i = UINT32_MAX; /* it may have told another */
		}
	}
	on_cpu(before);
}

void cpus_run(uint64_t ns)
{
	cpus_settle();
	for (uint64_t i = 0; i < ns / MS; i++) {
		fake_time_ns += MS;
		cpus_settle();
	}
	cpus_check_runstates();
}

void cpus_block(struct vcpu *v)
{
	uint16_t before = this_cpu();

	cr_assert_eq(pcpus[v->cpu]->current, v);
	on_cpu(v->cpu);
	vcpu_block(v);
	on_cpu(before);
}

void cpus_wake_or_block(struct vcpu *v)
{
	if (v->state == VCPU_BLOCKED) {
		vcpu_wake(v);
	} else if (v->state == VCPU_RUNNING && pcpus[v->cpu]->current == v) {
		cpus_block(v);
	}
}

void cpus_check_runstates(void)
{
	for (uint32_t i = 0; i < CPUS_VCPUS; i++) {
		const struct vcpu *v = vcpu[i];
		uint64_t age = fake_time_ns - born_ns[i];
		uint64_t sum;

		if (!v) {
			continue;
		}
		sum = fake_time_ns - v->runstate_entry_ns;
		for (uint32_t s = 0; s < 4; s++) {
			cr_assert_leq(v->runstate_ns[s], age, "v%u: state %u",
				      i, s);
			sum += v->runstate_ns[s];
		}
		cr_assert_eq(sum, age, "v%u: %lu of %lu", i, sum, age);
	}
}

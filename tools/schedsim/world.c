/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scheduling core calls and a simulation does not have: memory is
 * malloc()'s, interrupts between CPUs are looks in world_settle(), and a CPU
 * that would wait for an interrupt comes back here.
 */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <hv/audit.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/evtchn.h>
#include <hv/guest_win.h>
#include <hv/heap.h>
#include <hv/iommu_dev.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <hv/restart.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define MAX_STEPS 100000 /* without that time goes by: a fault of ours */

struct options options;
char world_reason[256];

static struct shared_info shared_info;
static struct vcpu *vcpus[SIM_MAX_VCPUS];
static struct domain dom = {
	.vcpu = vcpus,
	.max_vcpus = SIM_MAX_VCPUS,
	.shared_info = &shared_info,
};
static jmp_buf asleep;

/* ---- what the scheduling core calls -------------------------------------- */

void *heap_alloc(struct domain *d, size_t size)
{
	(void)d;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *p)
{
	(void)d;
	free(p);
}

void page_put_last(struct page *pg, uint32_t was)
{
	(void)pg;
	(void)was;
}

static void send_ipi(uint16_t cpu, uint32_t sgi)
{
	(void)cpu;
	(void)sgi;
}

static const struct irqchip chip = {.name = "none", .send_ipi = send_ipi};
const struct irqchip *irqchip = &chip;

int guest_win_open(struct vcpu *v, uint64_t va, uint32_t len, unsigned int dir,
		   struct guest_win *w)
{
	(void)v;
	(void)va;
	(void)len;
	(void)dir;
	(void)w;
	return -EFAULT;
}

void guest_win_write(const struct guest_win *w, const void *src, uint32_t off,
		     uint32_t len)
{
	(void)w;
	(void)src;
	(void)off;
	(void)len;
}

void guest_win_close(struct guest_win *w)
{
	(void)w;
}

bool evtchn_upcall_pending(const struct vcpu *v)
{
	(void)v;
	return false;
}

void evtchn_send_virq(struct vcpu *v, uint32_t virq)
{
	(void)v;
	(void)virq;
}

void console_tell_news(void)
{
}

void audit_step(void)
{
}

void iommu_poll(void)
{
}

void restart_step(struct vcpu *v)
{
	(void)v;
}

void domain_poll(void)
{
}

/* No pool but one, which nobody leaves. */
struct domain *domain_next_get(domid_t id)
{
	(void)id;
	return NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

void domain_pause(struct domain *d)
{
	(void)d;
}

void domain_unpause(struct domain *d)
{
	(void)d;
}

bool domain_is_descheduled(const struct domain *d)
{
	(void)d;
	return true;
}

bool domain_any_dead(void)
{
	return false;
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	va_list args;

	(void)lvl;
	va_start(args, fmt);
	(void)vsnprintf(world_reason, sizeof(world_reason), fmt, args);
	va_end(args);
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	(void)e;
	(void)a;
	(void)b;
	(void)c;
}

void __wrap_arch_cpu_idle(void);
void __wrap_arch_cpu_idle(void)
{
	longjmp(asleep, 1);
}

/* ---- CPUs ---------------------------------------------------------------- */

void world_on_cpu(uint32_t cpu)
{
	fake_this_pcpu = pcpus[cpu];
}

static void must(int rc, const char *what)
{
	if (rc) {
		fprintf(stderr, "schedsim: %s failed: %d\n", what, rc);
		exit(2);
	}
}

void world_start(uint16_t nr_cpus, const char *policy)
{
	for (uint16_t i = 0; i < nr_cpus; i++) {
		fake_this_pcpu = percpu_init(i, i, 0);
		timer_init_cpu();
	}
	must(cpupool_create(0, sched_policy_by_name(policy), &dom.pool),
	     "the pool");
	for (uint16_t i = 0; i < nr_cpus; i++) {
		world_on_cpu(i);
		must(sched_init_cpu(), "a CPU");
	}
	world_settle();
	world_on_cpu(0);
}

struct vcpu *world_vcpu(void)
{
	uint32_t id = dom.nr_vcpus;

	must(vcpu_create(&dom, id, (uint16_t)(id % nr_pcpus)), "a vCPU");
	return vcpus[id];
}

static void step(struct pcpu *c)
{
	if (setjmp(asleep) == 0) {
		(void)work_run(c);
	}
}

/* It has work, or its vCPU has some that the CPU was kicked for. */
static bool has_work(const struct pcpu *c)
{
	return c->work || (c->current ? c->current->work != 0 : !c->idle);
}

void world_settle(void)
{
	uint32_t steps = 0;

	for (uint32_t i = 0; i < nr_pcpus; i++) {
		world_on_cpu(i);
		timer_run_due();
		if (has_work(pcpus[i])) {
			must(++steps > MAX_STEPS, "coming to rest");
			step(pcpus[i]);
			i = UINT32_MAX; /* it may have told another */
		}
	}
}

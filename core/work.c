/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending work of a CPU and of a vCPU, emptied before every entry to a guest.
 *
 * Owns    the meaning of the bits in pcpu.work and vcpu.work.
 * Not     what each piece of work does: one call each, to its module.
 * Locks   none: the words are set by any CPU and taken by the owner CPU,
 *         atomically. Who posts stores first what the work is about; who
 *         empties a word reads that afterwards.
 * Bounds  one call of work_run() makes WORK_ROUNDS rounds between idling;
 *         what is posted faster than that is looked at right after the entry.
 */
#include <hv/work.h>
#include <lib/check.h>
#include <hv/arch.h>
#include <hv/audit.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/evtchn.h>
#include <hv/iommu_dev.h>
#include <hv/ipi.h>
#include <hv/percpu.h>
#include <hv/restart.h>
#include <hv/sched.h>
#include <hv/tracebuf.h>
#include <hv/vcpu.h>

#define WORK_ROUNDS 16

void pcpu_post(struct pcpu *c, uint32_t bits)
{
	uint32_t old = __atomic_fetch_or(&c->work, bits, __ATOMIC_SEQ_CST);

	/* A bit that was set has been kicked for by whoever set it. */
	if (c != this_pcpu() && (bits & ~old)) {
		ipi_kick(c->id);
	}
}

void vcpu_post(struct vcpu *v, uint32_t bits)
{
	uint32_t old = __atomic_fetch_or(&v->work, bits, __ATOMIC_SEQ_CST);
	uint8_t state = __atomic_load_n(&v->state, __ATOMIC_SEQ_CST);

	if (state == VCPU_BLOCKED) {
		vcpu_wake(v); /* whatever was set before: see vcpu_block() */
	} else if (state == VCPU_RUNNING && (bits & ~old)) {
		uint16_t cpu = __atomic_load_n(&v->cpu, __ATOMIC_RELAXED);

		if (cpu != this_cpu()) {
			ipi_kick(cpu);
		}
	}
}

void work_gen_snapshot(uint32_t gen[NR_CPUS])
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		struct pcpu *c = pcpus[i];

		gen[i] = __atomic_load_n(&c->work_gen, __ATOMIC_SEQ_CST);
		if (c->online) { /* ours, too: another may go on waiting */
			pcpu_post(c, PWORK_DOMAIN);
		}
	}
}

bool work_gen_passed(const uint32_t gen[NR_CPUS])
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		const struct pcpu *c = pcpus[i];

		if (c->online && c != this_pcpu() &&
		    __atomic_load_n(&c->work_gen, __ATOMIC_ACQUIRE) ==
			    gen[i]) {
			return false;
		}
	}
	return true;
}

/* Before a call, which may take the CPU away. */
__cold static void pcpu_seldom(struct pcpu *c, uint32_t bits)
{
	if (bits & PWORK_STOP) {
		c->online = false;
		__atomic_fetch_and(&cpus_online, ~(UINT64_C(1) << c->id),
				   __ATOMIC_RELEASE);
		arch_halt();
	}
	if (bits & PWORK_AUDIT) {
		audit_step();
	}
	if (bits & PWORK_LEAVE) {
		sched_leave_disliked(c);
	}
}

static void pcpu_work(struct pcpu *c, uint32_t bits)
{
	if (bits & (PWORK_STOP | PWORK_AUDIT | PWORK_LEAVE)) {
		pcpu_seldom(c, bits);
	}
	if (bits & PWORK_CALL) {
		ipi_run_calls();
	}
	if (bits & PWORK_KEY) {
		console_tell_news();
	}
	if (bits & PWORK_TRACE) {
		sched_trace(c, tracebuf_work(c));
	}
	if (bits & PWORK_DOMAIN) {
		domain_poll();
		iommu_poll();
	}
}

/* The guest does not run while its domain is made anew: not worth a bit. */
__cold static void seldom(struct vcpu *v)
{
	if (restart_is_running(v->domain->restart)) {
		restart_step(v);
	} else {
		arch_vtimer_sync(v);
	}
}

static void vcpu_work(struct vcpu *v, uint32_t bits)
{
	if (bits & VWORK_UPCALL) {
		arch_vcpu_set_upcall(v, evtchn_upcall_pending(v));
	}
	if (bits & VWORK_VTIMER) {
		seldom(v);
	}
	if (bits & VWORK_VIRQ) {
		arch_virq_flush(v);
	}
}

/* Wait for work. Interrupts stay masked; they are taken by the poll. */
static void work_idle(struct pcpu *c)
{
	while (!__atomic_load_n(&c->work, __ATOMIC_SEQ_CST)) {
		arch_cpu_idle();
		arch_irq_poll();
	}
}

/* One round. True: both words were empty at its end. */
static bool work_round(struct pcpu *c)
{
	struct vcpu *v = c->current;
	uint32_t bits = 0;

	if (c->work) {
		bits = __atomic_exchange_n(&c->work, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&c->work_gen, c->work_gen + 1,
				 __ATOMIC_RELEASE);
	}
	if (unlikely(bits & ~(uint32_t)PWORK_RESCHED)) {
		pcpu_work(c, bits);
	}
	if (!v || (bits & PWORK_RESCHED)) {
		v = sched_run(c);
	}
	if (!v) {
		return false;
	}
	if (__atomic_load_n(&v->work, __ATOMIC_SEQ_CST)) {
		vcpu_work(v, __atomic_exchange_n(&v->work, 0,
						 __ATOMIC_SEQ_CST));
		if (__atomic_load_n(&v->work, __ATOMIC_SEQ_CST)) {
			return false;
		}
	}
	return !__atomic_load_n(&c->work, __ATOMIC_SEQ_CST);
}

struct vcpu *work_run(struct pcpu *c)
{
	for (int round = 0; round < WORK_ROUNDS; round++) {
		if (work_round(c)) {
			return c->current;
		}
		if (!c->current) {
			work_idle(c);
			round = -1; /* nothing waits while nothing runs */
		} else if (restart_is_running(c->current->domain->restart)) {
			arch_irq_poll(); /* as between two traps */
			round = -1;
		}
	}
	ipi_kick(c->id); /* leave the guest again at once */
	return c->current;
}

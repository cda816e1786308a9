/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The areas of the physical CPUs.
 *
 * Owns    the storage of struct pcpu and the table by CPU id.
 * Not     how a CPU finds its own (arch/percpu.h), nor who sets its fields.
 * Locks   none: written by the boot CPU before the CPU in question starts.
 */
#include <hv/percpu.h>

/* start.S points the boot CPU at the first. */
struct pcpu pcpu_storage[NR_CPUS] __aligned(64);

struct pcpu *pcpus[NR_CPUS];
uint32_t nr_pcpus;
uint64_t cpus_online;

struct pcpu *percpu_init(uint16_t cpu, uint64_t hw_id, uint64_t stack_top)
{
	struct pcpu *c = &pcpu_storage[cpu];

	c->id = cpu;
	c->hw_id = hw_id;
	c->stack_top = stack_top;
	c->timer_deadline_ns = UINT64_MAX;
	list_init(&c->timers);
	c->slice_timer.cpu = CPU_NONE;
	list_init(&c->slice_timer.node);
	spin_lock_init(&c->timer_lock, LOCK_RANK_TIMER);
	spin_lock_init(&c->own_runq_lock, LOCK_RANK_RUNQ);
	c->runq_lock = &c->own_runq_lock;
	pcpus[cpu] = c;
	if (nr_pcpus <= cpu) {
		nr_pcpus = (uint32_t)cpu + 1;
	}
	return c;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to another CPU: look at your work word, run a function, stop.
 *
 * Owns    one call slot per CPU.
 * Not     how an IPI travels (irqchip), nor what the work bits mean (work.c).
 * Locks   none: a slot is FREE -> CLAIMED by any CPU, -> FULL by that one, and
 *         -> FREE by the CPU it belongs to.
 * Bounds  ipi_stop_others() waits STOP_WAIT_NS at most; nothing else waits.
 */
#include <hv/ipi.h>
#include <lib/errno.h>
#include <hv/arch.h>
#include <hv/irqchip.h>
#include <hv/percpu.h>
#include <hv/work.h>

#define STOP_WAIT_NS UINT64_C(10000000)

enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_FULL };

static struct call_slot {
	void (*fn)(void *arg);
	void *arg;
	uint32_t state; /* enum slot_state; atomic */
} slots[NR_CPUS];

void ipi_kick(uint16_t cpu)
{
	arch_wmb(); /* the work bit is visible before the kick arrives */
	irqchip->send_ipi(cpu, IPI_KICK);
}

int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg)
{
	struct call_slot *s = &slots[cpu];
	uint32_t want = SLOT_FREE;

	if (!__atomic_compare_exchange_n(&s->state, &want, SLOT_CLAIMED, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		return -EBUSY;
	}
	s->fn = fn;
	s->arg = arg;
	__atomic_store_n(&s->state, SLOT_FULL, __ATOMIC_RELEASE);
	pcpu_post(pcpus[cpu], PWORK_CALL);
	return 0;
}

void ipi_run_calls(void)
{
	struct call_slot *s = &slots[this_cpu()];
	void (*fn)(void *arg);
	void *arg;

	if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != SLOT_FULL) {
		return;
	}
	fn = s->fn;
	arg = s->arg;
	/* Free before the call: the function may post the next one. */
	__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
	fn(arg);
}

void ipi_handle(uint32_t sgi)
{
	if (sgi == IPI_STOP) {
		pcpu_post_self(PWORK_STOP);
	} /* else a kick: its whole meaning is "come by work_run()" */
}

void ipi_stop_others(void)
{
	uint64_t self = UINT64_C(1) << this_cpu();
	uint64_t end = arch_time_ns() + STOP_WAIT_NS;

	for (uint16_t i = 0; i < nr_pcpus; i++) {
		if (i != this_cpu() && pcpus[i] && pcpus[i]->online) {
			arch_wmb();
			irqchip->send_ipi(i, IPI_STOP);
		}
	}
	while ((__atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) & ~self) &&
	       arch_time_ns() < end) {
		arch_cpu_relax();
	}
}

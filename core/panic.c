/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words: a bug of ours, or a machine we cannot run on.
 *
 * CPU     any; the others are stopped first.
 * Bounds  says its piece once; a second panic on the way only halts. Of other
 *         CPUs: those that did not stop when told.
 */
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/entry.h>
#include <hv/ipi.h>
#include <hv/irqchip.h>
#include <hv/percpu.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/printf.h>

#define PANIC_TRACE_EVENTS 16u

static uint32_t panicking; /* atomic: CPU + 1 */

static void say_vcpu(const char *what, struct vcpu *v)
{
	if (v) {
		log_err("%s d%uv%u\n", what, v->domain->id, v->id);
		arch_vcpu_dump(v);
	} else {
		log_err("%s no vCPU\n", what);
	}
}

/* Who did not stop may be the one to blame. */
static void say_unstopped(void)
{
	uint64_t left = __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) &
			~BIT64(this_cpu());

	for (; left; left &= left - 1) { /* bound: NR_CPUS */
		uint16_t cpu = (uint16_t)ffs64(left);

		log_err("CPU %u did not stop\n", cpu);
		say_vcpu("It ran", pcpus[cpu]->current);
		trace_dump_last(LOG_ERR, cpu, PANIC_TRACE_EVENTS);
	}
}

void panic(const char *fmt, ...)
{
	struct pcpu *c = this_pcpu();
	uint32_t nobody = 0;
	char text[192];
	va_list ap;

	if (!__atomic_compare_exchange_n(&panicking, &nobody, c->id + 1u,
					 false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		arch_halt();
	}
	if (irqchip) {
		ipi_stop_others();
	}
	console_force();
	va_start(ap, fmt);
	hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_err("BULKHEAD PANIC on CPU %u: %s\n", c->id, text);
	arch_dump_self();
	say_vcpu("Running:", c->current);
	log_err("Last events of this CPU:\n");
	trace_dump_last(LOG_ERR, c->id, PANIC_TRACE_EVENTS);
	say_unstopped();
	log_err("The machine stops here; restart it by hand\n");
	arch_halt();
}

void check_failed(const char *what, const char *file, int line)
{
	panic("%s does not hold at %s:%d", what, file, line);
}

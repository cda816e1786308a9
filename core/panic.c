/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words: a bug of ours, or a machine we cannot run on.
 *
 * CPU     any; the others are stopped first.
 * Bounds  says its piece once; a second panic on the way only halts.
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
#include <lib/check.h>
#include <lib/printf.h>

#define PANIC_TRACE_EVENTS 16u

static uint32_t panicking; /* atomic: CPU + 1 */

static void say_where(const struct pcpu *c)
{
	if (c->current) {
		log_err("Running: d%uv%u\n", c->current->domain->id,
			c->current->id);
		arch_vcpu_dump(c->current);
	} else {
		log_err("No vCPU was running\n");
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
	say_where(c);
	log_err("Last events of this CPU:\n");
	trace_dump_last(PANIC_TRACE_EVENTS);
	log_err("The machine stops here; restart it by hand\n");
	arch_halt();
}

void check_failed(const char *what, const char *file, int line)
{
	panic("%s does not hold at %s:%d", what, file, line);
}

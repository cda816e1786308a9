/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flight recorder: a ring of the last events of each CPU.
 *
 * Owns    the rings. Each is written by its own CPU only, so there is no
 *         lock and no wait.
 * Bounds  one record, 32 bytes, an event.
 */
#include <hv/trace.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>

#define TRACE_RECS (PAGE_SIZE / sizeof(struct trace_rec))

static struct {
	struct trace_rec *rec;
	uint64_t next;
} ring[NR_CPUS];

#define TRACE_FORMAT(name, fmt)                                               \
	[TRACE_##name] = "  %llu.%09llu CPU %u " #name " " fmt "\n",
static const char *const formats[] = { TRACE_EVENTS(TRACE_FORMAT) };

/* Without memory there is no recorder, and nothing else is lost. */
void trace_init_cpu(void)
{
	if (!ring[this_cpu()].rec) { /* else it was on line before */
		ring[this_cpu()].rec = hv_alloc_pages(NULL, 0);
	}
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	uint16_t cpu = this_cpu();
	struct trace_rec *r = ring[cpu].rec;

	if (!r) {
		return;
	}
	r += ring[cpu].next++ % TRACE_RECS;
	*r = (struct trace_rec){ .ticks = arch_time_ns(),
				 .event = (uint16_t)e,
				 .cpu = cpu,
				 .a = a,
				 .b = b,
				 .c = c };
}

void trace_dump_last(uint16_t cpu, unsigned int n)
{
	uint64_t end = ring[cpu].next;
	uint64_t i = end > n ? end - n : 0;

	if (!ring[cpu].rec) {
		return;
	}
	for (; i < end; i++) { /* bound: n */
		const struct trace_rec *r = &ring[cpu].rec[i % TRACE_RECS];

		log_err(formats[r->event],
			(unsigned long long)(r->ticks / 1000000000u),
			(unsigned long long)(r->ticks % 1000000000u), cpu,
			r->a, (unsigned long long)r->b,
			(unsigned long long)r->c);
	}
}

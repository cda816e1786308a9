/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flight recorder: a ring of the last events of each CPU.
 *
 * Owns    the rings. Each is written by its own CPU only, so there is no
 *         lock and no wait.
 * Always  switches between vCPUs, and what is rare: faults, refused calls. With
 *         trace_all also what the hooks of trace buffers see (tracebuf.c).
 * Bounds  one record, 32 bytes, an event.
 */
#include <hv/trace.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/work.h>
#include <lib/bits.h>

#define TRACE_RECS (PAGE_SIZE / sizeof(struct trace_rec))

static struct ring {
	_Alignas(16) uint64_t done; /* since boot; and found by a shift */
	struct trace_rec *rec;
} ring[NR_CPUS];

/*
 * Whoever sees @done may see record @done, or half of it, as well; and what it
 * reads in @done may be one behind: two records are nobody's but the writer's.
 */
#define WRITERS_OWN 2u

#define TRACE_FORMAT(name, fmt)                                               \
	[TRACE_##name] = "  %llu.%09llu CPU %u " #name " " fmt "\n",
static const char *const formats[] = { TRACE_EVENTS(TRACE_FORMAT) };

/* Without memory there is no recorder, and nothing else is lost. */
void trace_init_cpu(void)
{
	if (!ring[this_cpu()].rec) { /* else it was on line before */
		ring[this_cpu()].rec = hv_alloc_pages(NULL, 0);
	}
	if (options.trace_all) {
		pcpu_post_self(PWORK_TRACE); /* the hooks of trace buffers */
	}
}

void trace_event(enum trace_event e, uint32_t a, uint64_t b, uint64_t c)
{
	struct ring *q = &ring[this_cpu()];
	uint64_t now = arch_time_ns();
	uint64_t n = q->done;

	if (!q->rec) {
		return;
	}
	q->rec[n % TRACE_RECS] = (struct trace_rec){
		.ticks = now, .event = e, .a = a, .b = b, .c = c };
	arch_wmb();
	__atomic_store_n(&q->done, n + 1, __ATOMIC_RELAXED);
}

void trace_xen(uint32_t event, const uint32_t *words, unsigned int nr)
{
	uint64_t w[4] = { 0 };

	for (unsigned int i = 0; i < nr && i < ARRAY_SIZE(w); i++) {
		w[i] = words[i];
	}
	trace_event(TRACE_XEN, event, w[0] | w[1] << 32, w[2] | w[3] << 32);
}

/* Record @i of @cpu, whole; false: it is there no more. */
static bool read_rec(uint16_t cpu, uint64_t i, struct trace_rec *out)
{
	*out = ring[cpu].rec[i % TRACE_RECS];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&ring[cpu].done, __ATOMIC_RELAXED) +
		       WRITERS_OWN <= i + TRACE_RECS;
}

void trace_dump_last(enum log_level lvl, uint16_t cpu, unsigned int n)
{
	uint64_t end = __atomic_load_n(&ring[cpu].done, __ATOMIC_ACQUIRE);
	uint64_t i;
	struct trace_rec r;
	unsigned int gone = 0;

	if (!ring[cpu].rec) {
		return;
	}
	n = min_u32(n, TRACE_RECS - WRITERS_OWN);
	for (i = end > n ? end - n : 0; i < end; i++) { /* bound: n */
		if (!read_rec(cpu, i, &r)) {
			gone++;
			continue;
		}
		log_printf(lvl, formats[r.event],
			   (unsigned long long)(r.ticks / 1000000000u),
			   (unsigned long long)(r.ticks % 1000000000u), cpu,
			   r.a, (unsigned long long)r.b,
			   (unsigned long long)r.c);
	}
	if (gone) {
		log_printf(lvl, "  CPU %u: %u events were overwritten\n", cpu,
			   gone);
	}
}

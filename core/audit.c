/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The isolation auditor: a run looks at everything that says who has what, in
 * steps, while domains go on; docs/audit.md, adr/0021.
 *
 * Owns    the one run there is at a time, and its verdict.
 * Not     what must hold (audit_memory.c, audit_links.c,
 *         audit_streams.c).
 * Rule    an item that looks wrong may be in the hands of another CPU. It is
 *         looked at again while every other CPU stands at a work point, where
 *         nothing is half done; only what is wrong then is told.
 * Locks   none between items; the state belongs to the CPU that has the timer
 *         or PWORK_AUDIT, `asked` and `loud` are atomic.
 * Bounds  a step: STEP_COST frames and an item; PARK_WAIT_NS where something
 *         looks wrong. The CPU's guest has GAP_NS between two steps.
 */
#include <hv/audit.h>

#include "audit_priv.h"
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/ipi.h>
#include <hv/percpu.h>
#include <hv/timer.h>
#include <hv/work.h>

#define STEP_COST 32u
#define GAP_NS UINT64_C(50000)
#define PARK_WAIT_NS UINT64_C(5000000)
#define PARK_TRIES 100u
#define LINES_MAX 64u /* printed in a run */

static const struct {
	uint32_t (*item)(struct audit *a, struct domain *d);
	bool of_domains;
} parts[] = {
	{ audit_maps, true },   { audit_virqs, true }, { audit_ports, true },
	{ audit_grants, true }, { audit_tags, true },  { audit_frames, false },
	{ audit_lines, false }, { audit_streams, false },
};

static struct audit run;
static struct timer gap;
static uint32_t asked; /* for a run since the last one began */
static bool loud;      /* somebody waits for the verdict */
static uint32_t park_round; /* odd while others are to wait; atomic */
static uint32_t parked_in[NR_CPUS]; /* a CPU waits in that round, or did */

/* ---- one item, made sure ------------------------------------------------- */

/* At a work point of another CPU; it waits while @round lasts. */
static void park_here(void *round)
{
	uint32_t mine = (uint32_t)(uintptr_t)round;

	__atomic_store_n(&parked_in[this_cpu()], mine, __ATOMIC_RELEASE);
	/* bound: PARK_WAIT_NS and an item */
	while (__atomic_load_n(&park_round, __ATOMIC_ACQUIRE) == mine) {
		arch_cpu_relax();
	}
}

static void unpark(void)
{
	(void)__atomic_fetch_add(&park_round, 1, __ATOMIC_SEQ_CST);
}

static bool is_other(uint16_t cpu)
{
	return pcpus[cpu] && pcpus[cpu] != this_pcpu() && pcpus[cpu]->online;
}

static bool call_others(uint32_t round)
{
	for (uint16_t i = 0; i < nr_pcpus; i++) { /* bound: NR_CPUS */
		if (is_other(i) &&
		    ipi_post_call(i, park_here, (void *)(uintptr_t)round)) {
			return false;
		}
	}
	return true;
}

static bool all_parked(uint32_t round)
{
	for (uint16_t i = 0; i < nr_pcpus; i++) { /* bound: NR_CPUS */
		if (is_other(i) && __atomic_load_n(&parked_in[i],
						   __ATOMIC_ACQUIRE) != round) {
			return false;
		}
	}
	return true;
}

/*
 * Every other CPU stands in park_here(), up to unpark(). False: one does not
 * come by, or has a call to do first.
 */
static bool park(void)
{
	uint64_t end = arch_time_ns() + PARK_WAIT_NS;
	uint32_t round = __atomic_add_fetch(&park_round, 1, __ATOMIC_SEQ_CST);

	if (!call_others(round)) {
		return false;
	}
	while (!all_parked(round)) {
		if (arch_time_ns() > end) {
			return false;
		}
		arch_cpu_relax();
	}
	return true;
}

static uint32_t look(struct audit *a, struct domain *d)
{
	a->line[0] = '\0';
	a->next = AUDIT_END;
	return parts[a->part].item(a, d);
}

/* The item again, undisturbed. False: it could not be, it remains to do. */
static bool make_sure(struct audit *a, struct domain *d)
{
	bool parked = park();

	if (parked) {
		(void)look(a, d);
	}
	unpark();
	if (!parked && ++a->tries < PARK_TRIES) {
		return false;
	}
	a->tries = 0;
	if (!parked) {
		a->nr_unsure++;
	} else if (a->line[0] && a->nr_found++ < LINES_MAX) {
		log_err("audit: FAULT run=%u %s\n", a->run, a->line);
	}
	return true;
}

/* ---- a run --------------------------------------------------------------- */

static void end_part(struct audit *a)
{
	a->part++;
	a->domid = 0;
	a->pos = 0;
}

static void advance(struct audit *a)
{
	a->pos = a->next;
	if (a->pos != AUDIT_END) {
		return;
	}
	a->pos = 0;
	if (parts[a->part].of_domains) {
		a->domid++;
	} else {
		end_part(a);
	}
}

/* Its cost; STEP_COST: enough for now. */
static uint32_t item(struct audit *a, struct domain *d)
{
	uint32_t cost;

	if (d && d->id != a->domid) { /* the one it was at is gone */
		a->domid = d->id;
		a->pos = 0;
	}
	cost = look(a, d);
	if (a->line[0]) {
		cost = STEP_COST;
		if (!make_sure(a, d)) {
			return cost;
		}
	}
	advance(a);
	return cost;
}

static void begin(struct audit *a)
{
	uint32_t number = a->run + 1;

	*a = (struct audit){ .run = number, .is_running = true };
	__atomic_store_n(&asked, 1, __ATOMIC_SEQ_CST);
	a->tells = __atomic_exchange_n(&loud, false, __ATOMIC_SEQ_CST);
}

static void verdict(const struct audit *a)
{
	const uint64_t *n = a->nr;

	log_printf(a->nr_found || a->nr_unsure || a->tells ? LOG_ERR
							   : LOG_DEBUG,
		   "audit: %s run=%u asked=%u found=%u unsure=%u pages=%llu "
		   "maps=%llu irqs=%llu ports=%llu grants=%llu vms=%llu "
		   "streams=%llu\n",
		   a->nr_found ? "FAIL" : a->nr_unsure ? "UNSURE" : "PASS",
		   a->run, a->tells, a->nr_found, a->nr_unsure,
		   (unsigned long long)n[AUDITED_PAGES],
		   (unsigned long long)n[AUDITED_MAPS],
		   (unsigned long long)n[AUDITED_IRQS],
		   (unsigned long long)n[AUDITED_PORTS],
		   (unsigned long long)n[AUDITED_GRANTS],
		   (unsigned long long)n[AUDITED_TAGS],
		   (unsigned long long)n[AUDITED_STREAMS]);
}

/* True: nobody has asked since it began. */
static bool end(struct audit *a)
{
	uint32_t one = 1;

	verdict(a);
	a->is_running = false;
	return __atomic_compare_exchange_n(&asked, &one, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void gap_over(void *none)
{
	(void)none;
	pcpu_post_self(PWORK_AUDIT);
}

void audit_step(void)
{
	struct audit *a = &run;
	uint32_t cost = 0;

	if (!a->is_running) {
		begin(a);
	}
	while (cost < STEP_COST && a->part < ARRAY_SIZE(parts)) {
		struct domain *d = NULL;

		if (parts[a->part].of_domains) {
			d = domain_next_get(a->domid);
		}
		if (!d && parts[a->part].of_domains) {
			end_part(a);
			continue;
		}
		cost += item(a, d);
		if (d) {
			domain_put(d);
		}
	}
	if (a->part == ARRAY_SIZE(parts) && end(a)) {
		return;
	}
	timer_set(&gap, arch_time_ns() + GAP_NS);
}

void audit_request(bool tells)
{
	if (tells) { /* that one, or the next, is it */
		log_err("audit: ASKED run=%u\n", run.run + 1);
		__atomic_store_n(&loud, true, __ATOMIC_SEQ_CST);
	}
	if (__atomic_fetch_add(&asked, 1, __ATOMIC_SEQ_CST) == 0) {
		timer_init(&gap, gap_over, NULL);
		pcpu_post_self(PWORK_AUDIT);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPUs watch each other. EL2 runs with interrupts masked, so a CPU that is
 * stuck there cannot notice it: each CPU counts its own timer interrupts and
 * looks at the count of the next one.
 *
 * Owns    pcpu.beats, what each CPU remembers of the next one's.
 * Not     what happens then (panic.c).
 * CPU     each its own entry; pcpu.beats is read by the one before it.
 * Locks   none.
 * Bounds  one interrupt a CPU every LOOKS_PER_LIMIT-th part of the limit, in
 *         guests and while idle alike.
 * Misses  a machine of one CPU, and CPUs that are stuck all at once, for
 *         instance because they wait for a lock of the one that is: nobody is
 *         left to look.
 */
#include <hv/watchdog.h>
#include <lib/bits.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/entry.h>
#include <hv/ipi.h>
#include <hv/percpu.h>
#include <hv/timer.h>

#define NS_PER_SEC UINT64_C(1000000000)
/*
 * Counted in looks of a CPU that does run, not in time: a machine that stood
 * still as a whole (a debugger, an emulator's host) accuses nobody.
 */
#define LOOKS_PER_LIMIT 5u

static struct watch {
	struct timer timer;
	uint32_t seen;   /* the next CPU's beats at the last look */
	uint32_t missed; /* looks in a row at which there was none */
} watch[NR_CPUS];

static uint64_t period_ns __ro_after_boot; /* 0: off */

/* The CPU that this one looks at; NULL: it is alone. */
static const struct pcpu *next_cpu(uint16_t me)
{
	uint64_t others = __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) &
			  ~BIT64(me);
	uint64_t after = others >> me << me;

	return others ? pcpus[ffs64(after ? after : others)] : NULL;
}

static void look_at(const struct pcpu *c, struct watch *w)
{
	uint32_t beats = __atomic_load_n(&c->beats, __ATOMIC_RELAXED);

	w->missed = beats == w->seen ? w->missed + 1 : 0;
	w->seen = beats;
	if (w->missed >= LOOKS_PER_LIMIT) {
		panic("watchdog: CPU %u has been stuck for %llu s", c->id,
		      (unsigned long long)(period_ns * LOOKS_PER_LIMIT /
					   NS_PER_SEC));
	}
}

static void beat(void *arg)
{
	struct watch *w = arg;
	const struct pcpu *next = next_cpu(this_cpu());

	watchdog_touch();
	timer_set(&w->timer, arch_time_ns() + period_ns);
	if (next) {
		look_at(next, w);
	}
}

static void start_here(void *arg)
{
	struct watch *w = &watch[this_cpu()];

	(void)arg;
	timer_init(&w->timer, beat, w);
	w->timer.stays = true;
	w->missed = 0;
	beat(w);
}

void watchdog_join(void)
{
	if (period_ns != 0) {
		start_here(NULL);
	}
}

void watchdog_leave(void)
{
	if (period_ns != 0) {
		timer_cancel(&watch[this_cpu()].timer);
	}
}

int watchdog_start(uint32_t seconds)
{
	int rc = 0;

	if (seconds == 0) {
		return 0;
	}
	if (nr_pcpus == 1) {
		log_warn("watchdog: one CPU alone has nobody to watch it\n");
		return 0;
	}
	period_ns = seconds * NS_PER_SEC / LOOKS_PER_LIMIT;
	log_info("watchdog: a CPU that is stuck for %u s is the end\n",
		 seconds);
	for (uint16_t i = 0; i < nr_pcpus && rc == 0; i++) {
		if (i == this_cpu()) {
			start_here(NULL);
		} else if (pcpus[i]->online) {
			rc = ipi_post_call(i, start_here, NULL);
		}
	}
	return rc;
}

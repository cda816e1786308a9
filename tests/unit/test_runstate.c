/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS) -Wl,--wrap=arch_wmb
#include <criterion/criterion.h>
#include <string.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include <hv/guest_win.h>
#include <hv/page_alloc.h>
#include "fake_cpus.h"

#define GVA  UINT64_C(0x7f000010)
#define FLAG BIT64(VMASST_TYPE_runstate_update_flag)

/* ---- the guest's copy ---------------------------------------------------- */

static struct vcpu_runstate_info guest;	   /* at GVA */
static struct vcpu_runstate_info seen[16]; /* at each barrier, two a writing */
static uint32_t nr_seen, nr_open;
static uint32_t first = sizeof(guest); /* bytes of it in the first page */
static struct page own;

void __wrap_arch_wmb(void)
{
	cr_assert_lt(nr_seen, ARRAY_SIZE(seen));
	seen[nr_seen++] = guest;
}

int guest_win_open(struct vcpu *v, uint64_t va, uint32_t len, unsigned int dir,
		   struct guest_win *w)
{
	(void)v;
	cr_assert_eq(va, GVA);
	cr_assert_eq(len, sizeof(guest));
	cr_assert_eq(dir, HC_OUT);
	*w = (struct guest_win){.va = {(char *)&guest, (char *)&guest + first},
				.len = {first, len - first},
				.pg = {&own, &own}};
	nr_open++;
	return 0;
}

void guest_win_write(const struct guest_win *w, const void *src, uint32_t off,
		     uint32_t len)
{
	cr_assert_eq(nr_open, 1);
	cr_assert_leq(off + len, w->len[0] + w->len[1]);
	memcpy(w->va[0] + off, src, len);
}

void guest_win_close(struct guest_win *w)
{
	cr_assert(w->va[0] == (char *)&guest);
	nr_open--;
}

static struct vcpu *registered(void)
{
	struct vcpu *v = cpus_vcpu(0);

	own.owner = cpus_dom.id;
	cr_assert_eq(vcpu_runstate_register(v, v, GVA), 0);
	nr_seen = 0;
	return v;
}

Test(runstate, publish_in_the_order_a_reader_needs)
{
	static const struct {
		uint64_t assist;
		uint32_t first;
		uint64_t meanwhile;
	} rows[] = {
		{0, sizeof(guest), 600},
		{FLAG, sizeof(guest), 600 | XEN_RUNSTATE_UPDATE},
		{0, 20, 600},
		{FLAG, 20, 600 | XEN_RUNSTATE_UPDATE},
	};
	struct vcpu *v;

	cpus_start(1, "credit2");
	v = cpus_vcpu(0);
	v->runstate = RUNSTATE_blocked;
	v->runstate_entry_ns = 1000;
	memcpy(v->runstate_ns, (uint64_t[]){1, 2, 3, 4}, 32);
	own.owner = cpus_dom.id;
	cpus_dom.time_offset_ns = 400;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&guest, 0xee, sizeof(guest));
		nr_seen = 0;
		first = rows[i].first;
		cpus_dom.vm_assist = (uint32_t)rows[i].assist;
		cr_assert_eq(vcpu_runstate_register(v, v, GVA), 0);
		cr_assert_eq(nr_seen, 2, "row %zu", i);
		cr_assert_eq(seen[0].state_entry_time, rows[i].meanwhile);
		cr_assert_eq(seen[0].time[0], UINT64_C(0xeeeeeeeeeeeeeeee));
		cr_assert_eq(seen[1].state_entry_time, rows[i].meanwhile);
		cr_assert_eq(memcmp(seen[1].time, v->runstate_ns, 32), 0);
		cr_assert_eq(guest.state_entry_time, 600);
		cr_assert_eq(guest.state, RUNSTATE_blocked);
		cr_assert_eq(memcmp(guest.time, v->runstate_ns, 32), 0);
		cr_assert_eq(nr_open, 1);
	}
	cr_assert_eq(vcpu_runstate_register(v, v, 0), 0);
	cr_assert_eq(nr_open, 0);
	vcpu_runstate_publish(v);
	cr_assert_eq(nr_seen, 2);
}

/* It is told when it comes and, while its registers are there, when it goes. */
Test(runstate, publish_at_each_switch)
{
	struct vcpu *v, *other;

	cpus_start(1, "credit2");
	v = registered();
	other = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	cr_assert_eq(nr_seen, 2);
	cr_assert_eq(guest.state, RUNSTATE_running);
	cpus_block(v);
	cpus_settle();
	cr_assert_eq(nr_seen, 4);
	cr_assert_eq(guest.state, RUNSTATE_blocked);
	vcpu_online(other);
	cpus_settle();
	cr_assert_eq(nr_seen, 4); /* its registers are not here */
	vcpu_wake(v);
	do {
		cpus_run(5 * MS); /* more than two slices: both had it */
	} while (pcpus[0]->current != other);
	cr_assert_geq(nr_seen, 8);
	cpus_block(other);
	cpus_settle();
	cr_assert_eq(guest.state, RUNSTATE_running);
	cr_assert_gt(guest.time[RUNSTATE_runnable], 0);
	cr_assert_eq(guest.time[RUNSTATE_runnable],
		     v->runstate_ns[RUNSTATE_runnable]);
}

/* The end of a vCPU ends the window. */
Test(runstate, goes_with_its_vcpu)
{
	struct vcpu *v;

	cpus_start(1, "credit2");
	v = registered();
	cr_assert_eq(nr_open, 1);
	vcpu_destroy(v);
	cr_assert_eq(nr_open, 0);
}

/* ---- time goes forward only ---------------------------------------------- */

static struct vcpu *woken;

/* CPU 1 wakes it, a little later by the clock, before CPU 0 goes on. */
static void wake_now(void)
{
	if (cpus_runq_is_locked(pcpus[0])) {
		return; /* CPU 1 has to wait */
	}
	on_cpu(1);
	fake_time_ns += MS;
	vcpu_wake(woken);
	on_cpu(0);
}

Test(runstate, a_wakeup_while_the_cpu_chooses)
{
	cpus_start(2, "credit2");
	woken = cpus_vcpu(0);
	vcpu_cpus_set(woken, BIT64(0));
	vcpu_online(woken);
	cpus_run(10 * MS);
	cpus_block(woken);
	cpus_after_time = wake_now; /* at the next reading: CPU 0 picks */
	cpus_step(0);
	cr_assert_null(cpus_after_time);
	cpus_check_runstates();
}

Test(runstate, cpu_time_includes_the_present_run)
{
	struct vcpu *v;

	cpus_start(1, "credit2");
	v = cpus_vcpu(0);
	vcpu_online(v);
	cpus_settle();
	fake_time_ns += 5 * MS;
	cr_assert_eq(sched_vcpu_cpu_time_ns(v), 5 * MS);
	cpus_block(v);
	cpus_settle();
	fake_time_ns += 5 * MS;
	cr_assert_eq(sched_vcpu_cpu_time_ns(v), 5 * MS);
}

/* SPDX-License-Identifier: Apache-2.0 */
// LINK: $(CPU_WORLD) arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include <criterion/criterion.h>

#include <lib/bits.h>
#include <lib/errno.h>
#include "fake_cpus.h"

static uint32_t ran[NR_CPUS];

static void setup(void)
{
	cpus_start(4, "credit2");
	memset(cpus_ipis, 0, sizeof(cpus_ipis));
}

TestSuite(ipi, .init = setup);

static void count(void *arg)
{
	cr_assert_eq(arg, &ran[this_cpu()]);
	ran[this_cpu()]++;
}

/* Posts the next one while it is being run. */
static void chain(void *arg)
{
	cr_assert_eq(ipi_post_call(this_cpu(), count, arg), 0);
}

Test(ipi, one_call_a_cpu_at_a_time)
{
	for (uint16_t i = 1; i < 3; i++) {
		cr_assert_eq(ipi_post_call(i, count, &ran[i]), 0);
		cr_assert_eq(ipi_post_call(i, chain, NULL), -EBUSY);
		cr_assert_eq(cpus_ipis[i][IPI_KICK], 1);
	}
	cpus_settle();
	cr_assert_eq(ran[0] + ran[3], 0);
	cr_assert_eq(ran[1], 1);
	cr_assert_eq(ran[2], 1);
	cr_assert_eq(ipi_post_call(1, chain, &ran[1]), 0);
	cpus_settle();
	cr_assert_eq(ran[1], 2);
	cpus_step(1);
	cr_assert_eq(ran[1], 2);
}

/* The bit may be there before the slot is full, or after it was emptied. */
Test(ipi, an_empty_slot_is_not_run)
{
	pcpu_post(pcpus[1], PWORK_CALL);
	cpus_settle();
	cr_assert_eq(ran[1], 0);
	cr_assert_eq(pcpus[1]->work, 0);
}

Test(ipi, what_each_message_means)
{
	static const struct {
		uint32_t sgi, work;
	} rows[] = {
		{IPI_KICK, 0}, {IPI_STOP, PWORK_STOP},
		{NR_IPIS, 0},  {UINT32_MAX, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		on_cpu(2);
		pcpus[2]->work = 0;
		ipi_handle(rows[i].sgi);
		cr_assert_eq(pcpus[2]->work, rows[i].work, "row %zu", i);
	}
}

/* ---- stop ---------------------------------------------------------------- */

static uint32_t looks;
static uint64_t stops; /* CPUs that obey, one a look */

static void time_passes(void)
{
	looks++;
	fake_time_ns += MS;
	cpus_after_time = time_passes;
	for (uint16_t i = 0; i < nr_pcpus; i++) {
		if ((stops & BIT64(i)) && cpus_ipis[i][IPI_STOP]) {
			stops &= ~BIT64(i);
			cpus_online &= ~BIT64(i);
			return;
		}
	}
}

Test(ipi, stop_waits_for_those_who_come)
{
	pcpus[3]->online = false;
	cpus_online &= ~BIT64(3);
	on_cpu(1);
	stops = BIT64(0) | BIT64(2);
	cpus_after_time = time_passes;
	ipi_stop_others();
	cr_assert_eq(cpus_ipis[0][IPI_STOP], 1);
	cr_assert_eq(cpus_ipis[1][IPI_STOP], 0);
	cr_assert_eq(cpus_ipis[2][IPI_STOP], 1);
	cr_assert_eq(cpus_ipis[3][IPI_STOP], 0);
	cr_assert_eq(cpus_online, BIT64(1));
	cr_assert_leq(looks, 4);
}

Test(ipi, stop_does_not_wait_forever)
{
	stops = BIT64(1);
	cpus_after_time = time_passes;
	ipi_stop_others();
	cr_assert_eq(cpus_online, BIT64(0) | BIT64(2) | BIT64(3));
	cr_assert_lt(looks, 20);
}

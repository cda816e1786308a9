/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU that is told to start and comes late, with another one, or never. */
// LINK: $(CPU_WORLD) core/hotplug.c arch/fake/last_words.c
// LIBS: $(CPU_WORLD_LIBS)
#include "fake_hotplug.h"

/* Told to start; its time is over. */
static void give_up_on(uint32_t cpu)
{
	start_is_late = true;
	on_cpu(0);
	cr_assert_eq(hotplug_step(cpu, true), -EAGAIN);
	fake_time_ns += UINT64_C(2000000000);
	cr_assert_eq(hotplug_step(cpu, true), -ETIME);
	start_is_late = false;
}

/* Others go and come meanwhile; then it comes, and is asked for again. */
Test(hotplug_late, late)
{
	start("credit2", 4);
	cr_assert_eq(change(2, false), 0);
	give_up_on(2);
	cr_assert_eq(change(2, false), -ENODEV);
	cr_assert_eq(change(1, false), 0);
	cr_assert_eq(change(1, true), 0);
	cr_assert(way_is_open);
	come_on_line(2);
	cr_assert_not(watched[2]);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1 - BIT64(2));
	cpus_run(20 * MS);
	cr_assert_eq(change(3, false), 0);
	cr_assert_eq(change(2, true), 0);
	cr_assert_not(way_is_open);
	cr_assert(watched[2]);
	cr_assert_eq(change(2, true), -EEXIST);
	cr_assert_eq(change(3, true), 0);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
	check_all(true);
}

/* While another one starts: each its own way. */
Test(hotplug_late, late_meets_another)
{
	start("credit2", 4);
	cr_assert_eq(change(2, false), 0);
	cr_assert_eq(change(3, false), 0);
	give_up_on(2);
	give_up_on(3);
	start_is_late = true;
	cr_assert_eq(hotplug_step(3, true), -EAGAIN); /* not told again */
	come_on_line(2);
	cr_assert_eq(hotplug_step(3, true), -EAGAIN);
	cr_assert_eq(hotplug_step(2, true), -EBUSY);
	come_on_line(3);
	cr_assert_eq(change(3, true), 0);
	cr_assert(way_is_open);
	cr_assert_eq(change(2, true), 0);
	cr_assert_not(way_is_open);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
	check_all(true);
}

/* It came, nobody asked for it, and it goes: its pool is still known. */
Test(hotplug_late, late_and_off)
{
	start("credit2", 4);
	cr_assert_eq(change(2, false), 0);
	give_up_on(2);
	come_on_line(2);
	cr_assert_eq(change(2, false), 0);
	cr_assert(is_off[2]);
	cr_assert_not(way_is_open || watched[2]);
	check_all(true);
	cr_assert_eq(change(2, true), 0);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
}

/* It is off after all, as the firmware says: told anew. */
Test(hotplug_late, never_comes)
{
	start("credit2", 4);
	cr_assert_eq(change(2, false), 0);
	give_up_on(2);
	give_up_on(2);
	starts[2] = false;
	start_rc = -EIO;
	cr_assert_eq(change(2, true), -EIO);
	cr_assert_not(way_is_open);
	start_rc = 0;
	cr_assert_eq(change(2, true), 0);
	cr_assert_eq(cpus_dom.pool->cpus, BIT64(NR) - 1);
}

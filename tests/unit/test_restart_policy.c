/* SPDX-License-Identifier: Apache-2.0 */
/* When a domain begins again, after which end, and how its guest is watched. */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/restart.c core/restart_steps.c core/wallclock.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c
// LINK: core/sched_cap.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/cpupool.c
// LINK: core/sched_null.c core/sched_arinc653.c core/static_mem.c
// LINK: core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/p2m.c core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_no_pci.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle,--wrap=arch_irq_poll
// LIBS: -Wl,--wrap=arch_machine_restart
#include <criterion/criterion.h>
#include <setjmp.h>

#include "fake_restart.h"

TestSuite(restart_policy, .init = setup);

/* ---- when ---------------------------------------------------------------- */

RESTART_TEST(restart_policy, waits_double_and_end_at_the_limit)
{
	static const uint64_t wait[] = { 10, 20, 40, 80, 160, 320, 640, 640 };

	r->policy.limit = ARRAY_SIZE(wait);
	for (size_t i = 0; i < ARRAY_SIZE(wait); i++) {
		end(SHUTDOWN_crash);
		pass(wait[i] * MS - 1);
		cr_assert_eq(d->state, DOM_SHUTDOWN);
		pass(1);
		cr_assert(runs(), "%zu", i);
	}
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(r->count, ARRAY_SIZE(wait));
}

RESTART_TEST(restart_policy, a_long_life_ends_the_row)
{
	r->policy.limit = 2;
	for (int i = 0; i < 5; i++) {
		end(SHUTDOWN_reboot);
		pass(10 * MS);
		cr_assert(runs());
		pass(60000 * MS);
	}
	end(SHUTDOWN_crash);
	pass(10 * MS);
	pass(60000 * MS - 1);
	end(SHUTDOWN_crash); /* this life was not long enough */
	pass(20 * MS);
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(r->count, 7);
}

/* On its own CPU when the wait is over already. */
RESTART_TEST(restart_policy, waits_until_it_is_off_its_cpu)
{
	uint16_t cpu = d->vcpu[0]->loaded_on;

	r->policy.backoff_ms = 0;
	cr_assert_neq(cpu, CPU_NONE);
	domain_shutdown(d, SHUTDOWN_crash);
	for (int i = 0; i < 3; i++) {
		fake_time_ns += MS;
		timer_run_due();
		cr_assert_eq(d->state, DOM_SHUTDOWN);
		cr_assert(!r->running);
	}
	hv_run_cpu(cpu);
	pass(MS);
	cr_assert(runs());
}

/* ---- what ---------------------------------------------------------------- */

static jmp_buf machine;
static unsigned int machine_ends;

__noreturn void __wrap_arch_machine_restart(void);
__noreturn void __wrap_arch_machine_restart(void)
{
	machine_ends++;
	longjmp(machine, 1);
}

RESTART_TEST(restart_policy, each_cause_has_its_action)
{
	static const struct {
		uint8_t code;
		uint8_t cause;
	} rows[] = {
		{ SHUTDOWN_poweroff, RESTART_POWEROFF },
		{ SHUTDOWN_reboot, RESTART_REBOOT },
		{ SHUTDOWN_crash, RESTART_CRASH },
		{ SHUTDOWN_watchdog, RESTART_WATCHDOG },
		{ SHUTDOWN_soft_reset, RESTART_CRASH },
		{ 77, RESTART_CRASH },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r->row = 0;
		memset(r->policy.on, RESTART_HALT, sizeof(r->policy.on));
		r->policy.on[rows[i].cause] = RESTART_AGAIN;
		end(rows[i].code);
		pass(10 * MS);
		cr_assert(runs(), "code %u", rows[i].code);
		memset(r->policy.on, RESTART_CRASH_MACHINE,
		       sizeof(r->policy.on));
		r->policy.on[rows[i].cause] = RESTART_AGAIN;
		r->row = 0;
		end(rows[i].code);
		pass(10 * MS);
		cr_assert(runs(), "code %u", rows[i].code);
	}
	r->policy.on[RESTART_CRASH] = RESTART_HALT;
	end(SHUTDOWN_crash);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(machine_ends, 0);
}

RESTART_TEST(restart_policy, one_that_suspends_is_resumed)
{
	memset(r->policy.on, RESTART_CRASH_MACHINE, sizeof(r->policy.on));
	end(SHUTDOWN_suspend);
	pass(100000 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(hv_simple(XEN_DOMCTL_resumedomain, d->id), 0);
	cr_assert(runs());
}

RESTART_TEST(restart_policy, and_the_machine_with_it)
{
	r->policy.on[RESTART_WATCHDOG] = RESTART_CRASH_MACHINE;
	if (setjmp(machine) == 0) {
		domain_shutdown(d, SHUTDOWN_watchdog);
	}
	cr_assert_eq(machine_ends, 1);
}

/* ---- the heartbeat ------------------------------------------------------- */

static int64_t poke(uint32_t id, uint32_t seconds)
{
	sched_watchdog_t dog = { .id = id, .timeout = seconds };

	return guest_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog,
			  sizeof(dog));
}

RESTART_TEST(restart_policy, a_missed_heartbeat)
{
	r->policy.heartbeat_ms = 5;
	end(SHUTDOWN_reboot);
	pass(10 * MS);
	cr_assert(runs());
	pass(4 * MS);
	cr_assert_eq(poke(0, 1000), 1);
	pass(4 * MS);
	cr_assert_eq(poke(1, 1000), 0);
	pass(4 * MS);
	cr_assert(runs());
	/* None of these is a sign of life. */
	cr_assert_eq(poke(2, 1000), -EINVAL);
	cr_assert_eq(poke(1, 0), 0);
	pass(MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_watchdog);
	cr_assert_eq(r->heartbeat.cpu, CPU_NONE);
	pass(19 * MS);
	cr_assert_eq(d->state, DOM_SHUTDOWN); /* it is not expected to beat */
	pass(MS);
	expect_new();
	cr_assert_neq(r->heartbeat.cpu, CPU_NONE);
}

/* ---- its controller has ended it ----------------------------------------- */

RESTART_TEST(restart_policy, not_when_it_is_being_torn_down)
{
	struct xen_domctl x = {
		.cmd = XEN_DOMCTL_destroydomain,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = d->id,
	};

	guest_put(hv_dom0, HV_ARG, &x, sizeof(x));
	cr_assert_eq(hv_call_once(hv_v0, __HYPERVISOR_domctl, HV_ARG, 0),
		     HC_RESTARTED);
	domain_shutdown(d, SHUTDOWN_crash);
	cr_assert_eq(r->count, 0);
	cr_assert_eq(r->due.cpu, CPU_NONE);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions given and taken at random among three domains, step by step, with
 * failures: after each step all parts of each are one domain's, or nobody's.
 */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/console_serial.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c
// LINK: core/cpupool.c
// LINK: core/sched_cap.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/sched_arinc653.c
// LINK: core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_pci_world.c
// LINK: core/pci.c core/pci_bars.c core/pci_assign.c core/pci_reset.c
// LINK: core/pci_line.c
// LINK: core/iommu_function.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/hypercall.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_pci_world.h"

#define EVENTS 100000u
#define DOMAINS 3u

static struct domain *d[DOMAINS];
static uint64_t seed = 88172645463325252u;
static uint32_t given;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % below;
}

static uint16_t any_function(void)
{
	return (uint16_t)(SMALL * (1 + any(3)));
}

static struct domain *any_domain(void)
{
	return d[any(DOMAINS)];
}

/* One step of a call: others come between the steps. */
static void assign(bool fails)
{
	int rc;

	if (fails) {
		hv_steps = 0;
		hv_fail_at = 1 + any(2);
		fake_p2m_fail_in = 1 + any(70);
	}
	spin_lock(&control_lock);
	rc = pci_assign(any_domain(), any_function());
	spin_unlock(&control_lock);
	hv_fail_at = 0;
	fake_p2m_fail_in = 0;
	given += rc == 0;
}

static void deassign(void)
{
	spin_lock(&control_lock);
	(void)!pci_deassign(any_domain(), any_function());
	spin_unlock(&control_lock);
}

static void end(void)
{
	uint32_t n = any(DOMAINS);

	cr_assert_eq(hv_destroy(d[n]->id), 0);
	d[n] = pw_build();
}

/* Whoever has it may map its messages; nobody else may. */
static void messages(void)
{
	uint16_t f = any_function();

	if (pw_seen[f]) {
		pw_messages[f] = pw_seen[f];
	} else if (!pci_is_given(ID0 + f)) {
		pw_messages[f] = hv_dom0;
	}
}

static void event(void)
{
	uint32_t what = any(1000);

	if (what < 500) {
		assign(what < 40);
	} else if (what < 800) {
		deassign();
	} else if (what < 900) {
		messages();
	} else if (what < 903) {
		end();
	} else {
		fake_time_ns += 10000000;
		hv_run_others();
	}
}

Test(pci_random, one_owner)
{
	pw_start();
	for (uint32_t i = 0; i < DOMAINS; i++) {
		d[i] = pw_build();
	}
	for (uint32_t i = 0; i < EVENTS; i++) {
		event();
		cr_assert(pw_is_right(), "event %u", i);
	}
	cr_assert_gt(given, EVENTS / 200, "%u", given);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		cr_assert_eq(hv_destroy(d[i]->id), 0);
	}
	cr_assert(pw_is_right());
	cr_assert_eq(pw_root[SMALL], pw_root[0]);
	cr_assert_eq(pw_root[PLAIN], pw_root[0]);
	cr_assert_eq(pw_root[LARGE], pw_root[0]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's clock: the physical counter in nanoseconds, and the EL2 physical
 * timer as the one comparator of core/timer.c.
 *
 * Owns    CNTHP_* of each CPU, the two conversion factors.
 * Bounds  a multiplication either way.
 * Spec    [ARM] D11.2 "The AArch64 view of the Generic Timer".
 */
#include <arch/barrier.h>
#include <arch/sysreg.h>
#include <arch/time.h>
#include <hv/arch.h>
#include <hv/entry.h>
#include <hv/irq.h>
#include <hv/platform.h>

uint64_t time_ticks(void)
{
	isb(); /* not read ahead of what came before */
	return read_sysreg(cntpct_el0);
}

static uint64_t hz __attribute__((section(".data.ro_after_boot")));
/* ns = ticks * ns_mul >> 32 and back, set once. */
static uint64_t ns_mul __attribute__((section(".data.ro_after_boot")));
static uint64_t tick_mul __attribute__((section(".data.ro_after_boot")));

static uint64_t mul_shift32(uint64_t a, uint64_t mul)
{
	return (uint64_t)(((__uint128_t)a * mul) >> 32);
}

/* For times that guests choose: what is too far away is never, not soon. */
static uint64_t mul_shift32_sat(uint64_t a, uint64_t mul)
{
	__uint128_t r = ((__uint128_t)a * mul) >> 32;

	return r > UINT64_MAX ? UINT64_MAX : (uint64_t)r;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
	return mul_shift32_sat(ticks, ns_mul);
}

__cold void time_init(void)
{
	hz = platform.timer.clock_frequency ? platform.timer.clock_frequency :
					      read_sysreg(cntfrq_el0);
	if (hz == 0) {
		hz = 1; /* boot/ has refused this already */
	}
	ns_mul = (UINT64_C(1000000000) << 32) / hz;
	tick_mul = (hz << 32) / 1000000000u + 1; /* hz < 2^32 */
}

uint64_t arch_counter_hz(void)
{
	return hz;
}

static void hyp_timer_irq(uint32_t intid)
{
	(void)intid;
	timer_expired();
}

__cold int time_request_irq(void)
{
	return irq_request(platform.timer.hyp, IRQ_LEVEL, hyp_timer_irq);
}

uint64_t arch_time_ns(void)
{
	return mul_shift32(time_ticks(), ns_mul);
}

void arch_timer_arm(uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX) {
		write_sysreg(0, cnthp_ctl_el2);
		isb();
		return;
	}
	write_sysreg(mul_shift32_sat(deadline_ns, tick_mul), cnthp_cval_el2);
	write_sysreg(CNT_CTL_ENABLE, cnthp_ctl_el2);
	isb();
}

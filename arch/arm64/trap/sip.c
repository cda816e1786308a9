/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services of the chip maker's firmware that dom0 may call: what has a row;
 * all else is refused, and so is everybody else.
 *
 * Why     a row is what a stock kernel needs for a device of its own. Firmware
 *         knows no domains: what powers, clocks or resets CPUs, memory, other
 *         processors or the board, burns fuses or chooses what starts next has
 *         none. docs/boards.md has the whole list.
 * Spec    TF-A, plat/imx: the numbers and their arguments.
 */
#include <abi/smccc.h>
#include <arch/psci.h>
#include <arch/trap.h>
#include <hv/domain.h>
#include <hv/platform.h>

struct sip_row {
	uint32_t fid;
	uint16_t service;	/* x1 */
	uint8_t firmware;	/* enum firmware_kind: only there */
	bool is_x2_fixed;	/* x2 must be what is 0 for all of them */
};

_Static_assert(IMX_WDOG_ACT_PARTITION == 0, "is_x2_fixed is about it");

static const struct sip_row rows[] = {
	/* Clock and watchdog of the system controller. */
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_SET_TIME, FIRMWARE_IMX8Q, false },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_START_WDOG, FIRMWARE_IMX8Q, false },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_STOP_WDOG, FIRMWARE_IMX8Q, false },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_SET_WDOG_ACT, FIRMWARE_IMX8Q, true },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_PING_WDOG, FIRMWARE_IMX8Q, false },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_SET_TIMEOUT, FIRMWARE_IMX8Q, false },
	{ IMX_SIP_TIMER, IMX_SIP_TIMER_SET_PRETIME, FIRMWARE_IMX8Q, false },
	/* The chip's revision. */
	{ IMX_SIP_GET_SOC_INFO, 0, FIRMWARE_IMX8MQ, false },
};

static bool is_allowed(const uint64_t x[4])
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sip_row *r = &rows[i];

		if (r->fid == (uint32_t)x[0] && r->service == x[1] &&
		    r->firmware == platform.firmware) {
			return !r->is_x2_fixed ||
			       x[2] == IMX_WDOG_ACT_PARTITION;
		}
	}
	return false;
}

/* The system controller's services are for who has the controller. */
static bool may_call(const struct domain *d)
{
	return d->is_hardware && platform.psci_conduit == PSCI_SMC &&
	       !(platform.firmware == FIRMWARE_IMX8Q && platform.keeps_scu);
}

__cold bool sip_call(struct vcpu *v)
{
	struct guest_regs *r = &v->arch.regs;

	if (!may_call(v->domain) || !is_allowed(r->x)) {
		return false;
	}
	/* x0 to x3 become the answer; the guest's others stay as they were. */
	firmware_call_regs(r->x, r->x[4]);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/trap/sip.c arch/arm64/trap/smccc.c
// LINK: tests/fakes/fake_sysreg.c
// CFLAGS: -include tests/fakes/fake_sysreg.h -UCONFIG_DEBUG
/* Which services of the chip maker's firmware who may call, on which chip. */
#include <criterion/criterion.h>

#include <abi/smccc.h>
#include <arch/errata.h>
#include <arch/psci.h>
#include <arch/trap.h>
#include <hv/domain.h>
#include <hv/platform.h>

#define NR_REGS	 31
#define TIMER	 IMX_SIP_TIMER
#define SOC_INFO IMX_SIP_GET_SOC_INFO
#define ANSWER	 UINT64_C(0xf1f2f3f400000000)
#define GUEST	 UINT64_C(0x9988776655440000)

struct platform platform;
static struct domain dom;
static struct vcpu vcpu;
static unsigned int nr_calls;
static uint64_t heard[5]; /* x0 to x4 of the last call */

/* ---- what it calls ------------------------------------------------------- */

void firmware_call_regs(uint64_t x[4], uint64_t a4)
{
	nr_calls++;
	for (uint32_t i = 0; i < 4; i++) {
		heard[i] = x[i];
		x[i] = ANSWER | i;
	}
	heard[4] = a4;
}

const struct vpsci_row *vpsci_find(uint32_t fid)
{
	(void)fid;
	return NULL;
}

int errata_smccc_workaround(uint32_t fid)
{
	(void)fid;
	return -1;
}

void errata_smccc_call(uint32_t fid)
{
	(void)fid;
}

/* ---- help ---------------------------------------------------------------- */

static void setup(void)
{
	dom.is_hardware = true;
	vcpu.domain = &dom;
	platform.psci_conduit = PSCI_SMC;
	platform.firmware = FIRMWARE_IMX8Q;
}

TestSuite(sip, .init = setup);

/* True: firmware heard it and its answer is the guest's, nothing else is. */
static bool is_forwarded(uint64_t fid, uint64_t x1, uint64_t x2)
{
	uint64_t *x = vcpu.arch.regs.x;
	unsigned int before = nr_calls;
	bool yes;

	for (uint32_t i = 0; i < NR_REGS; i++) {
		x[i] = GUEST | i;
	}
	x[0] = fid;
	x[1] = x1;
	x[2] = x2;
	smccc_call(&vcpu);
	yes = nr_calls != before;
	cr_assert_eq(x[0], yes ? ANSWER : UINT64_MAX);
	cr_assert_eq(x[1], yes ? ANSWER | 1 : x1);
	cr_assert_eq(x[2], yes ? ANSWER | 2 : x2);
	cr_assert_eq(x[3], yes ? ANSWER | 3 : (GUEST | 3));
	for (uint32_t i = 4; i < NR_REGS; i++) {
		cr_assert_eq(x[i], GUEST | i, "x%u", i);
	}
	if (yes) {
		cr_assert_eq(heard[0], fid);
		cr_assert_eq(heard[1], x1);
		cr_assert_eq(heard[2], x2);
		cr_assert_eq(heard[3], GUEST | 3);
		cr_assert_eq(heard[4], GUEST | 4);
	}
	return yes;
}

/* ---- tests --------------------------------------------------------------- */

/* Every service of the two ranges, each with every x1 up to 64. */
static unsigned int count(uint32_t base)
{
	unsigned int n = 0;

	for (uint32_t fid = base; fid < base + 0x100; fid++) {
		for (uint64_t x1 = 0; x1 < 64; x1++) {
			n += is_forwarded(fid, x1, 0);
		}
	}
	return n;
}

Test(sip, what_each_chip_has)
{
	static const unsigned int rows[] = {
		[FIRMWARE_OTHER] = 0, [FIRMWARE_IMX8MQ] = 1,
		[FIRMWARE_IMX8Q] = 7,
	};

	for (uint32_t f = 0; f < ARRAY_SIZE(rows); f++) {
		platform.firmware = f;
		cr_assert_eq(count(0xc2000000), rows[f], "chip %u", f);
		cr_assert_eq(count(0x82000000), 0);
	}
}

Test(sip, clock_and_watchdog)
{
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_SET_TIME, 2026u << 16));
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_START_WDOG, 0));
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_STOP_WDOG, 0));
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_PING_WDOG, 0));
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_SET_TIMEOUT, 60000));
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_SET_PRETIME, 50000));
	cr_assert_not(is_forwarded(TIMER, 6, 0));
	cr_assert_not(is_forwarded(TIMER, 8, 0));
}

/* The watchdog may end this partition, not the chip or the board. */
Test(sip, what_the_watchdog_does)
{
	cr_assert(is_forwarded(TIMER, IMX_SIP_TIMER_SET_WDOG_ACT, 0));
	for (uint64_t action = 1; action < 8; action++) {
		cr_assert_not(is_forwarded(TIMER, IMX_SIP_TIMER_SET_WDOG_ACT,
					   action));
	}
	cr_assert_not(is_forwarded(TIMER, IMX_SIP_TIMER_SET_WDOG_ACT,
				   UINT64_C(1) << 32));
}

/* What firmware looks at whole is compared whole. */
Test(sip, upper_halves)
{
	cr_assert_not(is_forwarded(TIMER, UINT64_C(1) << 32, 0));
	cr_assert_not(is_forwarded(TIMER, UINT64_C(1) << 16, 0));
	cr_assert_not(is_forwarded(TIMER, UINT64_MAX, 0));
	/* W0 alone is the function. */
	cr_assert(is_forwarded(TIMER | UINT64_C(1) << 32, 0, 0));
}

Test(sip, who)
{
	dom.is_hardware = false;
	cr_assert_eq(count(0xc2000000), 0);
	dom.is_hardware = true;
	platform.psci_conduit = PSCI_HVC;
	cr_assert_eq(count(0xc2000000), 0);
	platform.psci_conduit = PSCI_NONE;
	cr_assert_eq(count(0xc2000000), 0);
}

/* dom0_scu=no: the controller's clock and watchdog are not dom0's either. */
Test(sip, without_the_controller)
{
	platform.keeps_scu = true;
	cr_assert_eq(count(0xc2000000), 0);
	platform.firmware = FIRMWARE_IMX8MQ;
	cr_assert(is_forwarded(SOC_INFO, 0, 0));
}

/* 1 powers CPUs' clocks, 5 another processor, b burns fuses, ... */
Test(sip, never)
{
	static const uint32_t fids[] = { 0, 1, 3, 4, 5, 7, 8, 9, 0xa, 0xb, 0xc,
					 0xfd };

	for (uint32_t f = 0; f <= FIRMWARE_IMX8Q; f++) {
		platform.firmware = f;
		for (size_t i = 0; i < ARRAY_SIZE(fids); i++) {
			cr_assert_not(is_forwarded(0xc2000000 | fids[i], 0, 0));
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "end WORD" on the command line: nothing but this end of the domain. What
 * comes of it, the toolstack sees, or who looks at the machine.
 */
#include "conform.h"

static int64_t stop(uint32_t reason)
{
	struct sched_shutdown s = { .reason = reason };

	return hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, PTR(&s));
}

static int64_t coded_stop(void)
{
	struct sched_shutdown s = { .reason = SHUTDOWN_crash };

	hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, PTR(&s));
	return stop(SHUTDOWN_poweroff);
}

/* Nobody stops it. */
static void __attribute__((noreturn)) watchdog(void)
{
	sched_watchdog_t w = { .timeout = 1 };

	hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&w));
	for (;;) {
		wfi();
	}
}

static int64_t end(void)
{
	static const struct {
		const char *name;
		uint32_t reason;
	} reasons[] = {
		{ "poweroff", SHUTDOWN_poweroff },
		{ "reboot", SHUTDOWN_reboot },
		{ "suspend", SHUTDOWN_suspend },
		{ "crash", SHUTDOWN_crash },
		{ "dog", SHUTDOWN_watchdog },
		{ "softreset", SHUTDOWN_soft_reset },
		{ "reason6", SHUTDOWN_MAX + 1 },
		{ "reason255", 255 },
		{ "reason259", 256 + SHUTDOWN_crash },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (has_bootarg(reasons[i].name)) {
			return stop(reasons[i].reason);
		}
	}
	if (has_bootarg("coded")) {
		return coded_stop();
	}
	if (has_bootarg("timeout")) {
		watchdog();
	}
	return smccc_hvc(has_bootarg("psci_off") ? PSCI_SYSTEM_OFF :
			 has_bootarg("psci_reset") ? PSCI_SYSTEM_RESET :
			 PSCI_CPU_OFF, 0, 0, 0);
}

void conform_end(void)
{
	printf("end: now\n");
	say("end: came", "back", end());
	for (;;) {
		wfi();
	}
}

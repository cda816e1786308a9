/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that says that it is alive: each of its vCPUs sleeps, works a little
 * and counts the round, for ever. "heavy" in the boot arguments: it works for
 * longer. The control domain reads the counts where they are
 * (tests/sys/pulses.c).
 */
#include "guest.h"

#define COUNTS_AT   UINT64_C(0x100000)	/* in RAM, behind this program */
#define LIGHT_WORK_US 5u
#define LIGHT_SLEEP_US 20000u
#define HEAVY_WORK_US 300u
#define HEAVY_SLEEP_US 5000u

static void beat(void *arg)
{
	volatile uint64_t *rounds = arg;
	bool heavy = has_bootarg("heavy");

	gic_enable(machine.intid_vtimer);
	for (;;) {
		sleep_us(heavy ? HEAVY_SLEEP_US : LIGHT_SLEEP_US);
		delay_us(heavy ? HEAVY_WORK_US : LIGHT_WORK_US);
		*rounds = *rounds + 1;
	}
}

static void pulse(void)
{
	uint64_t *rounds = (void *)(uintptr_t)
		(machine.ram[0].base + COUNTS_AT);
	unsigned int i;

	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		cpu_run(i, beat, &rounds[i]);
	}
	beat(&rounds[0]);
}

const struct test guest_tests[] = {
	{ "pulse", pulse },
	{ NULL, NULL },
};

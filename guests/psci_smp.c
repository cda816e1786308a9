/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 and the SMC calling convention as guests use them. */
#include "guest.h"

#define PSCI_0_2_CPU_SUSPEND32	0x84000001u
#define PSCI_CPU_ON32		0x84000003u
#define PSCI_AFFINITY_INFO32	0x84000004u
#define PSCI_SYSTEM_RESET2	0xc4000012u
#define SMCCC_ARCH_FEATURES	0x80000001u
#define TRNG_VERSION		0x84000050u

#define NOT_SUPPORTED		(-1)
#define INVALID_PARAMETERS	(-2)
#define ALREADY_ON		(-4)

static long psci(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return (int32_t)smccc_hvc(fn, a1, a2, a3);
}

static void version(void)
{
	EXPECT_EQ(psci(PSCI_VERSION, 0, 0, 0), 0x10001);
	EXPECT_EQ(psci(SMCCC_VERSION, 0, 0, 0), 0x10001);
	EXPECT_EQ((int32_t)smccc_smc(PSCI_VERSION, 0, 0, 0), 0x10001);
	EXPECT_EQ(psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

static void features(void)
{
	static const uint32_t there[] = {
		PSCI_VERSION, PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_CPU_ON32,
		PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,
		PSCI_FEATURES, PSCI_CPU_SUSPEND, SMCCC_VERSION,
		PSCI_MIGRATE_INFO_TYPE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(there); i++) {
		EXPECT_EQ(psci(PSCI_FEATURES, there[i], 0, 0), 0);
	}
	EXPECT_EQ(psci(PSCI_FEATURES, 0x8400001f, 0, 0), NOT_SUPPORTED);
	EXPECT_EQ(psci(PSCI_FEATURES, 0, 0, 0), NOT_SUPPORTED);
}

static void unknown_calls(void)
{
	static const uint32_t nobody[] = {
		0x8400001f, 0xc400001f, 0x82000000, 0xb2000000, 0x12345678,
		PSCI_SYSTEM_RESET2, TRNG_VERSION,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		EXPECT_EQ(psci(nobody[i], 0, 0, 0), NOT_SUPPORTED);
	}
	/* Not SMCCC's upper half: a 64-bit id is its lower 32 bits. */
	EXPECT_EQ(psci(UINT64_C(0x100000000) | PSCI_VERSION, 0, 0, 0),
		  0x10001);
	EXPECT_EQ(psci(SMCCC_ARCH_FEATURES, 0xc5000020, 0, 0), NOT_SUPPORTED);
}

static void registers_survive(void)
{
	static const uint64_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t out[8] = { 0 };

	/* SMCCC 1.1: x4..x17 and x18.. are the caller's, x1..x3 results. */
	asm volatile(
	"	ldp	x4, x5, [%1]\n	ldp	x6, x7, [%1, #16]\n"
	"	ldp	x8, x15, [%1, #32]\n	ldp	x17, x18, [%1, #48]\n"
	"	mov	x0, %2\n"
	"	hvc	#0\n"
	"	stp	x4, x5, [%0]\n	stp	x6, x7, [%0, #16]\n"
	"	stp	x8, x15, [%0, #32]\n	stp	x17, x18, [%0, #48]\n"
	:: "r"(out), "r"(in), "r"((uint64_t)PSCI_VERSION)
	: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x15",
	  "x17", "x18", "memory");
	CHECK(!memcmp(in, out, sizeof(in)));
}

static bool wait_affinity(unsigned int cpu, long state)
{
	uint64_t end = counter() + us_to_ticks(HANG_US);

	while (psci(PSCI_AFFINITY_INFO, machine.mpidr[cpu], 0, 0) != state) {
		if (counter() > end) {
			return false;
		}
	}
	return true;
}

static bool wait_online(unsigned int cpu)
{
	uint64_t end = counter() + us_to_ticks(HANG_US);

	while (!__atomic_load_n(&cpus[cpu].online, __ATOMIC_ACQUIRE)) {
		if (counter() > end) {
			return false;
		}
		asm volatile("yield");
	}
	return true;
}

static void affinity(void)
{
	unsigned int i;
	uint64_t nowhere = machine.mpidr[machine.nr_cpus - 1] + 1;

	EXPECT_EQ(psci(PSCI_AFFINITY_INFO, machine.mpidr[0], 0, 0), 0);
	EXPECT_EQ(psci(PSCI_AFFINITY_INFO32, machine.mpidr[0], 0, 0), 0);
	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(psci(PSCI_AFFINITY_INFO, machine.mpidr[i], 0, 0), 1);
	}
	EXPECT_EQ(psci(PSCI_AFFINITY_INFO, machine.mpidr[0], 9, 0),
		  INVALID_PARAMETERS);
	if (!PEER_DIFFERS("absent CPU in AFFINITY_INFO: says it is off")) {
		EXPECT_EQ(psci(PSCI_AFFINITY_INFO, nowhere, 0, 0),
			  INVALID_PARAMETERS);
	}
	EXPECT_EQ(psci(PSCI_CPU_ON, nowhere, PTR(secondary_entry), 0),
		  INVALID_PARAMETERS);
	EXPECT_EQ(psci(PSCI_CPU_ON, ~UINT64_C(0), PTR(secondary_entry), 0),
		  INVALID_PARAMETERS);
	EXPECT_EQ(psci(PSCI_CPU_ON, machine.mpidr[0], PTR(secondary_entry), 0),
		  ALREADY_ON);
}

static void note_state(void *arg)
{
	uint64_t *out = arg;

	out[0] = sysreg_read(mpidr_el1);
	out[1] = this_cpu()->context;
	out[2] = sysreg_read(currentel);
	out[3] = sysreg_read(daif);
}

static void all_on(void)
{
	uint64_t state[4];
	unsigned int i;

	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		CHECK(wait_online(i));
		EXPECT_EQ(psci(PSCI_AFFINITY_INFO, machine.mpidr[i], 0, 0), 0);
		EXPECT_EQ(psci(PSCI_CPU_ON, machine.mpidr[i],
			       PTR(secondary_entry), 0), ALREADY_ON);
		CHECK(cpu_call(i, note_state, state));
		EXPECT_EQ(state[0] & 0xffffff, machine.mpidr[i]);
		EXPECT_EQ(state[1], PTR(&cpus[i]));
		EXPECT_EQ(state[2], 4);
		EXPECT_EQ(state[3] & 0x3c0, 0x3c0);
	}
}

static void park(void *arg)
{
	(void)arg;
	cpu_park();
}

static void off_and_on(void)
{
	unsigned int round;
	unsigned int i;

	for (round = 0; round < 3; round++) {
		for (i = 1; i < machine.nr_cpus; i++) {
			cpu_run(i, park, NULL);
			CHECK(wait_affinity(i, 1));
			EXPECT_EQ(cpu_start(i), 0);
			CHECK(wait_online(i));
		}
	}
}

static volatile uint64_t shared_count;

static void count_up(void *arg)
{
	unsigned int n = *(unsigned int *)arg;

	while (n--) {
		__atomic_add_fetch(&shared_count, 1, __ATOMIC_SEQ_CST);
	}
}

static void together(void)
{
	unsigned int n = 500;
	unsigned int i;

	shared_count = 0;
	for (i = 1; i < machine.nr_cpus; i++) {
		cpu_run(i, count_up, &n);
	}
	count_up(&n);
	for (i = 1; i < machine.nr_cpus; i++) {
		CHECK(cpu_wait(i));
	}
	EXPECT_EQ(shared_count, n * machine.nr_cpus);
}

/* Returns when an interrupt is pending, as a standby state does. */
static void suspend(void)
{
	uint64_t start = counter();
	unsigned int i = 0;

	gic_enable(machine.intid_vtimer);
	sysreg_write(cntv_cval_el0, start + us_to_ticks(500));
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	do {
		EXPECT_EQ(psci(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
		i++;
	} while (i < 100 && counter() < start + us_to_ticks(500));
	CHECK(i < 100);
	CHECK(irq_wait(machine.intid_vtimer, 1));
	sysreg_write(cntv_ctl_el0, 0);
}

const struct test guest_tests[] = {
	{ "version", version },
	{ "features", features },
	{ "unknown_calls", unknown_calls },
	{ "registers_survive", registers_survive },
	{ "affinity", affinity },
	{ "all_on", all_on },
	{ "off_and_on", off_and_on },
	{ "together", together },
	{ "suspend", suspend },
	{ NULL, NULL },
};

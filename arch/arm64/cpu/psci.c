/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical PSCI: bring CPUs up, switch the machine off or restart it.
 *
 * Spec    [PSCI] 5 "PSCI functions"; [SMCCC] 2.
 */
#include <abi/smccc.h>
#include <arch/barrier.h>
#include <arch/psci.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/platform.h>
#include <lib/errno.h>

static uint32_t smccc_version;

/* SMCCC 1.0 lets the callee clobber x4-x17: none of them is a result. */
#define FIRMWARE_REGS                                                         \
	"+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), \
		"+r"(x7)
#define FIRMWARE_CLOBBERS                                                     \
	"x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",   \
		"memory"

void firmware_call_regs(uint64_t x[4], uint64_t a4)
{
	register uint64_t x0 __asm__("x0") = x[0];
	register uint64_t x1 __asm__("x1") = x[1];
	register uint64_t x2 __asm__("x2") = x[2];
	register uint64_t x3 __asm__("x3") = x[3];
	register uint64_t x4 __asm__("x4") = a4;
	register uint64_t x5 __asm__("x5") = 0;
	register uint64_t x6 __asm__("x6") = 0;
	register uint64_t x7 __asm__("x7") = 0;

	if (platform.psci_conduit == PSCI_SMC) {
		__asm__ volatile("smc #0"
				 : FIRMWARE_REGS : : FIRMWARE_CLOBBERS);
	} else if (platform.psci_conduit == PSCI_HVC) {
		__asm__ volatile("hvc #0"
				 : FIRMWARE_REGS : : FIRMWARE_CLOBBERS);
	} else {
		x0 = (uint64_t)PSCI_NOT_SUPPORTED;
	}
	x[0] = x0;
	x[1] = x1;
	x[2] = x2;
	x[3] = x3;
}

int64_t firmware_call(uint64_t fid, uint64_t a1, uint64_t a2, uint64_t a3)
{
	uint64_t x[4] = { fid, a1, a2, a3 };

	firmware_call_regs(x, 0);
	return (int64_t)x[0];
}

void psci_init(void)
{
	int64_t v = firmware_call(PSCI_VERSION, 0, 0, 0);

	if (v >= 0x10000 &&
	    (int32_t)firmware_call(PSCI_FEATURES, SMCCC_VERSION, 0, 0) >= 0) {
		smccc_version = (uint32_t)firmware_call(SMCCC_VERSION, 0, 0, 0);
	}
}

uint32_t psci_smccc_version(void)
{
	return smccc_version;
}

int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t ctx)
{
	int32_t rc = (int32_t)firmware_call(PSCI_CPU_ON | PSCI_64BIT, mpidr,
					    entry, ctx);

	switch (rc) {
	case PSCI_SUCCESS:
		return 0;
	case PSCI_ALREADY_ON:
	case PSCI_ON_PENDING:
		return -EBUSY;
	case PSCI_INVALID_PARAMETERS:
	case PSCI_INVALID_ADDRESS:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int psci_cpu_off(void)
{
	(void)firmware_call(PSCI_CPU_OFF, 0, 0, 0);
	return -EBUSY; /* PSCI_DENIED: the secure side lives on this CPU */
}

bool psci_cpu_is_off(uint64_t mpidr)
{
	return (int32_t)firmware_call(PSCI_AFFINITY_INFO | PSCI_64BIT, mpidr,
				      0, 0) == PSCI_AFFINITY_OFF;
}

void arch_halt(void)
{
	for (;;) { /* for good: nothing is masked out by accident */
		wfi();
	}
}

void arch_machine_off(void)
{
	console_flush();
	(void)firmware_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	log_err("The firmware did not switch the machine off\n");
	arch_halt();
}

void arch_machine_restart(void)
{
	console_flush();
	(void)firmware_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	log_err("The firmware did not restart the machine\n");
	arch_halt();
}

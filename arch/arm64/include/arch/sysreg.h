/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers: access, and the fields this hypervisor uses, spelled as
 * the architecture spells them. [ARM] D19 "AArch64 System Register
 * Descriptions".
 */
#ifndef ARCH_SYSREG_H
#define ARCH_SYSREG_H

#include <lib/bits.h>

#define read_sysreg(r)                                                        \
	({                                                                    \
		uint64_t v_;                                                  \
		__asm__ volatile("mrs %0, " #r : "=r"(v_));                   \
		v_;                                                           \
	})
#define write_sysreg(v, r)                                                    \
	do {                                                                  \
		uint64_t val_ = (uint64_t)(v);                                \
		__asm__ volatile("msr " #r ", %x0"                           \
				 : : "rZ"(val_) : "memory");                \
	} while (0)

/* HCR_EL2 */
#define HCR_VM BIT64(0)
#define HCR_SWIO BIT64(1)
#define HCR_FMO BIT64(3)
#define HCR_IMO BIT64(4)
#define HCR_AMO BIT64(5)
#define HCR_VSE BIT64(8)
#define HCR_FB BIT64(9)
#define HCR_BSU_IS FIELD64(10, 10)
#define HCR_TWI BIT64(13)
#define HCR_TWE BIT64(14)
#define HCR_TID3 BIT64(18)
#define HCR_TSC BIT64(19)
#define HCR_TIDCP BIT64(20)
#define HCR_TACR BIT64(21)
#define HCR_TSW BIT64(22)
#define HCR_RW BIT64(31)

/* ESR_EL2 */
#define ESR_EC FIELD64(31, 26)
#define ESR_IL BIT64(25)
#define ESR_ISS FIELD64(24, 0)
#define EC_UNKNOWN 0x00u
#define EC_WFX 0x01u
#define EC_CP15_32 0x03u
#define EC_CP15_64 0x04u
#define EC_CP14_32 0x05u
#define EC_CP14_LDC 0x06u
#define EC_FP 0x07u
#define EC_CP10_ID 0x08u
#define EC_CP14_64 0x0cu
#define EC_HVC64 0x16u
#define EC_SMC64 0x17u
#define EC_SYS64 0x18u
#define EC_SVE 0x19u
#define EC_IABT_LOWER 0x20u
#define EC_IABT_SAME 0x21u
#define EC_PC_ALIGN 0x22u
#define EC_DABT_LOWER 0x24u
#define EC_DABT_SAME 0x25u
#define EC_SP_ALIGN 0x26u
#define EC_BRK64 0x3cu

/*
 * ISS of data aborts. [ARM] "ISS encoding for an exception from a Data Abort"
 */
#define ISS_DABT_ISV BIT64(24)
#define ISS_DABT_SAS FIELD64(23, 22)
#define ISS_DABT_SSE BIT64(21)
#define ISS_DABT_SRT FIELD64(20, 16)
#define ISS_DABT_SF BIT64(15)
#define ISS_DABT_CM BIT64(8)
#define ISS_ABT_S1PTW BIT64(7)
#define ISS_DABT_WNR BIT64(6)
#define ISS_FSC FIELD64(5, 0)
#define FSC_TYPE(iss) ((iss) & 0x3c)
#define FSC_TRANSLATION 0x04u
#define FSC_PERMISSION 0x0cu
#define FSC_SEA 0x10u

/* SPSR / PSTATE */
#define PSR_MODE FIELD64(4, 0)
#define PSR_MODE_EL0T 0x0u
#define PSR_MODE_EL1T 0x4u
#define PSR_MODE_EL1H 0x5u
#define PSR_MODE32 BIT64(4)
#define PSR_F BIT64(6)
#define PSR_I BIT64(7)
#define PSR_A BIT64(8)
#define PSR_D BIT64(9)
#define PSR_T32 BIT64(5)
#define PSR_SS BIT64(21)

/* CNT*_CTL */
#define CNT_CTL_ENABLE BIT64(0)
#define CNT_CTL_IMASK BIT64(1)
#define CNT_CTL_ISTATUS BIT64(2)

/* PAR_EL1 */
#define PAR_F BIT64(0)
#define PAR_PA FIELD64(47, 12)

#define MPIDR_AFF FIELD64(23, 0)
#define MPIDR_AFF3 FIELD64(39, 32)
#define MPIDR_HWID (MPIDR_AFF | MPIDR_AFF3)

/* SCTLR_EL1 of a new vCPU: MMU and caches off, RES1 bits. */
#define SCTLR_EL1_RESET UINT64_C(0x00c50078)
/* EL1h, D A I F masked. */
#define PSTATE_RESET UINT64_C(0x3c5)

#define ESR_ISS_SYS64(op0, op1, crn, crm, op2)                                \
	(((uint64_t)(op0) << 20) | ((uint64_t)(op2) << 17) |                  \
	 ((uint64_t)(op1) << 14) | ((uint64_t)(crn) << 10) |                  \
	 ((uint64_t)(crm) << 1))
#define ISS_SYS64_RT FIELD64(9, 5)
#define ISS_SYS64_READ BIT64(0)

#endif

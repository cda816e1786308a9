/* SPDX-License-Identifier: Apache-2.0 */
/* SMC calling convention and PSCI: function numbers and return values. */
#ifndef ABI_SMCCC_H
#define ABI_SMCCC_H

/* [SMCCC] 6 "Function identifiers", 7 "Arm architecture calls" */
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_2 0x80007fffu
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu
#define SMCCC_STD_CALL_COUNT 0x8400ff00u
#define SMCCC_STD_CALL_UID 0x8400ff01u
#define SMCCC_STD_REVISION 0x8400ff03u
#define SMCCC_HYP_CALL_COUNT 0x8500ff00u
#define SMCCC_HYP_CALL_UID 0x8500ff01u
#define SMCCC_HYP_REVISION 0x8500ff03u
#define SMCCC_VERSION_1_1 0x10001u
#define SMCCC_NOT_SUPPORTED (-1)

/* i.MX 8: services of TF-A's (plat/imx) that Linux calls; x1: which of it */
#define IMX_SIP_TIMER 0xc2000002u
#define IMX_SIP_TIMER_SET_TIME 0u
#define IMX_SIP_TIMER_START_WDOG 1u
#define IMX_SIP_TIMER_STOP_WDOG 2u
#define IMX_SIP_TIMER_SET_WDOG_ACT 3u
#define IMX_SIP_TIMER_PING_WDOG 4u
#define IMX_SIP_TIMER_SET_TIMEOUT 5u
#define IMX_SIP_TIMER_SET_PRETIME 7u
#define IMX_SIP_GET_SOC_INFO 0xc2000006u
#define IMX_WDOG_ACT_PARTITION 0u /* not the chip, not the board */

/* [PSCI] 5 "PSCI functions"; bit 30 set: the 64-bit form */
#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE 0x84000005u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_64BIT 0x40000000u
#define PSCI_VERSION_1_1 0x10001u

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INTERNAL_FAILURE (-6)
#define PSCI_INVALID_ADDRESS (-9)
#define PSCI_TOS_NOT_PRESENT 2
#define PSCI_AFFINITY_OFF 1

#endif

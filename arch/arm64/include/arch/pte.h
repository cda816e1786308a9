/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation table descriptors, 4 KiB granule, both stages.
 * [ARM] D8.3 "Translation table descriptor formats".
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <lib/bits.h>

#define PTE_VALID BIT64(0)
#define PTE_TABLE BIT64(1) /* levels 0-2: table; level 3: page */
#define PTE_ADDR FIELD64(47, 12)
#define PTE_AF BIT64(10)
#define PTE_SH_INNER field_prep(FIELD64(9, 8), 3)
#define PTE_SH_OUTER field_prep(FIELD64(9, 8), 2)

/* Stage 1, EL2 */
#define S1_ATTR_IDX(i) field_prep(FIELD64(4, 2), i)
#define S1_AP1 BIT64(6) /* RES1 with one privilege level */
#define S1_RO BIT64(7)
#define S1_XN BIT64(54)

/* Stage 2 */
#define S2_MEMATTR_NORMAL field_prep(FIELD64(5, 2), 0xf)
#define S2_MEMATTR_DEVICE_NGNRE field_prep(FIELD64(5, 2), 0x1)
#define S2_AP_READ BIT64(6)
#define S2_AP_WRITE BIT64(7)
#define S2_XN BIT64(54)
#define S2_SW_TYPE FIELD64(58, 55) /* enum p2m_type */

#define PT_LEVEL_SHIFT(level) (12 + 9 * (3 - (level)))
#define PT_ENTRIES 512u

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's own address space, 48 bits, one table root per machine:
 *
 *   0x0000_0000_0000  identity map of the first instructions, gone after boot
 *   0x7f80_0000_0000  HV_BASE: the image, 4 KiB pages, W^X
 *   0x7f80_4000_0000  DEVICE_BASE: device registers, mapped as drivers ask
 *   0x7f80_8000_0000  PERCPU_BASE: stacks, 64 KiB apart, guard pages between
 *   0x7f80_c000_0000  FDT_BASE: the loader's device tree while booting
 *   0x8000_0000_0000  direct map of RAM, never executable
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#ifdef __ASSEMBLER__
#define UL(x) x
#else
#define UL(x) x##UL
#endif

#define HV_BASE UL(0x00007f8000000000)
#define DEVICE_BASE UL(0x00007f8040000000)
#define DEVICE_SIZE UL(0x40000000)
#define PERCPU_BASE UL(0x00007f8080000000)
#define PERCPU_STRIDE UL(0x10000)
#define FDT_BASE UL(0x00007f80c0000000)
#define FDT_MAX_SIZE UL(0x200000)

/* Offsets in a CPU's PERCPU slot; the gaps are guard pages. */
#define PERCPU_EMERGENCY_OFF UL(0x1000)
#define EMERGENCY_SIZE UL(0x2000)
#define PERCPU_STACK_OFF UL(0x4000)
#define STACK_SIZE UL(0x4000)

/* Indices into MAIR_EL2 and the register's value. */
#define MAIR_NORMAL 0
#define MAIR_DEVICE 1
#define MAIR_EL2_VALUE UL(0x00000000000004ff)

#endif

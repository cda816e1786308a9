/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of boot, in the order in which boot.c calls them. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "ranges.h"
#include <hv/platform.h>

struct domain;

/* Where the loader's tree is, and how much of it matters. */
extern struct mem_range boot_dtb;
extern struct mem_range boot_image;

/*
 * refuse.c: this machine was set up wrong, which is no bug of ours. Log one
 * line "Cannot boot: ..." and stop; log_err() has named cause and cure before.
 */
__noreturn void boot_refuse(const char *fmt, ...) __printf(1, 2);

/* memory.c: direct map, frame table, the hypervisor's own share. */
__must_check int boot_memory_init(const struct platform *p);
/* RAM that nobody has yet: dom0's, then everybody's. */
extern struct ranges boot_free;
/* Add what nobody needs any more to @to, as far as it may be heap. -ENOSPC. */
__must_check int boot_heap_add(struct ranges *to, uint64_t start,
			       uint64_t size);
/* What is left of boot_free goes to the allocator. */
void boot_memory_finish(void);

/* console_uart.c; -ENODEV: there is no console, or none that we can drive. */
__must_check int boot_console_init(const struct platform *p);
/* The console's driver, told how its registers lie; NULL: none. */
struct uart;
const struct uart *boot_console_driver(const struct platform *p);

/* drivers.c */
__must_check int boot_irqchip_init(const struct platform *p);

/* cpus.c: the other CPUs are on line after this, as many as start. */
void boot_other_cpus(void);

/* dom_windows.c: who runs when, before there is a domain. */
struct dt;
__must_check int boot_windows(struct dt *t);

/* dom0.c: the author of dom0's configuration; builds and starts it. */
__must_check int boot_dom0(void);

/*
 * dom0less.c: the author of the others; one that fails is left out. True: one
 * is there.
 */
bool boot_dom0less(void);

/* dom0_plan.c: which memory dom0 gets and what lies where in it. */
struct dom0_plan {
	struct mem_range bank[8];
	uint32_t nr_banks;
	uint64_t kernel_load;   /* where the kernel's first byte shall be */
	uint64_t kernel_span;   /* with its bss */
	bool kernel_in_place;
	uint64_t ramdisk_load;
	uint64_t ramdisk_size;
	uint64_t fdt_load;
	uint64_t fdt_room;
};
struct kernel_image;
/*
 * @free: RAM dom0 may get, modules included. -ENOMEM (logged: how much was
 * wanted, how much there is), -ENOSPC (no room for the kernel in it).
 */
__must_check int dom0_plan_make(const struct ranges *free, uint64_t want,
				const struct boot_module *kernel,
				const struct kernel_image *image,
				const struct boot_module *ramdisk,
				struct dom0_plan *plan);

#endif

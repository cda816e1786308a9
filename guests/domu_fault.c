/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that misbehaves in the way its command line names: nobody but
 * itself may notice. Runs by xl.
 */
#include "guest.h"

#define STRIDE		(UINT64_C(1) << 21)
#define ADDRESS_END	(UINT64_C(1) << 38)	/* of the identity map */

static bool own_memory(uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < machine.nr_ram; i++) {
		if (addr - machine.ram[i].base < machine.ram[i].size) {
			return true;
		}
	}
	return (addr ^ machine.console) < STRIDE;
}

/* A word into every 2 MiB of the address space that is not its memory. */
static void writes_everywhere(void)
{
	uint64_t addr;

	trap_arm();
	for (addr = 0; addr < ADDRESS_END; addr += STRIDE) {
		if (!own_memory(addr)) {
			mmio_write32(addr + 0x40, 0xdeadbeef);
		}
	}
	CHECK(trap_taken(NULL));
}

/* Its kernel's handler sees this one, and gives up. */
static void undefined(void)
{
	asm volatile("udf #0");
}

/*
 * The handler faults itself, for ever. Not by an address that is not there:
 * then no instruction would be executed any more, and the instruction clock
 * of an emulated machine would stand still.
 */
static void handler_faults(void)
{
	static uint32_t vectors[512] __attribute__((aligned(2048)));
	unsigned int i;

	for (i = 0; i + 1 < ARRAY_SIZE(vectors); i++) {
		vectors[i] = 0xd503201f;	/* nop; the last word: udf */
	}
	asm volatile("ic iallu" ::: "memory");
	dsb();
	sysreg_write(vbar_el1, PTR(vectors));
	isb();
	undefined();
}

static void spins(void)
{
	asm volatile("msr daifset, #0xf\n1:\tb 1b");
}

static void by_command_line(void)
{
	static const struct test faults[] = {
		{ "writes_everywhere", writes_everywhere },
		{ "undefined", undefined },
		{ "handler_faults", handler_faults },
		{ "spins", spins },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (has_bootarg(faults[i].name)) {
			printf("now: %s\n", faults[i].name);
			faults[i].fn();
			return;
		}
	}
	CHECK(!"a fault on the command line");
}

const struct test guest_tests[] = {
	{ "by_command_line", by_command_line },
	{ NULL, NULL },
};

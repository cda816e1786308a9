/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that nobody answers, and accesses that the hypervisor cannot
 * decode from the syndrome: each must end like on hardware, as a value or as
 * an exception at EL1, and never hang or stop the guest.
 */
#include "guest.h"

#define HOLE		UINT64_C(0x7000000000)	/* no RAM, no device */
#define FSC_EXTERNAL	0x10u		/* synchronous external abort */
#define FSC_WALK_L3	0x17u		/* the same on a table walk */
#define ESR_WNR		(1u << 6)

/* Runs one instruction with x0 = addr, x1 = value; returns x1. */
#define PROBE(insn, addr, value) ({					\
	register uint64_t x0_ asm("x0") = (addr);			\
	register uint64_t x1_ asm("x1") = (value);			\
	asm volatile(insn : "+r"(x0_), "+r"(x1_)			\
		     :: "x2", "memory");				\
	last_base = x0_;						\
	x1_; })

static uint64_t last_base;
static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));

static void want_abort(const struct trap *t, bool taken, unsigned int ec,
		       unsigned int fsc, uint64_t far)
{
	CHECK(taken);
	EXPECT_EQ(t->hits, 1);
	EXPECT_EQ(ESR_EC(t->esr), ec);
	EXPECT_EQ(t->far, far);
	if (!PEER_DIFFERS("injects aborts with an empty syndrome")) {
		EXPECT_EQ(ESR_FSC(t->esr), fsc);
	}
}

static void hole_read(void)
{
	struct trap t;

	mmu_window(0, HOLE, MAP_DEVICE);
	trap_arm();
	PROBE("ldr w1, [x0]", MAP_WINDOW + 0x18, 0);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_EXTERNAL,
		   MAP_WINDOW + 0x18);
	EXPECT_EQ(t.esr & ESR_WNR, 0);
	trap_arm();
	PROBE("ldrb w1, [x0]", MAP_WINDOW + 0x19, 0);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_EXTERNAL,
		   MAP_WINDOW + 0x19);
}

static void hole_write(void)
{
	struct trap t;

	mmu_window(0, HOLE, MAP_DEVICE);
	trap_arm();
	PROBE("str x1, [x0]", MAP_WINDOW + 0x20, 5);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_EXTERNAL,
		   MAP_WINDOW + 0x20);
	if (!PEER_DIFFERS("WnR is clear for writes")) {
		EXPECT_EQ(t.esr & ESR_WNR, ESR_WNR);
	}
}

/* As normal memory, and with forms that carry no syndrome. */
static void hole_other(void)
{
	struct trap t;

	mmu_window(0, HOLE, MAP_RW);
	trap_arm();
	PROBE("ldp x1, x2, [x0]", MAP_WINDOW, 0);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_EXTERNAL, MAP_WINDOW);
	trap_arm();
	PROBE("stp x1, x2, [x0]", MAP_WINDOW, 0);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_EXTERNAL, MAP_WINDOW);
	trap_arm();
	PROBE("ldxr x1, [x0]", MAP_WINDOW, 0);
	CHECK(trap_taken(&t));
	trap_arm();
	PROBE("ldr x1, [x0], #8", MAP_WINDOW, 0);
	CHECK(trap_taken(&t));
	EXPECT_EQ(last_base, MAP_WINDOW);
}

static void hole_execute(void)
{
	struct trap t;
	void (*fn)(void) = (void (*)(void))(uintptr_t)(MAP_WINDOW + 64);

	mmu_window(0, HOLE, MAP_RW);
	trap_arm();
	fn();
	want_abort(&t, trap_taken(&t), EC_IABT_CUR, FSC_EXTERNAL,
		   MAP_WINDOW + 64);
	EXPECT_EQ(t.elr, MAP_WINDOW + 64);
}

static void hole_table(void)
{
	struct trap t;
	uint64_t va = MAP_WINDOW + (2u << 20) + 0x40;

	mmu_table_at(HOLE);
	trap_arm();
	PROBE("ldr w1, [x0]", va, 0);
	want_abort(&t, trap_taken(&t), EC_DABT_CUR, FSC_WALK_L3, va);
}

/* Several faults in a row leave the machine as it was. */
static void many(void)
{
	struct trap t;
	unsigned int i;

	mmu_window(0, HOLE, MAP_DEVICE);
	trap_arm();
	for (i = 0; i < 500; i++) {
		PROBE("ldr w1, [x0]", MAP_WINDOW + i * 4, 0);
	}
	trap_taken(&t);
	EXPECT_EQ(t.hits, 500);
}

/* A value or an abort, but one of the two. */
#define EITHER(insn, addr) do {						\
	struct trap t_;							\
									\
	trap_arm();							\
	PROBE(insn, addr, 0);						\
	if (trap_taken(&t_)) {						\
		EXPECT_EQ(t_.hits, 1);					\
		EXPECT_EQ(ESR_EC(t_.esr), EC_DABT_CUR);			\
		EXPECT_EQ(t_.far & ~UINT64_C(15),			\
			  (addr) & ~UINT64_C(15));			\
	}								\
} while (0)

/*
 * Hardware gives an alignment fault of stage 1 for device memory; emulators
 * may ask the hypervisor first, who then sees an unaligned address.
 */
static void gic_unaligned(void)
{
	uint64_t d = machine.gicd.base;

	EITHER("ldr w1, [x0]", d + GICD_TYPER + 2);
	EITHER("ldrh w1, [x0]", d + GICD_IPRIORITYR + 35);
	EITHER("ldr w1, [x0]", d + 0xffd);
	EITHER("str wzr, [x0]", d + GICD_ISENABLER + 5);
	EITHER("str xzr, [x0]", d + 0xffc);
	EITHER("ldr x1, [x0]", d + machine.gicd.size - 4);
}

static void gic_odd_sizes(void)
{
	uint64_t d = machine.gicd.base;

	EITHER("ldrb w1, [x0]", d + GICD_TYPER);
	EITHER("ldrh w1, [x0]", d + GICD_TYPER);
	EITHER("ldr x1, [x0]", d + GICD_TYPER + 4);
	EITHER("strb w1, [x0]", d + GICD_ISENABLER + 4);
	EITHER("strh w1, [x0]", d + GICD_ISENABLER + 4);
	EITHER("str x1, [x0]", d + GICD_ISENABLER + 8);
	EITHER("ldrh w1, [x0]", d + GICD_IPRIORITYR + 32);
	EITHER("strh w1, [x0]", d + GICD_IPRIORITYR + 34);
	EITHER("str w1, [x0]", d + GICD_TYPER);
	EITHER("ldrsb x1, [x0]", d + GICD_IPRIORITYR + 32);
	EITHER("ldrsw x1, [x0]", d + GICD_TYPER);
	if (machine.gic_version == 3) {
		EITHER("str x1, [x0]", gic_bank(0) + GICD_ISENABLER);
		EITHER("ldrb w1, [x0]", d + GICD_IROUTER + 40 * 8);
	}
}

static void gic_no_syndrome(void)
{
	uint64_t a = machine.gicd.base + GICD_ISENABLER + 8;

	EITHER("ldp w1, w2, [x0]", a);
	EITHER("stp wzr, wzr, [x0]", a);
	EITHER("ldp x1, x2, [x0]", a);
	EITHER("str wzr, [x0], #4", a);
	EITHER("ldr w1, [x0, #4]!", a);
	EITHER(".inst 0x3dc00000 // ldr q0, [x0]", a & ~UINT64_C(15));
	EITHER("ldxr w1, [x0]", a);
	EITHER("ldar w1, [x0]", a);
	EITHER("dc cvac, x0", a);
	EITHER("dc civac, x0", a);
}

/* Post-index is what compilers make of a loop: it should work. */
static void gic_post_index(void)
{
	struct trap t;
	uint64_t a = machine.gicd.base + GICD_TYPER;
	uint64_t v;

	trap_arm();
	v = PROBE("ldr w1, [x0], #4", a, 0);
	if (trap_taken(&t)) {
		EXPECT_EQ(last_base, a);
		return;
	}
	EXPECT_EQ(v, mmio_read32(a));
	EXPECT_EQ(last_base, a + 4);
}

/* The register that the access names, xzr included, gets the value. */
static void gic_registers(void)
{
	uint64_t a = machine.gicd.base + GICD_TYPER;
	uint32_t v = mmio_read32(a);
	uint64_t x30;
	uint64_t sp0 = (uint64_t)(uintptr_t)__builtin_frame_address(0);

	asm volatile("ldr wzr, [%0]" :: "r"(a) : "memory");
	asm volatile("mov x17, #-1\n\tldr w17, [%1]\n\tmov %0, x17"
		     : "=&r"(x30) : "r"(a) : "x17", "memory");
	EXPECT_EQ(x30, v);		/* upper half is cleared */
	asm volatile("mov x30, #-1\n\tldr w30, [%1]\n\tmov %0, x30"
		     : "=&r"(x30) : "r"(a) : "x30", "memory");
	EXPECT_EQ(x30, v);
	EXPECT_EQ(sp0, (uint64_t)(uintptr_t)__builtin_frame_address(0));
}

/* After an abort of each kind ordinary memory still works. */
static void still_alive(void)
{
	mmu_window(0, PTR(page), MAP_RW);
	mmio_write32(MAP_WINDOW, 0x12345678);
	EXPECT_EQ(mmio_read32(PTR(page)), 0x12345678);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0),
		  4 << 16 | 17);
}

const struct test guest_tests[] = {
	{ "hole_read", hole_read },
	{ "hole_write", hole_write },
	{ "hole_other", hole_other },
	{ "hole_execute", hole_execute },
	{ "hole_table", hole_table },
	{ "many", many },
	{ "gic_unaligned", gic_unaligned },
	{ "gic_odd_sizes", gic_odd_sizes },
	{ "gic_no_syndrome", gic_no_syndrome },
	{ "gic_post_index", gic_post_index },
	{ "gic_registers", gic_registers },
	{ "still_alive", still_alive },
	{ NULL, NULL },
};

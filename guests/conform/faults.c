/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses of every form to what nobody answers, to emulated registers and
 * to the guest's own memory that is read-only or absent; instructions that
 * trap or do not exist.
 */
#include "conform.h"

#define LDXR	0x885f7c01u	/* ldxr w1, [x0] */
#define STXR	0x88027c01u	/* stxr w2, w1, [x0] */
#define HOLE	UINT64_C(0x7000000000)	/* neither memory nor device */

/* With x0 the address and x1 the value. */
#define ACCESSES(X)							\
	X("ldrb w1, [x0]") X("ldrh w1, [x0]") X("ldr w1, [x0]")		\
	X("ldr x1, [x0]") X("ldrsb w1, [x0]") X("ldrsb x1, [x0]")	\
	X("ldrsh x1, [x0]") X("ldrsw x1, [x0]") X("ldr wzr, [x0]")	\
	X("strb w1, [x0]") X("strh w1, [x0]") X("str w1, [x0]")		\
	X("str x1, [x0]") X("str wzr, [x0]")				\
	X("ldr w1, [x0], #4") X("ldr w1, [x0, #4]!")			\
	X("str w1, [x0], #4") X("ldr w1, [x0, w1, uxtw]")		\
	X("ldur w1, [x0, #3]") X("ldtr w1, [x0]") X("sttr w1, [x0]")	\
	X("ldp w1, w2, [x0]") X("ldp x1, x2, [x0]")			\
	X("stp w1, w2, [x0]") X("stp x1, x2, [x0]")			\
	X("ldxr w1, [x0]") X("ldaxr w1, [x0]") X("stxr w2, w1, [x0]")	\
	X("ldar w1, [x0]") X("stlr w1, [x0]") X("prfm pldl1keep, [x0]")	\
	X("dc cvac, x0") X("dc civac, x0") X("dc ivac, x0")		\
	X("dc zva, x0") X("ic ivau, x0")				\
	X(".inst 0x3dc00000") /* ldr q0, [x0] */			\
	X(".inst 0x3d800000") /* str q0, [x0] */			\
	X(".inst 0x4c407000") /* ld1 {v0.16b}, [x0] */

/* What has nothing to do with an address. */
#define OTHERS(X)							\
	X("brk #0") X("hlt #0") X("svc #0") X("udf #0")			\
	X("wfe") X("yield") X("sev") X("isb") X("clrex")		\
	X("hvc #1") X("smc #1") X("eret") X("dcps1") X("drps")		\
	X("msr daifset, #0") X("msr spsel, #1")				\
	X("mrs x1, currentel") X("mrs x1, daif")			\
	X("tlbi vmalle1") X("tlbi alle1") X("tlbi ipas2e1is, x1")	\
	X("at s1e1r, x0") X("at s12e1r, x0") X("at s1e2r, x0")		\
	X("dc isw, x1") X("dc csw, x1") X("dc cisw, x1")		\
	X("ic iallu") X("ic ialluis")					\
	X(".inst 0x04bf5020") /* rdvl x0, #1 */				\
	X(".inst 0xdac103e1") /* pacia x1, xzr */			\
	X(".inst 0xd9600001") /* ldg x1, [x0] */			\
	X(".inst 0xd5031000") /* msr s0_3_c1_c0_0: nobody's */		\
	X(".inst 0x9e670001") /* fmov d1, x0 */				\
	X(".inst 0xd53b2401") /* mrs x1, rndr */			\
	X(".inst 0x00000000") X(".inst 0xffffffff")

/* At EL1 they would be calls. */
#define CALLS(X)	X("hvc #0") X("smc #0") X("hvc #0xea1")
#define BR_X0		0xd61f0000u

#define TEXT(insn) insn "\n\t"
#define NAME(insn) insn,
asm(".pushsection .rodata\n\t.balign 4\n"
    "accesses:\t" ACCESSES(TEXT) "\n"
    "others:\t" OTHERS(TEXT) "\n"
    "calls:\t" CALLS(TEXT) "\n\t.popsection");
/* Hidden: an entry of the GOT for a local symbol would forget its offset. */
#define HIDDEN __attribute__((visibility("hidden")))
extern const uint32_t HIDDEN accesses[];
extern const uint32_t HIDDEN others[];
extern const uint32_t HIDDEN calls[];
static const char *const access_names[] = { ACCESSES(NAME) };
static const char *const other_names[] = { OTHERS(NAME) };
static const char *const call_names[] = { CALLS(NAME) };

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static bool user;		/* at EL0 */

static void tell(const char *row, const char *name, uint32_t insn,
		 uint64_t addr, bool value)
{
	uint64_t x1 = 0;
	struct trap t;
	struct line l;
	bool ok = run_insn(insn, addr, &x1, &t);
	int i;

	/* An interrupt clears the monitor, and STXR then does nothing. */
	for (i = 0; ok && insn == STXR && i < 8; i++) {
		x1 = 0;
		(void)run_insn(LDXR, addr, &x1, &t);
		x1 = 0;
		ok = run_insn(insn, addr, &x1, &t);
	}
	line_begin(&l, row);
	line_string(&l, user ? "EL0 " : "");
	line_string(&l, name);
	line_next(&l);
	line_trap(&l, &t, !ok, addr);
	if (ok && value) {
		line_string(&l, " ");
		line_hex(&l, x1);
	}
	line_end(&l);
}

static void all_accesses(const char *row, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(access_names); i++) {
		tell(row, access_names[i], accesses[i], addr, true);
	}
}

static void execute_at(const char *row, uint64_t addr)
{
	tell(row, "execute", BR_X0, addr, false);
}

static void window(uint64_t pa, unsigned int how)
{
	mmu_window(0, pa, how | (user ? MAP_USER : 0));
}

static void targets(void)
{
	uint64_t at = MAP_WINDOW + 0x40;
	uint64_t gicd_end = machine.gicd.base + machine.gicd.size;

	window(HOLE, MAP_DEVICE);
	all_accesses("fault in a hole, as device", at);
	window(HOLE, MAP_RW);
	all_accesses("fault in a hole, as memory", at);
	execute_at("fault in a hole, as memory", at);
	window(PTR(page), MAP_RO);
	all_accesses("fault of stage 1, read-only", at);
	window(0, MAP_NONE);
	all_accesses("fault of stage 1, absent", at);
	execute_at("fault of stage 1, absent", at);
	mmu_window(0, PTR(page), user ? MAP_RW : MAP_RW | MAP_USER);
	all_accesses("fault of stage 1, of the other level", at);
	execute_at("fault of stage 1, of the other level", at);
	/* GICD_IPRIORITYR8: every form may touch it without an effect. */
	window(machine.gicd.base, MAP_DEVICE);
	all_accesses("fault in GICD", MAP_WINDOW + 0x420);
	execute_at("fault in GICD", MAP_WINDOW);
	window(gicd_end - PAGE_SIZE, MAP_DEVICE);
	all_accesses("fault behind GICD", MAP_WINDOW + PAGE_SIZE - 4);
	window(UINT64_C(0x3f00000000), MAP_DEVICE);
	all_accesses("fault beyond memory", at);
	mmu_table_at(HOLE);
	all_accesses("fault of a table walk", at + (2u << 20));
	execute_at("fault of a table walk", at + (2u << 20));
}

static void instructions(const char *const *name, const uint32_t *insn,
			 unsigned int n)
{
	window(PTR(page), MAP_RW);
	while (n--) {
		tell("instruction", *name++, *insn++, MAP_WINDOW, false);
	}
}

void conform_faults(void)
{
	targets();
	instructions(other_names, others, ARRAY_SIZE(other_names));
}

void conform_faults_el0(void)
{
	user = true;
	targets();
	instructions(other_names, others, ARRAY_SIZE(other_names));
	instructions(call_names, calls, ARRAY_SIZE(call_names));
	user = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words: registers, syndrome in words, back trace with names.
 *
 * CPU     the one that failed, on its emergency stack.
 * Bounds  BACKTRACE_MAX frames; every pointer is checked against the stacks.
 */
#include <arch/barrier.h>
#include <arch/layout.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/entry.h>
#include <hv/percpu.h>
#include <lib/string.h>

#define BACKTRACE_MAX 24u

struct own_fault_frame {
	uint64_t x[31];
	uint64_t sp;
};

/*
 * Generated after the first link (tools/build/symtab.py), in ascending order:
 * the distance of each function from the one before, in instructions; and of
 * each name how many characters it shares with the one before (a byte, + 1)
 * and the rest of it.
 */
extern const uint16_t symtab_gaps[] __attribute__((weak));
extern const uint32_t symtab_count __attribute__((weak));
extern const char symtab_names[] __attribute__((weak));
extern char image_start[], text_end[];

#define INSTRUCTION_SIZE 4u
#define NAME_MAX 64u

/* The next name at @at, in @name that holds the one before it. */
static const char *next_name(const char *at, char name[NAME_MAX])
{
	size_t len = (size_t)(uint8_t)*at++ - 1;

	while (*at) { /* bound: one name of the table */
		if (len < NAME_MAX - 1) {
			name[len++] = *at;
		}
		at++;
	}
	name[len] = '\0';
	return at + 1;
}

/* False: no function of ours. */
static bool symbol_of(uint64_t pc, char name[NAME_MAX], uint64_t *off)
{
	const char *names = symtab_names;
	uint64_t at = HV_BASE;
	uint32_t i;

	if (&symtab_count == NULL || pc < HV_BASE ||
	    pc - HV_BASE >= (uint64_t)text_end - (uint64_t)image_start) {
		return false;
	}
	for (i = 0; i < symtab_count; i++) { /* bound: the table */
		uint64_t next = at + symtab_gaps[i] * INSTRUCTION_SIZE;

		if (next > pc) {
			break;
		}
		names = next_name(names, name);
		at = next;
	}
	*off = pc - at;
	return i != 0;
}

static void print_pc(const char *what, uint64_t pc)
{
	char name[NAME_MAX] = "";
	uint64_t off = 0;
	bool known = symbol_of(pc, name, &off);

	log_err("  %s %016llx %s+%#llx\n", what, (unsigned long long)pc,
		known ? name : "?", (unsigned long long)off);
}

static bool in_stack(uint64_t fp)
{
	const struct pcpu *c = this_pcpu();

	return !(fp & 15) &&
	       ((fp >= c->stack_top - STACK_SIZE && fp < c->stack_top - 15) ||
		(fp >= c->emergency_top - EMERGENCY_SIZE &&
		 fp < c->emergency_top - 15));
}

static void backtrace(uint64_t fp)
{
	for (unsigned int i = 0; i < BACKTRACE_MAX && in_stack(fp); i++) {
		const uint64_t *frame = (const uint64_t *)(uintptr_t)fp;

		print_pc("called from", frame[1] - 4);
		fp = frame[0];
	}
}

void arch_dump_self(void)
{
	log_err("Back trace:\n");
	backtrace((uint64_t)(uintptr_t)__builtin_frame_address(0));
	isb(); /* or a tail call takes away the frame it begins with */
}

static const char *ec_name(uint64_t ec)
{
	switch (ec) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_IABT_SAME:
		return "instruction abort";
	case EC_DABT_SAME:
		return "data abort";
	case EC_PC_ALIGN:
		return "misaligned pc";
	case EC_SP_ALIGN:
		return "misaligned stack pointer";
	case EC_BRK64:
		return "BRK";
	default:
		return "exception";
	}
}

static const char *fsc_name(uint64_t fsc)
{
	switch (fsc & 0x3c) {
	case FSC_TRANSLATION:
		return "nothing mapped (guard page?)";
	case FSC_PERMISSION:
		return "no permission";
	case FSC_SEA:
		return "external abort";
	default:
		return "see ESR";
	}
}

void trap_own(struct own_fault_frame *f, uint64_t kind)
{
	static const char *const kinds[] = { "exception", "interrupt",
					     "SError" };
	uint64_t esr = read_sysreg(esr_el2);
	uint64_t ec = field_get(ESR_EC, esr);

	console_force();
	log_err("EL2 %s: %s, %s\n", kinds[kind % 3], ec_name(ec),
		ec == EC_DABT_SAME || ec == EC_IABT_SAME ?
			fsc_name(esr & ISS_FSC) : "");
	log_err("  ESR %08llx FAR %016llx SPSR %08llx SP %016llx\n",
		(unsigned long long)esr,
		(unsigned long long)read_sysreg(far_el2),
		(unsigned long long)read_sysreg(spsr_el2),
		(unsigned long long)f->sp);
	print_pc("pc", read_sysreg(elr_el2));
	for (unsigned int i = 0; i < 30; i += 3) {
		log_err("  x%-2u %016llx x%-2u %016llx x%-2u %016llx\n", i,
			(unsigned long long)f->x[i], i + 1,
			(unsigned long long)f->x[i + 1], i + 2,
			(unsigned long long)f->x[i + 2]);
	}
	print_pc("x30", f->x[30]);
	backtrace(f->x[29]);
	panic("EL2 %s (%s)", kinds[kind % 3], ec_name(ec));
}

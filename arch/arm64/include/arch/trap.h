/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps of a guest: the table of handlers by exception class, and what they
 * share. All run on the CPU of the vCPU, with its registers saved.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <arch/sysreg.h>
#include <hv/vcpu.h>

#define HVC_IMM FIELD64(15, 0)
#define HVC_IMM_XEN 0xea1u

/* From vectors.S. */
void trap_sync(struct vcpu *v);
void trap_irq(struct vcpu *v);
void trap_fiq(struct vcpu *v);
void trap_serror(struct vcpu *v);
/* With records for trace buffers: in the table that is used meanwhile. */
void trap_sync_traced(struct vcpu *v);
void trap_irq_traced(struct vcpu *v);
extern const char vectors[], vectors_traced[];
/* One interrupt, if one is pending, by way of @chip. */
struct irqchip;
void trap_take_irq(const struct irqchip *chip);
struct own_fault_frame;
__noreturn void trap_own(struct own_fault_frame *f, uint64_t kind);

static inline bool is_hypercall(uint64_t esr)
{
	return esr >> 26 == EC_HVC64 && (esr & HVC_IMM) == HVC_IMM_XEN;
}

/* Handlers by exception class; @esr is ESR_EL2, read once. */
void trap_hvc64(struct vcpu *v, uint64_t esr);
void trap_smc64(struct vcpu *v, uint64_t esr);
void trap_sysreg(struct vcpu *v, uint64_t esr);
void trap_wfx(struct vcpu *v, uint64_t esr);
void trap_dabt(struct vcpu *v, uint64_t esr);
void trap_iabt(struct vcpu *v, uint64_t esr);

/* SMCCC and PSCI of guests. */
void smccc_call(struct vcpu *v);
/* A service of the chip maker's firmware; false: refused. */
bool sip_call(struct vcpu *v);
struct vpsci_row {
	uint64_t (*fn)(struct vcpu *v, uint32_t fid, const uint64_t *args);
	bool has_64bit;
};
/* The PSCI function @fid, NULL: not one that exists. */
const struct vpsci_row *vpsci_find(uint32_t fid);
bool vpsci_is_known(uint32_t fid);

/* Exceptions for the guest, as its own hardware would raise them. */
void inject_undef(struct vcpu *v);
/* @esr: syndrome of the stage-2 abort that they stand for. */
void inject_data_abort(struct vcpu *v, uint64_t esr, uint64_t far);
void inject_instr_abort(struct vcpu *v, uint64_t esr, uint64_t far);
void inject_serror(struct vcpu *v);

/* Level of the guest's own tables whose walk for @va met @fault; s1walk.c. */
unsigned int s1_walk_level(struct vcpu *v, uint64_t va, ipa_t fault);

/* General register @r of @v; 31 is the zero register. */
static inline uint64_t guest_reg(const struct vcpu *v, unsigned int r)
{
	return r == 31 ? 0 : v->arch.regs.x[r];
}

static inline void guest_reg_set(struct vcpu *v, unsigned int r, uint64_t val)
{
	if (r != 31) {
		v->arch.regs.x[r] = val;
	}
}

/* Step over the instruction; IT state of AArch32 user space is advanced. */
void guest_skip_aarch32(struct vcpu *v, uint64_t esr);
static inline void guest_skip_instruction(struct vcpu *v, uint64_t esr)
{
	if (unlikely(v->arch.regs.pstate & (PSR_MODE32 | PSR_SS))) {
		guest_skip_aarch32(v, esr);
	} else {
		v->arch.regs.pc += 4;
	}
}

/* ID registers as guests see them: index (CRm - 1) * 8 + op2. */
#define NR_ID_REGS 56u
void idregs_init(void);
/* From now on no more than this CPU has; before there are guests. */
void idregs_join(void);
uint64_t idreg_value(unsigned int crm, unsigned int op2);

/* Virtual and emulated physical timer. */
void vtimer_irq(struct pcpu *c);
int vtimer_vcpu_init(struct vcpu *v);
void vtimer_vcpu_fini(struct vcpu *v);
void vtimer_vcpu_reset(struct vcpu *v); /* the emulated one, and waits */
void vtimer_load(struct vcpu *v);
void vtimer_save(struct vcpu *v);
uint64_t vtimer_phys_read(struct vcpu *v, unsigned int op2);
void vtimer_phys_write(struct vcpu *v, unsigned int op2, uint64_t val);

/* Debug registers. */
void debug_init(void);
void debug_load(struct vcpu *v);
void debug_save(struct vcpu *v);
bool debug_reg_access(struct vcpu *v, uint64_t iss, bool write, uint64_t *val);

/* Leave boot for the scheduler; the stack starts anew. */
__noreturn void arch_enter_scheduler(void);
/* This CPU's lines that the architecture keeps: IPIs, timer, maintenance. */
void irqchip_enable_own_ppis(void);
/* Per-CPU EL2 configuration (traps, timers). */
void cpu_init_el2(void);
void fpu_save(struct fp_regs *fp);
void fpu_restore(const struct fp_regs *fp);

#define VTIMER_VIRT_INTID 27u
#define VTIMER_PHYS_INTID 30u

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trapped system registers, default deny: what has no row is undefined to the
 * guest, as on a CPU without the feature.
 *
 * Owns    the rows. The state behind them lives with its model (vGIC, timer,
 *         debug).
 * CPU     the vCPU's own.
 * Bounds  one pass over the rows; the one hot register is looked at first.
 * Spec    [ARM] "ISS encoding for an exception from MSR, MRS, or System
 *         instruction execution in AArch64 state".
 */
#include <arch/trap.h>
#include <arch/vgic.h>
#include <hv/domain.h>
#include <hv/trace.h>

#define REG(op0, op1, crn, crm, op2) ESR_ISS_SYS64(op0, op1, crn, crm, op2)
#define REG_ANY UINT64_C(0x3ffffe)
#define REG_OP2_ANY (REG_ANY & ~(UINT64_C(7) << 17))
#define REG_CRM_OP2_ANY (REG_OP2_ANY & ~(UINT64_C(0xf) << 1))
#define ISS_REG_MASK (UINT64_C(0x3fffff) & ~(ISS_SYS64_RT | ISS_SYS64_READ))

#define SYS_ICC_SGI1R_EL1 REG(3, 0, 12, 11, 5)

/* False: the access does not exist. *@val: 0 on a read, until it is set. */
struct sys_row {
	uint64_t reg;
	uint64_t mask;
	bool (*access)(struct vcpu *v, uint64_t iss, bool write,
		       uint64_t *val);
};

static unsigned int iss_op2(uint64_t iss)
{
	return (unsigned int)(iss >> 17 & 7);
}

static unsigned int iss_crm(uint64_t iss)
{
	return (unsigned int)(iss >> 1 & 0xf);
}

static bool id_space(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)v;
	if (write) {
		return false;
	}
	*val = idreg_value(iss_crm(iss), iss_op2(iss));
	return true;
}

static bool raz_wi(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)v;
	(void)iss;
	(void)write;
	(void)val;
	return true;
}

static bool read_zero(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)v;
	(void)iss;
	(void)val;
	return !write;
}

static bool sgi1r(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)iss;
	if (!write || v->domain->arch.vgic.version != 3) {
		return false;
	}
	vgic_v3_write_sgi1r(v, *val);
	return true;
}

/* Group 0 and secure SGIs do not exist here: writes go nowhere. */
static bool sgi_ignored(struct vcpu *v, uint64_t iss, bool write,
			uint64_t *val)
{
	(void)iss;
	(void)val;
	return write && v->domain->arch.vgic.version == 3;
}

static bool phys_timer(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	if (write) {
		vtimer_phys_write(v, iss_op2(iss), *val);
	} else {
		*val = vtimer_phys_read(v, iss_op2(iss));
	}
	return true;
}

/* ICC_SRE_EL1 of a GICv2 guest on a GICv3 machine: not there. */
static bool icc_sre(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)iss;
	(void)write;
	(void)val;
	return v->domain->arch.vgic.version == 2;
}

/* Set/way operations act on one CPU's caches only: see docs/adr. */
static bool dc_set_way(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	(void)v;
	(void)iss;
	(void)val;
	return write;
}

static const struct sys_row sys_rows[] = {
	/* ID_*: CRm 1-7, every op2 */
	{ REG(3, 0, 0, 0, 0), REG_CRM_OP2_ANY, id_space },
	{ REG(3, 3, 14, 2, 0), REG_ANY, phys_timer }, /* CNTP_TVAL_EL0 */
	{ REG(3, 3, 14, 2, 1), REG_ANY, phys_timer }, /* CNTP_CTL_EL0 */
	{ REG(3, 3, 14, 2, 2), REG_ANY, phys_timer }, /* CNTP_CVAL_EL0 */
	{ SYS_ICC_SGI1R_EL1, REG_ANY, sgi1r },
	{ REG(3, 0, 12, 11, 6), REG_ANY, sgi_ignored }, /* ICC_ASGI1R_EL1 */
	{ REG(3, 0, 12, 11, 7), REG_ANY, sgi_ignored }, /* ICC_SGI0R_EL1 */
	{ REG(3, 0, 12, 12, 5), REG_ANY, icc_sre },     /* ICC_SRE_EL1 */
	{ REG(3, 0, 1, 0, 1), REG_ANY, raz_wi },        /* ACTLR_EL1 */
	/* Breakpoints, watchpoints, OS lock, MDSCR: op0 2, op1 0 */
	{ REG(2, 0, 0, 0, 0), REG_OP2_ANY & ~(UINT64_C(0xf) << 1) &
				      ~(UINT64_C(0xf) << 10),
	  debug_reg_access },
	{ REG(2, 3, 0, 1, 0), REG_ANY, read_zero }, /* MDCCSR_EL0 */
	{ REG(2, 3, 0, 4, 0), REG_OP2_ANY & ~(UINT64_C(1) << 1),
	  raz_wi }, /* DBGDTR_EL0, DBGDTRRX/TX_EL0 */
	/* Performance monitors: hidden, but harmless to touch */
	{ REG(3, 3, 9, 12, 0), REG_OP2_ANY & ~(UINT64_C(3) << 1), raz_wi },
	{ REG(3, 0, 9, 14, 0), REG_OP2_ANY & ~(UINT64_C(1) << 1), raz_wi },
	{ REG(3, 3, 14, 8, 0), REG_OP2_ANY & ~(UINT64_C(7) << 1), raz_wi },
	/* DC ISW, CSW, CISW */
	{ REG(1, 0, 7, 6, 2), REG_ANY, dc_set_way },
	{ REG(1, 0, 7, 10, 2), REG_ANY, dc_set_way },
	{ REG(1, 0, 7, 14, 2), REG_ANY, dc_set_way },
};

static const struct sys_row *find_row(uint64_t reg)
{
	for (size_t i = 0; i < ARRAY_SIZE(sys_rows); i++) {
		if ((reg & sys_rows[i].mask) == sys_rows[i].reg) {
			return &sys_rows[i];
		}
	}
	return NULL;
}

void trap_sysreg(struct vcpu *v, uint64_t esr)
{
	uint64_t iss = esr & ESR_ISS;
	uint64_t reg = iss & ISS_REG_MASK;
	unsigned int rt = (unsigned int)field_get(ISS_SYS64_RT, iss);
	bool write = !(iss & ISS_SYS64_READ);
	uint64_t val = write ? guest_reg(v, rt) : 0;
	const struct sys_row *row;

	if (likely(reg == SYS_ICC_SGI1R_EL1 && write &&
		   v->domain->arch.vgic.version == 3)) {
		vgic_v3_write_sgi1r(v, val);
		guest_skip_instruction(v, esr);
		return;
	}
	row = find_row(reg);
	if (!row || !row->access(v, iss, write, &val)) {
		trace_event(TRACE_GUEST_UNDEF, v->domain->id, v->arch.regs.pc,
			    esr);
		inject_undef(v);
		return;
	}
	if (!write) {
		guest_reg_set(v, rt, val);
	}
	guest_skip_instruction(v, esr);
}

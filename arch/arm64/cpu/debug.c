/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-hosted debug for guests: breakpoints, watchpoints and MDSCR_EL1 belong
 * to the vCPU. Accesses trap; writes go to the vCPU's copy. The hardware has
 * only those that are enabled, and 0 in the control register of all others:
 * a switch costs nothing while nobody debugs. (Linux writes all of them at
 * boot, so that use alone says nothing.)
 *
 * Owns    v->arch.dbg and the CPU's DBG* registers of the loaded vCPU.
 * CPU     the vCPU's own.
 * Bounds  16 breakpoints and 16 watchpoints.
 * Spec    [ARM] D2 "AArch64 Self-hosted Debug", DBGBCR<n>_EL1.
 */
#include <arch/barrier.h>
#include <arch/trap.h>
#include <lib/string.h>

#define MDSCR_SS BIT64(0)
#define MDSCR_TDCC BIT64(12)
#define MDSCR_KDE BIT64(13)
#define MDSCR_MDE BIT64(15)
#define MDSCR_GUEST (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE)

/* Only what compares addresses of the guest's own levels. */
#define BCR_E BIT64(0)
#define BCR_GUEST (FIELD64(23, 20) | FIELD64(19, 16) | FIELD64(15, 14) |      \
		   FIELD64(8, 5) | FIELD64(2, 1) | BCR_E)
#define WCR_GUEST (FIELD64(28, 24) | FIELD64(20, 16) | FIELD64(15, 14) |      \
		   FIELD64(12, 3) | FIELD64(2, 1) | BCR_E)

/* Bits of debug_regs.enabled from here on are watchpoints. */
#define WATCH 16u

static uint8_t nr_bps __attribute__((section(".data.ro_after_boot")));
static uint8_t nr_wps __attribute__((section(".data.ro_after_boot")));

/* DBG registers are named by number only: one case each. */
#define FOR_EACH_N(X)                                                         \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)                               \
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define DEFINE_DBG_WRITE(name, reg)                                           \
	static void name(unsigned int n, uint64_t val)                        \
	{                                                                     \
		switch (n) {                                                  \
			FOR_EACH_N(reg)                                       \
		default:                                                      \
			break;                                                \
		}                                                             \
	}
#define CASE_BVR(n) case n: write_sysreg(val, dbgbvr##n##_el1); break;
#define CASE_BCR(n) case n: write_sysreg(val, dbgbcr##n##_el1); break;
#define CASE_WVR(n) case n: write_sysreg(val, dbgwvr##n##_el1); break;
#define CASE_WCR(n) case n: write_sysreg(val, dbgwcr##n##_el1); break;
DEFINE_DBG_WRITE(write_bvr, CASE_BVR)
DEFINE_DBG_WRITE(write_bcr, CASE_BCR)
DEFINE_DBG_WRITE(write_wvr, CASE_WVR)
DEFINE_DBG_WRITE(write_wcr, CASE_WCR)

void debug_init(void)
{
	uint64_t dfr0 = read_sysreg(id_aa64dfr0_el1);

	nr_bps = (uint8_t)(field_get(FIELD64(15, 12), dfr0) + 1);
	nr_wps = (uint8_t)(field_get(FIELD64(23, 20), dfr0) + 1);
}

static void hw_load(const struct debug_regs *d, unsigned int bit)
{
	unsigned int n = bit % WATCH;

	if (bit >= WATCH) {
		write_wvr(n, d->wvr[n]);
		write_wcr(n, d->wcr[n]);
	} else {
		write_bvr(n, d->bvr[n]);
		write_bcr(n, d->bcr[n]);
	}
}

static void hw_disable(unsigned int bit)
{
	if (bit >= WATCH) {
		write_wcr(bit % WATCH, 0);
	} else {
		write_bcr(bit, 0);
	}
}

void debug_load(struct vcpu *v)
{
	const struct debug_regs *d = &v->arch.dbg;

	write_sysreg(d->mdscr, mdscr_el1);
	for (uint32_t m = d->enabled; m; m &= m - 1) { /* bound: 32 */
		hw_load(d, ffs64(m));
	}
	if (d->enabled) {
		isb();
	}
}

/* The copy is current; the next vCPU must not be hit by ours. */
void debug_save(struct vcpu *v)
{
	for (uint32_t m = v->arch.dbg.enabled; m; m &= m - 1) { /* bound: 32 */
		hw_disable(ffs64(m));
	}
}

static void access(uint64_t *copy, bool write, uint64_t *val, uint64_t mask)
{
	if (write) {
		*copy = *val & mask;
	} else {
		*val = *copy;
	}
}

/* A register of breakpoint or watchpoint @bit was written. */
static void changed(struct debug_regs *d, unsigned int bit, uint64_t control)
{
	uint32_t was = d->enabled & BIT32(bit);

	if (control & BCR_E) {
		d->enabled |= BIT32(bit);
		hw_load(d, bit);
	} else if (was) {
		d->enabled &= ~BIT32(bit);
		hw_disable(bit);
	}
}

/* CRn 0: op2 selects the kind, CRm the number. */
static bool numbered(struct vcpu *v, unsigned int op2, unsigned int n,
		     bool write, uint64_t *val)
{
	struct debug_regs *d = &v->arch.dbg;
	bool watch = op2 >= 6;

	if (n >= (watch ? nr_wps : nr_bps)) {
		return false;
	}
	switch (op2) {
	case 4:
		access(&d->bvr[n], write, val, ~UINT64_C(0));
		break;
	case 5:
		access(&d->bcr[n], write, val, BCR_GUEST);
		break;
	case 6:
		access(&d->wvr[n], write, val, ~UINT64_C(0));
		break;
	default:
		access(&d->wcr[n], write, val, WCR_GUEST);
		break;
	}
	if (write) {
		changed(d, watch ? WATCH + n : n,
			watch ? d->wcr[n] : d->bcr[n]);
	}
	return true;
}

bool debug_reg_access(struct vcpu *v, uint64_t iss, bool write, uint64_t *val)
{
	unsigned int op2 = (unsigned int)(iss >> 17 & 7);
	unsigned int crn = (unsigned int)(iss >> 10 & 0xf);
	unsigned int crm = (unsigned int)(iss >> 1 & 0xf);

	if (crn == 0 && op2 >= 4) {
		return numbered(v, op2, crm, write, val);
	}
	if (crn == 0 && crm == 2 && op2 == 2) { /* MDSCR_EL1 */
		access(&v->arch.dbg.mdscr, write, val, MDSCR_GUEST);
		write_sysreg(v->arch.dbg.mdscr, mdscr_el1);
		return true;
	}
	if (crn == 1 && crm == 0 && op2 == 4) { /* OSLAR_EL1: always open */
		return write;
	}
	if (crn == 1 && crm == 1 && op2 == 4 && !write) { /* OSLSR_EL1 */
		*val = 8; /* implemented, unlocked */
		return true;
	}
	if ((crn == 1 && (crm == 3 || crm == 4) && op2 == 4) || /* OSDLR PRCR */
	    (crn == 0 && op2 == 0) || /* MDRAR? DBGDTR*, OSDTRRX.. */
	    (crn == 0 && op2 == 2) || (crn == 7 && crm >= 8)) {
		if (!write) {
			*val = 0;
		}
		return true;
	}
	return crn == 1 && crm == 0 && op2 == 0 && !write ?
		       (*val = 0, true) : /* MDRAR_EL1 */
		       false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-2 aborts: emulated registers, a mapping that is being edited, or an
 * address where there is nothing, which the guest learns as its own external
 * abort.
 *
 * CPU     the vCPU's own.
 * Bounds  one table look-up, one emulated access.
 * Spec    [ARM] "ISS encoding for an exception from a Data Abort", HPFAR_EL2.
 */
#include <arch/barrier.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/mmio.h>
#include <hv/trace.h>

#define HPFAR_FIPA FIELD64(43, 4)

/* HPFAR is not written for permission faults: ask stage 1. */
static bool walk_ipa(uint64_t far, ipa_t *out)
{
	uint64_t saved = read_sysreg(par_el1);
	uint64_t par;

	__asm__ volatile("at s1e1r, %0" : : "r"(far));
	isb();
	par = read_sysreg(par_el1);
	write_sysreg(saved, par_el1);
	*out = ipa((par & PAR_PA) | (far & ~PAGE_MASK));
	return !(par & PAR_F);
}

/* False: not known, the guest changed its tables meanwhile and will retry. */
static __force_inline bool fault_ipa(uint64_t esr, uint64_t far, ipa_t *out)
{
	if (unlikely(FSC_TYPE(esr & ISS_FSC) == FSC_PERMISSION) &&
	    !(esr & ISS_ABT_S1PTW)) {
		return walk_ipa(far, out);
	}
	*out = ipa((read_sysreg(hpfar_el2) & HPFAR_FIPA) << 8 |
		   (far & ~PAGE_MASK));
	return true;
}

/* Zero-extended, unless the load is a signed one. */
static void finish_read(struct vcpu *v, uint64_t esr, uint64_t val,
			unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	if (unlikely(esr & ISS_DABT_SSE)) {
		val = (uint64_t)((int64_t)(val << shift) >> shift);
		if (!(esr & ISS_DABT_SF)) {
			val &= UINT32_MAX;
		}
	} else {
		val = val << shift >> shift;
	}
	guest_reg_set(v, (unsigned int)field_get(ISS_DABT_SRT, esr), val);
}

static void emulate(struct vcpu *v, const struct mmio_range *r, uint64_t esr,
		    uint64_t far, ipa_t addr)
{
	struct mmio_access a = {
		.offset = addr.v - r->start,
		.size = (uint8_t)(1u << field_get(ISS_DABT_SAS, esr)),
		.write = (esr & ISS_DABT_WNR) != 0,
	};

	/* Without a syndrome (pairs, write-back) no device answers. */
	if (!(esr & ISS_DABT_ISV) || a.size > r->size - a.offset) {
		inject_data_abort(v, esr, far);
		return;
	}
	if (a.write) {
		a.value = guest_reg(v,
				    (unsigned int)field_get(ISS_DABT_SRT, esr));
		a.value = a.value << (64 - 8 * a.size) >> (64 - 8 * a.size);
	}
	if (r->fn(v, &a, r->opaque) != MMIO_OK) {
		inject_data_abort(v, esr, far);
		return;
	}
	if (!a.write) {
		finish_read(v, esr, a.value, a.size);
	}
	guest_skip_instruction(v, esr);
}

/* An entry that is valid by now was being replaced when the guest came. */
static bool was_in_transit(struct domain *d, ipa_t addr, bool write, bool exec)
{
	struct p2m_entry e = arch_p2m_lookup(d, ipa_to_gfn(addr));

	if (e.type == P2M_NONE || (exec && !p2m_type_is_ram(e.type))) {
		return false;
	}
	return !write || p2m_type_is_writable(e.type) ||
	       e.type == P2M_MMIO_DIRECT || e.type == P2M_MMIO_DEV;
}

void trap_dabt(struct vcpu *v, uint64_t esr)
{
	uint64_t far = read_sysreg(far_el2);
	const struct mmio_range *r;
	ipa_t addr;

	if (unlikely(!fault_ipa(esr, far, &addr))) {
		return;
	}
	r = mmio_find(v->domain, addr);
	if (likely(r)) {
		emulate(v, r, esr, far, addr);
		return;
	}
	/* Cache maintenance on a hole is no access: nothing to maintain. */
	if (esr & ISS_DABT_CM) {
		guest_skip_instruction(v, esr);
		return;
	}
	if (FSC_TYPE(esr & ISS_FSC) == FSC_TRANSLATION &&
	    was_in_transit(v->domain, addr, (esr & ISS_DABT_WNR) != 0, false)) {
		return;
	}
	trace_event(TRACE_GUEST_ABORT, v->domain->id, addr.v, esr);
	inject_data_abort(v, esr, far);
}

void trap_iabt(struct vcpu *v, uint64_t esr)
{
	uint64_t far = read_sysreg(far_el2);
	ipa_t addr;

	if (!fault_ipa(esr, far, &addr)) {
		return;
	}
	if (FSC_TYPE(esr & ISS_FSC) == FSC_TRANSLATION &&
	    was_in_transit(v->domain, addr, false, true)) {
		return;
	}
	trace_event(TRACE_GUEST_ABORT, v->domain->id, addr.v, esr);
	inject_instr_abort(v, esr, far);
}

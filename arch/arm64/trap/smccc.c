/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMC calling convention for guests: what exists is a row or PSCI, all else
 * answers NOT_SUPPORTED. Nothing is forwarded to firmware.
 *
 * Spec    [SMCCC] 1.1; [XEN] arch-arm/smccc.h for the hypervisor's own range.
 */
#include <abi/smccc.h>
#include <arch/errata.h>
#include <arch/trap.h>

static uint64_t not_supported(void)
{
	return (uint64_t)(int64_t)SMCCC_NOT_SUPPORTED;
}

/* [SMCCC] 7.4 "SMCCC_ARCH_FEATURES" */
__cold static uint64_t arch_features(uint32_t fid)
{
	switch (fid) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return 0;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		return (uint64_t)(int64_t)errata_smccc_workaround(fid);
	default:
		return not_supported();
	}
}

/*
 * a71812dc-c698-4369-9acf-79d18ddee667, by which guests know the interface:
 * four words of the UUID's bytes, low byte first. [SMCCC] 6.2 "Call UID query"
 */
__cold static void hyp_uid(struct guest_regs *r)
{
	r->x[0] = 0xdc1218a7;
	r->x[1] = 0x694398c6;
	r->x[2] = 0xd179cf9a;
	r->x[3] = 0x67e6de8d;
}

static void other_call(struct guest_regs *r, uint32_t fid)
{
	switch (fid) {
	case SMCCC_VERSION:
		r->x[0] = SMCCC_VERSION_1_1;
		return;
	case SMCCC_ARCH_FEATURES:
		r->x[0] = arch_features((uint32_t)r->x[1]);
		return;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		errata_smccc_call(fid);
		r->x[0] = 0;
		return;
	case SMCCC_HYP_CALL_COUNT:
		r->x[0] = 3;
		return;
	case SMCCC_HYP_CALL_UID:
		hyp_uid(r);
		return;
	case SMCCC_HYP_REVISION:
		r->x[0] = 0;
		r->x[1] = 1;
		return;
	default:
		r->x[0] = not_supported();
		return;
	}
}

void smccc_call(struct vcpu *v)
{
	struct guest_regs *r = &v->arch.regs;
	uint32_t fid = (uint32_t)r->x[0];
	const struct vpsci_row *psci = vpsci_find(fid);

	if (likely(psci)) {
		r->x[0] = psci->fn(v, fid, &r->x[1]);
		return;
	}
	other_call(r, fid);
}

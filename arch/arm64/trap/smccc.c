/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMC calling convention for guests: what exists is a row or PSCI, all else
 * answers NOT_SUPPORTED. Firmware hears only of the rows in sip.c.
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
 * The UUIDs of [XEN] smccc.h, by which guests know the two interfaces, as four
 * words of their bytes, low byte first. [SMCCC] 6.2 "Call UID query"
 */
static const uint32_t uid_hyp[4] = { 0xdc1218a7, 0x694398c6, 0xd179cf9a,
				     0x67e6de8d };
static const uint32_t uid_std[4] = { 0x6f3863f8, 0xbd4c394b, 0x16ce2092,
				     0x6f9fe541 };

__cold static void call_uid(struct guest_regs *r, const uint32_t uid[4])
{
	uint32_t i;

	for (i = 0; i < 4; i++) {
		r->x[i] = uid[i];
	}
}

static void other_call(struct vcpu *v, uint32_t fid)
{
	struct guest_regs *r = &v->arch.regs;

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
	case SMCCC_STD_CALL_COUNT:
		r->x[0] = 15; /* PSCI in both widths, and these three */
		return;
	case SMCCC_HYP_CALL_UID:
		call_uid(r, uid_hyp);
		return;
	case SMCCC_STD_CALL_UID:
		call_uid(r, uid_std);
		return;
	case SMCCC_HYP_REVISION:
	case SMCCC_STD_REVISION:
		r->x[0] = 0;
		r->x[1] = 1;
		return;
	default:
		if (!sip_call(v)) {
			r->x[0] = not_supported();
		}
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
	other_call(v, fid);
}

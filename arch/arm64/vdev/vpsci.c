/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 for guests: power of vCPUs and of the domain.
 *
 * Owns    the answers; vCPU states are core/vcpu.c's.
 * Locks   the domain's own lock (rank DOMAIN) around CPU_ON, so that two
 *         callers cannot both start one vCPU.
 * Bounds  AFFINITY_INFO visits each vCPU of the domain once.
 * Spec    [PSCI] 5 "PSCI functions", 5.2 "Return codes".
 */
#include <abi/smccc.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>

#define PSCI_RANGE 0x84000000u
#define VPSCI_NR_FNS 32u

static uint64_t psci_ret(int rc)
{
	return (uint64_t)(int64_t)rc;
}

/* vCPU with this MPIDR affinity: aff0 = id & 0xf, aff1 = id >> 4. */
static struct vcpu *vcpu_by_mpidr(struct domain *d, uint64_t mpidr)
{
	uint64_t id = (mpidr & 0xf) | (mpidr >> 8 & 0xff) << 4;

	if ((mpidr & MPIDR_HWID) != ((id & 0xf) | (id >> 4) << 8) ||
	    (mpidr & ~MPIDR_HWID) || id >= d->max_vcpus) {
		return NULL;
	}
	return d->vcpu[array_index_nospec(id, d->max_vcpus)];
}

/* The 32-bit form of a function takes W registers. */
static uint64_t arg_mask(uint32_t fid)
{
	return (fid & PSCI_64BIT) ? UINT64_MAX : UINT32_MAX;
}

static int cpu_on(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	struct domain *d = v->domain;
	uint64_t mask = arg_mask(fid);
	struct vcpu *t = vcpu_by_mpidr(d, args[0] & mask);
	int rc = PSCI_SUCCESS;

	if (!t) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (args[1] & 3 & mask) { /* an A64 entry point is word-aligned */
		return PSCI_INVALID_ADDRESS;
	}
	spin_lock(&d->lock);
	if (vcpu_is_online(t)) {
		rc = PSCI_ALREADY_ON;
	} else if (!vcpu_is_descheduled(t)) {
		rc = PSCI_ON_PENDING; /* its CPU_OFF is still under way */
	} else {
		arch_vcpu_reset(t, args[1] & mask, args[2] & mask);
		vcpu_online(t);
	}
	spin_unlock(&d->lock);
	return rc;
}

/* Level 0: one vCPU; above: any of those the affinity level covers. */
static int affinity_info(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	struct domain *d = v->domain;
	uint64_t target = args[0] & arg_mask(fid);
	uint64_t level = args[1] & UINT32_MAX;
	uint64_t mask, i;
	bool found = false;
	struct vcpu *t;

	if (level > 3) {
		return PSCI_INVALID_PARAMETERS;
	}
	mask = MPIDR_HWID &
	       (level == 3 ? MPIDR_AFF3 : ~UINT64_C(0) << 8 * level);
	domain_for_each_vcpu(d, t, i) {
		if ((t->arch.vmpidr ^ target) & mask) {
			continue;
		}
		found = true;
		if (vcpu_is_online(t) || !vcpu_is_descheduled(t)) {
			return 0; /* ON, also while it is on its way off */
		}
	}
	return found ? 1 : PSCI_INVALID_PARAMETERS; /* OFF */
}

static int features(uint32_t fid)
{
	return vpsci_is_known(fid) || fid == SMCCC_VERSION ?
		       PSCI_SUCCESS :
		       PSCI_NOT_SUPPORTED;
}

/* ---- one function each: the answer goes to x0 -------------------------- */

static uint64_t fn_version(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	(void)v;
	(void)fid;
	(void)args;
	return PSCI_VERSION_1_1;
}

/* Any state: retention until an interrupt. */
static uint64_t fn_cpu_suspend(struct vcpu *v, uint32_t fid,
			       const uint64_t *args)
{
	(void)fid;
	(void)args;
	vcpu_block(v);
	return PSCI_SUCCESS;
}

static uint64_t fn_cpu_off(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	(void)fid;
	(void)args;
	vcpu_offline(v);
	return PSCI_SUCCESS;
}

static uint64_t fn_cpu_on(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	return psci_ret(cpu_on(v, fid, args));
}

static uint64_t fn_affinity_info(struct vcpu *v, uint32_t fid,
				 const uint64_t *args)
{
	return psci_ret(affinity_info(v, fid, args));
}

static uint64_t fn_migrate_info_type(struct vcpu *v, uint32_t fid,
				     const uint64_t *args)
{
	(void)v;
	(void)fid;
	(void)args;
	return PSCI_TOS_NOT_PRESENT;
}

static uint64_t fn_system_off(struct vcpu *v, uint32_t fid,
			      const uint64_t *args)
{
	(void)fid;
	(void)args;
	domain_shutdown(v->domain, SHUTDOWN_poweroff);
	return psci_ret(PSCI_INTERNAL_FAILURE); /* if it ever came back */
}

static uint64_t fn_system_reset(struct vcpu *v, uint32_t fid,
				const uint64_t *args)
{
	(void)fid;
	(void)args;
	domain_shutdown(v->domain, SHUTDOWN_reboot);
	return psci_ret(PSCI_INTERNAL_FAILURE);
}

static uint64_t fn_features(struct vcpu *v, uint32_t fid, const uint64_t *args)
{
	(void)v;
	(void)fid;
	return psci_ret(features((uint32_t)args[0]));
}

/* By number; bit 30 of the id selects the 64-bit form. */
static const struct vpsci_row rows[VPSCI_NR_FNS] = {
	[PSCI_VERSION & 0x1f] = { fn_version, false },
	[PSCI_CPU_SUSPEND & 0x1f] = { fn_cpu_suspend, true },
	[PSCI_CPU_OFF & 0x1f] = { fn_cpu_off, false },
	[PSCI_CPU_ON & 0x1f] = { fn_cpu_on, true },
	[PSCI_AFFINITY_INFO & 0x1f] = { fn_affinity_info, true },
	[PSCI_MIGRATE_INFO_TYPE & 0x1f] = { fn_migrate_info_type, false },
	[PSCI_SYSTEM_OFF & 0x1f] = { fn_system_off, false },
	[PSCI_SYSTEM_RESET & 0x1f] = { fn_system_reset, false },
	[PSCI_FEATURES & 0x1f] = { fn_features, false },
};

const struct vpsci_row *vpsci_find(uint32_t fid)
{
	const struct vpsci_row *r = &rows[fid & 0x1f];

	if ((fid & ~(PSCI_64BIT | 0x1fu)) != PSCI_RANGE || !r->fn ||
	    ((fid & PSCI_64BIT) && !r->has_64bit)) {
		return NULL;
	}
	return r;
}

bool vpsci_is_known(uint32_t fid)
{
	return vpsci_find(fid) != NULL;
}

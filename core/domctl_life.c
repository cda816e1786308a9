/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: making, starting, pausing and ending a domain.
 *
 * Owns    d->controller_pause and _stops; what may be asked for at creation;
 *         which id a domain gets.
 * Not     how a domain is made (domain.c) and ended (domain_destroy.c).
 * Locks   control_lock, held by the caller.
 * Bounds  STEP_VCPUS vCPUs made a call; destruction goes by steps.
 * Spec    [XEN] domctl.h.
 */
#include "domctl_priv.h"

#include <hv/arch.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/iommu_dev.h>
#include <hv/pci.h>
#include <hv/platform.h>
#include <hv/vpci.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

#define STEP_VCPUS 8u
#define GRANT_FRAMES_DEFAULT 64u
#define GRANT_FRAMES_MAX 4096u
#define MAPTRACK_FRAMES_DEFAULT 1024u
#define NR_FORMER 16u
#define FLAGS_NEEDED (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap)

/* ---- createdomain -------------------------------------------------------- */

/* @asked < 0: the default. 0: refused. */
static uint32_t limit_of(int32_t asked, uint32_t normal, uint32_t most)
{
	if (asked < 0) {
		return normal;
	}
	return (uint32_t)asked <= most ? (uint32_t)asked : 0;
}

/* There is no performance monitor or trace buffer to give. */
static int create_check(const struct xen_domctl_createdomain *c)
{
	uint32_t may = iommu_is_present() ? XEN_DOMCTL_CDF_iommu : 0;

	if ((c->flags & ~may) != FLAGS_NEEDED || c->iommu_opts != 0 ||
	    c->vmtrace_size != 0 || c->max_vcpus == 0 ||
	    c->max_vcpus > MAX_VCPUS_PER_DOMAIN) {
		return -EINVAL;
	}
	if (c->grant_opts != XEN_DOMCTL_GRANT_version(1)) {
		return -EINVAL;
	}
	return 0;
}

static int create_config(struct xen_domctl_createdomain *c,
			 struct dom_config *cfg)
{
	int rc = create_check(c);

	if (rc) {
		return rc;
	}
	cfg->nr_vcpus = c->max_vcpus;
	cfg->pool_id = c->cpupool_id;
	cfg->iommu = (c->flags & XEN_DOMCTL_CDF_iommu) != 0;
	cfg->max_evtchn_port = c->max_evtchn_port;
	cfg->max_grant_frames = limit_of(c->max_grant_frames,
					 GRANT_FRAMES_DEFAULT,
					 GRANT_FRAMES_MAX);
	cfg->max_maptrack_frames = limit_of(c->max_maptrack_frames,
					    MAPTRACK_FRAMES_DEFAULT,
					    INT32_MAX);
	if (cfg->max_grant_frames == 0) {
		return -EINVAL;
	}
	rc = arch_domain_config(cfg, &c->arch);
	if (cfg->iommu && cfg->nr_spis < VPCI_NR_SPIS && pci_is_present()) {
		cfg->nr_spis = VPCI_NR_SPIS; /* for functions, perhaps */
	}
	return rc;
}

/*
 * Where domains serve each other, one that ends leaves ports and grants for
 * its id behind, in those that it has served. Who comes with its handle (xl:
 * uuid=) gets that id, and they are for it. By control_lock.
 */
static struct former {
	xen_domain_handle_t handle;
	domid_t id; /* 0: none */
} former[NR_FORMER];
static uint32_t next_former;

/* Only once it runs: a toolstack that does not like the id gets another. */
static void former_put(const struct domain *d)
{
	struct former *f = &former[next_former % NR_FORMER];

	if (options.xsm_dummy) {
		memcpy(f->handle, d->handle, sizeof(f->handle));
		f->id = d->id;
		next_former++;
	}
}

/* 0: none, or it is in use. */
static domid_t former_take(const xen_domain_handle_t handle)
{
	domid_t id = 0;

	for (uint32_t i = 0; i < NR_FORMER; i++) {
		struct former *f = &former[i];

		if (f->id != 0 && domain_id_is_free(f->id) &&
		    memcmp(f->handle, handle, sizeof(f->handle)) == 0) {
			id = f->id;
			f->id = 0;
		}
	}
	return id;
}

static int create_id(domid_t wanted, const xen_domain_handle_t handle,
		     uint16_t *id)
{
	if (wanted > 0 && wanted < DOMID_FIRST_RESERVED) {
		*id = wanted;
		return domain_id_is_free(wanted) ? 0 : -EEXIST;
	}
	*id = former_take(handle);
	if (*id == 0) {
		*id = domain_new_id();
	}
	return *id != 0 ? 0 : -ENOMEM;
}

int64_t domctl_createdomain(struct vcpu *v, struct domain *d,
			    struct xen_domctl *op)
{
	struct xen_domctl_createdomain *c = &op->u.createdomain;
	struct dom_config cfg = { 0 };
	int rc = create_id(op->domain, c->handle, &cfg.domid);

	(void)v;
	if (rc == 0) {
		rc = create_config(c, &cfg);
	}
	if (rc == 0) {
		hv_snprintf(cfg.name, sizeof(cfg.name), "d%u", cfg.domid);
		rc = domain_create(&cfg, &d);
	}
	if (rc) {
		return rc;
	}
	d->controller_pause = 1; /* until the toolstack has built it */
	memcpy(d->handle, c->handle, sizeof(d->handle));
	op->domain = d->id;
	domain_publish(d);
	return 0;
}

int64_t domctl_max_vcpus(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op)
{
	uint32_t made = 0;
	int rc;

	(void)v;
	/* Once it runs it may stop itself while a new one is counted in. */
	if (op->u.max_vcpus.max != d->max_vcpus || d->state != DOM_BUILDING) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i]) {
			continue;
		}
		if (made++ == STEP_VCPUS) {
			return HC_AGAIN;
		}
		rc = vcpu_create(d, i, (uint16_t)(i % nr_pcpus));
		if (rc) {
			return rc;
		}
		arch_vcpu_reset(d->vcpu[i], 0, 0);
	}
	return 0;
}

int64_t domctl_sethandle(struct vcpu *v, struct domain *d,
			 struct xen_domctl *op)
{
	(void)v;
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

/* ---- running or not ------------------------------------------------------ */

/*
 * The caller may go on to read registers or memory: its pause counts, and it
 * gets its answer, when no vCPU is on a CPU any more. Until then it asks
 * again; how often, and whether it is the same caller, does not matter.
 */
int64_t domctl_pause(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	if (d->controller_pause == UINT32_MAX) {
		return -EOPNOTSUPP;
	}
	if (d->controller_pause == 0 && !d->controller_stops) {
		d->controller_stops = true;
		domain_pause(d);
	}
	if (!domain_is_descheduled(d)) {
		return HC_AGAIN;
	}
	d->controller_stops = false;
	d->controller_pause++;
	return 0;
}

int64_t domctl_unpause(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	if (d->controller_pause == 0) {
		return -EINVAL;
	}
	if (--d->controller_pause == 0) {
		if (d->state == DOM_BUILDING) {
			d->state = DOM_RUNNING;
			former_put(d);
		}
		domain_unpause(d);
	}
	return 0;
}

int64_t domctl_resume(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	(void)v;
	(void)op;
	return domain_resume(d);
}

int64_t domctl_destroy(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	int rc = domain_destroy_step(d);

	(void)v;
	(void)op;
	return rc == -EAGAIN ? HC_AGAIN : rc;
}

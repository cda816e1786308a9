/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: the toolstack makes, changes and ends domains.
 *
 * Owns    which release's interface a call speaks, the rows of each release,
 *         and the steps that all operations share.
 * Not     the operations: domctl_*.c.
 * Releases  a release is a row of releases[] with its own rows; operations
 *         whose structures did not change are shared.
 * Locks   control_lock during an operation.
 * Spec    [XEN] domctl.h; docs/abi.md "domctl".
 */
#include <hv/hypercall.h>

#include "domctl_priv.h"
#include <hv/domain.h>
#include <lib/errno.h>

enum domctl_flags {
	DC_NO_DOMAIN = 1u << 0, /* op->domain is the operation's business */
	DC_OTHER = 1u << 1,     /* not on the caller's own domain */
	DC_REPLY = 1u << 2,     /* the structure is an answer too */
	DC_IO = 1u << 3,        /* DOMID_IO too: then there is no domain */
};

struct domctl_row {
	uint32_t cmd;
	uint32_t flags;
	int64_t (*fn)(struct vcpu *v, struct domain *d, struct xen_domctl *op);
};

#define ROW(number, function, bits)                                           \
	{ .cmd = XEN_DOMCTL_##number, .flags = (bits), .fn = (function) }

static const struct domctl_row rows_4_17[] = {
	ROW(createdomain, domctl_createdomain, DC_NO_DOMAIN | DC_REPLY),
	ROW(destroydomain, domctl_destroy, DC_OTHER),
	ROW(pausedomain, domctl_pause, DC_OTHER),
	ROW(unpausedomain, domctl_unpause, 0),
	ROW(resumedomain, domctl_resume, DC_OTHER),
	ROW(getdomaininfo, domctl_getinfo, DC_NO_DOMAIN | DC_REPLY),
	ROW(setvcpuaffinity, domctl_setvcpuaffinity, DC_REPLY),
	ROW(getvcpuaffinity, domctl_getvcpuaffinity, DC_REPLY),
	ROW(max_mem, domctl_max_mem, 0),
	ROW(setvcpucontext, domctl_setvcpucontext, DC_OTHER),
	ROW(getvcpucontext, domctl_getvcpucontext, DC_OTHER | DC_REPLY),
	ROW(getvcpuinfo, domctl_getvcpuinfo, DC_REPLY),
	ROW(max_vcpus, domctl_max_vcpus, DC_OTHER),
	ROW(scheduler_op, domctl_scheduler, DC_REPLY),
	ROW(setdomainhandle, domctl_sethandle, 0),
	ROW(set_address_size, domctl_address_size, DC_OTHER),
	ROW(setnodeaffinity, domctl_setnodeaffinity, 0),
	ROW(getnodeaffinity, domctl_getnodeaffinity, DC_REPLY),
	ROW(cacheflush, domctl_cacheflush, 0),
	ROW(irq_permission, domctl_irq_permission, DC_OTHER),
	ROW(iomem_permission, domctl_iomem_permission, DC_OTHER),
	ROW(ioport_permission, domctl_ioport_permission, 0),
	ROW(memory_mapping, domctl_memory_mapping, DC_OTHER),
	ROW(bind_pt_irq, domctl_bind_pt_irq, DC_OTHER),
	ROW(assign_device, domctl_assign_device, DC_OTHER | DC_IO),
	ROW(deassign_device, domctl_deassign_device, DC_OTHER | DC_IO),
	ROW(test_assign_device, domctl_test_assign_device, DC_NO_DOMAIN),
	ROW(get_paging_mempool_size, domctl_get_mempool, DC_REPLY),
	ROW(set_paging_mempool_size, domctl_set_mempool, 0),
};

struct domctl_release {
	uint32_t version;
	uint32_t nr_rows;
	const struct domctl_row *rows;
};

static const struct domctl_release releases[] = {
	{ XEN_DOMCTL_INTERFACE_VERSION, ARRAY_SIZE(rows_4_17), rows_4_17 },
};

static const struct domctl_release *release_of(uint32_t version)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(releases); i++) {
		if (releases[i].version == version) {
			return &releases[i];
		}
	}
	return NULL;
}

static const struct domctl_row *row_of(const struct domctl_release *r,
				       uint32_t cmd)
{
	for (uint32_t i = 0; i < r->nr_rows; i++) {
		if (r->rows[i].cmd == cmd) {
			return &r->rows[i];
		}
	}
	return NULL;
}

static bool names_domain(const struct domctl_row *row,
			 const struct xen_domctl *op)
{
	return !(row->flags & DC_NO_DOMAIN) &&
	       !((row->flags & DC_IO) && op->domain == DOMID_IO);
}

static int64_t run(struct vcpu *v, const struct domctl_row *row,
		   struct xen_domctl *op)
{
	struct domain *d = NULL;
	int64_t rc;

	if (names_domain(row, op)) {
		d = domain_lookup_get(op->domain);
		if (!d) {
			return -ESRCH;
		}
	}
	if (d == v->domain && (row->flags & DC_OTHER)) {
		rc = -EINVAL;
	} else {
		spin_lock(&control_lock);
		rc = row->fn(v, d, op);
		spin_unlock(&control_lock);
	}
	if (d) {
		domain_put(d);
	}
	return rc;
}

static int64_t dispatch(struct vcpu *v, const struct guest_win *win)
{
	const struct domctl_release *r;
	const struct domctl_row *row;
	struct xen_domctl op;
	int64_t rc;

	guest_win_read(win, &op, 0, sizeof(op));
	r = release_of(op.interface_version);
	if (!r) {
		return -EACCES;
	}
	if (!hc_permitted(v, HC_CTRL)) {
		return -EPERM;
	}
	row = row_of(r, op.cmd);
	if (!row) {
		return -ENOSYS;
	}
	rc = run(v, row, &op);
	if (rc >= 0 && (row->flags & DC_REPLY)) {
		guest_win_write(win, &op, 0, sizeof(op));
	}
	return rc;
}

int64_t hc_domctl(struct vcpu *v, const uint64_t *args)
{
	struct guest_win win;
	int64_t rc = guest_win_open(v, args[0], sizeof(struct xen_domctl),
				    HC_IN | HC_OUT, &win);

	if (rc == 0) {
		rc = dispatch(v, &win);
		guest_win_close(&win);
	}
	return rc;
}

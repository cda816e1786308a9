/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: what the toolstack asks about the machine.
 *
 * Owns    which release's interface a call speaks and its rows.
 * Not     scheduling and pools (sysctl_sched.c).
 * Locks   none here.
 * Bounds  lists go by steps of STEP_DOMAINS; CPUs are few; the log is one ring.
 * Spec    [XEN] sysctl.h; docs/abi.md "sysctl".
 */
#include <hv/hypercall.h>

#include "domctl_priv.h"
#include "sysctl_priv.h"
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <hv/percpu.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define PIECE_BYTES 256u
#define STEP_DOMAINS 16u
#define NODE_DISTANCE 20u /* as Xen says on this architecture */
#define CAPABILITIES                                                          \
	(XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap |                    \
	 XEN_SYSCTL_PHYSCAP_gnttab_v1)
/* With an IOMMU; devices walk the tables that the CPUs walk. */
#define CAPABILITIES_IOMMU                                                    \
	(XEN_SYSCTL_PHYSCAP_directio | XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share)

/* ---- the log ------------------------------------------------------------- */

static int64_t sysctl_readconsole(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t index = r->incremental ? r->index : 0;
	uint32_t room = min_u32(r->count, CONSOLE_RING_SIZE);
	char piece[PIECE_BYTES];
	uint32_t done = 0;
	uint32_t n;

	do { /* bound: CONSOLE_RING_SIZE */
		n = console_ring_read(piece, min_u32(room - done, PIECE_BYTES),
				      &index);
		if (n != 0 && guest_copy_out(v, r->buffer.q + done, piece,
					     n) != 0) {
			return -EFAULT;
		}
		done += n;
	} while (n != 0 && done < room);
	if (r->clear) {
		console_ring_clear();
	}
	r->count = done;
	r->index = index;
	return 0;
}

static int64_t sysctl_debug_keys(struct vcpu *v, struct xen_sysctl *op)
{
	const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
	char keys[PIECE_BYTES];
	uint32_t n = min_u32(k->nr_keys, PIECE_BYTES);

	if (n == 0) {
		return 0;
	}
	if (guest_copy_in(v, keys, k->keys.q, n) != 0) {
		return -EFAULT;
	}
	console_keys(keys, n);
	return 0;
}

/* ---- the machine --------------------------------------------------------- */

static int64_t sysctl_physinfo(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;

	(void)v;
	memset(p, 0, sizeof(*p));
	p->threads_per_core = 1;
	p->cores_per_socket = 1;
	p->nr_cpus = popcount64(cpus_online);
	p->max_cpu_id = nr_pcpus - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)(arch_counter_hz() / 1000);
	p->capabilities = CAPABILITIES;
	if (iommu_is_present()) {
		p->capabilities |= CAPABILITIES_IOMMU;
	}
	p->total_pages = page_alloc_nr_total();
	p->free_pages = page_alloc_nr_free();
	p->outstanding_pages = page_alloc_nr_claimed();
	p->max_mfn = page_alloc_max_mfn() - 1;
	return 0;
}

/* Every CPU on line is a core of the one socket and node we know of. */
static int64_t sysctl_cputopoinfo(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	static const struct xen_sysctl_cputopo here;
	static const struct xen_sysctl_cputopo nowhere = {
		XEN_INVALID_CORE_ID,
		XEN_INVALID_SOCKET_ID,
		XEN_INVALID_NODE_ID,
	};
	uint32_t i;

	for (i = 0; t->cputopo.q != 0 && i < min_u32(t->num_cpus, nr_pcpus);
	     i++) {
		if (guest_copy_out(v, t->cputopo.q + i * sizeof(here),
				   pcpus[i]->online ? &here : &nowhere,
				   sizeof(here)) != 0) {
			return -EFAULT;
		}
	}
	t->num_cpus = nr_pcpus;
	return 0;
}

static int64_t sysctl_numainfo(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	const struct xen_sysctl_meminfo mem = {
		.memsize = page_alloc_nr_total() << PAGE_SHIFT,
		.memfree = page_alloc_nr_free() << PAGE_SHIFT,
	};
	const uint32_t distance = NODE_DISTANCE;
	int rc = 0;

	if (n->num_nodes != 0 && n->meminfo.q != 0) {
		rc = guest_copy_out(v, n->meminfo.q, &mem, sizeof(mem));
	}
	if (rc == 0 && n->num_nodes != 0 && n->distance.q != 0) {
		rc = guest_copy_out(v, n->distance.q, &distance,
				    sizeof(distance));
	}
	n->num_nodes = 1;
	return rc;
}

static int64_t sysctl_availheap(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *h = &op->u.availheap;

	(void)v;
	h->avail_bytes = h->node > 0 ? 0 : page_alloc_nr_free() << PAGE_SHIFT;
	return 0;
}

static int64_t sysctl_getcpuinfo(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	uint32_t nr = min_u32(g->max_cpus, nr_pcpus);

	for (uint32_t i = 0; i < nr; i++) {
		const struct xen_sysctl_cpuinfo info = {
			.idletime = sched_idle_ns(pcpus[i]),
		};

		if (guest_copy_out(v, g->info.q + i * sizeof(info), &info,
				   sizeof(info)) != 0) {
			return -EFAULT;
		}
	}
	g->nr_cpus = nr;
	return 0;
}

/* ---- domains ------------------------------------------------------------- */

/* 1: written; 0: there is none from *@next on; -EFAULT. */
static int put_next_info(struct vcpu *v, domid_t *next, uint64_t to)
{
	struct xen_domctl_getdomaininfo info;
	struct domain *d = domain_next_get(*next);

	if (!d) {
		return 0;
	}
	domain_info(d, &info);
	*next = (domid_t)(d->id + 1);
	domain_put(d);
	return guest_copy_out(v, to, &info, sizeof(info)) == 0 ? 1 : -EFAULT;
}

/* The position of a long call: how many are written, and the next id. */
static int64_t sysctl_getdomaininfolist(struct vcpu *v, struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	uint64_t key = hc_cont_key(__HYPERVISOR_sysctl, op->cmd, l->buffer.q,
				   l->max_domains, l->first_domain);
	uint64_t at = hc_cont_position(v, key);
	uint32_t done = (uint32_t)(at >> 16);
	domid_t next = at != 0 ? (domid_t)at : l->first_domain;
	uint32_t step = 0;
	int got = 1;

	for (; done < l->max_domains && step < STEP_DOMAINS; step++) {
		got = put_next_info(v, &next,
				    l->buffer.q + (uint64_t)done *
					sizeof(xen_domctl_getdomaininfo_t));
		if (got <= 0) {
			break;
		}
		done++;
	}
	if (got > 0 && done < l->max_domains) {
		return hc_cont_again(v, key, (uint64_t)done << 16 | next);
	}
	if (at != 0) {
		hc_cont_end(v);
	}
	l->num_domains = done;
	return got < 0 ? got : 0;
}

/* ---- dispatch ------------------------------------------------------------ */

typedef int64_t (*sysctl_fn)(struct vcpu *v, struct xen_sysctl *op);

#define ROW(number, function) [XEN_SYSCTL_##number] = (function)

static const sysctl_fn rows_4_17[] = {
	ROW(readconsole, sysctl_readconsole),
	ROW(tbuf_op, sysctl_tbuf),
	ROW(physinfo, sysctl_physinfo),
	ROW(sched_id, sysctl_sched_id),
	ROW(getdomaininfolist, sysctl_getdomaininfolist),
	ROW(debug_keys, sysctl_debug_keys),
	ROW(getcpuinfo, sysctl_getcpuinfo),
	ROW(availheap, sysctl_availheap),
	ROW(cpu_hotplug, sysctl_cpu_hotplug),
	ROW(cputopoinfo, sysctl_cputopoinfo),
	ROW(numainfo, sysctl_numainfo),
	ROW(cpupool_op, sysctl_cpupool),
	ROW(scheduler_op, sysctl_scheduler),
};

struct sysctl_release {
	uint32_t version;
	uint32_t nr_rows;
	const sysctl_fn *rows;
};

static const struct sysctl_release releases[] = {
	{ XEN_SYSCTL_INTERFACE_VERSION, ARRAY_SIZE(rows_4_17), rows_4_17 },
};

static const struct sysctl_release *release_of(uint32_t version)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(releases); i++) {
		if (releases[i].version == version) {
			return &releases[i];
		}
	}
	return NULL;
}

static int64_t dispatch(struct vcpu *v, const struct guest_win *win)
{
	const struct sysctl_release *r;
	struct xen_sysctl op;
	sysctl_fn fn;
	int64_t rc;

	guest_win_read(win, &op, 0, sizeof(op));
	r = release_of(op.interface_version);
	if (!r) {
		return -EACCES;
	}
	if (!hc_permitted(v, HC_CTRL)) {
		return -EPERM;
	}
	if (op.cmd >= r->nr_rows) {
		return -ENOSYS;
	}
	fn = r->rows[array_index_nospec(op.cmd, r->nr_rows)];
	if (!fn) {
		return -ENOSYS;
	}
	rc = fn(v, &op);
	if (rc >= 0) {
		guest_win_write(win, &op, 0, sizeof(op));
	}
	return rc;
}

int64_t hc_sysctl(struct vcpu *v, const uint64_t *args)
{
	struct guest_win win;
	int64_t rc = guest_win_open(v, args[0], sizeof(struct xen_sysctl),
				    HC_IN | HC_OUT, &win);

	if (rc == 0) {
		rc = dispatch(v, &win);
		guest_win_close(&win);
	}
	return rc;
}

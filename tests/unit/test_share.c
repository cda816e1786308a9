/* SPDX-License-Identifier: Apache-2.0 */
/* xsm=dummy: domains that share ports and pages with each other, and die. */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c release/audit_auto.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: core/cpupool.c core/console_serial.c
// LINK: core/sched_cap.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/sched_arinc653.c
// LINK: core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_no_pci.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"
#include "core/gnttab_priv.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define REF 8u
#define AT_GFN UINT64_C(0x400)

static struct domain *a, *b, *c; /* nobody is dom0 */
static uint64_t frames;
static long live;

static struct domain *guest(void)
{
	struct domain *d = hv_build(1, 8);

	cr_assert_not_null(d);
	cr_assert_eq(hv_unpause(d->id), 0);
	return d;
}

/* ---- what guests do ------------------------------------------------------ */

static int64_t call(struct domain *d, uint32_t nr, uint32_t cmd, void *arg,
		    size_t size)
{
	uint64_t args[5] = { cmd, HV_ARG, 1 };
	int64_t rc;

	guest_put(d, HV_ARG, arg, size);
	do {
		rc = hypercall_dispatch(d->vcpu[0], nr, args);
	} while (rc == HC_RESTARTED);
	guest_get(d, HV_ARG, arg, size);
	return rc;
}

static grant_entry_v1_t *entry(struct domain *d)
{
	struct page *pg;

	cr_assert_eq(gnttab_get_shared_frame(d, 0, &pg), 0);
	page_put(pg);
	return (grant_entry_v1_t *)d->gnttab.frame[0] + REF;
}

static void grant(struct domain *d, domid_t to, uint64_t g)
{
	grant_entry_v1_t e = {
		.flags = GTF_permit_access, .domid = to, .frame = (uint32_t)g,
	};

	*entry(d) = e;
}

/* A handle, or the status. */
static int64_t map(struct domain *d, domid_t from, uint64_t at)
{
	gnttab_map_grant_ref_t m = { .host_addr = at << PAGE_SHIFT,
				     .flags = GNTMAP_host_map, .ref = REF,
				     .dom = from, .status = 77 };

	cr_assert_eq(call(d, __HYPERVISOR_grant_table_op,
			  GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
	return m.status ? m.status : (int64_t)m.handle;
}

static int16_t unmap(struct domain *d, int64_t handle, uint64_t at)
{
	gnttab_unmap_grant_ref_t u = { .host_addr = at << PAGE_SHIFT,
				       .handle = (uint32_t)handle,
				       .status = 77 };

	cr_assert_eq(call(d, __HYPERVISOR_grant_table_op,
			  GNTTABOP_unmap_grant_ref, &u, sizeof(u)), 0);
	return u.status;
}

/* The granted page of @from into one of @d's own. */
static int16_t copy(struct domain *d, domid_t from)
{
	gnttab_copy_t x = {
		.source = { .u.ref = REF, .domid = from },
		.dest = { .domid = DOMID_SELF, .u.gmfn = HV_PAGE_GFN + 1 },
		.len = 64, .flags = GNTCOPY_source_gref, .status = 77,
	};

	cr_assert_eq(call(d, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &x,
			  sizeof(x)), 0);
	return x.status;
}

static uint32_t offer(struct domain *d, domid_t to)
{
	evtchn_alloc_unbound_t u = { .dom = DOMID_SELF, .remote_dom = to };

	cr_assert_eq(call(d, __HYPERVISOR_event_channel_op,
			  EVTCHNOP_alloc_unbound, &u, sizeof(u)), 0);
	return u.port;
}

static int64_t bind(struct domain *d, domid_t to, uint32_t port)
{
	evtchn_bind_interdomain_t i = { .remote_dom = to,
					.remote_port = port };
	int64_t rc = call(d, __HYPERVISOR_event_channel_op,
			  EVTCHNOP_bind_interdomain, &i, sizeof(i));

	return rc ? rc : i.local_port;
}

static struct page *page_at(struct domain *d, uint64_t g)
{
	return page_of(arch_p2m_lookup(d, gfn(g)).mfn);
}

static uint8_t *bytes(struct domain *d, uint64_t g)
{
	return hv_va(mfn_to_paddr(arch_p2m_lookup(d, gfn(g)).mfn));
}

/* ---- each test ----------------------------------------------------------- */

static void end(struct domain **d)
{
	if (*d) {
		cr_assert_eq(hv_destroy((*d)->id), 0);
		*d = NULL;
	}
	hv_reap();
}

static void setup(void)
{
	hv_start(64, 2);
	options.xsm_dummy = true;
	a = guest();
	b = guest();
	grant(a, b->id, HV_PAGE_GFN); /* objects of each kind: slabs */
	cr_assert_geq(map(b, a->id, AT_GFN), 0);
	end(&a);
	end(&b);
	frames = page_alloc_nr_free();
	live = hv_live;
	a = guest();
	b = guest();
	c = guest();
}

static void teardown(void)
{
	end(&a);
	end(&b);
	end(&c);
	cr_assert_eq(fake_this_pcpu->held_ranks, 0);
	cr_assert_null(domain_next_get(1));
	cr_assert_eq(hv_dom0->refs, 1);
	cr_assert_eq(hv_live, live);
	cr_assert_geq(page_alloc_nr_free(), frames);
}

TestSuite(share, .init = setup, .fini = teardown);

/* ---- the policy ---------------------------------------------------------- */

Test(share, silo_refuses_what_dummy_allows)
{
	uint32_t port = offer(a, b->id);
	int64_t handle;

	grant(a, b->id, HV_PAGE_GFN);
	options.xsm_dummy = false;
	cr_assert_eq(bind(b, a->id, port), -EPERM);
	cr_assert_eq(map(b, a->id, AT_GFN), GNTST_permission_denied);
	cr_assert_eq(copy(b, a->id), GNTST_permission_denied);
	options.xsm_dummy = true;
	cr_assert_gt(bind(b, a->id, port), 0);
	cr_assert_eq(copy(b, a->id), GNTST_okay);
	handle = map(b, a->id, AT_GFN);
	cr_assert_geq(handle, 0);
	/* What is there stays when the rule would forbid it. */
	options.xsm_dummy = false;
	cr_assert_eq(unmap(b, handle, AT_GFN), GNTST_okay);
}

/* Only what was offered, and only to whom. */
Test(share, a_third_gets_nothing)
{
	uint32_t port = offer(a, b->id);

	grant(a, b->id, HV_PAGE_GFN);
	cr_assert_eq(bind(c, a->id, port), -EINVAL);
	cr_assert_eq(map(c, a->id, AT_GFN), GNTST_general_error);
	cr_assert_eq(copy(c, a->id), GNTST_general_error);
	cr_assert_eq(bind(b, a->id, port + 1), -EINVAL);
	cr_assert_gt(bind(b, a->id, port), 0);
	cr_assert_eq(bind(b, a->id, port), -EINVAL);
}

/* A page of another cannot be passed on. */
Test(share, grants_are_not_transitive)
{
	uint32_t count;
	int64_t handle;

	grant(a, b->id, HV_PAGE_GFN);
	handle = map(b, a->id, AT_GFN);
	cr_assert_geq(handle, 0);
	count = page_at(a, HV_PAGE_GFN)->count;
	grant(b, c->id, AT_GFN);
	cr_assert_eq(map(c, b->id, AT_GFN), GNTST_bad_page);
	cr_assert_eq(copy(c, b->id), GNTST_bad_page);
	cr_assert_eq(entry(b)->flags, GTF_permit_access);
	cr_assert_eq(page_at(a, HV_PAGE_GFN)->count, count);
	cr_assert_eq(unmap(b, handle, AT_GFN), GNTST_okay);
}

/* Whom the entry names later gets it after the first has let it go. */
Test(share, an_entry_in_use_is_not_anothers)
{
	int64_t handle;

	grant(a, b->id, HV_PAGE_GFN);
	handle = map(b, a->id, AT_GFN);
	entry(a)->domid = c->id;
	cr_assert_eq(map(c, a->id, AT_GFN), GNTST_general_error);
	cr_assert_eq(unmap(b, handle, AT_GFN), GNTST_okay);
	cr_assert_geq(map(c, a->id, AT_GFN), 0);
}

/* ---- who dies first ------------------------------------------------------ */

/* The page is the mapper's to read until it lets go; then all is given back. */
Test(share, the_owner_dies_while_mapped)
{
	struct page *pg = page_at(a, HV_PAGE_GFN);
	struct domain *zombie;
	domid_t id = a->id;
	int64_t handle, again;
	uint64_t before;

	memset(bytes(a, HV_PAGE_GFN), 0x5a, 64);
	grant(a, b->id, HV_PAGE_GFN);
	handle = map(b, id, AT_GFN);
	end(&a);
	zombie = domain_lookup_get(id);
	cr_assert_not_null(zombie);
	cr_assert_eq(zombie->state, DOM_DEAD);
	domain_put(zombie);
	cr_assert_eq(page_at(b, AT_GFN), pg);
	cr_assert_eq(bytes(b, AT_GFN)[63], 0x5a);
	/* What is in use may be used more, nothing else of it. */
	again = map(b, id, AT_GFN + 1);
	cr_assert_eq(page_at(b, AT_GFN + 1), pg);
	cr_assert_eq(unmap(b, again, AT_GFN + 1), GNTST_okay);
	before = page_alloc_nr_free();
	cr_assert_eq(unmap(b, handle, AT_GFN), GNTST_okay);
	hv_reap();
	cr_assert_gt(page_alloc_nr_free(), before);
	cr_assert_null(domain_lookup_get(id));
	cr_assert_eq(map(b, id, AT_GFN), GNTST_bad_domain);
}

Test(share, the_mapper_dies)
{
	struct page *pg = page_at(a, HV_PAGE_GFN);
	uint32_t count = pg->count;

	grant(a, b->id, HV_PAGE_GFN);
	cr_assert_geq(map(b, a->id, AT_GFN), 0);
	cr_assert_geq(map(b, a->id, AT_GFN + 1), 0);
	cr_assert_eq(a->refs, 3);
	end(&b);
	cr_assert_eq(a->refs, 1);
	cr_assert_eq(pg->count, count);
	cr_assert_eq(entry(a)->flags, GTF_permit_access);
}

/* Each has a page of the other. */
static void cross(void)
{
	grant(a, b->id, HV_PAGE_GFN);
	grant(b, a->id, HV_PAGE_GFN);
	cr_assert_geq(map(b, a->id, AT_GFN), 0);
	cr_assert_geq(map(a, b->id, AT_GFN), 0);
	cr_assert_gt(bind(b, a->id, offer(a, b->id)), 0);
}

Test(share, both_die_the_one_first)
{
	struct domain *zombie;
	domid_t id = a->id;

	cross();
	end(&a);
	zombie = domain_lookup_get(id);
	cr_assert_not_null(zombie);
	domain_put(zombie);
	end(&b);
	cr_assert_null(domain_lookup_get(id));
}

Test(share, both_die_the_other_first)
{
	cross();
	end(&b);
	end(&a);
}

/* dom0 takes the page from its owner's memory meanwhile. */
Test(share, the_page_is_ballooned_out_while_mapped)
{
	struct page *pg = page_at(a, HV_PAGE_GFN);
	uint64_t before;
	int64_t handle;

	memset(bytes(a, HV_PAGE_GFN), 0x5a, 64);
	grant(a, b->id, HV_PAGE_GFN);
	handle = map(b, a->id, AT_GFN);
	cr_assert_eq(hv_take(a->id, HV_PAGE_GFN), 0);
	cr_assert_eq(page_at(b, AT_GFN), pg);
	cr_assert_eq(bytes(b, AT_GFN)[63], 0x5a);
	before = page_alloc_nr_free();
	cr_assert_eq(unmap(b, handle, AT_GFN), GNTST_okay);
	cr_assert_eq(page_alloc_nr_free(), before + 1);
	cr_assert_eq(map(b, a->id, AT_GFN), GNTST_bad_page);
}

/* ---- a server that comes again ------------------------------------------- */

/* A client offers once; its server dies, and finds the offers of the first. */
Test(share, a_new_life_of_the_server)
{
	domid_t id = c->id;
	uint32_t port = offer(a, id);

	grant(a, id, HV_PAGE_GFN);
	for (int life = 0; life < 3; life++) {
		cr_assert_gt(bind(c, a->id, port), 0);
		cr_assert_geq(map(c, a->id, AT_GFN), 0);
		end(&c);
		cr_assert_eq(a->refs, 1);
		cr_assert_eq(bind(b, a->id, port), -EINVAL);
		cr_assert_eq(map(b, a->id, AT_GFN), GNTST_general_error);
		c = guest(); /* all have the same handle */
		cr_assert_eq(c->id, id);
	}
	cr_assert_gt(bind(c, a->id, port), 0);
}

/* ---- the id of a new life ------------------------------------------------ */

static domid_t create_with(uint8_t first)
{
	struct xen_domctl op = hv_config(1);

	memset(op.u.createdomain.handle, 0, sizeof(xen_domain_handle_t));
	op.u.createdomain.handle[0] = first;
	cr_assert_eq(hv_domctl(XEN_DOMCTL_createdomain, 0, &op), 0);
	return op.domain;
}

static domid_t lives_once(uint8_t first)
{
	domid_t id = create_with(first);

	cr_assert_eq(hv_unpause(id), 0);
	cr_assert_eq(hv_destroy(id), 0);
	hv_reap();
	return id;
}

/* The same handle, the same id, once. */
Test(share, an_id_comes_again_by_its_handle)
{
	domid_t first, id;

	options.xsm_dummy = false;
	id = lives_once(7);
	cr_assert_neq(lives_once(7), id, "not with xsm=silo");
	options.xsm_dummy = true;
	id = lives_once(8);
	cr_assert_neq(lives_once(9), id);
	cr_assert_eq(create_with(8), id);
	first = create_with(8);
	cr_assert_neq(first, id, "it is taken");
	cr_assert_eq(hv_destroy(first), 0);
	cr_assert_eq(hv_destroy(id), 0);
	hv_reap();
	first = lives_once(8);
	cr_assert_neq(first, id, "a toolstack that did not want it");
	first = id = lives_once(100);
	for (uint8_t i = 101; i < 117; i++) {
		id = lives_once(i); /* more than are kept */
	}
	cr_assert_eq(lives_once(116), id);
	cr_assert_neq(lives_once(100), first);
}

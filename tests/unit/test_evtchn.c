/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/evtchn.c core/evtchn_bind.c core/evtchn_2l.c core/evtchn_fifo.c
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/memory_map.c core/memory_acquire.c core/heap.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/hypercall.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define ARRAY_GFN UINT64_C(0x12)   /* two pages of words */
#define CONTROL_GFN UINT64_C(0x14)
#define OTHER_GFN UINT64_C(0x15)
#define WORDS 1024u

#define PENDING BIT32(EVTCHN_FIFO_PENDING)
#define MASKED BIT32(EVTCHN_FIFO_MASKED)
#define LINKED BIT32(EVTCHN_FIFO_LINKED)

static struct domain *d0, *d1, *d2;
static struct vcpu *v0, *v1, *v2;
static unsigned int fail_alloc_at, nr_allocs;

void *__real_heap_alloc(struct domain *d, size_t size);
void *__wrap_heap_alloc(struct domain *d, size_t size);

void *__wrap_heap_alloc(struct domain *d, size_t size)
{
	return ++nr_allocs == fail_alloc_at ? NULL
					    : __real_heap_alloc(d, size);
}

static struct domain *make(domid_t id, bool control)
{
	struct domain *d = world_domain(id, control, 2);

	cr_assert_eq(evtchn_init(d, UINT32_MAX), 0);
	world_ram(d, 0x10, 8);
	return d;
}

static void setup(void)
{
	world_init(32);
	d0 = make(0, true);
	d1 = make(1, false);
	d2 = make(2, false);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
	v2 = d2->vcpu[0];
}

static void drop(struct domain *d)
{
	while (evtchn_fini_step(d) == -EAGAIN) {
	}
	cr_assert_eq(d->evtchn.active, 0);
	evtchn_fini(d);
}

static void teardown(void)
{
	drop(d0);
	drop(d1);
	drop(d2);
	cr_assert_eq(world_log.refs, 0);
	/* The heap keeps one empty slab a class it served: at most 12. */
	cr_assert_leq(world_fini(), 12);
}

TestSuite(evtchn, .init = setup, .fini = teardown);

static int64_t op(struct vcpu *v, uint64_t cmd, void *arg, size_t size)
{
	uint64_t args[5] = { cmd, ARG };
	int64_t rc;

	guest_put(v->domain, ARG, arg, size);
	do {
		rc = hypercall_dispatch(v, __HYPERVISOR_event_channel_op,
					args);
	} while (rc == HC_RESTARTED);
	guest_get(v->domain, ARG, arg, size);
	return rc;
}
#define OP(v, cmd, arg) op(v, cmd, arg, sizeof(*(arg)))

static uint32_t ipi(struct vcpu *v)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };

	cr_assert_eq(OP(v, EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static int64_t send(struct vcpu *v, uint32_t port)
{
	evtchn_send_t s = { .port = port };

	return OP(v, EVTCHNOP_send, &s);
}

static int64_t unmask(struct vcpu *v, uint32_t port)
{
	evtchn_unmask_t u = { .port = port };

	return OP(v, EVTCHNOP_unmask, &u);
}

static int64_t close_it(struct vcpu *v, uint32_t port)
{
	evtchn_close_t c = { .port = port };

	return OP(v, EVTCHNOP_close, &c);
}

static uint32_t status(struct vcpu *v, uint32_t port)
{
	evtchn_status_t s = { .dom = DOMID_SELF, .port = port };

	cr_assert_eq(OP(v, EVTCHNOP_status, &s), 0);
	return s.status;
}

/* A port of @a joined with one of @b: *@pa and *@pb. */
static void join(struct vcpu *a, struct vcpu *b, uint32_t *pa, uint32_t *pb)
{
	evtchn_alloc_unbound_t u = { .dom = DOMID_SELF,
				     .remote_dom = b->domain->id };
	evtchn_bind_interdomain_t i = { .remote_dom = a->domain->id };

	cr_assert_eq(OP(a, EVTCHNOP_alloc_unbound, &u), 0);
	i.remote_port = u.port;
	cr_assert_eq(OP(b, EVTCHNOP_bind_interdomain, &i), 0);
	*pa = u.port;
	*pb = i.local_port;
}

static bool pending_2l(struct domain *d, uint32_t port)
{
	return d->shared_info->evtchn_pending[port / 64] >> port % 64 & 1;
}

/* ---- 2-level ----------------------------------------------------------- */

Test(evtchn, ipi_sets_bits_once)
{
	uint32_t port = ipi(v1);

	world_log.posts = 0;
	cr_assert_eq(send(v1, port), 0);
	cr_assert(pending_2l(d1, port));
	cr_assert_eq(v1->info->evtchn_upcall_pending, 1);
	cr_assert_eq(world_log.posts, 1);
	cr_assert_eq(send(v1, port), 0);
	cr_assert_eq(world_log.posts, 1);
	cr_assert_eq(close_it(v1, port), 0);
	cr_assert(!pending_2l(d1, port));
	cr_assert_eq(send(v1, port), -EINVAL);
	cr_assert_eq(close_it(v1, port), -EINVAL);
	cr_assert_eq(send(v1, 0), -EINVAL);
	cr_assert_eq(send(v1, UINT32_MAX), -EINVAL);
}

Test(evtchn, send_reads_each_guest_byte_once)
{
	uint32_t port = ipi(v1);
	uint64_t args[5] = { EVTCHNOP_send, ARG };
	unsigned int i;

	guest_put(d1, ARG, &port, sizeof(port));
	fake_guest_hostile(true);
	cr_assert_eq(hypercall_dispatch(v1, 32, args), 0);
	for (i = 0; i < 4; i++) {
		cr_assert_eq(guest_reads(d1, ARG + i), 1);
	}
	fake_guest_hostile(false);
	cr_assert(pending_2l(d1, port));
	args[1] = ARG + 0x8000 - 2; /* the second half is not mapped */
	cr_assert_eq(hypercall_dispatch(v1, 32, args), -EFAULT);
}

/* What is pending already costs no lock: the rank checker would object. */
Test(evtchn, pending_port_of_the_same_domain)
{
	uint32_t from, to;

	join(v1, v1, &to, &from);
	d1->shared_info->evtchn_pending[0] = 0;
	v1->info->evtchn_pending_sel = 0;
	world_log.posts = 0;
	v1->info->evtchn_upcall_pending = 0;
	cr_assert_eq(send(v1, from), 0);
	cr_assert(pending_2l(d1, to));
	cr_assert_eq(world_log.posts, 1);
	spin_lock(&d1->evtchn.lock);
	cr_assert_eq(send(v1, from), 0);
	spin_unlock(&d1->evtchn.lock);
	cr_assert_eq(world_log.posts, 1);
	d1->shared_info->evtchn_pending[0] = 0; /* taken */
	v1->info->evtchn_pending_sel = 0;
	v1->info->evtchn_upcall_pending = 0;
	cr_assert_eq(send(v1, from), 0);
	cr_assert(pending_2l(d1, to));
	cr_assert_eq(world_log.posts, 2);
}

Test(evtchn, masked_is_told_by_unmask)
{
	uint32_t port = ipi(v1);

	d1->shared_info->evtchn_mask[0] = UINT64_MAX;
	world_log.posts = 0;
	cr_assert_eq(send(v1, port), 0);
	cr_assert_eq(world_log.posts, 0);
	cr_assert(evtchn_is_pending(d1, port));
	cr_assert_eq(unmask(v1, port), 0);
	cr_assert_eq(world_log.posts, 1);
	cr_assert_eq(v1->info->evtchn_pending_sel, 1);
}

Test(evtchn, polling_vcpu_is_woken_by_a_masked_port)
{
	uint32_t port = ipi(v1);

	d1->shared_info->evtchn_mask[0] = UINT64_MAX;
	v1->poll = true;
	world_log.posts = 0;
	cr_assert_eq(send(v1, port), 0);
	cr_assert_eq(world_log.posts, 1);
	cr_assert(!v1->poll);
}

Test(evtchn, two_domains)
{
	uint32_t p0, p1;

	join(v0, v1, &p0, &p1);
	cr_assert(pending_2l(d1, p1)); /* once, at birth */
	cr_assert_eq(world_log.refs, 2);
	cr_assert_eq(send(v1, p1), 0);
	cr_assert(pending_2l(d0, p0));
	cr_assert_eq(world_log.refs, 2);
	cr_assert_eq(close_it(v0, p0), 0);
	cr_assert_eq(world_log.refs, 0);
	cr_assert_eq(status(v1, p1), EVTCHNSTAT_unbound);
	cr_assert_eq(send(v1, p1), 0); /* dropped */
}

Test(evtchn, ordinary_domains_do_not_meet)
{
	evtchn_alloc_unbound_t u = { .dom = DOMID_SELF, .remote_dom = 2 };
	evtchn_bind_interdomain_t i = { .remote_dom = 1 };

	cr_assert_eq(OP(v1, EVTCHNOP_alloc_unbound, &u), 0);
	i.remote_port = u.port;
	cr_assert_eq(OP(v2, EVTCHNOP_bind_interdomain, &i), -EPERM);
	cr_assert_eq(status(v1, u.port), EVTCHNSTAT_unbound);
}

Test(evtchn, virqs)
{
	evtchn_bind_virq_t b = { .virq = VIRQ_TIMER, .vcpu = 1 };

	cr_assert_eq(OP(v1, EVTCHNOP_bind_virq, &b), 0);
	cr_assert_eq(OP(v1, EVTCHNOP_bind_virq, &b), -EEXIST);
	evtchn_send_virq(d1->vcpu[1], VIRQ_TIMER);
	cr_assert(pending_2l(d1, b.port));
	cr_assert_eq(close_it(v1, b.port), 0);
	cr_assert_eq(d1->vcpu[1]->virq_port[VIRQ_TIMER], 0);
	b.virq = VIRQ_CONSOLE; /* anybody may have a port for it */
	cr_assert_eq(OP(v1, EVTCHNOP_bind_virq, &b), -EINVAL);
	b.vcpu = 0;
	cr_assert_eq(OP(v1, EVTCHNOP_bind_virq, &b), 0);
	evtchn_send_global_virq(d0, VIRQ_CONSOLE); /* it is the other's */
	cr_assert(!pending_2l(d1, b.port));
	b.virq = NR_VIRQS;
	cr_assert_eq(OP(v1, EVTCHNOP_bind_virq, &b), -EINVAL);
}

Test(evtchn, table_is_full)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	uint32_t i;

	for (i = 1; i < 4096; i++) {
		cr_assert_eq(ipi(v1), i);
	}
	cr_assert_eq(OP(v1, EVTCHNOP_bind_ipi, &b), -ENOSPC);
	/* In any order; a bucket that is full is known by its count. */
	cr_assert_eq(close_it(v1, 77), 0);
	cr_assert_eq(close_it(v1, 4000), 0);
	cr_assert_eq(close_it(v1, 300), 0);
	cr_assert_eq(ipi(v1), 77);
	cr_assert_eq(ipi(v1), 300);
	cr_assert_eq(ipi(v1), 4000);
	cr_assert_eq(OP(v1, EVTCHNOP_bind_ipi, &b), -ENOSPC);
	d2->evtchn.max_port = 3;
	cr_assert_eq(ipi(v2), 1);
	cr_assert_eq(ipi(v2), 2);
	cr_assert_eq(ipi(v2), 3);
	cr_assert_eq(OP(v2, EVTCHNOP_bind_ipi, &b), -ENOSPC);
}

/* ---- FIFO -------------------------------------------------------------- */

static uint32_t *word(struct domain *d, uint32_t port)
{
	struct p2m_entry e =
		arch_p2m_lookup(d, gfn(ARRAY_GFN + port / WORDS));

	return (uint32_t *)hv_va(mfn_to_paddr(e.mfn)) + port % WORDS;
}

static struct evtchn_fifo_control_block *control(struct domain *d)
{
	return hv_va(mfn_to_paddr(arch_p2m_lookup(d, gfn(CONTROL_GFN)).mfn));
}

static int64_t init_control(struct vcpu *v, uint64_t g, uint32_t offset,
			    uint32_t vcpu)
{
	evtchn_init_control_t c = { .control_gfn = g, .offset = offset,
				    .vcpu = vcpu };
	int64_t rc = OP(v, EVTCHNOP_init_control, &c);

	cr_assert(rc != 0 || c.link_bits == EVTCHN_FIFO_LINK_BITS);
	return rc;
}

static int64_t expand(struct vcpu *v, uint64_t g)
{
	evtchn_expand_array_t e = { .array_gfn = g };

	return OP(v, EVTCHNOP_expand_array, &e);
}

static int64_t priority(struct vcpu *v, uint32_t port, uint32_t prio)
{
	evtchn_set_priority_t p = { .port = port, .priority = prio };

	return OP(v, EVTCHNOP_set_priority, &p);
}

static void clear_page(struct domain *d, uint64_t g)
{
	memset(hv_va(mfn_to_paddr(arch_p2m_lookup(d, gfn(g)).mfn)), 0, 4096);
}

static void go_fifo(struct vcpu *v)
{
	clear_page(v->domain, CONTROL_GFN);
	clear_page(v->domain, ARRAY_GFN);
	clear_page(v->domain, ARRAY_GFN + 1);
	cr_assert_eq(init_control(v, CONTROL_GFN, 0, 0), 0);
	cr_assert_eq(expand(v, ARRAY_GFN), 0);
}

/* Take queue @q as a guest does; ports in order, and how many. */
static unsigned int take(struct domain *d, unsigned int q, uint32_t *ports)
{
	uint32_t head = control(d)->head[q];
	unsigned int n = 0;

	control(d)->ready &= ~BIT32(q);
	while (head != 0 && n < 16) {
		uint32_t w = *word(d, head);

		*word(d, head) = w & ~(LINKED | PENDING |
				       EVTCHN_FIFO_LINK_MASK);
		ports[n++] = head;
		head = w & EVTCHN_FIFO_LINK_MASK;
	}
	return n;
}

Test(evtchn, fifo_refusals)
{
	cr_assert_eq(expand(v1, ARRAY_GFN), -EOPNOTSUPP);
	cr_assert_eq(priority(v1, 0, 99), -ENOSYS);
	cr_assert_eq(init_control(v1, CONTROL_GFN, 0, 77), -ENOENT);
	cr_assert_eq(init_control(v1, CONTROL_GFN, 4, 0), -EINVAL);
	cr_assert_eq(init_control(v1, CONTROL_GFN, 4096 - 64, 0), -EINVAL);
	cr_assert_eq(init_control(v1, 0x999, 0, 0), -EINVAL);
	cr_assert_eq(d1->evtchn.ops, &evtchn_2l_ops);
	cr_assert_eq(init_control(v1, CONTROL_GFN, 4096 - 72, 0), 0);
	cr_assert_eq(init_control(v1, CONTROL_GFN, 0, 0), -EINVAL);
	cr_assert_eq(init_control(v1, OTHER_GFN, 0, 1), 0);
	cr_assert_eq(expand(v1, 0x999), -EINVAL);
	cr_assert_eq(priority(v1, 0, 16), -EINVAL);
	cr_assert_eq(priority(v1, 4000, 1), -EINVAL);
}

Test(evtchn, fifo_takes_over_what_is_pending)
{
	uint32_t port = ipi(v1);

	cr_assert_eq(send(v1, port), 0);
	go_fifo(v1);
	cr_assert_eq(*word(d1, port), PENDING | LINKED);
	cr_assert_eq(control(d1)->head[7], port);
	cr_assert_eq(control(d1)->ready, BIT32(7));
}

Test(evtchn, fifo_does_not_look_at_old_bits)
{
	uint32_t from, to;

	join(v1, v1, &to, &from);
	go_fifo(v1);
	d1->shared_info->evtchn_pending[0] = UINT64_MAX;
	clear_page(d1, ARRAY_GFN);
	cr_assert_eq(send(v1, from), 0);
	cr_assert(*word(d1, to) & PENDING);
}

Test(evtchn, fifo_queue_order_and_restart)
{
	uint32_t port[3], got[16];
	unsigned int i;

	go_fifo(v1);
	for (i = 0; i < 3; i++) {
		port[i] = ipi(v1);
		cr_assert_eq(send(v1, port[i]), 0);
		cr_assert_eq(send(v1, port[i]), 0);
	}
	cr_assert_eq(take(d1, 7, got), 3);
	cr_assert_eq(memcmp(got, port, sizeof(port)), 0);
	cr_assert_eq(send(v1, port[2]), 0); /* it is the old tail */
	cr_assert_eq(send(v1, port[0]), 0);
	cr_assert_eq(take(d1, 7, got), 2);
	cr_assert_eq(got[0], port[2]);
	cr_assert_eq(got[1], port[0]);
}

/* A tail that moved to another queue must not be linked behind. */
Test(evtchn, fifo_tail_changes_queue)
{
	uint32_t a, b, got[16];

	go_fifo(v1);
	a = ipi(v1);
	b = ipi(v1);
	cr_assert_eq(send(v1, a), 0);
	cr_assert_eq(take(d1, 7, got), 1);
	cr_assert_eq(priority(v1, a, 2), 0);
	cr_assert_eq(send(v1, a), 0);
	cr_assert_eq(send(v1, b), 0);
	cr_assert_eq(control(d1)->ready, BIT32(2) | BIT32(7));
	cr_assert_eq(take(d1, 2, got), 1);
	cr_assert_eq(got[0], a);
	cr_assert_eq(take(d1, 7, got), 1);
	cr_assert_eq(got[0], b);
}

Test(evtchn, fifo_masked)
{
	uint32_t port;

	go_fifo(v1);
	port = ipi(v1);
	*word(d1, port) = MASKED;
	v1->info->evtchn_upcall_pending = 0;
	cr_assert_eq(send(v1, port), 0);
	cr_assert_eq(*word(d1, port), MASKED | PENDING);
	cr_assert_eq(v1->info->evtchn_upcall_pending, 0);
	cr_assert(evtchn_is_pending(d1, port));
	cr_assert_eq(unmask(v1, port), 0);
	cr_assert_eq(*word(d1, port), LINKED | PENDING);
	cr_assert_eq(v1->info->evtchn_upcall_pending, 1);
	cr_assert_eq(close_it(v1, port), 0);
	cr_assert_eq(*word(d1, port), LINKED);
}

Test(evtchn, fifo_ports_beyond_the_array)
{
	uint32_t p = 0, got[16];

	go_fifo(v1);
	while (p < WORDS + 5) {
		p = ipi(v1);
	}
	cr_assert_eq(send(v1, p), 0);
	cr_assert(evtchn_is_pending(d1, p));
	cr_assert_eq(expand(v1, ARRAY_GFN + 1), 0);
	cr_assert_eq(take(d1, 7, got), 1);
	cr_assert_eq(got[0], p);
}

Test(evtchn, fifo_array_is_full)
{
	unsigned int i;

	go_fifo(v1);
	for (i = 1; i < 128; i++) {
		cr_assert_eq(expand(v1, OTHER_GFN), 0);
	}
	cr_assert_eq(expand(v1, OTHER_GFN), -ENOSPC);
}

/* Whatever the words say, only the guest's own words change. */
Test(evtchn, fifo_corrupted_words)
{
	uint32_t port[4], seed = 12345;
	unsigned int i, k;

	go_fifo(v1);
	for (i = 0; i < 4; i++) {
		port[i] = ipi(v1);
	}
	for (k = 0; k < 2000; k++) {
		for (i = 0; i < WORDS; i++) {
			seed = seed * 1664525u + 1013904223u;
			*word(d1, i) = seed;
		}
		for (i = 0; i < 16; i++) {
			control(d1)->head[i] = seed ^ i;
		}
		control(d1)->ready = seed;
		for (i = 0; i < 4; i++) {
			cr_assert_eq(priority(v1, port[i], seed >> i & 15), 0);
			cr_assert_eq(send(v1, port[i]), 0);
			cr_assert_eq(unmask(v1, port[i]), 0);
		}
	}
}

Test(evtchn, fifo_reset_goes_back)
{
	evtchn_reset_t r = { .dom = DOMID_SELF };
	uint32_t port;
	unsigned int i;

	go_fifo(v1);
	for (i = 0; i < 300; i++) {
		(void)ipi(v1);
	}
	cr_assert_eq(OP(v1, EVTCHNOP_reset, &r), 0);
	cr_assert_eq(d1->evtchn.ops, &evtchn_2l_ops);
	cr_assert_null(v1->fifo);
	port = ipi(v1);
	cr_assert_eq(port, 1);
	cr_assert_eq(send(v1, port), 0);
	cr_assert(pending_2l(d1, port));
	go_fifo(v1);
}

Test(evtchn, failing_allocations_leave_nothing)
{
	struct domain *d = world_domain(9, false, 1);
	unsigned int i;

	for (i = 1; i <= 2; i++) {
		nr_allocs = 0;
		fail_alloc_at = i;
		cr_assert_eq(evtchn_init(d, 100), -ENOMEM);
		evtchn_fini(d);
		nr_allocs = 0;
		cr_assert_eq(init_control(v1, CONTROL_GFN, 0, 0), -ENOMEM);
		cr_assert_null(d1->evtchn.fifo);
		cr_assert_null(v1->fifo);
	}
	fail_alloc_at = 0;
	go_fifo(v1);
	while (ipi(v1) != 255) {
	}
	nr_allocs = 0;
	fail_alloc_at = 1;
	cr_assert_eq(OP(v1, EVTCHNOP_bind_ipi, &(evtchn_bind_ipi_t){ 0 }),
		     -ENOMEM);
	fail_alloc_at = 0;
	cr_assert_eq(ipi(v1), 256);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels: the operations that only move or refuse, through the table
 * as a guest calls them.
 */
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
#include <criterion/criterion.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <lib/errno.h>
#include "core/evtchn_priv.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define BAD UINT64_C(0x999000)

static struct domain *d0, *d1;
static struct vcpu *v0, *v1;

static struct domain *make(domid_t id, bool control)
{
	struct domain *d = world_domain(id, control, 2);

	cr_assert_eq(evtchn_init(d, UINT32_MAX), 0);
	world_ram(d, 0x10, 1);
	return d;
}

static void setup(void)
{
	world_init(32);
	d0 = make(0, true);
	d1 = make(1, false);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
}

static void drop(struct domain *d)
{
	while (evtchn_fini_step(d) == -EAGAIN) {
	}
	evtchn_fini(d);
}

static void teardown(void)
{
	drop(d0);
	drop(d1);
	cr_assert_eq(world_log.refs, 0);
	/* The heap keeps one empty slab a class it served: at most 12. */
	cr_assert_leq(world_fini(), 12);
}

TestSuite(evtchn_rows, .init = setup, .fini = teardown);

static int64_t call(struct vcpu *v, uint64_t cmd, uint64_t va)
{
	uint64_t args[5] = { cmd, va };

	return hypercall_dispatch(v, __HYPERVISOR_event_channel_op, args);
}

static int64_t op(struct vcpu *v, uint64_t cmd, void *arg, size_t size)
{
	int64_t rc;

	guest_put(v->domain, ARG, arg, size);
	rc = call(v, cmd, ARG);
	guest_get(v->domain, ARG, arg, size);
	return rc;
}

static evtchn_status_t status(struct vcpu *v, uint32_t port)
{
	evtchn_status_t s = { .dom = DOMID_SELF, .port = port };

	cr_assert_eq(op(v, EVTCHNOP_status, &s, sizeof(s)), 0);
	return s;
}

static int64_t bind_vcpu(struct vcpu *v, uint32_t port, uint32_t vcpu)
{
	evtchn_bind_vcpu_t b = { .port = port, .vcpu = vcpu };

	return op(v, EVTCHNOP_bind_vcpu, &b, sizeof(b));
}

static uint32_t unbound(struct vcpu *v)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF, .remote_dom = 0 };

	cr_assert_eq(op(v, EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
	return a.port;
}

static uint32_t virq(struct vcpu *v, uint32_t nr)
{
	evtchn_bind_virq_t b = { .virq = nr, .vcpu = 0 };

	cr_assert_eq(op(v, EVTCHNOP_bind_virq, &b, sizeof(b)), 0);
	return b.port;
}

Test(evtchn_rows, no_physical_interrupts)
{
	evtchn_bind_pirq_t b = { .pirq = 40, .port = 77 };

	cr_assert_eq(op(v0, EVTCHNOP_bind_pirq, &b, sizeof(b)), -ENOMEM);
	cr_assert_eq(op(v1, EVTCHNOP_bind_pirq, &b, sizeof(b)), -ENOMEM);
	cr_assert_eq(b.port, 77); /* no reply */
	cr_assert_eq(d0->evtchn.active, 0);
	cr_assert_eq(call(v0, EVTCHNOP_bind_pirq, BAD), -EFAULT);
}

Test(evtchn_rows, ports_move_to_another_vcpu)
{
	uint32_t port = unbound(v1);
	evtchn_bind_interdomain_t b = { .remote_dom = 1, .remote_port = port };

	cr_assert_eq(status(v1, port).vcpu, 0);
	cr_assert_eq(bind_vcpu(v1, port, 1), 0);
	cr_assert_eq(status(v1, port).vcpu, 1);
	cr_assert_eq(op(v0, EVTCHNOP_bind_interdomain, &b, sizeof(b)), 0);
	cr_assert_eq(status(v1, port).status, EVTCHNSTAT_interdomain);
	cr_assert_eq(status(v1, port).vcpu, 1);
	cr_assert_eq(status(v0, b.local_port).vcpu, 0);
	cr_assert_eq(bind_vcpu(v1, port, 0), 0);
	cr_assert_eq(status(v1, port).vcpu, 0);
	/* A signal goes where the port has moved. */
	cr_assert_eq(bind_vcpu(v0, b.local_port, 1), 0);
	d0->vcpu[1]->own_info.evtchn_upcall_pending = 0;
	d0->shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	d0->shared_info->evtchn_pending[0] = 0;
	evtchn_send_from_hv(d0, b.local_port);
	cr_assert_eq(d0->vcpu[1]->own_info.evtchn_upcall_pending, 1);
	cr_assert_eq(d0->shared_info->vcpu_info[0].evtchn_upcall_pending, 0);
}

Test(evtchn_rows, virqs_move_when_they_are_the_machines)
{
	uint32_t global = virq(v0, VIRQ_CONSOLE);
	uint32_t own = virq(v0, VIRQ_TIMER);

	cr_assert_eq(bind_vcpu(v0, global, 1), 0);
	cr_assert_eq(status(v0, global).vcpu, 1);
	cr_assert_eq(bind_vcpu(v0, own, 1), -EINVAL);
	cr_assert_eq(status(v0, own).vcpu, 0);
}

Test(evtchn_rows, what_does_not_move)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	uint32_t port = unbound(v1);

	cr_assert_eq(op(v1, EVTCHNOP_bind_ipi, &b, sizeof(b)), 0);
	cr_assert_eq(bind_vcpu(v1, b.port, 1), -EINVAL);
	cr_assert_eq(bind_vcpu(v1, port, 2), -ENOENT);
	cr_assert_eq(bind_vcpu(v1, port, UINT32_MAX), -ENOENT);
	cr_assert_eq(bind_vcpu(v1, 0, 1), -EINVAL);
	cr_assert_eq(bind_vcpu(v1, port + 5, 1), -EINVAL); /* closed */
	cr_assert_eq(bind_vcpu(v1, UINT32_MAX, 1), -EINVAL);
	cr_assert_eq(call(v1, EVTCHNOP_bind_vcpu, BAD), -EFAULT);
	cr_assert_eq(status(v1, port).vcpu, 0);
}

Test(evtchn_rows, numbers_without_a_row)
{
	cr_assert_eq(call(v0, EVTCHNOP_set_priority + 1, ARG), -ENOSYS);
	cr_assert_eq(call(v0, UINT32_MAX, ARG), -ENOSYS);
}

static int64_t send(struct vcpu *v, uint32_t port)
{
	evtchn_send_t s = { .port = port };

	return op(v, EVTCHNOP_send, &s, sizeof(s));
}

static int64_t bind(struct vcpu *v, domid_t dom, uint32_t port)
{
	evtchn_bind_interdomain_t i = { .remote_dom = dom,
					.remote_port = port };

	return op(v, EVTCHNOP_bind_interdomain, &i, sizeof(i));
}

/* As boot joins them; the guests could not have done it. */
Test(evtchn_rows, joined_by_somebody_else)
{
	struct domain *d2 = make(2, false);
	struct vcpu *v2 = d2->vcpu[0];
	evtchn_close_t c = { .port = 11 };

	cr_assert_eq(evtchn_open_at(d1, 0, 2), -ENOSPC);
	cr_assert_eq(evtchn_open_at(d1, EVTCHN_2L_NR_CHANNELS, 2), -ENOSPC);
	cr_assert_eq(evtchn_open_at(d1, 300, 2), 0);
	cr_assert_eq(evtchn_open_at(d1, 300, 2), -EBUSY);
	cr_assert_eq(send(v1, 300), 0, "dropped");
	cr_assert_eq(evtchn_open_at(d2, 11, 1), 0);
	cr_assert_eq(evtchn_join(d1, 299, d2, 11), -EINVAL, "not open");
	cr_assert_eq(evtchn_join(d1, 300, d2, 10), -EINVAL, "not open");
	cr_assert_eq(evtchn_join(d1, 300, d2, EVTCHN_BUCKET_PORTS), -EINVAL);
	cr_assert_eq(evtchn_join(d1, 300, d2, 11), 0);
	cr_assert_eq(evtchn_join(d1, 300, d2, 11), -EINVAL, "joined");
	cr_assert(evtchn_is_pending(d2, 11) && !evtchn_is_pending(d1, 300));
	cr_assert_eq(send(v2, 11), 0);
	cr_assert(evtchn_is_pending(d1, 300));
	cr_assert_eq(status(v1, 300).u.interdomain.port, 11);
	/* Both kinds of ports live side by side. */
	cr_assert_eq(unbound(v1), 1);
	/* Closed, it waits for the same peer, which may not come by itself. */
	cr_assert_eq(op(v2, EVTCHNOP_close, &c, sizeof(c)), 0);
	cr_assert_eq(status(v1, 300).status, EVTCHNSTAT_unbound);
	cr_assert_eq(bind(v2, 1, 300), -EPERM);
	cr_assert_eq(bind(v2, 1, 1), -EINVAL, "no word about what is there");
	/* Both ends in one domain. */
	cr_assert_eq(evtchn_open_at(d2, 20, 2), 0);
	cr_assert_eq(evtchn_open_at(d2, 21, 2), 0);
	cr_assert_eq(evtchn_join(d2, 20, d2, 21), 0);
	cr_assert_eq(send(v2, 20), 0);
	cr_assert(evtchn_is_pending(d2, 21));
	drop(d2);
}

/* The next life of a domain has what boot gave it, and nothing else. */
Test(evtchn_rows, reset_keeps_what_boot_opened)
{
	struct domain *d2 = make(2, false);
	struct vcpu *v2 = d2->vcpu[0];
	evtchn_close_t c = { .port = 300 };

	cr_assert_eq(evtchn_open_at(d1, 300, 2), 0);
	cr_assert_eq(evtchn_open_at(d2, 11, 1), 0);
	cr_assert_eq(evtchn_join(d1, 300, d2, 11), 0);
	cr_assert_eq(unbound(v1), 1);
	cr_assert_eq(send(v2, 11), 0);
	while (evtchn_reset_step(d1) == -EAGAIN) {
	}
	cr_assert_eq(d1->evtchn.active, 1);
	cr_assert(!evtchn_is_pending(d1, 300), "of the last life");
	cr_assert_eq(status(v1, 1).status, EVTCHNSTAT_closed);
	cr_assert_eq(status(v1, 300).u.interdomain.port, 11);
	cr_assert_eq(send(v2, 11), 0);
	cr_assert(evtchn_is_pending(d1, 300));
	/* What it closed itself does not come again. */
	cr_assert_eq(op(v1, EVTCHNOP_close, &c, sizeof(c)), 0);
	while (evtchn_reset_step(d1) == -EAGAIN) {
	}
	cr_assert_eq(d1->evtchn.active, 0);
	drop(d2);
}

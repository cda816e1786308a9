/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels in the 2-level format, from birth on: ports between two ends
 * of this domain, VIRQs, IPIs, masks, and the upcall interrupt. vCPUs are the
 * matter of evtchn_vcpu, the FIFO format that of evtchn_fifo.
 */
#include "port.h"

static void ipi_delivers(void)
{
	uint32_t port = port_ipi(0);
	unsigned int ppi = machine.intid_evtchn;

	irq_hook = ports_take;
	ports_forget();
	EXPECT_EQ(port_status(port).status, EVTCHNSTAT_ipi);
	EXPECT_EQ(port_send(port), 0);
	CHECK(port_pending(port));
	EXPECT_EQ(shared->vcpu_info[0].evtchn_upcall_pending, 1);
	EXPECT_EQ(shared->vcpu_info[0].evtchn_pending_sel,
		  UINT64_C(1) << port / 64);
	CHECK(irq_wait(ppi, 1));
	pump_us(200);
	EXPECT_EQ(this_cpu()->irq_count[ppi], 1);
	EXPECT_EQ(port_send(port), 0);
	CHECK(irq_wait(ppi, 2));
	EXPECT_EQ(port_close(port), 0);
	EXPECT_EQ(port_status(port).status, EVTCHNSTAT_closed);
	EXPECT_EQ(port_close(port), -EINVAL);
	EXPECT_EQ(port_send(port), -EINVAL);
}

/* A second send of what is pending already makes no second upcall. */
static void pending_once(void)
{
	uint32_t port = port_ipi(0);
	unsigned int ppi = machine.intid_evtchn;

	ports_forget();
	EXPECT_EQ(port_send(port), 0);
	EXPECT_EQ(port_send(port), 0);
	irq_hook = ports_take;
	CHECK(irq_wait(ppi, 1));
	pump_us(200);
	EXPECT_EQ(this_cpu()->irq_count[ppi], 1);
	port_close(port);
}

static void masked(void)
{
	uint32_t port = port_ipi(0);
	unsigned int ppi = machine.intid_evtchn;
	evtchn_unmask_t u = { .port = port };

	irq_hook = ports_take;
	ports_forget();
	bitmap_set(shared->evtchn_mask, port);
	EXPECT_EQ(port_send(port), 0);
	CHECK(port_pending(port));
	EXPECT_EQ(shared->vcpu_info[0].evtchn_upcall_pending, 0);
	EXPECT_EQ(shared->vcpu_info[0].evtchn_pending_sel, 0);
	pump_us(200);
	EXPECT_EQ(this_cpu()->irq_count[ppi], 0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_unmask, &u), 0);
	CHECK(!bitmap_bit(shared->evtchn_mask, port));
	CHECK(irq_wait(ppi, 1));
	port_close(port);
}

/* Binding leaves the mask bit of the port as the guest has it. */
static void mask_is_the_guests(void)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	unsigned int round;
	unsigned int i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 64; i++) {
			shared->evtchn_mask[i] = -(xen_ulong_t)round;
		}
		EXPECT_EQ(EVTCHN(EVTCHNOP_bind_ipi, &b), 0);
		EXPECT_EQ(bitmap_bit(shared->evtchn_mask, b.port), round);
		port_close(b.port);
	}
}

static void interdomain(void)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };
	evtchn_status_t s;

	EXPECT_EQ(EVTCHN(EVTCHNOP_alloc_unbound, &a), 0);
	EXPECT_EQ(port_status(a.port).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_send(a.port), 0);		/* unbound: dropped */
	CHECK(!port_pending(a.port));
	b.remote_port = a.port;
	ports_forget();
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), 0);
	CHECK(b.local_port != a.port);
	CHECK(port_pending(b.local_port));		/* once, at birth */
	s = port_status(b.local_port);
	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.u.interdomain.dom, 0);
	EXPECT_EQ(s.u.interdomain.port, a.port);
	EXPECT_EQ(port_status(a.port).u.interdomain.port, b.local_port);
	ports_forget();
	EXPECT_EQ(port_send(b.local_port), 0);
	CHECK(port_pending(a.port) && !port_pending(b.local_port));
	EXPECT_EQ(port_send(a.port), 0);
	CHECK(port_pending(b.local_port));
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), -EINVAL);
	EXPECT_EQ(port_close(a.port), 0);
	EXPECT_EQ(port_status(a.port).status, EVTCHNSTAT_closed);
	EXPECT_EQ(port_status(b.local_port).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_close(b.local_port), 0);
	ports_forget();
}

static void virqs(void)
{
	evtchn_bind_virq_t b = { .virq = VIRQ_TIMER, .vcpu = 0 };
	uint32_t first;
	evtchn_status_t s;

	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_virq, &b), 0);
	first = b.port;
	s = port_status(first);
	EXPECT_EQ(s.status, EVTCHNSTAT_virq);
	EXPECT_EQ(s.u.virq, VIRQ_TIMER);
	EXPECT_EQ(s.vcpu, 0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_virq, &b), -EEXIST);
	EXPECT_EQ(port_send(first), -EINVAL);	/* only the hypervisor raises */
	EXPECT_EQ(port_close(first), 0);
	b.virq = VIRQ_CONSOLE;
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_virq, &b), 0);
	EXPECT_EQ(port_close(b.port), 0);
	b.vcpu = 1;			/* a global one starts on vCPU 0 */
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_virq, &b), -EINVAL);
}

const struct test guest_tests[] = {
	{ "ports_init", ports_init },
	{ "ipi_delivers", ipi_delivers },
	{ "pending_once", pending_once },
	{ "masked", masked },
	{ "mask_is_the_guests", mask_is_the_guests },
	{ "interdomain", interdomain },
	{ "virqs", virqs },
	{ NULL, NULL },
};

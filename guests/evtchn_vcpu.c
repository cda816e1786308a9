/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels and vCPUs: vcpu_info pages of one's own, ports that belong
 * to another vCPU, and running out of ports.
 */
#include "port.h"

/* The vcpu_info moves; what was pending is announced again, once. */
static void register_info(void)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
	vcpu_register_vcpu_info_t r = { .mfn = PTR(page) / PAGE_SIZE,
					.offset = 128 };
	volatile vcpu_info_t *v = (volatile void *)(page + 128);
	uint32_t port = port_ipi(0);

	ports_forget();
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0,
		      PTR(&r)), 0);
	EXPECT_EQ(v->evtchn_upcall_pending, 1);
	EXPECT_EQ(v->evtchn_pending_sel, ~UINT64_C(0));
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0,
		      PTR(&r)), -EINVAL);
	v->evtchn_pending_sel = 0;
	v->evtchn_upcall_pending = 0;
	ports_forget();
	EXPECT_EQ(port_send(port), 0);
	EXPECT_EQ(v->evtchn_upcall_pending, 1);
	EXPECT_EQ(shared->vcpu_info[0].evtchn_upcall_pending, 0);
	v->evtchn_upcall_pending = 0;
	port_close(port);
	pump_us(100);
}

/* A port can be told to another CPU, which then gets the upcall. */
static void register_and_listen(void *arg)
{
	vcpu_register_vcpu_info_t *r = arg;

	r->rsvd = (uint32_t)hc3(__HYPERVISOR_vcpu_op,
				VCPUOP_register_vcpu_info, 1, PTR(r));
	gic_enable(machine.intid_evtchn);
	pump_us(100);
	irq_counts_clear();
}

static void listen(void *arg)
{
	(void)arg;
	CHECK(irq_wait(machine.intid_evtchn, 1));
}

static void other_cpu(void)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
	vcpu_register_vcpu_info_t r = { .mfn = PTR(page) / PAGE_SIZE };
	volatile vcpu_info_t *v = (volatile void *)page;
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };
	evtchn_bind_vcpu_t to = { .vcpu = 1 };

	if (machine.nr_cpus < 2) {
		return;
	}
	EXPECT_EQ(cpu_start(1), 0);
	CHECK(cpu_call(1, register_and_listen, &r));
	EXPECT_EQ(r.rsvd, 0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_alloc_unbound, &a), 0);
	b.remote_port = a.port;
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), 0);
	to.port = a.port;
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_vcpu, &to), 0);
	EXPECT_EQ(port_status(a.port).vcpu, 1);
	bitmap_clear(shared->evtchn_pending, a.port);
	bitmap_clear(shared->evtchn_mask, a.port);
	v->evtchn_upcall_pending = 0;
	v->evtchn_pending_sel = 0;
	cpu_run(1, listen, NULL);
	EXPECT_EQ(port_send(b.local_port), 0);
	CHECK(cpu_wait(1));
	EXPECT_EQ(v->evtchn_upcall_pending, 1);
	CHECK(port_pending(a.port));
	to.port = port_ipi(0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_vcpu, &to), -EINVAL);	/* IPIs stay */
}

/* Every port that can be had, and an error for the next; then all back. */
static void exhaustion(void)
{
	static uint32_t ports[4200];
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	unsigned int n = 0;
	unsigned int i;
	int64_t rc = 0;

	while (n < ARRAY_SIZE(ports)) {
		rc = EVTCHN(EVTCHNOP_bind_ipi, &b);
		if (rc) {
			break;
		}
		ports[n++] = b.port;
	}
	EXPECT_EQ(rc, -ENOSPC);
	CHECK(n > 1000 && n < 4096);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(port_close(ports[i]), 0);
	}
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_ipi, &b), 0);
	EXPECT_EQ(port_close(b.port), 0);
}

const struct test guest_tests[] = {
	{ "ports_init", ports_init },
	{ "exhaustion", exhaustion },
	{ "register_info", register_info },
	{ "other_cpu", other_cpu },
	{ NULL, NULL },
};

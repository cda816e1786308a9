/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels that the device tree made between two domains which did not
 * ask: this program is both. The one with "first" in its bootargs is domain 1
 * and has its ports 10 and 300 joined with ports 11 and 12 of domain 2, and its
 * port 20 with its own port 21. With "alone" the other was refused.
 */
#include "port.h"

#define ROUNDS 50u

static bool first;
static bool alone;
static uint32_t talk;	/* our end of the channel that is used */
static uint32_t spare;	/* of the one that is closed */
static volatile unsigned int signals;	/* that came by talk */

static void expect_pair(uint32_t port, unsigned int dom, uint32_t other)
{
	evtchn_status_t s = port_status(port);

	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.vcpu, 0);
	EXPECT_EQ(s.u.interdomain.dom, dom);
	EXPECT_EQ(s.u.interdomain.port, other);
}

/* Xen joins from the second of the two nodes: that end is pending once. */
static void at_birth(void)
{
	first = has_bootarg("first");
	alone = has_bootarg("alone");
	talk = first ? 10 : 11;
	spare = first ? 300 : 12;
	ports_map();
	if (first) { /* into its port 10 the other one may have sent already */
		CHECK(!port_pending(300) && !port_pending(20));
		CHECK(port_pending(21));
	} else {
		CHECK(port_pending(11) && port_pending(12));
	}
	EXPECT_EQ(shared->vcpu_info[0].evtchn_upcall_pending, 1);
	bitmap_clear(shared->evtchn_pending, first ? 21 : 11);
	bitmap_clear(shared->evtchn_pending, 12);
	ports_listen();
	if (first) {
		expect_pair(20, 1, 21);
		expect_pair(21, 1, 20);
	}
	if (!alone) {
		expect_pair(talk, first ? 2 : 1, first ? 11 : 10);
		expect_pair(spare, first ? 2 : 1, first ? 12 : 300);
	}
}

/* What is bound later takes other numbers. */
static void own_ports(void)
{
	uint32_t port = port_ipi(0);

	EXPECT_EQ(port, 1);
	EXPECT_EQ(port_send(port), 0);
	EXPECT_EQ(port_close(port), 0);
}

static void to_itself(void)
{
	if (!first) {
		return;
	}
	EXPECT_EQ(port_send(20), 0);
	CHECK(port_pending(21));
	bitmap_clear(shared->evtchn_pending, 21);
	EXPECT_EQ(port_send(21), 0);
	CHECK(port_pending(20));
	bitmap_clear(shared->evtchn_pending, 20);
}

/* What comes later is in the bits, and comes with an interrupt of its own. */
static void take_upcall(unsigned int intid)
{
	if (intid == machine.intid_evtchn) {
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
		shared->vcpu_info[0].evtchn_pending_sel = 0;
		dsb();
		if (port_pending(talk)) {
			bitmap_clear(shared->evtchn_pending, talk);
			signals++;
		}
	}
}

/* The next signal: it is known by the interrupt alone. */
static bool wait_signal(void)
{
	static unsigned int n;

	irq_hook = take_upcall;
	return wait_count(&signals, ++n);
}

/* One begins; each signal is answered, and comes with an interrupt. */
static void to_each_other(void)
{
	unsigned int i;

	if (alone) {
		return;
	}
	if (first) {
		CHECK(wait_signal());	/* the other one is ready */
	} else {
		EXPECT_EQ(port_send(talk), 0);
	}
	for (i = 0; i < ROUNDS; i++) {
		if (first) {
			EXPECT_EQ(port_send(talk), 0);
		}
		CHECK(wait_signal());
		if (!first) {
			EXPECT_EQ(port_send(talk), 0);
		}
	}
}

/* Closed it is as any other, and what dom0 alone may do is not possible. */
static void one_end_is_closed(void)
{
	evtchn_bind_interdomain_t b = {
		.remote_dom = first ? 2 : 1, .remote_port = first ? 12 : 300,
	};

	if (alone) {
		return;
	}
	if (first) {
		EXPECT_EQ(port_close(spare), 0);
		EXPECT_EQ(port_status(spare).status, EVTCHNSTAT_closed);
		EXPECT_EQ(port_send(spare), -EINVAL);
		EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), -EPERM);
		EXPECT_EQ(port_send(talk), 0);	/* the other may look now */
		CHECK(wait_signal());
		return;
	}
	CHECK(wait_signal());
	EXPECT_EQ(port_status(spare).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_status(spare).u.unbound.dom, 1);
	EXPECT_EQ(port_send(spare), 0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_interdomain, &b), -EINVAL);
	EXPECT_EQ(port_send(talk), 0);
}

/* Nobody is at the other end: what is sent is lost, and no fault. */
static void without_the_other(void)
{
	if (!alone) {
		return;
	}
	EXPECT_EQ(port_status(talk).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_send(talk), 0);
	EXPECT_EQ(port_close(talk), 0);
	EXPECT_EQ(port_status(talk).status, EVTCHNSTAT_closed);
}

const struct test guest_tests[] = {
	{ "at_birth", at_birth },
	{ "own_ports", own_ports },
	{ "to_itself", to_itself },
	{ "to_each_other", to_each_other },
	{ "one_end_is_closed", one_end_is_closed },
	{ "without_the_other", without_the_other },
	{ NULL, NULL },
};

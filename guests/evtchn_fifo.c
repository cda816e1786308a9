/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels in the FIFO format: control block, event array, queues in
 * order of sending and by priority, masks. Once on, it stays on.
 */
#include "guest.h"

#define OP(op, arg)	hc2(__HYPERVISOR_event_channel_op, op, PTR(arg))
#define PENDING		(1u << EVTCHN_FIFO_PENDING)
#define MASKED		(1u << EVTCHN_FIFO_MASKED)
#define LINKED		(1u << EVTCHN_FIFO_LINKED)
#define LINK(w)		((w) & ((1u << EVTCHN_FIFO_LINK_BITS) - 1))
#define WORDS		1024u

static uint8_t info_page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t control_page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t vcpu_page[PAGE_SIZE] __attribute__((aligned(4096)));
static volatile uint32_t words[2][WORDS] __attribute__((aligned(4096)));
static evtchn_fifo_control_block_t *control = (void *)control_page;
static vcpu_info_t *vcpu = (void *)vcpu_page;
static uint32_t seen[64];
static unsigned int nr_seen;

static volatile uint32_t *word(uint32_t port)
{
	return &words[port / WORDS][port % WORDS];
}

/* Consumes one queue the way the interface describes; the last one is 0. */
static void drain(unsigned int q)
{
	uint32_t head = control->head[q];

	while (head) {
		volatile uint32_t *w = word(head);
		uint32_t old = __atomic_fetch_and(w, ~LINKED & ~LINK(~0u),
						  __ATOMIC_SEQ_CST);

		if ((old & PENDING) && !(old & MASKED) &&
		    nr_seen < ARRAY_SIZE(seen)) {
			seen[nr_seen++] = head;
			__atomic_fetch_and(w, ~PENDING, __ATOMIC_SEQ_CST);
		}
		head = LINK(old);
	}
	control->head[q] = 0;
}

static void take_all(void)
{
	uint32_t ready;
	unsigned int q;

	vcpu->evtchn_upcall_pending = 0;
	dsb();
	ready = __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
	for (q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
		if (ready >> q & 1) {
			drain(q);
		}
	}
}

static void upcall(unsigned int intid)
{
	(void)intid;
	take_all();
}

static uint32_t new_ipi(void)
{
	evtchn_bind_ipi_t b = { .vcpu = 0 };

	EXPECT_EQ(OP(EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static int64_t send(uint32_t port)
{
	evtchn_send_t s = { .port = port };

	return OP(EVTCHNOP_send, &s);
}

static int64_t unmask(uint32_t port)
{
	evtchn_unmask_t u = { .port = port };

	return OP(EVTCHNOP_unmask, &u);
}

static void map_pages(void)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info,
		.gpfn = PTR(info_page) / PAGE_SIZE,
	};
	vcpu_register_vcpu_info_t r = { .mfn = PTR(vcpu_page) / PAGE_SIZE };

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	EXPECT_EQ(hc3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0,
		      PTR(&r)), 0);
	gic_enable(machine.intid_evtchn);
	vcpu->evtchn_upcall_pending = 0;
	pump_us(100);
}

/* A port that is pending before the switch is found after it. */
static void switch_over(void)
{
	evtchn_init_control_t c = {
		.control_gfn = PTR(control_page) / PAGE_SIZE, .vcpu = 0,
	};
	evtchn_expand_array_t e = { .array_gfn = PTR(words[0]) / PAGE_SIZE };
	evtchn_set_priority_t p = { .port = 1, .priority = 3 };
	volatile shared_info_t *info = (volatile void *)info_page;
	uint32_t port = new_ipi();
	unsigned int i;

	/* It is the guest who says what a new word starts as. */
	for (i = 0; i < 2 * WORDS; i++) {
		*word(i) = i == port ? 0 : MASKED;
	}
	info->evtchn_mask[port / 64] &= ~(UINT64_C(1) << port % 64);
	EXPECT_EQ(send(port), 0);
	EXPECT_EQ(OP(EVTCHNOP_expand_array, &e), -EOPNOTSUPP);
	EXPECT_EQ(OP(EVTCHNOP_set_priority, &p), -ENOSYS);
	c.offset = 4;
	EXPECT_EQ(OP(EVTCHNOP_init_control, &c), -EINVAL);
	c.offset = 4096 - 64;
	EXPECT_EQ(OP(EVTCHNOP_init_control, &c), -EINVAL);
	c.offset = 0;
	c.vcpu = 77;
	EXPECT_EQ(OP(EVTCHNOP_init_control, &c), -ENOENT);
	c.vcpu = 0;
	EXPECT_EQ(OP(EVTCHNOP_init_control, &c), 0);
	EXPECT_EQ(c.link_bits, EVTCHN_FIFO_LINK_BITS);
	EXPECT_EQ(OP(EVTCHNOP_expand_array, &e), 0);
	EXPECT_EQ(*word(port), PENDING | LINKED);
	EXPECT_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
	EXPECT_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	pump_us(100);
	nr_seen = 0;
	take_all();
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(OP(EVTCHNOP_init_control, &c), -EINVAL);
}

static void order_of_sending(void)
{
	uint32_t port[4];
	unsigned int i;

	take_all();
	nr_seen = 0;
	for (i = 0; i < 4; i++) {
		port[i] = new_ipi();
		CHECK(*word(port[i]) & MASKED);
		EXPECT_EQ(unmask(port[i]), 0);
		CHECK(!(*word(port[i]) & MASKED));
	}
	EXPECT_EQ(send(port[2]), 0);
	CHECK(*word(port[2]) & PENDING);
	CHECK(*word(port[2]) & LINKED);
	EXPECT_EQ(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port[2]);
	EXPECT_EQ(control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	EXPECT_EQ(vcpu->evtchn_upcall_pending, 1);
	EXPECT_EQ(send(port[0]), 0);
	EXPECT_EQ(LINK(*word(port[2])), port[0]);
	EXPECT_EQ(send(port[3]), 0);
	EXPECT_EQ(send(port[0]), 0);
	irq_hook = upcall;
	CHECK(irq_wait(machine.intid_evtchn, 1));
	pump_us(100);
	EXPECT_EQ(nr_seen, 3);
	EXPECT_EQ(seen[0], port[2]);
	EXPECT_EQ(seen[1], port[0]);
	EXPECT_EQ(seen[2], port[3]);
	EXPECT_EQ(send(port[1]), 0);
	CHECK(irq_wait(machine.intid_evtchn, 2));
	EXPECT_EQ(seen[3], port[1]);
}

static void by_priority(void)
{
	uint32_t low = new_ipi();
	uint32_t high = new_ipi();
	evtchn_set_priority_t p = { .port = high, .priority = 2 };

	EXPECT_EQ(OP(EVTCHNOP_set_priority, &p), 0);
	p.priority = 16;
	EXPECT_EQ(OP(EVTCHNOP_set_priority, &p), -EINVAL);
	p.port = 4000;
	p.priority = 2;
	EXPECT_EQ(OP(EVTCHNOP_set_priority, &p), -EINVAL);
	unmask(low);
	unmask(high);
	take_all();
	nr_seen = 0;
	EXPECT_EQ(send(low), 0);
	EXPECT_EQ(send(high), 0);
	EXPECT_EQ(control->head[2], high);
	EXPECT_EQ(control->head[7], low);
	EXPECT_EQ(control->ready, 1u << 2 | 1u << 7);
	take_all();
	EXPECT_EQ(nr_seen, 2);
	EXPECT_EQ(seen[0], high);
	EXPECT_EQ(seen[1], low);
}

static void masked(void)
{
	uint32_t port = new_ipi();

	pump_us(100);
	take_all();
	nr_seen = 0;
	EXPECT_EQ(send(port), 0);
	EXPECT_EQ(*word(port) & (PENDING | LINKED), PENDING);
	EXPECT_EQ(vcpu->evtchn_upcall_pending, 0);
	EXPECT_EQ(unmask(port), 0);
	CHECK(*word(port) & LINKED);
	EXPECT_EQ(vcpu->evtchn_upcall_pending, 1);
	take_all();
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(seen[0], port);
}

/* Ports beyond the array may be had; what they are sent has no place yet. */
static void growing(void)
{
	evtchn_expand_array_t e = { .array_gfn = PTR(words[1]) / PAGE_SIZE };
	evtchn_bind_ipi_t b = { .vcpu = 0 };
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		EXPECT_EQ(OP(EVTCHNOP_bind_ipi, &b), 0);
	}
	EXPECT_EQ(send(b.port), 0);
	EXPECT_EQ(*word(b.port), MASKED);
	EXPECT_EQ(OP(EVTCHNOP_expand_array, &e), 0);
	EXPECT_EQ(OP(EVTCHNOP_bind_ipi, &b), 0);
	CHECK(b.port >= WORDS && b.port < 2 * WORDS);
	unmask(b.port);
	take_all();
	nr_seen = 0;
	EXPECT_EQ(send(b.port), 0);
	take_all();
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(seen[0], b.port);
}

/* What a guest scribbles over the queues hurts nobody else. */
static void scribble(void)
{
	uint32_t port = new_ipi();
	unsigned int i;

	unmask(port);
	for (i = 0; i < WORDS; i++) {
		words[0][i] = 0xffffffff;
		words[1][i] = 0x3ffffu | LINKED;
	}
	for (i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
		control->head[i] = 0x3ffff;
	}
	control->ready = 0xffffffff;
	for (i = 0; i < 64; i++) {
		send(port);
		unmask(i);
		words[0][i] = i << 20 | i;
	}
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0),
		  4 << 16 | 17);
}

const struct test guest_tests[] = {
	{ "map_pages", map_pages },
	{ "switch_over", switch_over },
	{ "order_of_sending", order_of_sending },
	{ "by_priority", by_priority },
	{ "masked", masked },
	{ "growing", growing },
	{ "scribble", scribble },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Event channels in the 2-level format: what their tests share. */
#include "port.h"

static uint8_t info_page[PAGE_SIZE] __attribute__((aligned(4096)));
volatile shared_info_t *const shared = (volatile void *)info_page;

bool bitmap_bit(const volatile void *map, uint32_t port)
{
	const volatile uint64_t *word = map;

	return word[port / 64] >> (port % 64) & 1;
}

bool port_pending(uint32_t port)
{
	return bitmap_bit(shared->evtchn_pending, port);
}

void bitmap_clear(volatile void *map, uint32_t port)
{
	volatile uint64_t *word = (volatile uint64_t *)map + port / 64;

	__atomic_and_fetch(word, ~(UINT64_C(1) << port % 64),
			   __ATOMIC_SEQ_CST);
}

void bitmap_set(volatile void *map, uint32_t port)
{
	volatile uint64_t *word = (volatile uint64_t *)map + port / 64;

	__atomic_or_fetch(word, UINT64_C(1) << port % 64, __ATOMIC_SEQ_CST);
}

/* Everything seen: no port, no selector, no upcall is pending. */
void ports_forget(void)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		shared->evtchn_pending[i] = 0;
	}
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	dsb();
}

void ports_map(void)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info,
		.gpfn = PTR(info_page) / PAGE_SIZE,
	};

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	EXPECT_EQ(sizeof(*shared), 1088);
}

void ports_listen(void)
{
	gic_config_edge(machine.intid_evtchn, false);
	gic_enable(machine.intid_evtchn);
}

void ports_init(void)
{
	ports_map();
	ports_listen();
	ports_forget();
}

uint32_t port_ipi(unsigned int vcpu)
{
	evtchn_bind_ipi_t b = { .vcpu = vcpu };

	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_ipi, &b), 0);
	CHECK(b.port > 0 && b.port < 4096);
	bitmap_clear(shared->evtchn_mask, b.port);
	return b.port;
}

int64_t port_send(uint32_t port)
{
	evtchn_send_t s = { .port = port };

	return EVTCHN(EVTCHNOP_send, &s);
}

int64_t port_close(uint32_t port)
{
	evtchn_close_t c = { .port = port };

	return EVTCHN(EVTCHNOP_close, &c);
}

evtchn_status_t port_status(uint32_t port)
{
	evtchn_status_t s = { .dom = DOMID_SELF, .port = port };

	EXPECT_EQ(EVTCHN(EVTCHNOP_status, &s), 0);
	return s;
}

/* Counts upcalls and takes everything that is pending. */
void ports_take(unsigned int intid)
{
	(void)intid;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	dsb();
	ports_forget();
}

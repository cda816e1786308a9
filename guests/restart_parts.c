/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that begins again, with all that the device tree may have given it:
 * static memory at the machine's addresses, a shared page, event channels, a
 * device, CPUs. "victim" in the bootargs is domain 1: each life finds what is
 * promised, spoils it and ends in another way; the last one stays. "peer" is
 * domain 2: it shares the page and is at the other end of the channels.
 */
#include <libfdt.h>

#include "port.h"

#define VICTIM 1u
#define PEER 2u
#define LIVES 13u	/* the last one does not end */
#define RAM UINT64_C(0x60000000)
#define MAGIC UINT64_C(0x5ead000000000000)
#define ANSWER 100u

#define RTC UINT64_C(0x10000000)
#define RTC_DR 0x00u
#define RTC_MR 0x04u
#define RTC_IMSC 0x10u
#define RTC_RIS 0x14u
#define RTC_ICR 0x1cu

/* Words of the shared page. */
enum { LIFE, GREETING, REPLY };

static volatile uint64_t *const page = (void *)MAP_WINDOW;
static uint64_t page_at;
static uint64_t life;
static unsigned int intid;	/* of the device */
static unsigned int high_for;	/* interrupts: then its line goes down */
static volatile uint32_t in_image = 1;

static volatile uint64_t *outside(unsigned int n)
{
	return (void *)(uintptr_t)(RAM + (3u << 20) + n * PAGE_SIZE);
}

static void find_shared_page(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "xen,shared-memory-v1");
	const fdt32_t *reg = fdt_getprop(machine.fdt, node, "reg", NULL);

	CHECK(reg);
	page_at = (uint64_t)fdt32_to_cpu(reg[0]) << 32 | fdt32_to_cpu(reg[1]);
	mmu_window(0, page_at, MAP_RW);
}

static void unmap_shared_page(void)
{
	xen_remove_from_physmap_t gone = { .domid = DOMID_SELF,
					   .gpfn = page_at / PAGE_SIZE };

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		      PTR(&gone)), 0);
}

/* ---- channels -------- */

static void on_interrupt(unsigned int id)
{
	if (id == machine.intid_evtchn) {
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
		shared->vcpu_info[0].evtchn_pending_sel = 0;
		dsb();
	} else if (id == intid && --high_for == 0) {
		mmio_write32(RTC + RTC_ICR, 1);
	}
}

static void wait_for(uint32_t port)
{
	while (!port_pending(port)) {
		wfi();
		irq_on();
		irq_off();
	}
	bitmap_clear(shared->evtchn_pending, port);
}

static void expect_joined(uint32_t port, unsigned int dom, uint32_t other)
{
	evtchn_status_t s = port_status(port);

	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.vcpu, 0);
	EXPECT_EQ(s.u.interdomain.dom, dom);
	EXPECT_EQ(s.u.interdomain.port, other);
}

/* ---- the peer -------- */

/* What it sees of its own ends does not change when the other begins again. */
static void be_peer(void)
{
	uint64_t seen;

	page[GREETING] = MAGIC;
	do {
		wait_for(11);
		expect_joined(11, VICTIM, 10);
		EXPECT_EQ(port_status(13).status, EVTCHNSTAT_unbound);
		EXPECT_EQ(port_status(13).u.unbound.dom, VICTIM);
		EXPECT_EQ(port_send(13), 0);
		seen = page[LIFE];
		page[REPLY] = seen + ANSWER;
		EXPECT_EQ(port_send(11), 0);
	} while (seen < LIVES);
}

/* ---- a life of the victim -------- */

static void memory_is_new(void)
{
	xen_pfn_t gone = PTR(outside(1)) / PAGE_SIZE;
	xen_memory_reservation_t r = { .nr_extents = 1, .domid = DOMID_SELF };
	unsigned int i;

	EXPECT_EQ(machine.ram[0].base, RAM);
	EXPECT_EQ(in_image, 1);
	in_image = 2;
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(*outside(i), 0);
		*outside(i) = MAGIC;
	}
	set_xen_guest_handle(r.extent_start, &gone);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation,
		      PTR(&r)), 1);
}

static void shared_page_is_as_left(void)
{
	while (page[GREETING] != MAGIC) {
		EXPECT_EQ(page[LIFE], 0);
	}
	EXPECT_EQ(page[REPLY], page[LIFE] ? page[LIFE] + ANSWER : 0);
	life = ++page[LIFE];
}

static void channels_are_there(void)
{
	ports_map();
	EXPECT_EQ(bitmap_bit(shared->evtchn_mask, 10), 0);
	if (life > 1) {
		CHECK(!port_pending(10) && !port_pending(12));
	}
	ports_listen();
	ports_forget();
	expect_joined(10, PEER, 11);
	if (life == 1) {
		expect_joined(12, PEER, 13);
		EXPECT_EQ(port_close(12), 0);
	}
	EXPECT_EQ(port_status(12).status, EVTCHNSTAT_closed);
	EXPECT_EQ(port_send(10), 0);
	wait_for(10);
	EXPECT_EQ(page[REPLY], life + ANSWER);
}

/* The line goes up, for so many interrupts if it is taken as a level. */
static void alarm(unsigned int n)
{
	high_for = n;
	do {			/* again when a second went by in between */
		mmio_write32(RTC + RTC_MR, mmio_read32(RTC + RTC_DR));
	} while (mmio_read32(RTC + RTC_RIS) == 0);
}

static void on_the_other(void *arg)
{
	(void)arg;
	irq_counts_clear();
	alarm(1);
	CHECK(irq_wait(intid, 1));
}

static void device_works(void)
{
	int node = fdt_path_offset(machine.fdt, "/passthrough/rtc@10000000");
	const fdt32_t *irq = fdt_getprop(machine.fdt, node, "interrupts", NULL);
	/* QEMU's GICv2 looks at no line when a list register ends. */
	unsigned int n = machine.gic_version == 2 ? 1 : 2;
	unsigned int i;

	CHECK(irq);
	intid = fdt32_to_cpu(irq[1]) + 32;
	EXPECT_EQ(gic_bit(intid, GICD_ISENABLER), 0);
	EXPECT_EQ(gic_bit(intid, GICD_ISACTIVER), 0);
	mmio_write32(RTC + RTC_ICR, 1);
	pump_us(20);
	EXPECT_EQ(gic_bit(intid, GICD_ISPENDR), 0);
	EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	gic_enable(intid);	/* at the level that it has from reset */
	mmio_write32(RTC + RTC_IMSC, 1);
	irq_counts_clear();
	for (i = 0; i < 3; i++) {
		alarm(n);
		CHECK(irq_wait(intid, (i + 1) * n));
	}
	pump_us(20);
	EXPECT_EQ(this_cpu()->irq_count[intid], 3 * n);
	EXPECT_EQ(cpu_start(1), 0);
	gic_route(intid, 1);
	CHECK(cpu_call(1, on_the_other, NULL));
}

/* ---- and its end -------- */

/* Nothing of it is as it was: the format too, in every second life. */
static void spoil_channels(void)
{
	evtchn_bind_vcpu_t to = { .port = 10, .vcpu = 1 };
	evtchn_init_control_t fifo = { .control_gfn = PTR(outside(2)) /
						      PAGE_SIZE };

	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_vcpu, &to), 0);
	bitmap_set(shared->evtchn_mask, 10);
	if (life % 2) {
		EXPECT_EQ(EVTCHN(EVTCHNOP_init_control, &fifo), 0);
	}
}

/*
 * Leaves its interrupt active with the line high; or, masked, pending; as an
 * edge, on the other CPU.
 */
static void spoil_device(void)
{
	uint64_t end = counter() + us_to_ticks(HANG_US);

	gic_disable(intid);
	gic_config_edge(intid, true);
	if (life % 2) {
		gic_route(intid, 0);
		gic_enable(intid);
	}
	alarm(1);
	if (life % 2) {
		while (gic_ack() != intid && counter() < end) {
		}
		EXPECT_EQ(gic_bit(intid, GICD_ISACTIVER), 1);
	}
}

static void end(void)
{
	sched_shutdown_t crash = { .reason = SHUTDOWN_crash };

	printf("ends life %lu\n", life);
	if (life % 3 == 0) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, PTR(&crash));
	} else if (life % 3 == 1) {
		smccc_hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	}
	smccc_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
}

static void be_victim(void)
{
	memory_is_new();
	shared_page_is_as_left();
	channels_are_there();
	device_works();
	if (life == LIVES) {
		printf("the last life\n");
		for (;;) {
			wfi();
			irq_on();
			irq_off();
		}
	}
	spoil_channels();
	spoil_device();
	unmap_shared_page();
	end();
}

static void by_command_line(void)
{
	irq_hook = on_interrupt;
	find_shared_page();
	if (has_bootarg("victim")) {
		be_victim();
	} else {
		ports_init();
		be_peer();
	}
}

const struct test guest_tests[] = {
	{ "by_command_line", by_command_line },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor's paths cost on one CPU (lib/bench.h says how). It also
 * runs on the machine without a hypervisor: the rows that are left then are
 * what the same program costs there.
 *
 * Boot arguments: "boot" ends it after the figures of the boot.
 */
#include "bench.h"
#include <libfdt.h>

#define RTC_DR 0x00u
#define RTC_MR 0x04u
#define RTC_IMSC 0x10u
#define RTC_ICR 0x1cu
#define UNUSED_NR	40u
#define SGI		5u
#define HOLE		UINT64_C(0x7000000000)	/* no RAM, no device */
#define ME		((domid_t)0)		/* the control domain */
#define BATCH		32u			/* grants in one call */
#define BATCHES		100u
#define REF		8u			/* 0..7 are reserved */

static uint8_t pages[2][BATCH][PAGE_SIZE] __attribute__((aligned(4096)));

static uint32_t bench_pair(void)
{
	evtchn_alloc_unbound_t a = { .dom = DOMID_SELF,
				     .remote_dom = DOMID_SELF };
	evtchn_bind_interdomain_t b = { .remote_dom = DOMID_SELF };

	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, PTR(&a));
	b.remote_port = a.port;
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, PTR(&b));
	hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, PTR(&b.local_port));
	return b.local_port;
}

static void hypercall_costs(void)
{
	static evtchn_send_t send;

	COST("xen_version", hc2(__HYPERVISOR_xen_version, XENVER_version, 0));
	COST("unknown_hypercall", hc1(UNUSED_NR, 0));
	COST("psci_version", smccc_hvc(PSCI_VERSION, 0, 0, 0));
	COST("sched_yield", hc2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
	send.port = bench_pair();
	COST("evtchn_send", hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_send,
				PTR(&send)));
}

/* A load where nothing is: an abort to the guest's vector, and back. */
static void abort_cost(void)
{
	uint64_t old;

	mmu_window(0, HOLE, MAP_DEVICE);
	old = bench_vbar(PTR(bench_vectors));
	COST("abort", asm volatile("ldr w4, [%0]" :: "r"(MAP_WINDOW)
				   : "x3", "x4"));
	bench_vbar(old);
	mmu_window(0, 0, MAP_NONE);
}

static void costs(void)
{
	uint64_t gicd = machine.gicd.base;

	COST("loop", (void)0);
	COST("gicd_typer_read", mmio_read32(gicd + GICD_TYPER));
	COST("gicd_isenabler_write",
	     mmio_write32(gicd + GICD_ISENABLER + 4, 0));
	abort_cost();
}

/* One entry of the grant table for each page of the first set. */
static void grant_all(void)
{
	volatile grant_entry_v1_t *table = (void *)MAP_WINDOW;
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.gpfn = machine.grant.base / PAGE_SIZE,
	};
	unsigned int i;

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	mmu_window(0, machine.grant.base, MAP_RW);
	for (i = 0; i < BATCH; i++) {
		table[REF + i].frame = (uint32_t)(PTR(pages[0][i]) / PAGE_SIZE);
		table[REF + i].domid = ME;
		dsb();
		table[REF + i].flags = GTF_permit_access;
	}
	dsb();
}

static int64_t grant_op(unsigned int op, const void *list)
{
	return hc3(__HYPERVISOR_grant_table_op, op, PTR(list), BATCH);
}

static void copy_cost(void)
{
	static gnttab_copy_t copy[BATCH];
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		copy[i].source.u.ref = REF + i;
		copy[i].source.domid = ME;
		copy[i].dest.u.gmfn = PTR(pages[1][i]) / PAGE_SIZE;
		copy[i].dest.domid = DOMID_SELF;
		copy[i].len = PAGE_SIZE;
		copy[i].flags = GNTCOPY_source_gref;
	}
	pages[0][BATCH - 1][PAGE_SIZE - 1] = 0x5a;
	COST_OF("grant_copy", BATCHES, BATCH, grant_op(GNTTABOP_copy, copy));
	EXPECT_EQ(copy[BATCH - 1].status, GNTST_okay);
	EXPECT_EQ(pages[1][BATCH - 1][PAGE_SIZE - 1], 0x5a);
}

static void map_cost(void)
{
	static gnttab_map_grant_ref_t map[BATCH];
	static gnttab_unmap_grant_ref_t unmap[BATCH];
	uint64_t at = machine.grant.base + PAGE_SIZE;
	uint64_t sums[2] = { 0 };
	unsigned int i;
	unsigned int n;

	bench_start();
	for (n = 0; n < BATCHES; n++) {
		uint64_t t[3];

		for (i = 0; i < BATCH; i++) {
			map[i].host_addr = at + i * PAGE_SIZE;
			map[i].flags = GNTMAP_host_map;
			map[i].ref = REF + i;
			map[i].dom = ME;
		}
		t[0] = counter();
		grant_op(GNTTABOP_map_grant_ref, map);
		t[1] = counter();
		for (i = 0; i < BATCH; i++) {
			unmap[i].host_addr = at + i * PAGE_SIZE;
			unmap[i].handle = map[i].handle;
		}
		t[2] = counter();
		grant_op(GNTTABOP_unmap_grant_ref, unmap);
		sums[0] += t[1] - t[0];
		sums[1] += counter() - t[2];
	}
	EXPECT_EQ(map[BATCH - 1].status, GNTST_okay);
	EXPECT_EQ(unmap[BATCH - 1].status, GNTST_okay);
	bench_report("grant_map", sums[0], BATCHES * BATCH);
	bench_report("grant_unmap", sums[1], BATCHES * BATCH);
}

/*
 * The machine's clock chip, a PL031: an alarm for the second that is now is
 * due at once. Its registers are mapped, so only the interrupt traps.
 */
static void device_latency(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1, "arm,pl031");
	const fdt32_t *reg = fdt_getprop(machine.fdt, node, "reg", NULL);
	const fdt32_t *irq = fdt_getprop(machine.fdt, node, "interrupts", NULL);
	uint64_t rtc, old, t0;
	uint64_t sum = 0;
	unsigned int i;

	CHECK(reg && irq);
	rtc = (uint64_t)fdt32_to_cpu(reg[0]) << 32 | fdt32_to_cpu(reg[1]);
	gic_group1(fdt32_to_cpu(irq[1]) + 32);
	gic_config_edge(fdt32_to_cpu(irq[1]) + 32, false);
	gic_route(fdt32_to_cpu(irq[1]) + 32, 0);
	gic_enable(fdt32_to_cpu(irq[1]) + 32);
	mmio_write32(rtc + RTC_IMSC, 1);
	old = bench_vbar(PTR(bench_vectors));
	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a;

		bench_jitter(i);
		a = bench_device(rtc + RTC_MR, mmio_read32(rtc + RTC_DR), &t0);
		mmio_write32(rtc + RTC_ICR, 1);
		sum += bench_taken(a) - t0;
	}
	bench_vbar(old);
	bench_report("device_to_vector", sum, LATENCY_N);
}

static void latencies(void)
{
	uint64_t sum = 0;
	uint64_t old;
	uint64_t t0;
	unsigned int i;

	gic_enable(SGI);
	gic_enable(machine.intid_vtimer);
	old = bench_vbar(PTR(bench_vectors));
	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a;

		bench_jitter(i);
		a = bench_sgi((uint64_t)SGI << 24 | 1, &t0);
		sum += bench_taken(a) - t0;
	}
	bench_vbar(old);
	bench_report("sgi_to_self", sum, LATENCY_N);
	bench_timer_latency("timer_to_vector", bench_timer);
	bench_timer_latency("wfi_timer_wake", bench_wfi);
	bench_timer_latency("wfi_masked_timer_wake", bench_wfi_masked);
	device_latency();
}

/* Pages that are free and pages the control domain has. */
static void memory(void)
{
	/* struct xen_sysctl with physinfo: free_pages is at u + 48. */
	static uint64_t sysctl[17] = { 3 | UINT64_C(0x15) << 32 };
	static domid_t self = DOMID_SELF;

	if (hc1(__HYPERVISOR_sysctl, PTR(sysctl))) {
		return;
	}
	printf("BENCH free_pages %lu\n", sysctl[1 + 6]);
	printf("BENCH dom0_pages %lu\n",
	       (uint64_t)hc2(__HYPERVISOR_memory_op,
			     XENMEM_current_reservation, PTR(&self)));
}

static void bench(void)
{
	printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
	if (!machine.native) {
		bench_report("boot", machine.boot_ticks, 1);
		memory();
	}
	if (has_bootarg("boot")) {
		return;
	}
	costs();
	if (!machine.native) {
		hypercall_costs();
		grant_all();
		copy_cost();
		map_cost();
		bench_settle();
	}
	latencies();
}

const struct test guest_tests[] = {
	{ "bench", bench },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two domains of boot time, chosen by bootargs. "victim": finds its world as
 * boot made it, spoils all of it that it can reach, and ends: by a crash, a
 * hang or a reboot, as the counter will have it ("crash", "hang", "reboot",
 * "poweroff", "suspend": only so). "loop": a control loop of 1 kHz that
 * measures how late it is woken.
 */
#include "port.h"

#define VICTIM 2u /* its id: the second of the tree */
#define SPOILED 0x5a5a5a5au
#define SGI_NEVER_ENDED 3u
#define SPI_SPOILED 40u
#define PERIOD_US 1000u
#define REPORT_EVERY 100u

/* In the image, in memory that nobody has loaded, and in a page given away. */
static volatile uint32_t in_image = 1;

static volatile uint32_t *outside(unsigned int page)
{
	return (void *)(uintptr_t)(machine.ram[0].base + (3u << 20) +
				   page * PAGE_SIZE);
}

/* ---- the victim's world -------------------------------------------------- */

static void memory_is_new(void)
{
	xen_pfn_t gone = PTR(outside(1)) / PAGE_SIZE;
	xen_memory_reservation_t r = { .nr_extents = 1, .domid = DOMID_SELF };
	unsigned int i;

	EXPECT_EQ(in_image, 1);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(*outside(i), 0);
		*outside(i) = SPOILED;
	}
	in_image = SPOILED;
	set_xen_guest_handle(r.extent_start, &gone);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation,
		      PTR(&r)), 1);
}

static void ports_are_closed(void)
{
	evtchn_bind_virq_t virq = { .virq = VIRQ_TIMER };
	evtchn_init_control_t fifo = { .control_gfn = PTR(outside(2)) /
						      PAGE_SIZE };

	ports_init();
	EXPECT_EQ(port_ipi(0), 1);
	EXPECT_EQ(port_pending(1), 0);
	EXPECT_EQ(port_send(1), 0);
	EXPECT_EQ(EVTCHN(EVTCHNOP_bind_virq, &virq), 0);
	EXPECT_EQ(virq.port, 2);
	EXPECT_EQ(EVTCHN(EVTCHNOP_init_control, &fifo), 0);
}

static void grants_are_empty(void)
{
	static volatile grant_entry_v1_t *const entry =
		(volatile void *)(uintptr_t)MAP_WINDOW;
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table,
		.gpfn = machine.grant.base / PAGE_SIZE,
	};
	gnttab_map_grant_ref_t map = {
		.host_addr = machine.grant.base + 8 * PAGE_SIZE,
		.flags = GNTMAP_host_map, .ref = 8,
	};

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	mmu_window(0, machine.grant.base, MAP_RW);
	EXPECT_EQ(entry[8].flags, 0);
	entry[8].frame = (uint32_t)(PTR(outside(0)) / PAGE_SIZE);
	entry[8].domid = map.dom = VICTIM;
	entry[8].flags = GTF_permit_access;
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
		      PTR(&map), 1), 0);
	EXPECT_EQ(map.status, GNTST_okay);
}

static void records_are_not_moved(void)
{
	vcpu_register_vcpu_info_t info = { .mfn = PTR(outside(0)) / PAGE_SIZE,
					   .offset = 512 };
	sched_watchdog_t dog = { .timeout = 100000 };

	EXPECT_EQ(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0,
			    PTR(&info), 0, 0), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&dog)), 1);
}

static void spin(void *arg)
{
	(void)arg;
	for (;;) {
	}
}

static void interrupts_are_reset(void)
{
	uint64_t prio = gic_bank(SPI_SPOILED) + GICD_IPRIORITYR + SPI_SPOILED;
	unsigned int i;

	EXPECT_EQ(gic_bit(SGI_NEVER_ENDED, GICD_ISACTIVER), 0);
	EXPECT_EQ(gic_bit(SPI_SPOILED, GICD_ISENABLER), 0);
	EXPECT_EQ(gic_bit(SPI_SPOILED, GICD_ISPENDR), 0);
	EXPECT_EQ(mmio_read8(prio), 0xa0);
	EXPECT_EQ(sysreg_read(cntp_ctl_el0) & CNT_ENABLE, 0);
	EXPECT_EQ(sysreg_read(cntv_ctl_el0) & CNT_ENABLE, 0);
	gic_priority(SPI_SPOILED, 0x40);
	gic_config_edge(SPI_SPOILED, true);
	gic_enable(SPI_SPOILED);
	gic_pend(SPI_SPOILED);
	if (machine.uart) {
		EXPECT_EQ(mmio_read32(machine.uart + 0x38), 0);
		mmio_write32(machine.uart + 0x38, 0x7f);
	}
	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		cpu_run(i, spin, NULL);
	}
}

/* ---- and its end --------------------------------------------------------- */

static const char *const ends[] = { "crash", "hang", "reboot", "poweroff",
				    "suspend" };
static const uint32_t reasons[] = { SHUTDOWN_crash, 0, 0, SHUTDOWN_poweroff,
				    SHUTDOWN_suspend };

static unsigned int choose_end(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (has_bootarg(ends[i])) {
			return i;
		}
	}
	/* The counter alone would be in step with the lives. */
	return (unsigned int)((counter() * UINT64_C(0x9e3779b97f4a7c15) >>
			       32) % 3);
}

/* In the middle of an interrupt that is never over. */
static void end_by(unsigned int how)
{
	sched_shutdown_t s = { .reason = reasons[how] };

	sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + 100);
	sysreg_write(cntp_ctl_el0, CNT_ENABLE);
	printf("ends by %s at %lu us\n", ends[how],
	       counter() * 1000000 / sysreg_read(cntfrq_el0));
	if (how == 1) {
		spin(NULL);
	} else if (how == 2) {
		smccc_hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	}
	hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, PTR(&s));
}

static unsigned int how;

static void end_in_interrupt(unsigned int intid)
{
	if (intid == SGI_NEVER_ENDED) {
		end_by(how);
	}
}

/* ---- the control loop ---------------------------------------------------- */

static struct {
	uint64_t due;
	uint64_t worst;
	unsigned int ticks;
	unsigned int missed;
} loop;

static void tick(unsigned int intid)
{
	uint64_t period = us_to_ticks(PERIOD_US);
	uint64_t late;

	if (intid != machine.intid_vtimer) {
		return;
	}
	late = counter() - loop.due;
	loop.worst = late > loop.worst ? late : loop.worst;
	loop.missed += (unsigned int)(late / period);
	loop.ticks++;
	loop.due += (late / period + 1) * period;
	sysreg_write(cntv_cval_el0, loop.due);
}

static void control_loop(void)
{
	unsigned int said = 0;

	irq_hook = tick;
	loop.due = counter() + us_to_ticks(PERIOD_US);
	sysreg_write(cntv_cval_el0, loop.due);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	gic_enable(machine.intid_vtimer);
	for (;;) {
		wfi();
		irq_on();
		irq_off();
		if (loop.ticks >= said + REPORT_EVERY) {
			said = loop.ticks;
			printf("%u ticks, %u missed, latest %lu counts\n",
			       said, loop.missed, loop.worst);
			loop.worst = 0; /* and without what that took */
			loop.missed = 0;
		}
	}
}

/* ------------------------------------------------------------------------- */

static void by_command_line(void)
{
	if (has_bootarg("loop")) {
		control_loop();
	}
	interrupts_are_reset();
	memory_is_new();
	grants_are_empty();
	ports_are_closed();
	records_are_not_moved();
	how = choose_end();
	irq_hook = end_in_interrupt;
	gic_enable(SGI_NEVER_ENDED);
	gic_sgi(SGI_NEVER_ENDED, SGI_SELF, 0);
	irq_on();
	spin(NULL);
}

const struct test guest_tests[] = {
	{ "by_command_line", by_command_line },
	{ NULL, NULL },
};

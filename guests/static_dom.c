/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that starts at boot, without a toolstack: the machine it is
 * promised, its UART register by register and by interrupt, and that it may do
 * nothing that only a control domain may. With "keyboard" in its bootargs it
 * also waits for a line to be typed.
 */
#include "guest.h"

#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTCR 0x30u
#define UARTIMSC 0x38u
#define UARTRIS 0x3cu
#define UARTMIS 0x40u
#define UARTICR 0x44u
#define UARTPERIPHID0 0xfe0u
#define FR_RXFE (1u << 4)
#define FR_TXFE (1u << 7)
#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RT (1u << 6)

static uint32_t rd(uint32_t reg)
{
	return mmio_read32(machine.uart + reg);
}

static void wr(uint32_t reg, uint32_t v)
{
	mmio_write32(machine.uart + reg, v);
}

/* [XEN] arch-arm.h: where a guest's devices and memory are. */
static void addresses(void)
{
	EXPECT_EQ(machine.gicd.base, machine.gic_version == 3 ?
		  GUEST_GICV3_GICD_BASE : GUEST_GICD_BASE);
	if (machine.gic_version == 3) {
		EXPECT_EQ(machine.gicr[0].base, GUEST_GICV3_GICR0_BASE);
		EXPECT_EQ(machine.gicr[0].size, GUEST_GICV3_GICR0_SIZE);
	} else {
		EXPECT_EQ(machine.gicc.base, GUEST_GICC_BASE);
	}
	EXPECT_EQ(machine.ram[0].base, GUEST_RAM0_BASE);
	EXPECT_EQ(machine.intid_vtimer, GUEST_TIMER_VIRT_PPI);
	EXPECT_EQ(machine.intid_ptimer, GUEST_TIMER_PHYS_NS_PPI);
	EXPECT_EQ(machine.intid_evtchn, GUEST_EVTCHN_PPI);
	EXPECT_EQ(machine.grant.base, GUEST_GNTTAB_BASE);
	printf("machine: GICv%u, %u CPUs, RAM %lx+%lx, ticks %lu\n",
	       machine.gic_version, machine.nr_cpus, machine.ram[0].base,
	       machine.ram[0].size, machine.boot_ticks);
}

/* All of it, first and last word of each 2 MiB. */
static void memory_is_there(void)
{
	struct range r = machine.ram[0];
	uint64_t top = ram_top();
	uint64_t a;

	/* Above our image and below the device tree: nobody's. */
	for (a = r.base + (4u << 20); a + (4u << 20) < top; a += 2u << 20) {
		volatile uint64_t *first = (void *)(uintptr_t)a;
		volatile uint64_t *last = first + (2u << 20) / 8 - 1;

		*first = a;
		*last = ~a;
		EXPECT_EQ(*first, a);
		EXPECT_EQ(*last, ~a);
	}
}

static uint64_t mpidr_seen;

static void note_cpu(void *arg)
{
	(void)arg;
	mpidr_seen = sysreg_read(mpidr_el1) & 0xffffff;
}

static void all_cpus_start(void)
{
	unsigned int i;

	for (i = 1; i < machine.nr_cpus; i++) {
		EXPECT_EQ(cpu_start(i), 0);
		CHECK(cpu_call(i, note_cpu, NULL));
		EXPECT_EQ(mpidr_seen, machine.mpidr[i]);
	}
}

static void no_privilege(void)
{
	static uint8_t arg[256] __attribute__((aligned(8)));
	int64_t rc;

	((xen_sysctl_t *)arg)->cmd = XEN_SYSCTL_physinfo;
	((xen_sysctl_t *)arg)->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	EXPECT_EQ(hc1(__HYPERVISOR_sysctl, PTR(arg)), -EPERM);
	memset(arg, 0, sizeof(arg));
	((xen_domctl_t *)arg)->cmd = XEN_DOMCTL_destroydomain;
	((xen_domctl_t *)arg)->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	rc = hc1(__HYPERVISOR_domctl, PTR(arg));
	CHECK(rc == -EPERM || rc == -ESRCH); /* Xen looks for dom0 first */
}

static void console_by_hypercall(void)
{
	static const char text[] = "by hypercall\n";

	EXPECT_EQ(hc3(__HYPERVISOR_console_io, CONSOLEIO_write,
		      sizeof(text) - 1, PTR(text)), 0);
}

static void uart_registers(void)
{
	if (!machine.uart) {
		return;
	}
	EXPECT_EQ(machine.uart, GUEST_PL011_BASE);
	EXPECT_EQ(machine.intid_uart, GUEST_VPL011_SPI);
	EXPECT_EQ(rd(UARTFR) & FR_RXFE, FR_RXFE);
	EXPECT_EQ(rd(UARTIMSC), 0);
	EXPECT_EQ(rd(UARTMIS), 0);
	wr(UARTIMSC, INT_RX | INT_RT);
	EXPECT_EQ(rd(UARTIMSC), INT_RX | INT_RT);
	EXPECT_EQ(rd(UARTMIS), 0);
	wr(UARTIMSC, 0);
	if (PEER_DIFFERS("has no other registers")) {
		return;
	}
	EXPECT_EQ(rd(UARTFR) & FR_TXFE, FR_TXFE);
	EXPECT_EQ(rd(UARTPERIPHID0), 0x11);
	EXPECT_EQ(rd(UARTPERIPHID0 + 4), 0x10);
	wr(UARTCR, 0x301);
}

static void mask_tx(unsigned int intid)
{
	if (intid == machine.intid_uart) {
		wr(UARTIMSC, 0); /* a level: it comes until its cause goes */
	}
}

static void uart_sends_by_interrupt(void)
{
	if (!machine.uart) {
		return;
	}
	irq_hook = mask_tx;
	gic_config_edge(machine.intid_uart, false);
	gic_enable(machine.intid_uart);
	wr(UARTDR, 'S');
	wr(UARTDR, '\n');
	wr(UARTIMSC, INT_TX);
	EXPECT_EQ(rd(UARTMIS), INT_TX);
	CHECK(irq_wait(machine.intid_uart, 1));
	EXPECT_EQ(rd(UARTMIS), 0);
	if (PEER_DIFFERS("its transmit interrupt cannot be acknowledged")) {
		return;
	}
	wr(UARTICR, INT_TX);
	EXPECT_EQ(rd(UARTRIS), 0);
	wr(UARTIMSC, INT_TX);
	irq_counts_clear();
	pump_us(10);
	EXPECT_EQ(this_cpu()->irq_count[machine.intid_uart], 0);
	wr(UARTIMSC, 0);
}

static char typed[64];
static volatile unsigned int nr_typed;

static void take_typed(unsigned int intid)
{
	if (intid != machine.intid_uart) {
		return;
	}
	wr(UARTICR, INT_RX | INT_RT);
	while (!(rd(UARTFR) & FR_RXFE) && nr_typed < sizeof(typed) - 1) {
		typed[nr_typed++] = (char)rd(UARTDR);
	}
}

static void uart_receives_by_interrupt(void)
{
	if (!machine.uart || !has_bootarg("keyboard")) {
		return;
	}
	irq_hook = take_typed;
	wr(UARTIMSC, INT_RX | INT_RT);
	printf("type a line\n");
	while (nr_typed == 0 || typed[nr_typed - 1] != '\r') {
		wfi();
		irq_on();
		irq_off();
	}
	wr(UARTIMSC, 0);
	typed[nr_typed - 1] = '\0';
	printf("typed: %s\n", typed);
}

const struct test guest_tests[] = {
	{ "addresses", addresses },
	{ "memory_is_there", memory_is_there },
	{ "all_cpus_start", all_cpus_start },
	{ "no_privilege", no_privilege },
	{ "console_by_hypercall", console_by_hypercall },
	{ "uart_registers", uart_registers },
	{ "uart_sends_by_interrupt", uart_sends_by_interrupt },
	{ "uart_receives_by_interrupt", uart_receives_by_interrupt },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare-metal guest that knows its machine by heart, as FreeRTOS and Zephyr
 * are configured: fixed addresses, no device tree, no hypercall.
 *
 * It says what it found, counts seconds by the timer's interrupt, and answers
 * to lines that are typed: "off" powers it off, others come back.
 *
 * Form    both GICs in one program; a port of an RTOS needs one of the two.
 *         docs/guests.md lists the same addresses.
 */
#include <stdbool.h>
#include <stdint.h>

#define UART 0x22000000u
#define GICD 0x03001000u
#define GICC 0x03002000u /* GICv2 */
#define GICR 0x03020000u /* GICv3; the first vCPU's */
#define GICR_SGI (GICR + 0x10000u)
#define RAM 0x40000000u

#define INTID_TIMER 27u  /* the virtual timer, CNTV_*_EL0 */
#define INTID_UART 32u
#define INTID_NONE 1020u /* and above: nothing to do */

#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTIMSC 0x38u
#define UARTICR 0x44u
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define INT_RX (1u << 4 | 1u << 6) /* receive, and receive timeout */

#define PSCI_VERSION 0x84000000u
#define PSCI_SYSTEM_OFF 0x84000008u

#define SECONDS_SHOWN 10u

#define READ_SYSREG(name)                                                     \
	({                                                                    \
		uint64_t v_;                                                  \
		asm volatile("mrs %0, " #name : "=r"(v_));                    \
		v_;                                                           \
	})
#define WRITE_SYSREG(name, v)                                                 \
	asm volatile("msr " #name ", %0\n\tisb" : : "r"((uint64_t)(v))        \
		     : "memory")

long hvc(uint64_t function, uint64_t argument);
void main(void);
void handle_interrupt(void);
void handle_fault(uint64_t esr, uint64_t elr, uint64_t far);

static volatile uint32_t seconds;
static char line[64];
static volatile uint32_t line_length;
static volatile bool line_is_whole;

static uint32_t rd(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

static void wr(uint64_t address, uint32_t v)
{
	*(volatile uint32_t *)address = v;
}

/* ---- console ------------------------------------------------------------- */

static void put_char(char c)
{
	while (rd(UART + UARTFR) & FR_TXFF) {
	}
	wr(UART + UARTDR, (uint8_t)c);
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		put_char(*text);
	}
}

static void put_number(uint64_t v, uint32_t base)
{
	char digits[24];
	uint32_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n) {
		put_char(digits[--n]);
	}
}

/* ---- interrupts ---------------------------------------------------------- */

static bool has_gicv3(void)
{
	return (READ_SYSREG(id_aa64pfr0_el1) >> 24 & 0xf) != 0;
}

static void gicv3_init(void)
{
	wr(GICD, 0x12);                         /* affinity routing, group 1 */
	wr(GICR + 0x14, rd(GICR + 0x14) & ~2u); /* WAKER: not asleep */
	while (rd(GICR + 0x14) & 4u) {
	}
	wr(GICR_SGI + 0x80, 0xffffffff);        /* private lines: group 1 */
	wr(GICD + 0x84, 0xffffffff);            /* shared lines: group 1 */
	wr(GICR_SGI + 0x100, 1u << INTID_TIMER);
	wr(GICD + 0x6000 + 8 * INTID_UART, 0);  /* to the first vCPU */
	WRITE_SYSREG(s3_0_c12_c12_5, 1);        /* ICC_SRE_EL1 */
	WRITE_SYSREG(s3_0_c4_c6_0, 0xf0);       /* ICC_PMR_EL1 */
	WRITE_SYSREG(s3_0_c12_c12_7, 1);        /* ICC_IGRPEN1_EL1 */
}

static void gicv2_init(void)
{
	wr(GICD, 1);
	wr(GICD + 0x100, 1u << INTID_TIMER);
	wr(GICD + 0x800 + INTID_UART, 1); /* to the first vCPU */
	wr(GICC + 0x4, 0xf0);             /* GICC_PMR */
	wr(GICC, 1);
}

static void gic_init(void)
{
	if (has_gicv3()) {
		gicv3_init();
	} else {
		gicv2_init();
	}
	wr(GICD + 0x104, 1u << (INTID_UART - 32));
}

static uint32_t gic_acknowledge(void)
{
	return has_gicv3() ? (uint32_t)READ_SYSREG(s3_0_c12_c12_0) :
			     rd(GICC + 0xc) & 0x3ff;
}

static void gic_end(uint32_t intid)
{
	if (has_gicv3()) {
		WRITE_SYSREG(s3_0_c12_c12_1, intid);
	} else {
		wr(GICC + 0x10, intid);
	}
}

static void timer_start(void)
{
	WRITE_SYSREG(cntv_tval_el0, READ_SYSREG(cntfrq_el0));
	WRITE_SYSREG(cntv_ctl_el0, 1);
}

static void take_characters(void)
{
	wr(UART + UARTICR, INT_RX);
	while (!(rd(UART + UARTFR) & FR_RXFE)) {
		char c = (char)rd(UART + UARTDR);

		if (line_is_whole) {
			continue; /* nobody has read the last one */
		}
		if (c == '\r' || c == '\n') {
			line_is_whole = true;
		} else if (line_length < sizeof(line) - 1) {
			line[line_length++] = c;
		}
	}
}

void handle_interrupt(void)
{
	uint32_t intid = gic_acknowledge();

	if (intid >= INTID_NONE) {
		return;
	}
	if (intid == INTID_TIMER) {
		seconds++;
		timer_start();
	} else if (intid == INTID_UART) {
		take_characters();
	}
	gic_end(intid);
}

void handle_fault(uint64_t esr, uint64_t elr, uint64_t far)
{
	put_text("fault: ESR 0x");
	put_number(esr, 16);
	put_text(" at 0x");
	put_number(elr, 16);
	put_text(", address 0x");
	put_number(far, 16);
	put_text("\n");
	hvc(PSCI_SYSTEM_OFF, 0);
}

/* ---- what it does -------------------------------------------------------- */

static void introduce(void)
{
	long psci = hvc(PSCI_VERSION, 0);

	put_text("bare metal: GICv");
	put_number(has_gicv3() ? 3 : 2, 10);
	put_text(" at 0x");
	put_number(GICD, 16);
	put_text(", memory at 0x");
	put_number(RAM, 16);
	put_text(", UART at 0x");
	put_number(UART, 16);
	put_text(", PSCI ");
	put_number((uint64_t)psci >> 16, 10);
	put_char('.');
	put_number((uint64_t)psci & 0xffff, 10);
	put_text("\nbare metal: type a line; \"off\" powers this guest off\n");
}

static bool is_off(void)
{
	return line_length == 3 && line[0] == 'o' && line[1] == 'f' &&
	       line[2] == 'f';
}

static void answer(void)
{
	if (is_off()) {
		put_text("good bye\n");
		hvc(PSCI_SYSTEM_OFF, 0);
	}
	put_text("you typed: ");
	for (uint32_t i = 0; i < line_length; i++) {
		put_char(line[i]);
	}
	put_char('\n');
	line_length = 0;
	line_is_whole = false;
}

static void show_seconds(void)
{
	put_number(seconds, 10);
	put_text(seconds == 1 ? " second\n" : " seconds\n");
}

void main(void)
{
	uint32_t shown = 0;

	introduce();
	gic_init();
	timer_start();
	wr(UART + UARTIMSC, INT_RX);
	for (;;) {
		/* Interrupts are masked: WFI wakes, and nothing is missed. */
		asm volatile("wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2"
			     : : : "memory");
		if (line_is_whole) {
			answer();
		}
		if (seconds != shown && (seconds == 1 ||
					 seconds % SECONDS_SHOWN == 0)) {
			shown = seconds;
			show_seconds();
		}
	}
}

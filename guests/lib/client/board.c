/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console, interrupts, timer of a domain. Own data: lines typed, the beat, the
 * page of event channels.
 */
#include "board.h"

#include "bh_event.h"

#define GICR_SGI (GICR + 0x10000u)
#define GICR_WAKER (GICR + 0x14u)
#define INTID_NONE 1020u /* and above: nothing to do */

#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTIMSC 0x38u
#define UARTICR 0x44u
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define INT_RX (1u << 4 | 1u << 6) /* receive, and receive timeout */
#define LINE_BYTES 64u

static char line[LINE_BYTES];
static volatile uint32_t line_length;
static volatile bool line_is_whole;
static char told[LINE_BYTES];

static uint32_t rd(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

static void wr(uint64_t address, uint32_t v)
{
	*(volatile uint32_t *)address = v;
}

/* ---- console ------------------------------------------------------------- */

void put_char(char c)
{
	while (rd(UART + UARTFR) & FR_TXFF) {
	}
	wr(UART + UARTDR, (uint8_t)c);
}

void put_text(const char *text)
{
	for (; *text; text++) {
		put_char(*text);
	}
}

static void put_right(uint64_t v, uint32_t base, uint32_t width)
{
	char digits[24];
	uint32_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	for (; width > n; width--) {
		put_char(' ');
	}
	while (n) {
		put_char(digits[--n]);
	}
}

void put_number(uint64_t v, uint32_t base)
{
	put_right(v, base, 0);
}

void put_count(const char *what, uint64_t count)
{
	put_text(what);
	put_number(count, 10);
}

void put_padded(uint64_t v, uint32_t width)
{
	put_right(v, 10, width);
}

void uart_listen(void)
{
	gic_enable(INTID_UART);
	wr(UART + UARTIMSC, INT_RX);
}

void uart_take(void)
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

/* A copy: the next line may be typed while this one is read. */
const char *uart_line(void)
{
	if (!line_is_whole) {
		return 0;
	}
	line[line_length] = 0;
	for (uint32_t i = 0; i <= line_length; i++) {
		told[i] = line[i];
	}
	line_length = 0;
	line_is_whole = false;
	return told;
}

bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* ---- interrupts ---------------------------------------------------------- */

bool has_gicv3(void)
{
	return (READ_SYSREG(id_aa64pfr0_el1) >> 24 & 0xf) != 0;
}

static void gicv3_init(void)
{
	wr(GICD, 0x12);                       /* affinity routing, group 1 */
	wr(GICR_WAKER, rd(GICR_WAKER) & ~2u); /* not asleep */
	while (rd(GICR_WAKER) & 4u) {
	}
	wr(GICR_SGI + 0x80, 0xffffffff);      /* private lines: group 1 */
	wr(GICD + 0x84, 0xffffffff);          /* shared lines: group 1 */
	WRITE_SYSREG(s3_0_c12_c12_5, 1);      /* ICC_SRE_EL1 */
	WRITE_SYSREG(s3_0_c4_c6_0, 0xf0);     /* ICC_PMR_EL1 */
	WRITE_SYSREG(s3_0_c12_c12_7, 1);      /* ICC_IGRPEN1_EL1 */
}

static void gicv2_init(void)
{
	wr(GICD, 1);
	wr(GICC + 0x4, 0xf0); /* GICC_PMR */
	wr(GICC, 1);
}

void gic_init(void)
{
	if (has_gicv3()) {
		gicv3_init();
	} else {
		gicv2_init();
	}
}

/* Shared lines go to the first vCPU. */
void gic_enable(uint32_t intid)
{
	if (intid >= 32 && has_gicv3()) {
		wr(GICD + 0x6000 + 8 * intid, 0);
	} else if (intid >= 32) {
		*(volatile uint8_t *)(uintptr_t)(GICD + 0x800 + intid) = 1;
	}
	if (intid < 32 && has_gicv3()) {
		wr(GICR_SGI + 0x100, 1u << intid);
	} else {
		wr(GICD + 0x100 + intid / 32 * 4, 1u << intid % 32);
	}
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

void events_listen(void (*each)(uint32_t port))
{
	static uint8_t page[BH_PAGE_BYTES] __attribute__((aligned(4096)));

	bh_events_open(page);
	bh_events_take(each);
	gic_enable(BH_EVENT_INTID);
}

void handle_interrupt(void)
{
	uint32_t intid = gic_acknowledge();

	if (intid >= INTID_NONE) {
		return;
	}
	on_interrupt(intid);
	gic_end(intid);
}

void wait_for_interrupt(void)
{
	asm volatile("wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2"
		     : : : "memory");
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
	bh_crash();
}

/* ---- time ---------------------------------------------------------------- */

uint64_t counter(void)
{
	return READ_SYSREG(cntvct_el0);
}

uint64_t machine_counter(void)
{
	return READ_SYSREG(cntpct_el0);
}

uint64_t counter_hz(void)
{
	return READ_SYSREG(cntfrq_el0);
}

uint64_t ticks_to_ns(uint64_t ticks)
{
	return ticks * 1000000 / (counter_hz() / 1000);
}

void timer_at(uint64_t when)
{
	WRITE_SYSREG(cntv_cval_el0, when);
	WRITE_SYSREG(cntv_ctl_el0, 1);
}

void timer_off(void)
{
	WRITE_SYSREG(cntv_ctl_el0, 0);
}

static struct {
	uint64_t period; /* ticks */
	uint64_t at;	 /* of the next one */
	uint32_t missed;
	volatile bool is_due;
} beat;

void beat_start(uint32_t rate_hz)
{
	beat.period = counter_hz() / rate_hz;
	beat.at = counter() + beat.period;
	gic_enable(INTID_TIMER);
	timer_at(beat.at);
}

uint64_t beat_take(void)
{
	uint64_t late = counter() - beat.at;

	beat.missed += beat.is_due + (uint32_t)(late / beat.period);
	beat.at += beat.period * (1 + late / beat.period);
	timer_at(beat.at);
	beat.is_due = true;
	return late;
}

bool beat_is_due(void)
{
	bool is_due = beat.is_due;

	beat.is_due = false;
	return is_due;
}

uint32_t beats_missed(void)
{
	return beat.missed;
}

void beats_for_ever(void (*on_beat)(void), void (*typed)(const char *line))
{
	for (;;) {
		const char *text = typed ? uart_line() : NULL;

		if (text) {
			typed(text);
		}
		if (beat_is_due()) {
			on_beat();
		} else {
			wait_for_interrupt();
		}
	}
}

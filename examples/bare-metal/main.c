/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare-metal guest that knows its machine by heart, as FreeRTOS and Zephyr
 * are configured: fixed addresses (guests/lib/client/board.h), no device tree,
 * no hypercall.
 *
 * It says what it found, counts seconds by the timer's interrupt, and answers
 * to lines that are typed: "off" powers it off, others come back.
 */
#include "board.h"

#define SECONDS_SHOWN 10u

static volatile uint32_t seconds;

void on_interrupt(uint32_t intid)
{
	if (intid == INTID_TIMER) {
		seconds++;
		timer_at(counter() + counter_hz());
	} else if (intid == INTID_UART) {
		uart_take();
	}
}

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

static void answer(const char *line)
{
	if (same_text(line, "off")) {
		put_text("good bye\n");
		hvc(PSCI_SYSTEM_OFF, 0);
	}
	put_text("you typed: ");
	put_text(line);
	put_char('\n');
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
	gic_enable(INTID_TIMER);
	timer_at(counter() + counter_hz());
	uart_listen();
	for (;;) {
		const char *line;

		wait_for_interrupt();
		line = uart_line();
		if (line) {
			answer(line);
		}
		if (seconds != shown && (seconds == 1 ||
					 seconds % SECONDS_SHOWN == 0)) {
			shown = seconds;
			show_seconds();
		}
	}
}

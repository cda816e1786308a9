/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of a domain that starts at boot, known by heart as FreeRTOS and
 * Zephyr know theirs: fixed addresses, no device tree. docs/guests.md lists
 * the same. For one vCPU; both GICs in one program, a port needs one of them.
 *
 * The guest defines on_interrupt() and main(); start.S calls the latter.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define UART 0x22000000u
#define GICD 0x03001000u
#define GICC 0x03002000u /* GICv2 */
#define GICR 0x03020000u /* GICv3; the first vCPU's */
#define RAM 0x40000000u

#define INTID_TIMER 27u /* the virtual timer, CNTV_*_EL0 */
#define INTID_UART 32u

#define PSCI_VERSION 0x84000000u
#define PSCI_SYSTEM_OFF 0x84000008u

#define READ_SYSREG(name)                                                     \
	({                                                                    \
		uint64_t v_;                                                  \
		asm volatile("mrs %0, " #name : "=r"(v_) : : "memory");       \
		v_;                                                           \
	})
#define WRITE_SYSREG(name, v)                                                 \
	asm volatile("msr " #name ", %0\n\tisb" : : "r"((uint64_t)(v))        \
		     : "memory")

/* Of the guest: called with interrupts masked, before their end is told. */
void on_interrupt(uint32_t intid);
void main(void);

/* To the firmware: PSCI. In start.S. */
long hvc(uint64_t function, uint64_t argument);

bool has_gicv3(void);
void gic_init(void);		/* none enabled yet */
void gic_enable(uint32_t intid);

/*
 * Sleeps until there is an interrupt and takes those there are. Interrupts are
 * masked outside of it: what is checked before it cannot be missed.
 */
void wait_for_interrupt(void);

/* For start.S: what the vectors call. */
void handle_interrupt(void);
void handle_fault(uint64_t esr, uint64_t elr, uint64_t far);

/* Ticks of the counter; the second one is the same for all domains. */
uint64_t counter(void);
uint64_t machine_counter(void);
uint64_t counter_hz(void);
uint64_t ticks_to_ns(uint64_t ticks);
void timer_at(uint64_t when);	/* interrupts once counter() is there */
void timer_off(void);

/*
 * The same often a second, by INTID_TIMER: each is due once, and one that
 * nobody has asked for when the next one comes is missed.
 */
void beat_start(uint32_t rate_hz);
uint64_t beat_take(void);	/* for on_interrupt(); ticks it came late */
bool beat_is_due(void);		/* once each */
uint32_t beats_missed(void);

/* Each beat to @beat, each line that is typed to @typed (NULL: to nobody). */
void beats_for_ever(void (*beat)(void), void (*typed)(const char *line))
	__attribute__((noreturn));

void put_char(char c);
void put_text(const char *text);
void put_number(uint64_t v, uint32_t base);
void put_padded(uint64_t v, uint32_t width);	/* decimal, to the right */
void put_count(const char *what, uint64_t count);

/* The lines that are typed, after uart_listen(), by INTID_UART. */
void uart_listen(void);
void uart_take(void);		/* for on_interrupt() */
const char *uart_line(void);	/* a whole line, or NULL; once each */
bool same_text(const char *a, const char *b);

/*
 * Event channels (bh_event.h) by BH_EVENT_INTID; those that have come already
 * go to @each, which may be NULL.
 */
void events_listen(void (*each)(uint32_t port));

#endif

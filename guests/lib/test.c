/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of a guest and prints what came of them; hypervisor calls. */
#include "guest.h"

#define MAX_REPORTS 25u
#define UARTDR 0x00u
#define UARTFR 0x18u
#define UARTFR_TXFF (1u << 5)

static const char *current;
static unsigned int failures;		/* of the current test */

void run_tests(void);

void check_failed(const char *file, int line, const char *what,
		  int64_t got, int64_t want, bool values)
{
	unsigned int n = __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);

	if (n > MAX_REPORTS) {
		return;
	}
	if (values) {
		printf("FAIL %s %s:%d %s is %ld (%lx), wanted %ld (%lx)\n",
		       current, file, line, what, got, (uint64_t)got, want,
		       (uint64_t)want);
	} else {
		printf("FAIL %s %s:%d %s\n", current, file, line, what);
	}
}

bool peer_differs(const char *file, int line, const char *why)
{
	if (machine.bulkhead || machine.strict) {
		return false;
	}
	printf("SKIP %s %s:%d peer: %s\n", current, file, line, why);
	return true;
}

void run_tests(void)
{
	const struct test *t;
	unsigned int failed = 0;
	unsigned int passed = 0;

	for (t = guest_tests; t->name; t++) {
		current = t->name;
		failures = 0;
		irq_hook = NULL;
		irq_counts_clear();
		t->fn();
		irq_off();
		if (failures) {
			failed++;
		} else {
			printf("PASS %s\n", t->name);
			passed++;
		}
	}
	printf("GUEST %s %u\n", failed ? "FAIL" : "PASS",
	       failed ? failed : passed);
}

void xen_detect(void)
{
	static xen_extraversion_t extra;

	hc2(__HYPERVISOR_xen_version, XENVER_extraversion, PTR(extra));
	machine.bulkhead = find(extra, "bulkhead") != NULL;
}

bool uart_write(const char *s, size_t n)
{
	if (!machine.uart) {
		return false;
	}
	while (n--) {
		while (mmio_read32(machine.uart + UARTFR) & UARTFR_TXFF) {
		}
		mmio_write32(machine.uart + UARTDR, (uint8_t)*s++);
	}
	return true;
}

void console_write(const char *s, size_t n)
{
	if (pvconsole_write(s, n) || uart_write(s, n)) {
		return;
	}
	hc3(__HYPERVISOR_console_io, CONSOLEIO_write, n, PTR(s));
}

void power_off(void)
{
	struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };

	if (!machine.native) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, PTR(&off));
	}
	smccc_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);	/* when that did not work */
	for (;;) {
		wfi();
	}
}

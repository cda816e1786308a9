/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking build: console keys that break the machine on purpose, so that
 * tests see the last words and the watchdog at work.
 */
#include <hv/console.h>
#include <hv/console_keys.h>
#include <hv/ipi.h>
#include <hv/percpu.h>

/* EL2 maps nothing in the first page. */
static void key_fault(void)
{
	volatile uintptr_t nowhere = 16; /* unknown to the compiler */

	*(volatile uint32_t *)nowhere = 0xdead;
}

static void hang(void *arg)
{
	(void)arg;
	for (;;) {
		/* for good: that is what it is for */
	}
}

static void key_hang(void)
{
	uint16_t last = (uint16_t)(nr_pcpus - 1);

	log_err("CPU %u gets stuck now\n", last);
	if (last == this_cpu()) {
		hang(NULL);
	}
	if (ipi_post_call(last, hang, NULL)) {
		log_err("CPU %u does not take messages\n", last);
	}
}

const struct console_key debug_keys[] = {
	{ '!', "write where nothing is mapped", key_fault },
	{ 'H', "hang the last CPU", key_hang },
	{ .key = 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking build: console keys that break the machine on purpose, so that
 * tests see the last words and the watchdog at work.
 */
#include "audit_seed.h"

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
	{ '1', "seed: dom0 maps a free frame", key_seed_stale },
	{ '2', "seed: dom0 maps another's RAM as its own", key_seed_twice },
	{ '3', "seed: two of dom0's virqs have one line", key_seed_irq },
	{ '4', "seed: a frame of another's is dom0's", key_seed_owner },
	{ '5', "seed: a foreign mapping without count", key_seed_foreign },
	{ '6', "seed: a grant mapping without grant", key_seed_grant },
	{ '7', "seed: another maps its tables", key_seed_hypervisor },
	{ '8', "seed: another maps dom0's device", key_seed_device },
	{ '9', "seed: a stream of dom0's goes by another's tables",
	  key_seed_stream },
	{ '0', "seed: a stream of dom0's passes untranslated",
	  key_seed_bypass },
	{ .key = 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Ends itself as a kernel does that has found a fault in itself. */
#include "guest.h"

static void crash(void)
{
	sched_shutdown_t s = { .reason = SHUTDOWN_crash };

	hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uint64_t)&s);
	CHECK(!"still here");
}

const struct test guest_tests[] = {
	{ "crash", crash },
	{ NULL, NULL },
};

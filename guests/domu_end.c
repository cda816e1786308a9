/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that ends for the reason its command line names, as soon as
 * somebody types on its console. Runs by xl.
 */
#include "port.h"

static const struct {
	const char *name;
	uint32_t reason;
} ends[] = {
	{ "poweroff", SHUTDOWN_poweroff },
	{ "reboot", SHUTDOWN_reboot },
	{ "suspend", SHUTDOWN_suspend },
	{ "crash", SHUTDOWN_crash },
	{ "watchdog", SHUTDOWN_watchdog },
	{ "softreset", SHUTDOWN_soft_reset },
};

/* Without interrupts: the hypervisor itself looks whether the port rings. */
static void wait_for_typing(void)
{
	const volatile struct xencons_interface *ring =
		(const volatile void *)machine.console;
	xen_hvm_param_t param = { .domid = DOMID_SELF,
				  .index = HVM_PARAM_CONSOLE_EVTCHN };
	evtchn_port_t port;
	sched_poll_t poll = { .nr_ports = 1 };

	EXPECT_EQ(hc2(__HYPERVISOR_hvm_op, HVMOP_get_param, PTR(&param)), 0);
	port = (evtchn_port_t)param.value;
	set_xen_guest_handle(poll.ports, &port);
	ports_init();
	for (;;) {
		bitmap_clear(shared->evtchn_pending, port);
		if (ring->in_prod != ring->in_cons) {
			return;
		}
		EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, PTR(&poll)),
			  0);
	}
}

/* In a second, unless somebody stops it: nobody does. */
static void start_watchdog(void)
{
	sched_watchdog_t dog = { .id = 0, .timeout = 1 };

	EXPECT_EQ(hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, PTR(&dog)), 1);
	for (;;) {
		wfi();
	}
}

static void by_command_line(void)
{
	sched_shutdown_t end = { 0 };
	unsigned int i;

	printf("now: waiting\n");
	wait_for_typing();
	if (has_bootarg("timeout")) {
		start_watchdog();
	}
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (has_bootarg(ends[i].name)) {
			end.reason = ends[i].reason;
			hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, PTR(&end));
		}
	}
	CHECK(!"an end on the command line");
}

const struct test guest_tests[] = {
	{ "by_command_line", by_command_line },
	{ NULL, NULL },
};

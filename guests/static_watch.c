/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that starts at boot beside dom0 and domain 1: its port 30 is joined
 * with dom0's 99, its port 9 with 7 of domain 1, whose end it waits for.
 */
#include "port.h"

#define TO_DOM0 30u
#define TO_ONE 9u

static void at_birth(void)
{
	evtchn_status_t s;

	ports_map();
	s = port_status(TO_DOM0);
	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.u.interdomain.dom, 0);
	EXPECT_EQ(s.u.interdomain.port, 99);
	EXPECT_EQ(port_send(TO_DOM0), 0);
	s = port_status(TO_ONE);
	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.u.interdomain.dom, 1);
	EXPECT_EQ(s.u.interdomain.port, 7);
	EXPECT_EQ(port_send(TO_ONE), 0);
	printf("watching\n");
}

/* Destroyed, not only stopped; then this end waits for nobody who comes. */
static void the_other_ends(void)
{
	while (port_status(TO_ONE).status == EVTCHNSTAT_interdomain) {
		pump_us(100000);
	}
	EXPECT_EQ(port_status(TO_ONE).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_status(TO_ONE).u.unbound.dom, 1);
	EXPECT_EQ(port_send(TO_ONE), 0);
	EXPECT_EQ(port_close(TO_ONE), 0);
	EXPECT_EQ(port_send(TO_DOM0), 0);
}

const struct test guest_tests[] = {
	{ "at_birth", at_birth },
	{ "the_other_ends", the_other_ends },
	{ NULL, NULL },
};

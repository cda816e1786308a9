/* SPDX-License-Identifier: Apache-2.0 */
/* The one rule of who may talk to whom, for event channels and grants. */
#ifndef CORE_EVTCHN_POLICY_H
#define CORE_EVTCHN_POLICY_H

#include <hv/domain.h>
#include <hv/platform.h>

/*
 * A domain shares with itself and with the control domain; with another one
 * only where the command line says so (driver domains need it).
 */
static inline bool domains_may_share(const struct domain *a,
				     const struct domain *b)
{
	return a == b || a->is_control || b->is_control || options.xsm_dummy;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The one rule of who may talk to whom, for event channels and grants. */
#ifndef CORE_EVTCHN_POLICY_H
#define CORE_EVTCHN_POLICY_H

#include <hv/domain.h>

/* A domain shares with itself and with the control domain, nobody else. */
static inline bool domains_may_share(const struct domain *a,
				     const struct domain *b)
{
	return a == b || a->is_control || b->is_control;
}

#endif

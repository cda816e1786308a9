/* SPDX-License-Identifier: Apache-2.0 */
/* The sections that run at EL0 as well. */
#include "conform.h"

void conform_el0(void)
{
	run_at_el0(true);
	conform_sysregs_el0();
	conform_faults_el0();
	run_at_el0(false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The auditor: what it says of an item that is wrong; docs/audit.md. */
#include "audit_priv.h"

#include <lib/printf.h>

static const char *const formats[] = {
	[AUDIT_PAGE] = "page kind=%s mapped-by=%llu gfn=%#llx mfn=%#llx "
		       "owner=%llu",
	[AUDIT_FRAME] = "frame kind=%s owner=%llu mfn=%#llx count=%llu "
			"flags=%#llx",
	[AUDIT_IRQ] = "irq kind=%s domain=%llu virq=%llu line=%llu "
		      "owner=%llu",
	[AUDIT_PORT] = "port kind=%s domain=%llu port=%llu peer-port=%llu "
		       "peer=%llu",
	[AUDIT_GRANT] = "grant kind=%s mapper=%llu handle=%llu ref=%llu "
			"granter=%llu",
	[AUDIT_TAG] = "vm kind=%s domain=%llu root=%#llx tag=%#llx "
		      "other=%llu",
	[AUDIT_STREAM] = "stream kind=%s unit=%#llx stream=%#llx owner=%llu "
			 "tables-of=%llu",
};

void audit_found(struct audit *a, enum audit_class c, const char *kind,
		 const uint64_t v[4])
{
	(void)hv_snprintf(a->line, sizeof(a->line), formats[c], kind,
			  (unsigned long long)v[0], (unsigned long long)v[1],
			  (unsigned long long)v[2], (unsigned long long)v[3]);
}

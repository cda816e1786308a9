/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The isolation auditor: looks at who has what, and says so in one line that
 * a program can read (docs/audit.md).
 */
#ifndef HV_AUDIT_H
#define HV_AUDIT_H

#include <lib/types.h>

/*
 * Begin, or begin again when one is under way; it goes on in steps, at work
 * points. @tells: the verdict is printed also when nothing is wrong. Any CPU.
 */
void audit_request(bool tells);
/* PWORK_AUDIT: one bounded step. */
void audit_step(void);

/* debug/: a domain was made, or is gone: look. release/: nothing. */
void audit_domains_changed(void);

#endif

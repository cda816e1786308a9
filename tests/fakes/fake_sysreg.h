/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm64's own files on the host: included before everything (CFLAGS line of
 * the tests). System registers are a table by name, barriers are nothing, and
 * vCPUs and domains have arm64's shape instead of arch/fake's.
 */
#ifndef FAKE_SYSREG_H
#define FAKE_SYSREG_H

#include <arch/barrier.h>
#include <arch/sysreg.h>
#include "arch/arm64/include/arch/domain.h"
#include "arch/arm64/include/arch/vcpu.h"

#undef read_sysreg
#undef write_sysreg
#undef isb
#define read_sysreg(r)	   (*fake_sysreg(#r))
#define write_sysreg(v, r) (*fake_sysreg(#r) = (uint64_t)(v))
#define isb()		   ((void)0)

/* The register's storage; 0 before it is written. */
uint64_t *fake_sysreg(const char *name);
/* What registers not in the table read as from now on. */
extern uint64_t fake_sysreg_default;

#endif

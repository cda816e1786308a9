/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: what an architecture calls in core/.
 */
#ifndef HV_ENTRY_H
#define HV_ENTRY_H

#include <lib/types.h>

struct vcpu;
struct pcpu;

/* First C call of the boot CPU / of another CPU; return into a guest. */
__noreturn void hv_main(uint64_t boot_arg);
__noreturn void hv_secondary(void);

/*
 * A hypercall of @v: @nr, five arguments. Returns the guest's result; when it
 * has to be run again, arch_hypercall_restart() was called and the result
 * must not be stored (the function returns HC_RESTARTED).
 */
int64_t hypercall_dispatch(struct vcpu *v, uint64_t nr, const uint64_t *args);
#define HC_RESTARTED INT64_MIN

/* A physical interrupt other than those the architecture keeps. */
void irq_dispatch(uint32_t intid);

/*
 * The slow way out: empties pcpu.work and vcpu.work, schedules. Returns the
 * vCPU to enter, whose state is loaded; idles inside when there is none.
 */
struct vcpu *work_run(struct pcpu *cpu);

/* The EL2 timer fired. */
void timer_expired(void);

__noreturn void panic(const char *fmt, ...) __printf(1, 2);

#endif

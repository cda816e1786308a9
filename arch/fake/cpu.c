/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: CPUs, vCPU context, virtual interrupts, time and the machine,
 * as far as core/ can see them.
 *
 * Owns    the recorders that fake_arch.h declares.
 */
#include "fake_arch.h"

#include <stdio.h>
#include <stdlib.h>

#include <hv/audit.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/tracebuf.h>
#include <lib/errno.h>

static struct pcpu first_pcpu;
struct pcpu *fake_this_pcpu = &first_pcpu;

uint64_t fake_time_ns;
uint64_t fake_timer_deadline_ns = UINT64_MAX;
uint32_t fake_nr_restarts;
uint32_t fake_nr_vcpu_dumps;
uint32_t fake_nr_machine_off;
uint32_t fake_nr_machine_restart;

/* ---- cpu ---- */
void (*fake_on_relax)(void);

void arch_cpu_relax(void)
{
	if (fake_on_relax) {
		fake_on_relax();
	}
}

void arch_cpu_idle(void)
{
}

void arch_irq_poll(void)
{
}

bool fake_traps_traced;

void arch_trace_traps(bool on)
{
	fake_traps_traced = on;
}

/* No auditor, unless a test links core/audit.c. */
__attribute__((weak)) void audit_step(void)
{
}

/* No trace buffers, unless a test links core/tracebuf.c. */
__attribute__((weak)) bool tracebuf_work(struct pcpu *c)
{
	(void)c;
	return false;
}

__attribute__((weak)) void sched_trace(struct pcpu *c, bool on)
{
	(void)c;
	(void)on;
}

__attribute__((weak)) struct page *tracebuf_page_get(mfn_t m, bool *writable)
{
	(void)m;
	(void)writable;
	return NULL;
}

void arch_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* What tests of CPUs off line define. */
__attribute__((weak)) int arch_cpu_start(uint16_t cpu)
{
	(void)cpu;
	return -ENODEV;
}

__attribute__((weak)) void arch_cpu_started(void)
{
}

__attribute__((weak)) bool arch_cpu_can_stop(uint16_t cpu)
{
	(void)cpu;
	return false;
}

__attribute__((weak)) int arch_cpu_stop_self(void)
{
	return -EBUSY;
}

__attribute__((weak)) bool arch_cpu_is_off(uint16_t cpu)
{
	(void)cpu;
	return false;
}

/* ---- vcpu context ---- */
int arch_domain_init(struct domain *d, const struct dom_config *cfg)
{
	(void)cfg;
	d->arch.evtchn_intid = 31;
	return 0;
}

void arch_irq_leave(uint16_t cpu)
{
	(void)cpu;
}

void arch_domain_fini(struct domain *d)
{
	(void)d;
}

int arch_domain_reset_step(struct domain *d, uint64_t *at)
{
	(void)d;
	return (*at)++ ? 0 : -EAGAIN;
}

int arch_domain_config(struct dom_config *cfg,
		       struct xen_arch_domainconfig *arch)
{
	cfg->nr_spis = arch->nr_spis;
	return 0;
}

int arch_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	v->arch.regs = (struct guest_regs){ .pc = c->user_regs.pc64 };
	return 0;
}

void arch_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c)
{
	*c = (struct vcpu_guest_context){ .user_regs.pc64 = v->arch.regs.pc };
}

int arch_vcpu_init(struct vcpu *v)
{
	(void)v;
	return 0;
}

void arch_vcpu_fini(struct vcpu *v)
{
	(void)v;
}

void arch_vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0)
{
	v->arch.regs = (struct guest_regs){ .pc = pc };
	v->arch.regs.x[0] = x0;
}

void arch_vcpu_load(struct vcpu *v)
{
	(void)v;
}

void arch_vcpu_save(struct vcpu *v)
{
	(void)v;
}

bool arch_vcpu_has_pending(struct vcpu *v)
{
	return v->arch.has_pending;
}

void arch_hypercall_restart(struct vcpu *v)
{
	v->arch.restarted = true;
	fake_nr_restarts++;
}

void arch_hypercall_unmask(struct vcpu *v)
{
	v->arch.unmasked = true;
}

void arch_vcpu_dump(struct vcpu *v)
{
	(void)v;
	fake_nr_vcpu_dumps++;
}

/* ---- virq ---- */
void arch_vcpu_set_upcall(struct vcpu *v, bool level)
{
	v->arch.upcall_level = level;
}

void arch_virq_flush(struct vcpu *v)
{
	(void)v;
}

void arch_vtimer_sync(struct vcpu *v)
{
	(void)v;
}

/* No object: a number that is never 0. */
struct virq *arch_virq_of(struct domain *d, uint32_t virq)
{
	(void)d;
	return virq < 1020 ? (struct virq *)(uintptr_t)(virq + 1) : NULL;
}

uint64_t fake_shared_mmio = INVALID_FRAME;
uint64_t fake_doorbell = INVALID_FRAME;
struct fake_link fake_links[8];

bool arch_mmio_is_shared(mfn_t m, uint8_t type)
{
	return m.v == (type == P2M_DOORBELL ? fake_doorbell : fake_shared_mmio);
}

int arch_virq_link(struct domain *d, uint32_t virq, uint32_t line)
{
	uint32_t linked;

	if (arch_virq_line(d, virq, &linked)) {
		return -EBUSY;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_links); i++) {
		if (!fake_links[i].d) {
			fake_links[i] = (struct fake_link){ d, virq, line };
			return 0;
		}
	}
	return -EBUSY;
}

void arch_virq_unlink(struct domain *d, uint32_t virq)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_links); i++) {
		if (fake_links[i].d == d && fake_links[i].virq == virq) {
			fake_links[i] = (struct fake_link){ 0 };
		}
	}
}

bool arch_virq_line(struct domain *d, uint32_t virq, uint32_t *line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_links); i++) {
		if (fake_links[i].d == d && fake_links[i].virq == virq) {
			*line = fake_links[i].line;
			return true;
		}
	}
	return false;
}

/* What tests of messages define. */
__attribute__((weak)) int arch_msi_domain_init(struct domain *d)
{
	(void)d;
	return 0;
}

__attribute__((weak)) void arch_msi_forget(struct domain *d, uint32_t device_id)
{
	(void)d;
	(void)device_id;
}

__attribute__((weak)) int arch_msi_stop_step(struct domain *d)
{
	(void)d;
	return 0;
}

void arch_virq_post_hw(struct domain *d, struct virq *q)
{
	(void)d;
	(void)q;
}

uint32_t arch_evtchn_intid(const struct domain *d)
{
	return d->arch.evtchn_intid;
}

/* ---- time ---- */
uint64_t arch_time_ns(void)
{
	return fake_time_ns;
}

void arch_timer_arm(uint64_t deadline_ns)
{
	fake_timer_deadline_ns = deadline_ns;
}

uint64_t arch_counter_hz(void)
{
	return UINT64_C(1000000000);
}

/* ---- machine ---- */
void arch_machine_off(void)
{
	fake_nr_machine_off++;
	exit(0);
}

void arch_machine_restart(void)
{
	fake_nr_machine_restart++;
	exit(0);
}

void arch_halt(void)
{
	abort();
}

void arch_dump_self(void)
{
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: what core/ and boot/ ask of an architecture. Implemented by
 * arch/arm64 and, for host tests, by arch/fake.
 */
#ifndef HV_ARCH_H
#define HV_ARCH_H

#include <lib/types.h>
#include <hv/p2m.h>

struct domain;
struct vcpu;
struct dom_config;
struct iommu_space;
struct vcpu_guest_context;
struct xen_arch_domainconfig;

/* ---- cpu ---------------------------------------------------------------- */
/* Wait politely in a spin loop (wfe/yield: see docs/adr). */
void arch_cpu_relax(void);
/* Sleep until an interrupt is pending; interrupts stay masked. */
void arch_cpu_idle(void);
/* Take and handle one physical interrupt, if one is pending (idle loop). */
void arch_irq_poll(void);
/* This CPU shall write records of guests' calls and interrupts (tracebuf). */
void arch_trace_traps(bool on);
/* Other CPUs see our stores before the signal that follows. */
void arch_wmb(void);

/* ---- vcpu context (owner CPU unless said) ------------------------------- */
__must_check int arch_domain_init(struct domain *d,
				  const struct dom_config *cfg);
void arch_domain_fini(struct domain *d);
/*
 * Interrupts, timers and the emulated UART of @d as after arch_domain_init()
 * and arch_vcpu_init(), links to physical lines kept. Its vCPU 0 is loaded
 * here, the others are descheduled. A bounded step; @at is 0 at first;
 * -EAGAIN: call again.
 */
__must_check int arch_domain_reset_step(struct domain *d, uint64_t *at);
/*
 * A toolstack's domain: complete @cfg from @arch, and @arch by what is chosen.
 * -EINVAL: not on this machine.
 */
__must_check int arch_domain_config(struct dom_config *cfg,
				    struct xen_arch_domainconfig *arch);
__must_check int arch_vcpu_init(struct vcpu *v);
void arch_vcpu_fini(struct vcpu *v);
/* Reset state with entry point @pc and first argument @x0; v is OFFLINE. */
void arch_vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0);
/* Put v's EL1 and interrupt state into this CPU / back into memory. */
void arch_vcpu_load(struct vcpu *v);
void arch_vcpu_save(struct vcpu *v);
/* An interrupt that the guest would take (or that ends WFI) is pending. */
bool arch_vcpu_has_pending(struct vcpu *v);
/* Guest would run the current hypercall again on the next entry. */
void arch_hypercall_restart(struct vcpu *v);
/* Interrupts are unmasked when the call in progress returns to @v. */
void arch_hypercall_unmask(struct vcpu *v);
/*
 * Registers as the toolstack sees them; @v is descheduled. Set: -EINVAL for a
 * state that no guest of ours can be in; the rest of @v is as after reset.
 */
__must_check int arch_vcpu_set_context(struct vcpu *v,
				       const struct vcpu_guest_context *c);
void arch_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c);
/*
 * Registers and interrupts of @v to the console, on the CPU that holds them or
 * on any while v->loaded_on is CPU_NONE.
 */
void arch_vcpu_dump(struct vcpu *v);

/* ---- virq ---------------------------------------------------------------- */
/*
 * Level of the event channel upcall line of @v; owner CPU, from work_run().
 */
void arch_vcpu_set_upcall(struct vcpu *v, bool level);
/* Bring list registers in line with pending interrupts; owner CPU. */
void arch_virq_flush(struct vcpu *v);
/* Emulated timers of @v fired; owner CPU. */
void arch_vtimer_sync(struct vcpu *v);
/* What @d sees of a line as @virq, for as long as @d lives; NULL: nothing. */
struct virq *arch_virq_of(struct domain *d, uint32_t virq);
/*
 * The guest's own end of @virq is that of @line, which is @d's already.
 * -EINVAL: @d has no such number; -EBUSY: it is linked, or another CPU
 * has it in use, which is told to let go if it can: later it may work.
 */
__must_check int arch_virq_link(struct domain *d, uint32_t virq,
				uint32_t line);
/*
 * Undone: @line is nobody's already. A CPU that has @virq in hand lets go of
 * it up to its next work point. Any CPU.
 */
void arch_virq_unlink(struct domain *d, uint32_t virq);
/* A physical line that belongs to @d fired and is linked to @q; any CPU. */
void arch_virq_post_hw(struct domain *d, struct virq *q);
/* This CPU comes on line: messages of devices may interrupt it. */
void arch_irq_join(void);
/* @cpu, another one, goes off line: its messages come to this one. */
void arch_irq_leave(uint16_t cpu);
/*
 * Messages of devices for @d, whose devices are behind an IOMMU: hv/vpci.h;
 * after domain_create(), before it runs. -ENODEV: the machine has none to
 * share; -ENOSPC: as many domains as can have one; -ENOMEM; -EEXIST. Nothing
 * remains after an error.
 */
__must_check int arch_msi_domain_init(struct domain *d);
/*
 * @device_id, one of the machine's, is @d's no more: vpci_device_id() (dom0:
 * pci_is_given()) says so to all CPUs already. What @d has mapped for it is
 * unmapped; none of its messages reaches @d after this. Any CPU; nothing to do
 * for a domain without an ITS. Who gives a function to a domain calls it for
 * the one that had it, dom0 included.
 */
void arch_msi_forget(struct domain *d, uint32_t device_id);
/*
 * The same for all that @d has, whose vCPUs do not run any more; a device a
 * step. -EAGAIN: call again. When all CPUs have passed a work point after it,
 * none has an interrupt of a device of @d's in hand.
 */
__must_check int arch_msi_stop_step(struct domain *d);
/* First PPI of @d that is free for the event channel upcall. */
uint32_t arch_evtchn_intid(const struct domain *d);

/* The input of @d's console changed; d->console->lock is held. Any CPU. */
void arch_uart_update_locked(struct domain *d);

/* ---- p2m: table edits; the caller holds the P2M lock of @d --------------- */
__must_check int arch_p2m_init(struct domain *d);
/* Free tables, bounded step; -EAGAIN: call again. */
__must_check int arch_p2m_fini_step(struct domain *d);
/*
 * Map 2^order frames at @g to @m, replacing nothing (-EEXIST when any entry
 * is valid). Uses blocks where alignment permits. -ENOMEM, -EINVAL (outside
 * the IPA range). No half-done state remains after an error.
 */
__must_check int arch_p2m_map(struct domain *d, gfn_t g, mfn_t m,
			      unsigned int order, enum p2m_type t);
/*
 * Unmap exactly one 4 KiB frame (splits blocks). TLB maintenance is complete
 * on return. -ENOENT: nothing there; -ENOMEM: no page for the split.
 */
__must_check int arch_p2m_unmap(struct domain *d, gfn_t g,
				struct p2m_entry *old);
/* What is mapped at @g; type P2M_NONE when nothing. Lock-free safe. */
struct p2m_entry arch_p2m_lookup(struct domain *d, gfn_t g);
/*
 * The tables of @d as a device walks them: all of @out but the tag.
 * @uncached: from here on what they say is in memory, not in caches alone.
 */
void arch_p2m_share(struct domain *d, bool uncached, struct iommu_space *out);
/* Number of IPA bits guests have. */
unsigned int arch_ipa_bits(void);

/* ---- audit --------------------------------------------------------------- */
/* What the tables of a domain say of one guest frame. */
struct p2m_raw {
	struct p2m_entry e; /* .mfn with is_bad_table: of that table */
	bool is_mapped;     /* the hardware finds it; else e.order only */
	bool is_sound;      /* its rights are those of its type */
	bool is_bad_table;  /* a table on the way is not the hypervisor's */
};
/* The P2M lock of @d is held, and it is not dying. */
void arch_p2m_inspect(struct domain *d, gfn_t g, struct p2m_raw *r);
/* The physical line that @virq of @d is linked to; false: none. */
bool arch_virq_line(struct domain *d, uint32_t virq, uint32_t *line);
/*
 * What the hardware tells @d's translations from others' by, *root being where
 * they begin; 0: it has not run lately.
 */
uint64_t arch_p2m_tag(const struct domain *d, uint64_t *root);
/* Register frames that domains may have together, mapped as @type. */
bool arch_mmio_is_shared(mfn_t m, uint8_t type);

/* ---- guest address → page ------------------------------------------------ */
/*
 * Translate @va of the running vCPU @v as the guest at EL1 (or its user
 * space) would, for reading or writing. 0 with *pa, or -EFAULT.
 */
__must_check int arch_gva_to_pa(struct vcpu *v, gva_t va, bool write,
				paddr_t *pa);
/* What this CPU stored is seen by all before its next arch_gva_to_pa(). */
void arch_walk_fence(void);

/* ---- time ---------------------------------------------------------------- */
uint64_t arch_time_ns(void);       /* since boot, monotonic, all CPUs alike */
void arch_timer_arm(uint64_t deadline_ns); /* this CPU; UINT64_MAX: off */
uint64_t arch_counter_hz(void);

/* ---- memory -------------------------------------------------------------- */
/* hv_va()/hv_pa(): the direct map of RAM. From <arch/directmap.h>. */
#include <arch/directmap.h>
/* Write zeros to a whole page, the fast way. */
void arch_clear_page(void *page);
/* Clean and invalidate [va, va+len) to the point of coherency. */
void arch_clean_dcache(const void *va, size_t len);
void arch_invalidate_icache(void);

/* ---- machine ------------------------------------------------------------- */
__noreturn void arch_machine_off(void);
__noreturn void arch_machine_restart(void);
__noreturn void arch_halt(void);
/*
 * Physical CPU bring-up: it is on line some time after this, if it comes; each
 * has a stack of its own. -EBUSY: it is on; -errno.
 */
__must_check int arch_cpu_start(uint16_t cpu);
void arch_cpu_started(void); /* nobody is on the way: the way in closes */
/* The way back, if there is one for @cpu at all. */
bool arch_cpu_can_stop(uint16_t cpu);
int arch_cpu_stop_self(void); /* returns only when it may not: -errno */
bool arch_cpu_is_off(uint16_t cpu);
/* Registers, back trace with symbols of this CPU, for the last words. */
void arch_dump_self(void);

#endif

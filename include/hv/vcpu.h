/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual CPU: its run state and what is pending for it.
 *
 * State machine (vcpu.c; under the run-queue lock of v->cpu):
 *   OFFLINE -> RUNNABLE (vcpu_online: created, or PSCI CPU_ON)
 *   RUNNABLE <-> RUNNING (scheduler), RUNNING -> BLOCKED (vcpu_block)
 *   BLOCKED -> RUNNABLE (vcpu_wake), any -> OFFLINE (vcpu_offline)
 * A pause count above zero keeps a vCPU off the run queue whatever its state.
 *
 * A vCPU's registers stay in a CPU that idles (->loaded_on) until that CPU runs
 * another vCPU, or until the vCPU is paused, offline or must move. While they
 * do, ->cpu is that CPU. Only when ->loaded_on is CPU_NONE may another CPU
 * read or write its registers in memory, or take it over.
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <lib/types.h>
#include <lib/list.h>
#include <abi/xen.h>
#include <hv/guest_win.h>
#include <hv/percpu.h>
#include <hv/timer.h>
#include <arch/vcpu.h> /* struct arch_vcpu */

struct domain;

#define MAX_VCPUS_PER_DOMAIN 128

enum vcpu_state {
	VCPU_OFFLINE,
	VCPU_RUNNABLE,
	VCPU_RUNNING,
	VCPU_BLOCKED,
};

/* Bits of vcpu.work: what the owner CPU must do before it enters the guest. */
enum vcpu_work {
	VWORK_UPCALL = 1u << 0, /* event channel upcall line may have changed */
	VWORK_VIRQ = 1u << 1,   /* virtual interrupt state changed: flush */
	VWORK_VTIMER = 1u << 2, /* emulated timer fired; restart_step() */
};

/* The guest's copy of a vCPU's run state. */
enum runstate_area {
	RUNSTATE_AREA_NONE,  /* never registered */
	RUNSTATE_AREA_TAKEN, /* where runstate_win is */
	RUNSTATE_AREA_TOLD,  /* by another vCPU: at runstate_va */
};

struct vcpu {
	struct arch_vcpu arch;     /* first: the entry code saves into it */

	uint32_t work;             /* enum vcpu_work; any CPU, atomically */
	uint8_t state;             /* enum vcpu_state; runq lock of ->cpu */
	bool poll;                 /* blocked in SCHEDOP_poll */
	uint16_t cpu;              /* the CPU that owns it */
	uint16_t loaded_on;        /* whose registers hold it, or CPU_NONE */
	uint32_t id;
	uint32_t pause_count;      /* runq lock of ->cpu writes, atomic reads */
	struct domain *domain;

	/* Scheduler (sched.c and the policy). */
	bool queued;               /* in the policy's queue of ->cpu */
	struct list_node runq;     /* the policy's */
	void *sched_priv;          /* the policy's own */
	void *sched_next;          /* the next pool's; cpupool.c */
	uint64_t cpus;             /* where it may run; hv/cpupool.h */
	uint64_t likes;            /* those of it that it prefers, or all */
	uint64_t hard_affinity;    /* bitmap of CPUs; NR_CPUS <= 64 */
	uint64_t soft_affinity;
	uint64_t pinned_from;      /* hard_affinity before vcpu_pin(), or 0 */

	/* Guest-visible records, written through permanent windows. */
	struct vcpu_info *info;    /* in a pinned frame, never NULL */
	struct page *info_page;    /* its reference; NULL: not registered */
	struct vcpu_info own_info; /* of vCPUs > 0 until they register one */
	uint8_t runstate_area;     /* enum runstate_area; atomic */
	uint64_t runstate_va;      /* what was told; 0: none */
	struct guest_win runstate_win; /* stays open; len[0] == 0: none */
	uint64_t runstate_entry_ns;
	uint64_t runstate_ns[4];   /* RUNSTATE_running.. */
	uint8_t runstate;
	uint8_t traced;            /* sched_trace.c */

	struct timer singleshot;   /* VCPUOP_set_singleshot_timer */
	struct timer poll_timer;
	uint32_t virq_port[NR_VIRQS]; /* per-vCPU VIRQs; 0: unbound; evtchn */
	struct evtchn_fifo_vcpu *fifo; /* NULL before init_control */

	/* Continuation of a long hypercall: position in our memory. */
	struct {
		uint64_t key;      /* hash of nr, op, args it belongs to */
		uint64_t done;
	} cont;
	bool is_read; /* paused by getvcpucontext; control_lock */
	bool has_context; /* somebody gave it registers once */
};

/*
 * Any CPU, never blocks: set @bits in v->work, wake v when it is blocked,
 * kick its CPU when it runs elsewhere.
 */
void vcpu_post(struct vcpu *v, uint32_t bits);

/* Make a blocked vCPU runnable; any CPU. No effect on other states. */
void vcpu_wake(struct vcpu *v);
/*
 * Owner CPU, in a trap of @v: block until vcpu_wake(). Returns at once; takes
 * effect at the next work point. Checks arch_vcpu_has_pending() after the
 * state change, so that a wake-up that races is not lost.
 */
void vcpu_block(struct vcpu *v);
void vcpu_yield(struct vcpu *v);
/* Any CPU. Counted. vcpu_pause does not wait; vcpu_is_descheduled tells. */
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
bool vcpu_is_descheduled(const struct vcpu *v);
/*
 * OFFLINE <-> RUNNABLE. Any CPU. Who calls vcpu_online() has set the registers
 * (arch_vcpu_reset) and has seen vcpu_is_descheduled() before that.
 */
void vcpu_online(struct vcpu *v);
void vcpu_offline(struct vcpu *v);
/*
 * CPUs on which @v may run, at least one of which is in its pool (-EINVAL). A
 * vCPU that is on another CPU now moves at that CPU's next work point. -EBUSY
 * while it is pinned.
 */
__must_check int vcpu_set_hard_affinity(struct vcpu *v, uint64_t cpus);
/*
 * It would rather run there: it wakes up there if one of these is idle, and
 * goes there when one becomes idle while it runs elsewhere (policy credit2;
 * null: first). None of them may be where it may run.
 */
void vcpu_set_soft_affinity(struct vcpu *v, uint64_t cpus);
/* Where it may run. The lock of its run queue, or nobody knows it. */
static inline void vcpu_cpus_set(struct vcpu *v, uint64_t cpus)
{
	uint64_t soft = cpus & v->soft_affinity;

	__atomic_store_n(&v->likes, soft ? soft : cpus, __ATOMIC_RELAXED);
	__atomic_store_n(&v->cpus, cpus, __ATOMIC_SEQ_CST);
}
/*
 * To the CPU with this bit alone, which is in its pool (-EINVAL), until the
 * call with 0 gives back what it had. -EBUSY: pinned already; -EINVAL: not
 * pinned.
 */
__must_check int vcpu_pin(struct vcpu *v, uint64_t cpu);
/*
 * Its pool has other CPUs now: it may run on those that suit its affinity. A
 * pin to another CPU ends; where no CPU is left, all will do.
 */
void vcpu_fit_pool(struct vcpu *v);

static inline bool vcpu_is_online(const struct vcpu *v)
{
	return __atomic_load_n(&v->state, __ATOMIC_ACQUIRE) != VCPU_OFFLINE;
}

/* Create vCPU @id of @d in state OFFLINE. -ENOMEM, -EEXIST, -EINVAL. */
__must_check int vcpu_create(struct domain *d, uint32_t id, uint16_t cpu);
/* Undo of vcpu_create; the vCPU must be descheduled. NULL is allowed. */
void vcpu_destroy(struct vcpu *v);

/* Where the record of @v is before its guest moves it. */
struct vcpu_info *vcpu_first_info(struct vcpu *v);

/* Account the time since the last change; runq lock of v->cpu. */
void vcpu_runstate_change(struct vcpu *v, uint8_t runstate, uint64_t now_ns);
/*
 * @t's copy is at @va of its address space from now on; 0: nowhere. Called by
 * @v of the same domain. -EINVAL when it is @v's own and not writable memory
 * of the domain.
 */
__must_check int vcpu_runstate_register(struct vcpu *v, struct vcpu *t,
					uint64_t va);
/* Write the copy, if there is one, while v's registers are in this CPU. */
void vcpu_runstate_publish(struct vcpu *v);
/* Give its frames back. */
void vcpu_runstate_release(struct vcpu *v);

#endif

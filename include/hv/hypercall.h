/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercall dispatch: number -> row -> sub-op row -> rights -> private copy
 * -> handler -> reply.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <abi/xen.h>
#include <hv/entry.h>
#include <hv/guest_win.h>

struct domain;
struct vcpu;

enum hc_priv {
	HC_ANY = 0,
	HC_CTRL = 1, /* control domain only: -EPERM for others */
};

/* The private copy of a sub-op's structure; grows a member per sub-op. */
union hc_arg {
	evtchn_alloc_unbound_t evtchn_alloc_unbound;
	evtchn_bind_interdomain_t evtchn_bind_interdomain;
	evtchn_bind_virq_t evtchn_bind_virq;
	evtchn_bind_ipi_t evtchn_bind_ipi;
	evtchn_close_t evtchn_close;
	evtchn_send_t evtchn_send;
	evtchn_status_t evtchn_status;
	evtchn_bind_vcpu_t evtchn_bind_vcpu;
	evtchn_unmask_t evtchn_unmask;
	evtchn_reset_t evtchn_reset;
	evtchn_init_control_t evtchn_init_control;
	evtchn_expand_array_t evtchn_expand_array;
	evtchn_set_priority_t evtchn_set_priority;
	xen_memory_reservation_t mem_reservation;
	xen_add_to_physmap_t mem_add_to_physmap;
	xen_add_to_physmap_batch_t mem_add_to_physmap_batch;
	xen_remove_from_physmap_t mem_remove_from_physmap;
	domid_t mem_domid;
	xen_mem_acquire_resource_t mem_acquire_resource;
	struct xen_vnuma_topology_info vnuma_info;
	struct xen_reserved_device_memory_map mem_reserved;
	struct xen_hvm_param hvm_param;
	struct sched_shutdown sched_shutdown;
	struct sched_poll sched_poll;
	struct sched_remote_shutdown sched_remote_shutdown;
	struct sched_watchdog sched_watchdog;
	struct sched_pin_override sched_pin_override;
	struct vcpu_register_vcpu_info vcpu_info;
	xen_feature_info_t feature_info;
	xen_platform_op_t platform_op;
	multicall_entry_t multicall;
};
STATIC_ASSERT(sizeof(union hc_arg) <= 512, "private copy fits the stack");

/* One sub-operation. */
struct hc_subop {
	int64_t (*fn)(struct vcpu *v, union hc_arg *arg);
	uint16_t size; /* bytes of the guest's structure */
	uint8_t dir;   /* HC_IN | HC_OUT */
	uint8_t priv;  /* enum hc_priv */
};

#define SUBOP(member, handler, direction, privilege)                          \
	{                                                                     \
		.fn = (handler),                                              \
		.size = sizeof(((union hc_arg *)NULL)->member),               \
		.dir = (direction),                                           \
		.priv = (privilege),                                          \
	}

/*
 * Run sub-op @cmd of @ops with the structure at guest address @uarg. The ABI
 * has @cmd as a 32-bit number: the upper half of the register is not looked
 * at. -ENOSYS: no such row; -EPERM; -EFAULT; else the handler's result. The
 * reply is written when the handler returns >= 0. The handler's private copy
 * is op->size bytes; what lies beyond in the union is not initialised.
 */
int64_t hypercall_subop(struct vcpu *v, const struct hc_subop *ops,
			uint32_t nr_ops, uint64_t cmd, uint64_t uarg);

/* A hypercall: its own function with the raw arguments. */
struct hc_row {
	int64_t (*fn)(struct vcpu *v, const uint64_t *args);
};
#define NR_HYPERCALLS 64u
extern const struct hc_row hypercall_table[NR_HYPERCALLS];

/*
 * Long work: a handler that stops at a bound returns hc_cont_again(), which
 * notes its position in v->cont; the dispatcher makes the guest run the call
 * again. The key says what the position belongs to: hc_cont_key() of the
 * operation and all that identifies it. A call with another key starts at 0.
 */
#define HC_AGAIN (INT64_MIN + 1)

static inline uint64_t hc_cont_mix(uint64_t key, uint64_t x)
{
	key = (key ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return key ^ (key >> 29);
}

/* Key of operation @op of hypercall @nr on (a, b, c); never 0. */
uint64_t hc_cont_key(uint32_t nr, uint32_t op, uint64_t a, uint64_t b,
		     uint64_t c);
/* Where to go on: 0 for a fresh call. */
uint64_t hc_cont_position(const struct vcpu *v, uint64_t key);
int64_t hc_cont_again(struct vcpu *v, uint64_t key, uint64_t done);
/*
 * The next call goes on at @done whatever its key: for a call inside another
 * one, which vouches for it. A handler checks a position against its bounds.
 */
void hc_cont_set_any(struct vcpu *v, uint64_t done);
/* The call is over: a later one with the same arguments is a new one. */
void hc_cont_end(struct vcpu *v);

bool hc_permitted(const struct vcpu *v, uint8_t priv);

/* Rows of hypercall_table.c; each in the file of its module. */
int64_t hc_memory_op(struct vcpu *v, const uint64_t *args);
int64_t hc_xen_version(struct vcpu *v, const uint64_t *args);
int64_t hc_console_io(struct vcpu *v, const uint64_t *args);
int64_t hc_grant_table_op(struct vcpu *v, const uint64_t *args);
int64_t hc_vm_assist(struct vcpu *v, const uint64_t *args);
int64_t hc_vcpu_op(struct vcpu *v, const uint64_t *args);
int64_t hc_sched_op(struct vcpu *v, const uint64_t *args);
int64_t hc_event_channel_op(struct vcpu *v, const uint64_t *args);
int64_t hc_physdev_op(struct vcpu *v, const uint64_t *args);
int64_t hc_hvm_op(struct vcpu *v, const uint64_t *args);
int64_t hc_platform_op(struct vcpu *v, const uint64_t *args);
int64_t hc_multicall(struct vcpu *v, const uint64_t *args);
int64_t hc_domctl(struct vcpu *v, const uint64_t *args);
int64_t hc_sysctl(struct vcpu *v, const uint64_t *args);

/*
 * hc_sched.c: the timers of SCHEDOP_watchdog, at the beginning and at the end
 * of @d.
 */
void domain_watchdog_init(struct domain *d);
void domain_watchdog_stop(struct domain *d);

#endif

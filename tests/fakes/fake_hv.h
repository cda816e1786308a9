/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small hypervisor of the product's own parts: CPUs with run queues, dom0
 * with one vCPU on CPU 0, and what its toolstack does. A test or fuzzer links
 * the parts (see LINK in test_domctl.c) and this.
 */
#ifndef FAKE_HV_H
#define FAKE_HV_H

#include <hv/domain.h>
#include <hv/hypercall.h>

#define HV_ARG UINT64_C(0x10000)  /* dom0: the structure of a call */
#define HV_BUF UINT64_C(0x12000)  /* dom0: what it points to, 8 pages */
#define HV_BAD UINT64_C(0x999000) /* dom0: nothing there */
#define HV_GFN UINT64_C(0x10)     /* any domain: RAM from hv_ram() */

extern struct domain *hv_dom0;
extern struct vcpu *hv_v0;
extern unsigned int hv_restarts; /* of the last call */
/* Objects and pages not given back, and the step that shall fail (0: none). */
extern long hv_live;
extern unsigned int hv_steps, hv_fail_at;
/* Called before each repeat of a call; NULL: the other CPUs do their work. */
extern void (*hv_between)(void);

extern const char *hv_policy; /* as in sched=; of hv_start() */
/* Once a program; with hv_stop() and hv_start_dom0() dom0 comes anew. */
void hv_start(uint64_t mib, uint16_t nr_cpus);
void hv_start_dom0(void);
/* dom0 holds nothing any more, and has the only reference to itself. */
void hv_stop(void);
/* @cpu does its work until it idles or a vCPU runs there. */
void hv_run_cpu(uint16_t cpu);
void hv_run_others(void);
/* Work points of this CPU free what nobody refers to; hv_call() has them. */
void hv_reap(void);
void hv_ram(struct domain *d, uint64_t g, uint64_t nr);

/* By dom0, again and again until there is a result; @once: or HC_RESTARTED. */
int64_t hv_call(uint32_t nr, uint64_t a, uint64_t b, uint64_t c);
int64_t hv_call_once(struct vcpu *v, uint32_t nr, uint64_t a, uint64_t b);
int64_t hv_domctl(uint32_t cmd, domid_t id, struct xen_domctl *op);
int64_t hv_sysctl(uint32_t cmd, struct xen_sysctl *op);

/* As libxl asks for it. */
struct xen_domctl hv_config(uint32_t nr_vcpus);
/*
 * createdomain, max_vcpus, max_mem, RAM, vCPU 0 on line; not unpaused. NULL
 * when dom0's pages for it are not what they were, or memory is short.
 */
struct domain *hv_build(uint32_t nr_vcpus, uint64_t pages);
int64_t hv_simple(uint32_t cmd, domid_t id); /* an operation without fields */
#define hv_destroy(id) hv_simple(XEN_DOMCTL_destroydomain, id)
#define hv_unpause(id) hv_simple(XEN_DOMCTL_unpausedomain, id)
#define hv_pause(id) hv_simple(XEN_DOMCTL_pausedomain, id)

/* ---- by dom0, with single pages and ports of a guest -------------------- */
#define HV_PAGE_GFN (HV_GFN + 4)    /* of a guest: what is shared */
#define HV_MAP_GFN UINT64_C(0x4000) /* of who maps */

int64_t hv_memory_op(uint32_t cmd, const void *arg, size_t size);
int64_t hv_populate(domid_t id, uint64_t g);
int64_t hv_add(domid_t id, uint32_t space, uint64_t g);
int64_t hv_take(domid_t id, uint64_t g);
/* Page HV_PAGE_GFN of @id at HV_MAP_GFN of dom0: the result for the page. */
int hv_foreign(domid_t id);
/* A port, or -errno. */
int64_t hv_alloc_unbound(domid_t id);

#endif

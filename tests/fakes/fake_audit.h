/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three domains and a second CPU for tests of the auditor. A test names what
 * it links: `// LINK: $(AUDIT_WORLD)`, `// LIBS: -Wl,--wrap=page_inspect`.
 */
#ifndef FAKE_AUDIT_H
#define FAKE_AUDIT_H

#include <hv/domain.h>
#include <hv/p2m.h>
#include "arch/fake/fake_arch.h"
#include "core/evtchn_priv.h"

#define RAM UINT64_C(0x10) /* of each domain */
#define NR_RAM 32u
#define FREE UINT64_C(0x400) /* where nothing is mapped */
#define DEVICE UINT64_C(0x9000) /* dom0's, four frames */
#define LINE 40u /* dom0's */
#define REF 8u

extern struct domain *d0, *d1, *d2; /* d0 is dom0 */
extern struct domain *all[3];       /* that there are; NULL: it is gone */
extern char out[4096];              /* the log since look() began */
extern mfn_t trace_page;            /* the hypervisor's, to be read */
extern void (*before_frame)(void);  /* what another CPU does meanwhile */
/* The other CPU comes to its work points; waits at one; how often it did. */
extern bool comes, stands;
extern unsigned int nr_parks;

void audit_world(void); /* a suite's .init */
void second_cpu(void);

/* A whole run. */
void look(void);
/* ... that finds nothing. */
void passes(void);
/* ... that finds just this. */
void finds(const char *what);

mfn_t frame(struct domain *d, uint64_t g);
/* An entry at FREE that nobody has counted. */
void enter(struct domain *d, mfn_t m, enum p2m_type t);
struct fake_p2m_block *block(struct domain *d, uint64_t g);
/* A hypercall with one structure, to its end. */
int64_t call(struct vcpu *v, uint64_t nr, uint64_t cmd, void *arg,
	     size_t size);
/* @to's vCPU maps frame RAM + @n of @from at @at; the handle. */
uint32_t map_grant(struct domain *to, struct domain *from, uint64_t n,
		   uint32_t flags, uint64_t at);
void unmap_grant(struct domain *d, uint32_t handle, uint64_t at);
void map_foreign(struct domain *from, uint64_t g, uint64_t at);
/* Port 5 of @a and 7 of @b, joined by the device tree; the former. */
struct evtchn *pair(struct domain *a, struct domain *b);

#endif

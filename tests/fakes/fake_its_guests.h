/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of virtual ITSs of several domains, which are all that include
 * it: guests 1 and 2 with one vCPU each beside dom0, and functions of the
 * machine that change hands.
 */
#ifndef FAKE_ITS_GUESTS_H
#define FAKE_ITS_GUESTS_H

#include "fake_its.h"

static inline struct domain *domain_of(uint32_t i)
{
	return i ? other[i]->domain : d;
}

/* As core makes one, but for its ITS. */
static inline struct vcpu *make_domain(void)
{
	struct domain *o = calloc(1, sizeof(*o));
	struct vcpu *v = calloc(1, sizeof(*v));
	struct dom_config cfg = world.cfg;

	cr_assert(o && v);
	o->vcpu = calloc(1, sizeof(v));
	cr_assert_not_null(o->vcpu);
	o->vcpu[0] = v;
	o->max_vcpus = 1;
	o->nr_vcpus = 1;
	o->iommu.enabled = true;
	v->domain = o;
	v->state = VCPU_RUNNABLE;
	cr_assert_eq(vgic_domain_init(o, &cfg), 0);
	cr_assert_eq(vgic_v3_map(o, &cfg), 0);
	cr_assert_eq(vgic_vcpu_init(v), 0);
	return v;
}

/* As core's tear-down, after its last work point. */
static inline void free_domain(struct vcpu *v)
{
	struct domain *o = v->domain;

	vgic_vcpu_fini(v);
	vits_domain_fini(o);
	vgic_domain_fini(o);
	free(o->vcpu);
	free(o);
	free(v);
}

static inline void stop_domain(struct domain *o)
{
	int n = 0;

	while (arch_msi_stop_step(o) == -EAGAIN) {
		cr_assert_lt(n++, (int)VITS_MAX_DEVICES);
	}
}

/* Guest @i, with its queue and LPIs on, and collection 0. */
static inline void make_guest(uint32_t i)
{
	struct vits *s;

	me = i;
	other[i] = make_domain();
	owner[i] = other[i]->domain;
	writes[i] = 0;
	cr_assert_eq(arch_msi_domain_init(other[i]->domain), 0);
	s = its();
	s->propbaser = CONFIG << PAGE_SHIFT | 13;
	s->lpis_on[0] = 1;
	memset(ram[i * PAGES + CONFIG], 0xa1, VGIC_NR_LPIS);
	its_reg(GITS_CBASER, true, UINT64_C(1) << 63 | QUEUE << PAGE_SHIFT);
	s->enabled = true;
	mapc(0, 0, true);
	run_queue();
}

static inline void free_guest(uint32_t i)
{
	stop_domain(other[i]->domain);
	free_domain(other[i]);
	other[i] = NULL;
	owner[i] = NULL;
	memset(slot[i], 0xff, sizeof(slot[i]));
	me = 0;
}

/* As core/pci.c and core/vpci.c do it: @id of the machine is @virt of @i. */
static inline void give(uint32_t id, uint32_t i, uint32_t virt)
{
	given[id] = true;
	arch_msi_forget(d, id);
	slot[i][virt] = id;
}

static inline void take_back(uint32_t id, uint32_t i, uint32_t virt)
{
	cr_assert_eq(slot[i][virt], id);
	slot[i][virt] = NO_DEV;
	arch_msi_forget(other[i]->domain, id);
	given[id] = false;
}

static inline void two_guests(void)
{
	begin(2);
	make_guest(1);
	make_guest(2);
	me = 0;
}

/* Is LPI 8192 + @n of guest @i pending? Not any more afterwards. */
static inline bool came(uint32_t i, uint32_t n)
{
	struct vits *s = domain_of(i)->arch.vgic.its;
	struct virq *q = &s->lpi[n];
	struct vgic_op op;
	bool yes;

	vgic_op_begin(&op, s->d);
	yes = virq_read_pending(&op, q);
	virq_clear_pending(&op, q);
	vgic_op_end(&op);
	return yes;
}

#endif

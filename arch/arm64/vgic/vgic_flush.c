/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List registers of the vCPU on this CPU: which interrupts they hold.
 *
 * Owns    lr_used, lr_eoi, lr_intid and lr_saved of struct vgic_vcpu.
 * Not     what an interrupt's state is (vgic_state.c).
 * Locks   the domain's vGIC lock; all but vgic_has_pending() on the owner CPU.
 * Order   active interrupts first, because their end is only seen in a list
 *         register; then the lower priority value, then the lower INTID. When
 *         active ones fill all of them, the last goes to the best pending one.
 *         While something waits, a maintenance interrupt tells when the last
 *         pending one is taken (those that wait are less urgent), and when
 *         one list register is left (an active one that waits is needed).
 *         Of equal priority, a virtual CPU interface may take which it likes;
 *         that of QEMU takes the first list register. A line that fires for
 *         ever in a low one would keep others from the guest for ever: no SPI
 *         is placed before a pending one of a lower INTID.
 * Bounds  candidates: one visit each, 16 comparisons; list registers: 16.
 * Spec    [GIC] "Virtual interrupt handling and prioritization",
 *         "ICH_ELRSR_EL2", "ICH_EISR_EL2", "ICH_HCR_EL2".
 */
#include <lib/check.h>
#include "vgic_priv.h"

static struct virq *lr_virq(struct vcpu *v, unsigned int n)
{
	return virq_lookup(v->domain, v, v->arch.vgic.lr_intid[n]);
}

/* Release list register @n, which contains @lr. */
static void release_lr(struct vgic_op *op, struct vcpu *v, unsigned int n,
		       uint64_t lr)
{
	struct virq *q = lr_virq(v, n);

	if (NEVER(!q)) {
		return;
	}
	virq_fold(v, q, n, lr);
	virq_settle(op, q);
}

/* Those whose end is reported: a line to sample, a sender that waits. */
static void collect_eois(struct vgic_op *op, struct vcpu *v)
{
	unsigned int eoi;

	if (likely(!v->arch.vgic.lr_eoi)) {
		return;
	}
	eoi = (unsigned int)vgic_hw->eoi_lrs() & v->arch.vgic.lr_used;
	for (; eoi; eoi &= eoi - 1) { /* bound: list registers */
		vgic_hw->write_lr(ffs64(eoi), 0);
		release_lr(op, v, ffs64(eoi), 0);
	}
}

/*
 * All the guest is done with. Others may stay: whoever looks at one of them
 * finds the list register empty.
 */
static void collect(struct vgic_op *op, struct vcpu *v)
{
	unsigned int done = v->arch.vgic.lr_used;

	collect_eois(op, v);
	if (done) {
		done = (unsigned int)vgic_hw->empty_lrs() &
		       v->arch.vgic.lr_used;
	}
	for (; done; done &= done - 1) { /* bound: list registers */
		release_lr(op, v, ffs64(done), 0);
	}
}

static void unload_all(struct vgic_op *op, struct vcpu *v)
{
	/* bound: list registers */
	for (unsigned int b = v->arch.vgic.lr_used; b; b &= b - 1) {
		unsigned int n = ffs64(b);
		uint64_t lr = vgic_hw->read_lr(n);

		vgic_hw->write_lr(n, 0);
		release_lr(op, v, n, lr);
	}
}

/* Candidate in a list register: something came on top of what is there. */
static void refresh(struct vgic_op *op, struct vcpu *v, struct virq *q)
{
	unsigned int n = q->lr;
	uint64_t lr = vgic_hw->read_lr(n);

	if (!q->stale && !q->sources && (lr & field_lsb(ICH_LR_STATE))) {
		/* Still pending: the two become one. */
		q->lr_latch |= q->latch;
		q->latch = 0;
		virq_dequeue(v->domain, q);
		return;
	}
	vgic_hw->write_lr(n, 0);
	release_lr(op, v, n, lr);
}

static inline bool is_deliverable(const struct domain *d, const struct virq *q)
{
	return q->active ||
	       (d->arch.vgic.enabled && q->enabled && virq_is_pending(q));
}

bool vgic_passes(struct vcpu *v, const struct virq *q, unsigned int n)
{
	unsigned int lrs = 0;

	if (vgic_has_above(v, q, n)) {
		lrs = (unsigned int)v->arch.vgic.lr_used & ~1u << n &
		      ~(unsigned int)vgic_hw->empty_lrs();
	}
	for (; lrs; lrs &= lrs - 1) { /* bound: list registers */
		uint64_t lr = vgic_hw->read_lr(ffs64(lrs));

		if (field_get(ICH_LR_STATE, lr) == LR_PENDING &&
		    field_get(ICH_LR_PRIORITY, lr) == q->priority &&
		    (lr & ICH_LR_VINTID) < q->intid) {
			return true;
		}
	}
	return false;
}

/* The most urgent ones, sorted. */
struct choice {
	struct virq *q[VGIC_MAX_LRS];
	unsigned int nr;
	unsigned int max;
	unsigned int found;      /* deliverable ones in all */
	struct virq *pending;    /* best of those not active */
};

static inline uint32_t urgency(const struct virq *q)
{
	return (q->active ? 0u : 1u << 24) | (uint32_t)q->priority << 16 |
	       q->intid;
}

static void choose(struct choice *c, struct virq *q)
{
	unsigned int i;

	c->found++;
	if (!q->active &&
	    (!c->pending || urgency(q) < urgency(c->pending))) {
		c->pending = q;
	}
	if (c->nr == c->max) {
		if (!c->max || urgency(q) > urgency(c->q[c->nr - 1])) {
			return;
		}
		c->nr--;
	}
	/* bound: list registers */
	for (i = c->nr; i && urgency(q) < urgency(c->q[i - 1]); i--) {
		c->q[i] = c->q[i - 1];
	}
	c->q[i] = q;
	c->nr++;
}

static void choose_if(struct choice *c, const struct vgic_op *op,
		      const struct vcpu *v, struct virq *q)
{
	if (q->queued && q->lr_vcpu == v->id && is_deliverable(op->d, q)) {
		choose(c, q);
	}
}

/* Visit every candidate. */
static void scan(struct vgic_op *op, struct vcpu *v, struct choice *c)
{
	struct vgic_vcpu *vg = &v->arch.vgic;

	/* bound: 32 words of 64 candidates */
	for (unsigned int s = vg->summary; s; s &= s - 1) {
		unsigned int w = ffs64(s);

		for (uint64_t b = vg->candidates[w]; b; b &= b - 1) {
			struct virq *q = virq_lookup(op->d, v,
						     w * 64 + ffs64(b));

			if (NEVER(!q)) {
				continue;
			}
			if (q->lr != VGIC_LR_NONE) {
				refresh(op, v, q);
			} else {
				virq_settle(op, q);
			}
			choose_if(c, op, v, q);
		}
	}
}

/* Those in list registers are chosen among, too. */
static void choose_among_all(struct vgic_op *op, struct vcpu *v,
			     struct choice *c)
{
	struct virq *q[VGIC_MAX_LRS];
	unsigned int nr = 0;

	/* bound: list registers, as below */
	for (unsigned int b = v->arch.vgic.lr_used; b; b &= b - 1) {
		q[nr] = lr_virq(v, ffs64(b));
		nr += q[nr] != NULL;
	}
	unload_all(op, v);
	while (nr--) {
		choose_if(c, op, v, q[nr]);
	}
}

/* Some of them would come before others that are in place already. */
static bool any_passes(struct vcpu *v, const struct choice *c)
{
	unsigned int free = vgic_all_lrs() &
			    ~(unsigned int)v->arch.vgic.lr_used;

	for (unsigned int i = 0; i < c->nr; i++) { /* bound: list registers */
		if (!c->q[i]->active &&
		    vgic_passes(v, c->q[i], ffs64(free))) {
			return true;
		}
	}
	return false;
}

static void place(struct vgic_op *op, struct vcpu *v, struct virq *q)
{
	virq_dequeue(op->d, q);
	virq_place(v, q, vgic_pick_lr(vgic_all_lrs() &
				      ~(unsigned int)v->arch.vgic.lr_used,
				      q->intid));
}

/* From both ends, so that the order of list registers is that of INTIDs. */
static void place_choice(struct vgic_op *op, struct vcpu *v, struct choice *c)
{
	if (c->pending && c->nr && c->nr < c->found &&
	    c->q[c->nr - 1]->active) {
		c->q[c->nr - 1] = c->pending;
	}
	for (unsigned int i = 0; i < c->nr; i++) { /* bound: list registers */
		if (c->q[i]->intid < VGIC_NR_PRIVATE) {
			place(op, v, c->q[i]);
		}
	}
	for (unsigned int i = c->nr; i > 0; i--) { /* as above */
		if (c->q[i - 1]->intid >= VGIC_NR_PRIVATE) {
			place(op, v, c->q[i - 1]);
		}
	}
}

/*
 * With a pending one among them, one is in a list register: the condition
 * that we ask to be told about does not hold yet.
 */
static void set_waiting(struct vgic_vcpu *vg, bool waiting, bool pending)
{
	if (vg->waiting || waiting) {
		vg->waiting = waiting;
		vgic_hw->refill_irq(waiting && vgic_hw_caps.nr_lrs > 1,
				    waiting && pending);
	}
}

static unsigned int nr_free_lrs(const struct vcpu *v)
{
	unsigned int used = v->arch.vgic.lr_used;

	return popcount64(vgic_all_lrs() & ~used);
}

static void fill(struct vgic_op *op, struct vcpu *v)
{
	struct choice c;

	collect(op, v);
	c.nr = 0;
	c.found = 0;
	c.pending = NULL;
	/* Taking a stale one out of its LR makes room: count it as free. */
	c.max = vgic_hw_caps.nr_lrs;
	scan(op, v, &c);
	if (c.found > nr_free_lrs(v) || any_passes(v, &c)) {
		choose_among_all(op, v, &c); /* somebody has to wait */
	}
	/* Before placing: virq_place() looks at it. */
	set_waiting(&v->arch.vgic, c.found > c.nr, c.pending != NULL);
	place_choice(op, v, &c);
}

/* Exactly one candidate, with room for it or done with its list register. */
static bool fill_one(struct vgic_op *op, struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	unsigned int w = ffs64(vg->summary);
	uint64_t b = vg->candidates[w];
	unsigned int free;
	unsigned int n;
	struct virq *q;

	if ((vg->summary & (vg->summary - 1)) || (b & (b - 1)) || vg->waiting) {
		return false;
	}
	q = virq_lookup(op->d, v, w * 64 + ffs64(b));
	if (NEVER(!q)) {
		return false;
	}
	if (q->lr != VGIC_LR_NONE) {
		if (!(vgic_hw->empty_lrs() >> q->lr & 1)) {
			return false;
		}
		virq_fold(v, q, q->lr, 0);
	}
	free = vgic_all_lrs() & ~(unsigned int)vg->lr_used;
	if (!free || q->target != v->id || !is_deliverable(op->d, q)) {
		return false;
	}
	n = vgic_pick_lr(free, q->intid);
	if (vgic_has_above(v, q, n) && !q->active && vgic_passes(v, q, n)) {
		return false;
	}
	vg->candidates[w] = 0;
	vg->summary = 0;
	q->queued = 0;
	virq_place(v, q, n);
	return true;
}

/* May a post go straight into a list register? */
static void update_quick(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;

	vg->is_slow = vg->summary || vg->resync || vg->waiting ||
		      !v->domain->arch.vgic.enabled;
}

void vgic_flush(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	struct vgic_op op;

	if (!vgic_is_loaded_here(v)) {
		return; /* vgic_vcpu_load() posts the work again. */
	}
	vgic_op_begin(&op, v->domain);
	collect_eois(&op, v);
	if (unlikely(vg->resync)) {
		vg->resync = false;
		unload_all(&op, v);
	}
	if (!vg->summary) {
		set_waiting(vg, false, false);
	} else if (!fill_one(&op, v)) {
		fill(&op, v);
	}
	update_quick(v);
	/* What became pending for this vCPU on the way is in place now. */
	op.kick[v->id / 64 % ARRAY_SIZE(op.kick)] &= ~BIT64(v->id % 64);
	vgic_op_end(&op);
}

/* Rare: out of the way of all other interrupts. */
__attribute__((noinline)) void vgic_maintenance(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	uint32_t work = VWORK_VIRQ;
	struct vgic_op op;

	if (!vgic_is_loaded_here(v)) {
		return;
	}
	vgic_op_begin(&op, v->domain);
	if (vg->lr_eoi) {
		/* Lines that somebody has to sample are sampled first. */
		work |= VWORK_UPCALL;
	}
	collect(&op, v);
	set_waiting(vg, false, false);
	vg->is_slow = true; /* until the flush that we post */
	vgic_op_end(&op);
	(void)__atomic_fetch_or(&v->work, work, __ATOMIC_RELAXED);
}

/* Active state that linked private lines have in this CPU because of @v. */
static void drive_linked(struct vcpu *v, bool active)
{
	/* bound: 16 PPIs */
	for (uint32_t b = v->arch.vgic.linked; b; b &= b - 1) {
		const struct virq *q = &v->arch.vgic.priv[ffs64(b)];

		if (q->phys) {
			vgic_hw->set_phys_active(q->pintid, active);
		}
	}
}

void vgic_vcpu_load(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	struct vgic_op op;
	bool work;

	vgic_op_begin(&op, v->domain);
	drive_linked(v, true);
	/* bound: list registers */
	for (unsigned int b = vg->lr_used; b; b &= b - 1) {
		unsigned int n = ffs64(b);

		vgic_hw->write_lr(n, vg->lr_saved[n]);
	}
	vgic_hw->load_cpuif(&vg->cpuif);
	vg->loaded_on = this_cpu();
	update_quick(v);
	work = vg->summary || vg->resync;
	vgic_op_end(&op);
	if (work) {
		(void)__atomic_fetch_or(&v->work, VWORK_VIRQ,
					__ATOMIC_RELAXED);
	}
}

void vgic_vcpu_save(struct vcpu *v)
{
	struct vgic_vcpu *vg = &v->arch.vgic;
	struct vgic_op op;

	if (NEVER(!vgic_is_loaded_here(v))) {
		return;
	}
	vgic_op_begin(&op, v->domain);
	collect(&op, v);
	/* bound: list registers */
	for (unsigned int b = vg->lr_used; b; b &= b - 1) {
		unsigned int n = ffs64(b);

		vg->lr_saved[n] = vgic_hw->read_lr(n);
		vgic_hw->write_lr(n, 0); /* the next vCPU has fewer */
	}
	drive_linked(v, false);
	vgic_hw->save_cpuif(&vg->cpuif);
	vg->loaded_on = CPU_NONE;
	vg->is_slow = true;
	vgic_op_end(&op);
}

/* Some list register of @v holds a pending interrupt. */
static bool lr_has_pending(const struct vcpu *v)
{
	const struct vgic_vcpu *vg = &v->arch.vgic;
	bool here = vgic_is_loaded_here(v);

	if (!here && vg->loaded_on != CPU_NONE) {
		return false; /* that CPU would have noticed */
	}
	/* bound: list registers */
	for (unsigned int b = vg->lr_used; b; b &= b - 1) {
		unsigned int n = ffs64(b);
		uint64_t lr = here ? vgic_hw->read_lr(n) : vg->lr_saved[n];

		if (field_get(ICH_LR_STATE, lr) == LR_PENDING) {
			return true;
		}
	}
	return false;
}

static bool candidate_is_pending(struct vcpu *v)
{
	const struct vgic_vcpu *vg = &v->arch.vgic;

	/* bound: 32 words of 64 candidates */
	for (unsigned int s = vg->summary; s; s &= s - 1) {
		unsigned int w = ffs64(s);

		for (uint64_t b = vg->candidates[w]; b; b &= b - 1) {
			const struct virq *q = virq_lookup(
				v->domain, v, w * 64 + ffs64(b));

			if (q && q->enabled && !q->active &&
			    virq_is_pending(q)) {
				return true;
			}
		}
	}
	return false;
}

bool vgic_has_pending(struct vcpu *v)
{
	struct vgic *vgic = &v->domain->arch.vgic;
	bool pending;

	spin_lock(&vgic->lock);
	pending = vgic->enabled &&
		  (lr_has_pending(v) || candidate_is_pending(v));
	spin_unlock(&vgic->lock);
	return pending;
}

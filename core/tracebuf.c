/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace buffers for the stock xentrace: records of what the scheduler, guests'
 * calls and interrupts do, in pages that the control domain maps.
 *
 * Owns    the buffers and their list; both stay once they are made, as on Xen.
 * Not     the flight recorder of the last events (trace.c), which is always on.
 * Off     costs nothing: each CPU puts the hooks in, and takes them out, at a
 *         work point: another vector table, another table of a policy.
 * Rule    the reader's position is its own and may be nonsense; ours is kept
 *         here and only written there.
 * Locks   none: a buffer is written by its own CPU with interrupts masked; what
 *         the control domain sets is under control_lock.
 * Bounds  one record, 40 bytes, and one of lost records; MAX_PAGES a CPU.
 * Spec    [XEN] trace.h, sysctl.h "XEN_SYSCTL_tbuf_op". The clock of records
 *         is nanoseconds since boot (xenalyze --cpu-hz 1G).
 */
#include <hv/tracebuf.h>

#include "sysctl_priv.h"
#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/platform.h>
#include <hv/trace.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_PAGES 128u /* a CPU: all are scrubbed in one step */
#define HEADER_WORDS 3u
#define LOST_WORDS 4u
#define CLASS(mask) ((mask) >> TRC_CLS_SHIFT & 0xfff)
#define SUBCLASS(mask) ((mask) >> TRC_SUBCLS_SHIFT & 0xf)

/* One CPU's; nr_words words of data follow the two positions. */
static struct ring {
	struct t_buf *buf; /* NULL: not made yet */
	uint32_t prod;     /* in words, from 0 to twice as many as there are */
	uint32_t mask;     /* of events; 0: off */
	uint64_t lost_at;  /* when the first of them came */
	uint32_t lost;     /* records since the last that had room */
} rings[NR_CPUS];

static struct t_info *info;
static uint32_t nr_pages; /* of a CPU's buffer */
static uint32_t nr_words;
/* What the control domain set. */
static uint32_t event_mask = TRC_ALL;
static uint64_t cpu_mask = UINT64_MAX;
static bool is_on;
uint32_t tracebuf_nr;

static uint32_t info_bytes(uint32_t pages)
{
	uint32_t head = (uint32_t)align_up(
		sizeof(*info) + nr_pcpus * sizeof(info->mfn_offset[0]), 4);

	return head + nr_pcpus * pages * (uint32_t)sizeof(uint32_t);
}

/* Smallest order of pages that holds @bytes. */
static unsigned int order_for(uint64_t bytes)
{
	return bytes <= PAGE_SIZE ? 0 : fls64((bytes - 1) >> PAGE_SHIFT) + 1;
}

/* ---- writing ------------------------------------------------------------- */

/* Words that the reader has not taken; UINT32_MAX: its position is nonsense. */
static uint32_t words_used(const struct ring *r)
{
	uint32_t cons = __atomic_load_n(&r->buf->cons, __ATOMIC_ACQUIRE) /
			sizeof(uint32_t);
	uint32_t used = r->prod - cons;

	if (cons >= 2 * nr_words) {
		return UINT32_MAX;
	}
	return r->prod >= cons ? used : used + 2 * nr_words;
}

/* Where the next word goes. */
static uint32_t *end_of(struct ring *r)
{
	uint32_t at = r->prod < nr_words ? r->prod : r->prod - nr_words;

	return (uint32_t *)(r->buf + 1) + at;
}

static void put(struct ring *r, uint32_t word)
{
	*end_of(r) = word;
	r->prod = r->prod + 1 < 2 * nr_words ? r->prod + 1 : 0;
}

/* The words of a record one by one: the buffer ends in between. */
__cold static void put_wrapped(struct ring *r, const uint32_t *words,
			       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) { /* bound: TRACE_EXTRA_MAX */
		put(r, words[i]);
	}
}

static void put_record(struct ring *r, uint32_t event, uint64_t now,
		       const uint32_t *words, unsigned int nr)
{
	const uint32_t head[HEADER_WORDS] = {
		event | nr << TRACE_EXTRA_SHIFT | BIT32(31),
		(uint32_t)now,
		(uint32_t)(now >> 32),
	};
	uint32_t *to = end_of(r);
	uint32_t left = nr_words - (uint32_t)(to - (uint32_t *)(r->buf + 1));

	if (left <= HEADER_WORDS + nr) {
		put_wrapped(r, head, HEADER_WORDS);
		put_wrapped(r, words, nr);
		return;
	}
	for (unsigned int i = 0; i < HEADER_WORDS; i++) {
		*to++ = head[i];
	}
	for (unsigned int i = 0; i < nr; i++) { /* bound: TRACE_EXTRA_MAX */
		*to++ = words[i];
	}
	r->prod += HEADER_WORDS + nr;
}

static void put_lost(struct ring *r, uint64_t now)
{
	const struct vcpu *v = this_pcpu()->current;
	const uint32_t words[LOST_WORDS] = {
		r->lost,
		v ? v->id << 16 | v->domain->id
		  : (uint32_t)this_cpu() << 16 | DOMID_IDLE,
		(uint32_t)r->lost_at,
		(uint32_t)(r->lost_at >> 32),
	};

	put_record(r, TRC_LOST_RECORDS, now, words, LOST_WORDS);
	r->lost = 0;
}

void tracebuf_write(uint32_t event, const uint32_t *words, unsigned int nr)
{
	struct ring *r = &rings[this_cpu()];
	uint32_t need = HEADER_WORDS + nr +
			(r->lost ? HEADER_WORDS + LOST_WORDS : 0);
	uint64_t now;
	uint32_t used;

	if (options.trace_all) {
		trace_xen(event, words, nr);
	}
	if (!CLASS(r->mask & event) || !SUBCLASS(r->mask & event)) {
		return;
	}
	now = arch_time_ns();
	used = words_used(r);
	if (used > nr_words || need > nr_words - used) {
		if (r->lost++ == 0) {
			r->lost_at = now;
		}
		return;
	}
	if (r->lost != 0) {
		put_lost(r, now);
	}
	put_record(r, event, now, words, nr);
	/* The reader sees the words before the position. */
	__atomic_store_n(&r->buf->prod, r->prod * (uint32_t)sizeof(uint32_t),
			 __ATOMIC_RELEASE);
	if (used < nr_words / 2 && used + need >= nr_words / 2) {
		pcpu_post_self(PWORK_TRACE);
	}
}

void tracebuf_hypercall(uint64_t nr, uint64_t arg)
{
	const uint32_t words[] = {
		((uint32_t)nr & ~TRC_PV_HYPERCALL_V2_ARG_MASK) |
			TRC_PV_HYPERCALL_V2_ARG_32(0),
		(uint32_t)arg,
	};

	tracebuf_write(TRC_PV_HYPERCALL_V2, words, ARRAY_SIZE(words));
}

bool tracebuf_work(struct pcpu *c)
{
	struct ring *r = &rings[c->id];
	bool on = __atomic_load_n(&is_on, __ATOMIC_ACQUIRE) &&
		  (__atomic_load_n(&cpu_mask, __ATOMIC_RELAXED) &
		   BIT64(c->id));

	r->mask = on ? __atomic_load_n(&event_mask, __ATOMIC_RELAXED) : 0;
	arch_trace_traps(options.trace_all ||
			 CLASS(r->mask & (TRC_PV | TRC_HW)) != 0);
	if (on && words_used(r) >= nr_words / 2) {
		evtchn_send_global_virq(hardware_domain, VIRQ_TBUF);
	}
	return options.trace_all || CLASS(r->mask & TRC_SCHED) != 0;
}

/* ---- the control domain -------------------------------------------------- */

static bool is_within(mfn_t m, const void *at, uint64_t bytes)
{
	return mfn_to_paddr(m).v - hv_pa(at).v < bytes;
}

struct page *tracebuf_page_get(mfn_t m, bool *writable)
{
	const struct t_info *list = __atomic_load_n(&info, __ATOMIC_ACQUIRE);
	struct page *pg = page_of(m);
	bool is_ours;

	if (!list || !pg) {
		return NULL;
	}
	is_ours = is_within(m, list, info_bytes(nr_pages));
	*writable = !is_ours;
	for (uint32_t i = 0; !is_ours && i < nr_pcpus; i++) {
		is_ours = is_within(m, rings[i].buf, nr_pages * PAGE_SIZE);
	}
	return is_ours && page_get(pg) ? pg : NULL;
}

static void fill_info(struct t_info *list, uint32_t pages)
{
	uint32_t at = info_bytes(0) / (uint32_t)sizeof(uint32_t);
	uint32_t *words = (uint32_t *)list;

	list->tbuf_size = (uint16_t)pages;
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		uint64_t first = paddr_to_mfn(hv_pa(rings[i].buf)).v;

		list->mfn_offset[i] = (uint16_t)at;
		for (uint32_t p = 0; p < pages; p++) {
			words[at++] = (uint32_t)(first + p);
		}
	}
}
STATIC_ASSERT(NR_CPUS * (MAX_PAGES + 1) < UINT16_MAX, "mfn_offset");

/* Once: who has mapped them may keep them. */
static int set_size(uint32_t pages)
{
	unsigned int order = order_for(pages * PAGE_SIZE);
	struct t_info *list;
	uint32_t i;

	if (info || pages == 0 || pages > MAX_PAGES) {
		return -EINVAL;
	}
	list = hv_alloc_pages(NULL, order_for(info_bytes(pages)));
	if (!list) {
		return -ENOMEM;
	}
	for (i = 0; i < nr_pcpus; i++) {
		rings[i].buf = hv_alloc_pages(NULL, order);
		if (!rings[i].buf) {
			goto undo;
		}
	}
	nr_pages = pages;
	nr_words = (uint32_t)((pages * PAGE_SIZE - sizeof(struct t_buf)) /
			      sizeof(uint32_t));
	fill_info(list, pages);
	__atomic_store_n(&info, list, __ATOMIC_RELEASE);
	return 0;

undo:
	while (i-- > 0) {
		hv_free_pages(NULL, rings[i].buf, order);
		rings[i].buf = NULL;
	}
	hv_free_pages(NULL, list, order_for(info_bytes(pages)));
	return -ENOMEM;
}

/* Each CPU puts its hooks in, or takes them out. */
static void tell_all(void)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		if (pcpus[i]->online) {
			pcpu_post(pcpus[i], PWORK_TRACE);
		}
	}
}

static int enable(bool on)
{
	if (on && !info) {
		return -EINVAL;
	}
	if (on) {
		__atomic_store_n(&tracebuf_nr, tracebuf_nr + 1,
				 __ATOMIC_RELAXED);
	}
	__atomic_store_n(&is_on, on, __ATOMIC_RELEASE);
	tell_all();
	return 0;
}

static int set_event_mask(uint32_t mask)
{
	__atomic_store_n(&event_mask, mask, __ATOMIC_RELAXED);
	tell_all();
	return 0;
}

static int set_cpu_mask(struct vcpu *v, const struct xenctl_bitmap *map)
{
	uint32_t bits = min_u32(map->nr_bits, 64);
	uint64_t mask = 0;
	int rc = guest_copy_in(v, &mask, map->bitmap.q, (bits + 7) / 8);

	if (rc == 0) {
		mask &= bits < 64 ? BIT64(bits) - 1 : UINT64_MAX;
		__atomic_store_n(&cpu_mask, mask, __ATOMIC_RELAXED);
		tell_all();
	}
	return rc;
}

static int get_info(struct xen_sysctl_tbuf_op *t)
{
	t->evt_mask = event_mask;
	t->buffer_mfn = info ? paddr_to_mfn(hv_pa(info)).v : 0;
	t->size = info ? (uint32_t)align_up(info_bytes(nr_pages), PAGE_SIZE)
		       : 0;
	return 0;
}

static int control(struct vcpu *v, struct xen_sysctl_tbuf_op *t)
{
	switch (t->cmd) {
	case XEN_SYSCTL_TBUFOP_get_info:
		return get_info(t);
	case XEN_SYSCTL_TBUFOP_set_cpu_mask:
		return set_cpu_mask(v, &t->cpu_mask);
	case XEN_SYSCTL_TBUFOP_set_evt_mask:
		return set_event_mask(t->evt_mask);
	case XEN_SYSCTL_TBUFOP_set_size:
		return set_size(t->size);
	case XEN_SYSCTL_TBUFOP_enable:
		return enable(true);
	case XEN_SYSCTL_TBUFOP_disable:
		return enable(false);
	default:
		return -EINVAL;
	}
}

int64_t sysctl_tbuf(struct vcpu *v, struct xen_sysctl *op)
{
	int64_t rc;

	spin_lock(&control_lock);
	rc = control(v, &op->u.tbuf_op);
	spin_unlock(&control_lock);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A million random events: two guests that write anywhere, devices that make
 * things up, a toolstack that gives and takes, tables that cannot grow. A
 * small model says what headers read, which capabilities there are, which bits
 * a device may be told (the fake looks), and what may be mapped.
 */
// LINK: core/vpci.c core/vpci_bar.c core/vpci_caps.c core/mmio.c core/lock.c
// LINK: debug/lock_check.c core/percpu.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_pci.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/percpu.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/vpci_priv.h"
#include "fake_pci.h"

#define EVENTS 1000000u
#define FULL_CHECK 5000u /* events between looks at all pages */

/* Of each function: whose, where, and what its header says. */
static struct model {
	struct fake_window *w; /* NULL: nobody's */
	uint32_t dev;
	bool leaving;
	bool lacks; /* there was no memory for tables */
	uint32_t id, class;
	uint32_t command;
	uint64_t bar[PCI_BARS];
	uint8_t cap[16], cap_id[16];
	uint32_t nr_caps;
} model[FAKE_PCI];

static struct pcpu cpu;
static uint64_t state = 88172645463325252u;
static uint32_t nr_seen[4]; /* what the run went through */

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

/* ---- the model of a device ----------------------------------------------- */

static uint32_t get16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t cap_bytes(const uint8_t *c)
{
	uint32_t flags = get16(c + 2);

	switch (c[0]) {
	case 0x01:
		return 8;
	case 0x05:
		return 12 + (flags & 0x80 ? 4 : 0) + (flags & 0x100 ? 8 : 0);
	case 0x09:
		return c[2] < 4 ? 4 : (c[2] + 3u) & ~3u;
	case 0x10:
	case 0x11:
		return 12;
	default:
		return 0;
	}
}

static void may_write(struct fake_pci *p, uint32_t at)
{
	uint8_t *may = p->may + at;
	bool is_64 = p->cfg[at + 2] & 0x80;

	if (p->cfg[at] == 0x11) {
		may[3] = 0xc0;
	} else if (p->cfg[at] == 0x05) {
		may[2] = 0x71;
		memset(may + 4, 0xff, is_64 ? 10 : 6);
		may[4] = 0xfc;
		if (p->cfg[at + 3] & 1) {
			memset(may + (is_64 ? 16 : 12), 0xff, 4);
		}
	}
}

static void model_caps(struct fake_pci *p, struct model *m)
{
	uint8_t used[256] = { 0 };
	bool had[256] = { false };
	bool seen[256] = { false };
	uint32_t at = p->cfg[0x34] & 0xfc;

	memset(p->may, 0, sizeof(p->may));
	m->nr_caps = 0;
	if (!(p->cfg[6] & 0x10)) {
		return;
	}
	for (; at >= 0x40 && !seen[at]; at = p->cfg[at + 1] & 0xfc) {
		uint8_t id = p->cfg[at];
		uint32_t n = cap_bytes(&p->cfg[at]);
		bool ok = n != 0 && at + n <= 256 && m->nr_caps < 16 &&
			  !(id == 9 ? get16(p->cfg) == 0x1af4 &&
					      p->cfg[at + 3] == 5
				    : had[id]);

		seen[at] = true;
		for (uint32_t i = at; ok && i < at + n; i++) {
			ok = !used[i];
		}
		if (ok) {
			had[id] = true;
			memset(used + at, 1, n);
			m->cap_id[m->nr_caps] = id;
			m->cap[m->nr_caps++] = (uint8_t)at;
			may_write(p, at);
		}
	}
}

static void make_device(struct fake_pci *p)
{
	static const uint8_t ids[] = { 1, 5, 9, 0x10, 0x11, 9, 0x12, 0 };
	uint64_t base = 0x100000u * (uint64_t)(p - fake_pci + 1);

	for (uint32_t i = 0x40; i < 0x100; i++) {
		p->cfg[i] = (uint8_t)rnd(256);
	}
	for (uint32_t i = 0; i < 24; i++) {
		uint32_t at = 0x40 + 4 * rnd(48);

		p->cfg[at] = ids[rnd(sizeof(ids))];
		p->cfg[at + 2] &= (uint8_t)(rnd(2) ? 0x8f : 0xff);
	}
	p->cfg[0x34] = (uint8_t)rnd(256);
	p->cfg[6] = rnd(8) ? 0x10 : 0;
	p->cfg[0] = rnd(2) ? 0xf4 : 0x86;
	p->cfg[0x0e] = rnd(2) ? 0x80 : 0;
	memset(p->f.bar, 0, sizeof(p->f.bar));
	for (uint32_t i = 0; i < PCI_BARS; i++) {
		bool is_64 = i < 5 && rnd(2);
		uint32_t order = rnd(50) ? rnd(10) : rnd(14);

		if (rnd(2)) {
			fake_pci_bar(p, i, base, 1u << order, is_64);
			base += 1u << order;
			i += is_64;
		}
	}
}

/* ---- checks -------------------------------------------------------------- */

static uint64_t header(const struct model *m, uint32_t reg)
{
	const struct fake_pci *p = &fake_pci[m - model];
	uint32_t i = (reg - 0x10) / 4;

	switch (reg) {
	case 0:
		return m->id;
	case 8:
		return m->class;
	case 0x10 ... 0x24:
		if (p->f.bar[i].nr) {
			return (uint32_t)m->bar[i] |
			       (p->f.bar[i].is_64 ? 4u : 0);
		}
		return i > 0 && p->f.bar[i - 1].is_64 && p->f.bar[i - 1].nr
			       ? m->bar[i - 1] >> 32 : 0;
	case 0x34:
		return m->nr_caps ? m->cap[0] : 0;
	default:
		return 0;
	}
}

/* Every other one. */
static bool has_line(const struct model *m)
{
	return (m - model) % 2 != 0;
}

static void check_header(const struct model *m)
{
	for (uint32_t reg = 0; reg < 0x40; reg += 4) {
		if (reg == 4 || reg == 0xc || reg == 0x2c || reg == 0x3c) {
			continue;
		}
		cr_assert_eq(fake_cfg_read(m->w, m->dev, reg, 4),
			     header(m, reg), "register %#x", reg);
	}
	cr_assert_eq(fake_cfg_read(m->w, m->dev, 4, 2), m->command);
	cr_assert_eq(fake_cfg_read(m->w, m->dev, 0x3d, 1), has_line(m));
	cr_assert_eq(get16(fake_pci[m - model].cfg + 4) & 0x400,
		     has_line(m) ? m->command & 0x400 : 0x400);
	for (uint32_t i = 0; i < m->nr_caps; i++) {
		uint32_t next = i + 1 < m->nr_caps ? m->cap[i + 1] : 0;

		cr_assert_eq(fake_cfg_read(m->w, m->dev, m->cap[i], 2),
			     m->cap_id[i] | next << 8);
	}
}

static bool overlaps(const struct fake_window *w, uint64_t at, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (w->type[((at - VPCI_MEM_BASE) >> PAGE_SHIFT) + i]) {
			return true;
		}
	}
	return false;
}

/* Nothing waits: a BAR that is on is there, all of it, or its place is not. */
static void check_bar(const struct model *m, uint32_t i)
{
	const struct pci_bar *b = &fake_pci[m - model].f.bar[i];
	uint64_t at = m->bar[i];
	uint64_t end = VPCI_MEM_BASE + VPCI_MEM_SIZE;
	uint32_t there = 0;

	if (b->nr == 0 || m->leaving || !(m->command & 2) ||
	    at < VPCI_MEM_BASE || at >= end ||
	    (uint64_t)b->nr << PAGE_SHIFT > end - at) {
		return;
	}
	for (uint32_t k = 0; k < b->nr; k++) {
		there += m->w->mfn[((at - VPCI_MEM_BASE) >> PAGE_SHIFT) + k] ==
			 b->mfn + k;
	}
	nr_seen[there ? 0 : 1]++;
	if (there != b->nr) {
		cr_assert(there == 0 &&
				  (m->lacks || overlaps(m->w, at, b->nr)),
			  "%u of %u pages", there, b->nr);
	}
}

static void check_settled(const struct fake_window *w)
{
	for (uint32_t i = 0; i < FAKE_PCI; i++) {
		for (uint32_t b = 0; model[i].w == w && b < PCI_BARS; b++) {
			check_bar(&model[i], b);
		}
	}
}

/* ---- events -------------------------------------------------------------- */

static struct model *at_number(const struct fake_window *w, uint32_t dev)
{
	for (uint32_t i = 0; i < FAKE_PCI; i++) {
		if (model[i].w == w && model[i].dev == dev &&
		    !model[i].leaving) {
			return &model[i];
		}
	}
	return NULL;
}

static void give(uint32_t i)
{
	struct fake_window *w = &fake_win[rnd(2)];
	struct model *m = &model[i];
	uint32_t free_dev = 1;
	int rc;

	if (m->w) {
		return;
	}
	make_device(&fake_pci[i]);
	*m = (struct model){ .dev = 0 };
	fake_pci[i].f.line = 40;
	fake_pci[i].f.line_of = has_line(m) ? PCI_LINE_GUEST : PCI_LINE_DOM0;
	memcpy(&m->id, fake_pci[i].cfg, 4);
	memcpy(&m->class, fake_pci[i].cfg + 8, 4);
	model_caps(&fake_pci[i], m);
	for (uint32_t k = 0; k < FAKE_PCI; k++) { /* the lowest free one */
		for (uint32_t j = 0; j < FAKE_PCI; j++) {
			free_dev += model[j].w == w && model[j].dev == free_dev;
		}
	}
	fake_heap_fails_in = rnd(8) == 0;
	rc = vpci_add(&w->d, &fake_pci[i].f);
	if (rc == 0) {
		m->w = w;
		m->dev = free_dev;
		fake_pci[i].is_ours = true;
	} else {
		cr_assert(fake_heap_fails_in == 0 ||
			  (rc == -ENOSPC && free_dev > VPCI_FUNCTIONS));
	}
	fake_heap_fails_in = 0;
}

static void take(uint32_t i)
{
	struct model *m = &model[i];
	int rc;

	if (!m->w) {
		return;
	}
	m->leaving = true;
	fake_pci_work = 0;
	rc = vpci_remove(&m->w->d, &fake_pci[i].f);
	cr_assert_leq(fake_pci_work, 64);
	cr_assert_eq(get16(fake_pci[i].cfg + 4), 0x400);
	if (rc == -EAGAIN) {
		nr_seen[2]++;
		return;
	}
	cr_assert_eq(rc, 0);
	fake_pci[i].is_ours = false;
	m->w = NULL;
}

static void note_write(struct model *m, uint32_t reg, unsigned int bytes,
		       uint32_t val)
{
	for (unsigned int k = 0; k < bytes; k++, reg++, val >>= 8) {
		const struct pci_bar *b = fake_pci[m - model].f.bar;
		uint32_t i = (reg - 0x10) / 4;
		uint32_t byte = reg & 3;

		if (reg == 4 || reg == 5) {
			uint32_t bits = 0xffu << (8 * byte);

			m->command = (m->command & ~bits) |
				     ((val & 0xff) << (8 * byte) & 0x406);
		} else if (reg >= 0x10 && reg < 0x28) {
			if (i > 0 && b[i - 1].nr && b[i - 1].is_64) {
				i--;
				byte += 4;
			}
			m->bar[i] &= ~((uint64_t)0xff << (8 * byte));
			m->bar[i] |= (uint64_t)(val & 0xff) << (8 * byte);
			m->bar[i] &= ~(((uint64_t)b[i].nr << PAGE_SHIFT) - 1);
			m->bar[i] = b[i].nr ? m->bar[i] : 0;
		}
	}
}

static uint32_t likely_value(uint32_t reg)
{
	if (reg < 8 && rnd(4)) {
		return rnd(4) ? 6 : 4;
	}
	if (reg >= 0x10 && reg < 0x28 && rnd(8)) {
		return rnd(6) ? (uint32_t)VPCI_MEM_BASE + 0x1000 * rnd(4096)
			      : 0;
	}
	return rnd(4) ? (uint32_t)state : UINT32_MAX * rnd(2);
}

static void guest_access(void)
{
	struct fake_window *w = &fake_win[rnd(2)];
	uint32_t dev = 1 + rnd(9);
	unsigned int bytes = 1u << (rnd(2) ? 2 : rnd(4));
	uint32_t reg = rnd(3) == 0 ? 4 : rnd(2) ? 0x10 + 4 * rnd(6) :
		       rnd(16) ? rnd(256) : rnd(0x8000);
	bool write = rnd(4) != 0;
	uint64_t val = likely_value(reg);
	struct model *m = at_number(w, dev);
	enum mmio_result rc;

	rc = fake_pci_access(w, VPCI_ECAM_BASE + dev * 0x8000 + reg, bytes,
			     write, &val);
	if (write && m && bytes <= 4 && reg % bytes == 0) {
		note_write(m, reg, bytes, (uint32_t)val);
		nr_seen[3] += rc == MMIO_AGAIN;
		if (rc == MMIO_OK && (reg & ~3u) >= 4 && reg < 0x28) {
			/* Who has come to an end has all of it. */
			fake_cfg_write(w, dev, 4, 2, m->command);
			check_settled(w);
		}
	} else {
		cr_assert_eq(rc, MMIO_OK);
	}
	if (m && rnd(16) == 0) {
		check_header(m);
	}
}

static void tables_cannot_grow(void)
{
	for (uint32_t i = 0; i < FAKE_PCI; i++) {
		model[i].lacks = model[i].w != NULL;
	}
	fake_pci_map_fails_in = 1;
}

/* Not those that the fake's own answers hang on. */
static void device_changes(void)
{
	struct fake_pci *p = &fake_pci[rnd(FAKE_PCI)];
	uint32_t reg = rnd(256);

	if (reg != 4 && reg != 5) {
		p->cfg[reg] = (uint8_t)rnd(256);
	}
}

static void event(void)
{
	uint32_t what = rnd(1000);

	if (what < 2) {
		give(rnd(FAKE_PCI));
	} else if (what < 6) {
		uint32_t i = rnd(FAKE_PCI);

		if (rnd(3) == 0 || model[i].leaving) {
			take(i);
		}
	} else if (what < 30) {
		device_changes();
	} else if (what == 30 && rnd(8) == 0) {
		tables_cannot_grow();
	} else {
		guest_access();
	}
}

static void check_sums(const struct fake_window *w)
{
	uint32_t nr = 0;

	for (uint32_t s = 0; s < VPCI_FUNCTIONS; s++) {
		const struct vpci_function *vf = w->d.vpci->slot[s];

		for (uint32_t i = 0; vf && i < PCI_BARS; i++) {
			nr += vf->bar[i].nr_mapped;
		}
	}
	cr_assert_eq(nr, w->nr_mapped);
}

static void finish(struct fake_window *w)
{
	for (uint32_t i = 0; i < FAKE_PCI; i++) {
		if (model[i].w == w) {
			fake_pci_remove(w, &fake_pci[i]);
		}
	}
	cr_assert_eq(w->nr_mapped, 0);
	fake_pci_check(w);
	vpci_domain_fini(&w->d);
}

Test(vpci_random, a_million)
{
	fake_this_pcpu = &cpu;
	fake_pci_init();
	cr_assert_eq(vpci_domain_init(&fake_win[0].d), 0);
	cr_assert_eq(vpci_domain_init(&fake_win[1].d), 0);
	for (uint32_t n = 0; n < EVENTS; n++) {
		event();
		check_sums(&fake_win[n & 1]);
		if (n % FULL_CHECK == 0) {
			fake_pci_check(&fake_win[0]);
			fake_pci_check(&fake_win[1]);
		}
	}
	finish(&fake_win[0]);
	finish(&fake_win[1]);
	cr_assert_eq(fake_heap_objects, 0);
	cr_assert_eq(cpu.held_ranks, 0);
	for (uint32_t i = 0; i < 4; i++) {
		cr_assert_gt(nr_seen[i], 100, "%u: only %u", i, nr_seen[i]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_pci.h. */
#include "fake_pci.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/heap.h>
#include <hv/percpu.h>
#include <lib/errno.h>
#include "core/vpci_priv.h"

#define MOST_WORK 64u /* pages an access, or a step */

struct fake_pci fake_pci[FAKE_PCI];
struct fake_window fake_win[2];
uint32_t fake_pci_work;
uint32_t fake_pci_map_fails_in;
uint32_t fake_heap_fails_in;
uint32_t fake_heap_objects;

static struct fake_window *window_of(struct domain *d)
{
	return &fake_win[d == &fake_win[1].d];
}

/* ---- the second stage ---------------------------------------------------- */

static uint64_t index_of(gfn_t g)
{
	uint64_t i = g.v - (VPCI_MEM_BASE >> PAGE_SHIFT);

	cr_assert(i < FAKE_WINDOW, "gfn %#lx is outside", (unsigned long)g.v);
	return i;
}

static bool fails_now(uint32_t *in)
{
	return *in != 0 && --*in == 0;
}

int p2m_map_mmio(struct domain *d, gfn_t g, mfn_t m, uint64_t nr,
		 enum p2m_type t)
{
	struct fake_window *w = window_of(d);
	uint64_t at = index_of(g);
	int rc = fails_now(&fake_pci_map_fails_in) ? -ENOMEM : 0;

	cr_assert_eq(t, P2M_MMIO_DEV);
	cr_assert(nr > 0 && nr <= FAKE_WINDOW - at);
	spin_lock(&d->p2m.lock);
	for (uint64_t i = 0; i < nr; i++) {
		rc = rc == 0 && w->type[at + i] ? -EEXIST : rc;
	}
	for (uint64_t i = 0; rc == 0 && i < nr; i++) {
		w->type[at + i] = (uint8_t)t;
		w->mfn[at + i] = m.v + i;
	}
	w->nr_mapped += rc == 0 ? (uint32_t)nr : 0;
	fake_pci_work += (uint32_t)nr;
	spin_unlock(&d->p2m.lock);
	return rc;
}

int p2m_remove_page(struct domain *d, gfn_t g, uint32_t types)
{
	struct fake_window *w = window_of(d);
	uint64_t at = index_of(g);

	cr_assert_eq(types, P2M_MASK(P2M_MMIO_DEV));
	cr_assert_eq(w->type[at], P2M_MMIO_DEV);
	spin_lock(&d->p2m.lock);
	w->type[at] = P2M_NONE;
	w->mfn[at] = 0;
	w->nr_mapped--;
	fake_pci_work++;
	spin_unlock(&d->p2m.lock);
	return 0;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t g)
{
	struct fake_window *w = window_of(d);
	uint64_t at = index_of(g);

	return (struct p2m_entry){
		.mfn = mfn(w->mfn[at]), .type = w->type[at],
	};
}

void p2m_settle(struct domain *d)
{
	spin_lock(&d->p2m.lock);
	spin_unlock(&d->p2m.lock);
}

/* ---- memory -------------------------------------------------------------- */

void *heap_alloc(struct domain *d, size_t size)
{
	cr_assert_not_null(d);
	if (fails_now(&fake_heap_fails_in)) {
		return NULL;
	}
	fake_heap_objects++;
	return calloc(1, size);
}

void heap_free(struct domain *d, void *p)
{
	cr_assert_not_null(d);
	fake_heap_objects -= p ? 1 : 0;
	free(p);
}

/* ---- functions ----------------------------------------------------------- */

static struct fake_pci *pci_of(const struct pci_function *f)
{
	size_t i = (size_t)((const char *)f - (const char *)fake_pci) /
		   sizeof(fake_pci[0]);

	cr_assert(i < FAKE_PCI && f == &fake_pci[i].f);
	return &fake_pci[i];
}

static void check_place(uint32_t reg, unsigned int bytes)
{
	cr_assert(bytes == 1 || bytes == 2 || bytes == 4);
	cr_assert(reg % bytes == 0 && reg < 256);
}

uint32_t pci_config_read(const struct pci_function *f, uint32_t reg,
			 unsigned int bytes)
{
	uint32_t val = 0;

	check_place(reg, bytes);
	memcpy(&val, &pci_of(f)->cfg[reg], bytes);
	return val;
}

static void write_plain(struct fake_pci *p, uint32_t reg, unsigned int bytes,
			uint32_t value)
{
	for (unsigned int i = 0; i < bytes; i++, value >>= 8) {
		uint8_t may = p->may[reg + i];

		cr_assert_eq((uint8_t)value & ~may, 0, "%#x: %#x", reg + i,
			     value & 0xff);
		p->cfg[reg + i] = (uint8_t)((p->cfg[reg + i] & ~may) |
					    (value & may));
	}
}

void pci_config_write(const struct pci_function *f, uint32_t reg,
		      unsigned int bytes, uint32_t value)
{
	struct fake_pci *p = pci_of(f);

	check_place(reg, bytes);
	p->nr_writes++;
	if (reg == PCI_COMMAND) {
		cr_assert_eq(bytes, 2);
		cr_assert(value == 0x402 || value == 0x406 || value == 0x400 ||
				  (f->line_of == PCI_LINE_GUEST &&
				   (value == 2 || value == 6)),
			  "COMMAND %#x", value);
		memcpy(&p->cfg[reg], &value, 2);
	} else if (reg == PCI_STATUS) {
		cr_assert_eq(bytes, 2);
		cr_assert_eq(value & ~0xf900u, 0);
		p->cfg[7] &= (uint8_t)~(value >> 8);
	} else {
		write_plain(p, reg, bytes, value);
	}
}

void fake_pci_bar(struct fake_pci *p, uint32_t i, uint64_t m, uint32_t nr,
		  bool is_64)
{
	p->f.bar[i] = (struct pci_bar){
		.mfn = m, .nr = nr, .is_64 = is_64, .prefetch = true,
	};
}

void fake_pci_cap(struct fake_pci *p, uint8_t at, uint8_t id, const void *rest,
		  size_t bytes)
{
	uint8_t *link = &p->cfg[PCI_CAP_POINTER];

	while (*link) {
		link = &p->cfg[*link + 1];
	}
	*link = at;
	p->cfg[PCI_STATUS] |= PCI_STATUS_CAPS;
	p->cfg[at] = id;
	p->cfg[at + 1] = 0;
	memcpy(&p->cfg[at + 2], rest, bytes);
}

/* ---- the guest ----------------------------------------------------------- */

enum mmio_result fake_pci_access(struct fake_window *w, uint64_t addr,
				 unsigned int bytes, bool write,
				 uint64_t *value)
{
	const struct mmio_range *r = mmio_find(&w->d, ipa(addr));
	struct mmio_access a = {
		.size = (uint8_t)bytes, .write = write,
		.value = write ? *value : 0,
	};
	enum mmio_result rc;

	cr_assert_not_null(r);
	a.offset = addr - r->start;
	fake_pci_work = 0;
	rc = r->fn(&w->v, &a, r->opaque);
	cr_assert_leq(fake_pci_work, MOST_WORK);
	*value = write ? *value : a.value;
	return rc;
}

static uint64_t ecam(uint32_t dev, uint32_t reg)
{
	return VPCI_ECAM_BASE + dev * 0x8000 + reg;
}

uint32_t fake_cfg_read(struct fake_window *w, uint32_t dev, uint32_t reg,
		       unsigned int bytes)
{
	uint64_t val = 0;

	cr_assert_eq(fake_pci_access(w, ecam(dev, reg), bytes, false, &val),
		     MMIO_OK);
	cr_assert_eq(val >> (8 * bytes), 0);
	cr_assert_eq(fake_pci_work, 0);
	return (uint32_t)val;
}

void fake_cfg_write(struct fake_window *w, uint32_t dev, uint32_t reg,
		    unsigned int bytes, uint32_t value)
{
	uint64_t val = value;
	uint32_t turns = 0;

	while (fake_pci_access(w, ecam(dev, reg), bytes, true, &val) ==
	       MMIO_AGAIN) {
		cr_assert(turns++ < 2 * VPCI_FUNCTIONS * FAKE_WINDOW,
			  "does not end");
	}
}

void fake_pci_remove(struct fake_window *w, struct fake_pci *p)
{
	int rc = -EAGAIN;

	while (rc == -EAGAIN) {
		fake_pci_work = 0;
		rc = vpci_remove(&w->d, &p->f);
		cr_assert_leq(fake_pci_work, MOST_WORK);
		cr_assert_eq(p->cfg[4] & 6, 0);
		cr_assert_eq(p->cfg[5], 4);
	}
	cr_assert_eq(rc, 0);
	p->is_ours = false;
}

void fake_pci_init(void)
{
	memset(fake_pci, 0, sizeof(fake_pci));
	memset(fake_win, 0, sizeof(fake_win));
	for (uint32_t i = 0; i < FAKE_PCI; i++) {
		static const uint8_t head[] = {
			0xf4, 0x1a, 0x41, 0x10, 0x07, 0, 0x10, 0,
			0x01, 0x00, 0x00, 0x02, 0x10, 0, 0x80, 0,
		};

		memcpy(fake_pci[i].cfg, head, sizeof(head));
		memcpy(&fake_pci[i].cfg[0x2c], "\xf4\x1a\x00\x11", 4);
		fake_pci[i].cfg[0x3d] = 1; /* INTA */
		fake_pci[i].f.device_id = 0x100 + i;
		fake_pci[i].f.has_id = true;
	}
	for (uint32_t i = 0; i < 2; i++) {
		fake_win[i].v.domain = &fake_win[i].d;
		spin_lock_init(&fake_win[i].d.p2m.lock, LOCK_RANK_P2M);
	}
}

/* Does @w's @m, at @gfn, belong to what the slot's BAR says? */
static bool is_of(const struct vpci_function *vf, uint64_t g, uint64_t m)
{
	for (uint32_t i = 0; vf && i < PCI_BARS; i++) {
		uint64_t at = m - vf->f->bar[i].mfn;

		if (at < vf->f->bar[i].nr) {
			return pci_of(vf->f)->is_ours &&
			       vf->bar[i].is_claimed &&
			       vf->bar[i].gfn + at == g;
		}
	}
	return false;
}

void fake_pci_check(struct fake_window *w)
{
	uint64_t base = VPCI_MEM_BASE >> PAGE_SHIFT;
	uint32_t nr = 0;

	for (uint64_t i = 0; i < FAKE_WINDOW; i++) {
		bool found = w->type[i] != P2M_MMIO_DEV;

		for (uint32_t s = 0; !found && s < VPCI_FUNCTIONS; s++) {
			found = w->d.vpci &&
				is_of(w->d.vpci->slot[s], base + i, w->mfn[i]);
		}
		cr_assert(found, "page %#lx", (unsigned long)i);
		nr += w->type[i] == P2M_MMIO_DEV;
	}
	cr_assert_eq(nr, w->nr_mapped);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the test of the virtual ITS, which is all that includes it: a guest's
 * memory, a physical ITS that remembers what it was told, and stops the test
 * when that makes no sense, and commands as a guest writes them.
 */
#ifndef FAKE_ITS_H
#define FAKE_ITS_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/pci.h>
#include <hv/platform.h>
#include <hv/trace.h>
#include <hv/vpci.h>
#include "arch/arm64/vgic/vgic_its.h"
#include "fake_gic_guest.h"

enum {
	GITS_CTLR = 0x0,
	GITS_IIDR = 0x4,
	GITS_TYPER = 0x8,
	GITS_CBASER = 0x80,
	GITS_CWRITER = 0x88,
	GITS_CREADR = 0x90,
	GITS_BASER = 0x100,
	GITS_PIDR2 = 0xffe8,
	GITS_TRANSLATER = 0x10040,
};
#define ITS WORLD_ITS

/* ---- memory -------------------------------------------------------------- */

#define GUESTS 3u /* the first is dom0, of fake_gic_world.h */
#define PAGES 4u  /* of each */
#define QUEUE 1u  /* pages: 0 is not there */
#define CONFIG 2u
#define FIRST_MFN 0x100u

static struct page pages[GUESTS * PAGES];
static _Alignas(PAGE_SIZE) uint8_t ram[GUESTS * PAGES][PAGE_SIZE];
static const struct domain *owner[GUESTS]; /* but of the first */
static int second_levels;
static void *level_page;

static uint32_t guest_of(const struct domain *dom)
{
	uint32_t i = GUESTS - 1;

	while (i && owner[i] != dom) {
		i--;
	}
	return i;
}

struct page *p2m_get_page(struct domain *dom, gfn_t f, struct p2m_entry *e)
{
	struct page *pg = &pages[guest_of(dom) * PAGES + f.v % PAGES];

	(void)e;
	if (f.v == 0 || f.v >= PAGES) {
		return NULL;
	}
	pg->count++;
	return pg;
}

mfn_t page_mfn(const struct page *pg)
{
	return mfn(FIRST_MFN + (uint64_t)(pg - pages));
}

void page_put_last(struct page *pg, uint32_t was)
{
	(void)pg;
	(void)was;
	abort(); /* the guest has its memory still */
}

void *hv_va(paddr_t pa)
{
	return &ram[(pa.v >> PAGE_SHIFT) - FIRST_MFN][0];
}

paddr_t hv_pa(const void *va)
{
	return paddr((uint64_t)(uintptr_t)va);
}

void *hv_alloc_pages(struct domain *dom, unsigned int order)
{
	(void)dom;
	cr_assert_eq(order, 0);
	second_levels++;
	level_page = calloc(1, PAGE_SIZE);
	return level_page;
}

void arch_clean_dcache(const void *va, size_t len)
{
	(void)va;
	(void)len;
}

static int spurious;
static int complaints;

void trace_event(enum trace_event ev, uint32_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	spurious += ev == TRACE_IRQ_SPURIOUS;
}

void log_printf(enum log_level l, const char *fmt, ...)
{
	(void)l;
	(void)fmt;
	complaints++;
}

/* ---- what devices see ---------------------------------------------------- */

static struct {
	uint64_t g, m, nr;
	enum p2m_type t;
	int calls, rc;
	int live; /* mapped, less those taken out again */
} doorbell;

int p2m_map_mmio(struct domain *dom, gfn_t g, mfn_t m, uint64_t nr,
		 enum p2m_type t)
{
	(void)dom;
	doorbell.g = g.v;
	doorbell.m = m.v;
	doorbell.nr = nr;
	doorbell.t = t;
	doorbell.calls++;
	doorbell.live += doorbell.rc == 0;
	return doorbell.rc;
}

int p2m_remove_page(struct domain *dom, gfn_t g, uint32_t types)
{
	(void)dom;
	cr_assert_eq(g.v, doorbell.g);
	cr_assert_eq(types, P2M_MASK(P2M_DOORBELL));
	doorbell.live--;
	return 0;
}

/* ---- the physical ITS ---------------------------------------------------- */

#define DEVS 8u
#define EVENTS 64u
#define NO_DEV UINT32_MAX

struct platform platform;
static bool its_gone;
static bool given[DEVS];             /* not dom0's */
static uint32_t slot[GUESTS][DEVS];  /* the machine's id, or NO_DEV */

bool pci_is_given(uint32_t id)
{
	return id < DEVS && given[id];
}

bool vpci_device_id(const struct domain *dom, uint32_t virt, uint32_t *phys)
{
	uint32_t i = guest_of(dom);

	cr_assert_neq(i, 0); /* dom0 has the machine's */
	if (virt >= DEVS || slot[i][virt] == NO_DEV) {
		return false;
	}
	*phys = slot[i][virt];
	return true;
}

static struct {
	bool mapped;
	unsigned int bits;
	char *itt;
	uint32_t lpi[2048]; /* 0: none */
	uint16_t cpu[2048];
} dev[DEVS];
static bool enabled[LPI_NR];
static uint32_t ops[256];
static int dead;            /* commands after which it is dead; 0: never */
static bool has_level;

static int answer(void)
{
	return dead && --dead == 0 ? (dead = 1, -EIO) : 0;
}

uint32_t its_page_size(void)
{
	return PAGE_SIZE;
}

uint32_t its_itt_entry(void)
{
	return 12;
}

bool its_has_device(uint32_t id)
{
	return id < DEVS && !its_gone;
}

bool its_needs_page(uint32_t id)
{
	return id < DEVS && !has_level;
}

void its_give_page(uint32_t id, const struct its_mem *page)
{
	(void)id;
	cr_assert_eq(page->va, level_page);
	has_level = true;
	free(level_page);
}

int its_map_device(uint32_t id, uint64_t itt, unsigned int bits)
{
	cr_assert(id < DEVS && !dev[id].mapped && has_level);
	cr_assert(is_aligned(itt, ITS_ITT_ALIGN));
	cr_assert_leq(bits, 11);
	memset(&dev[id], 0, sizeof(dev[id]));
	dev[id].mapped = true;
	dev[id].bits = bits;
	dev[id].itt = (char *)(uintptr_t)itt;
	/* No line of a cache is somebody else's, too. */
	memset(dev[id].itt, 0, align_up(its_itt_entry() << bits, 128));
	return answer();
}

int its_unmap_device(uint32_t id, const uint16_t *lpi, uint32_t nr)
{
	cr_assert(id < DEVS && dev[id].mapped);
	cr_assert_eq(nr, 1u << dev[id].bits);
	for (uint32_t i = 0; i < nr; i++) { /* all are ended, no others */
		cr_assert_eq(lpi[i] != 0, dev[id].lpi[i] != 0);
	}
	dev[id].mapped = false;
	return answer();
}

int its_map_event(uint32_t id, uint32_t event, uint32_t lpi, uint16_t cpu)
{
	cr_assert(id < DEVS && dev[id].mapped && event < 1u << dev[id].bits);
	cr_assert(lpi >= LPI_FIRST && lpi < LPI_FIRST + LPI_NR);
	cr_assert_lt(cpu, FAKE_CPUS);
	/* The hardware writes what it was given; a freed table is found. */
	memset(dev[id].itt + event * its_itt_entry(), 1, its_itt_entry());
	dev[id].lpi[event] = lpi;
	dev[id].cpu[event] = cpu;
	return answer();
}

int its_move_event(uint32_t id, uint32_t event, uint16_t cpu)
{
	cr_assert(dev[id].mapped && dev[id].lpi[event]);
	cr_assert_lt(cpu, FAKE_CPUS);
	dev[id].cpu[event] = cpu;
	return answer();
}

/* A message: as the hardware, if it is enabled. */
static void message(uint32_t id, uint32_t event)
{
	uint32_t lpi = dev[id].lpi[event];

	if (dev[id].mapped && lpi && enabled[lpi - LPI_FIRST]) {
		uint16_t was = this_cpu();

		world_on(dev[id].cpu[event]);
		vgic_take_lpi(lpi);
		world_on(was);
	}
}

int its_event(enum its_event_op op, uint32_t id, uint32_t event, uint16_t cpu)
{
	cr_assert_lt(cpu, FAKE_CPUS);
	cr_assert(dev[id].mapped && dev[id].lpi[event]);
	ops[op]++;
	if (op == ITS_DISCARD) {
		dev[id].lpi[event] = 0;
	}
	return answer();
}

void its_set_enable(uint32_t lpi, bool enable)
{
	cr_assert(lpi >= LPI_FIRST && lpi < LPI_FIRST + LPI_NR);
	enabled[lpi - LPI_FIRST] = enable;
}

int its_inv_all(void)
{
	ops[0x0d]++;
	return answer();
}

static int joined = -1;
static int left = -1;

int its_join_cpu(uint16_t cpu)
{
	joined = cpu;
	return -ENODEV;
}

int its_leave_cpu(uint16_t cpu, uint16_t to)
{
	left = cpu * 16 + to;
	return -EIO;
}

/* ---- the guest ----------------------------------------------------------- */

static uint32_t me;              /* the guest that acts */
static uint64_t writes[GUESTS];  /* GITS_CWRITER */
static struct vcpu *other[GUESTS]; /* vCPU 0 of those but the first */

static uint64_t its_base(void)
{
	return me ? VPCI_ITS_BASE : ITS;
}

/* Of a register of the ITS that has the guest that acts. */
static uint64_t its_reg(uint64_t offset, bool write, uint64_t value)
{
	struct mmio_access a = { offset, value, 8, write };
	const struct mmio_table *t;

	if (me == 0) {
		if (write) {
			reg_try_write(0, ITS + offset, 8, value);
		}
		return write ? 0 : reg_read(0, ITS + offset, 8);
	}
	t = &other[me]->domain->mmio;
	for (uint32_t i = 0; i < t->nr; i++) {
		if (t->range[i].start == its_base()) {
			(void)t->range[i].fn(other[me], &a,
					     t->range[i].opaque);
		}
	}
	return a.value;
}

static void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	uint64_t w[4] = { w0, w1, w2, w3 };

	memcpy(&ram[me * PAGES + QUEUE][writes[me]], w, sizeof(w));
	writes[me] = (writes[me] + 32) % PAGE_SIZE;
}

/* Writes of GITS_CWRITER until all is done; how many. */
static int run_queue(void)
{
	int n = 0;

	do {
		its_reg(GITS_CWRITER, true, writes[me]);
		cr_assert_lt(n++, 200);
	} while (its_reg(GITS_CREADR, false, 0) != writes[me]);
	world_settle();
	return n;
}

static uint64_t of(uint8_t op, uint32_t id)
{
	return op | (uint64_t)id << 32;
}

static inline void mapd(uint32_t id, unsigned int bits, bool valid)
{
	command(of(0x08, id), bits - 1, (uint64_t)valid << 63, 0);
}

static inline void mapc(uint16_t icid, uint32_t rd, bool valid)
{
	command(0x09, 0, (uint64_t)valid << 63 | (uint64_t)rd << 16 | icid, 0);
}

static inline void mapti(uint32_t id, uint32_t event, uint32_t lpi,
			 uint16_t icid)
{
	command(of(0x0a, id), (uint64_t)lpi << 32 | event, icid, 0);
}

static inline void about(uint8_t op, uint32_t id, uint32_t event, uint16_t icid)
{
	command(of(op, id), event, icid, 0);
}

static struct vits *its(void)
{
	return me ? other[me]->domain->arch.vgic.its : d->arch.vgic.its;
}

static void begin(uint32_t nr_vcpus)
{
	memset(dev, 0, sizeof(dev));
	memset(enabled, 0, sizeof(enabled));
	memset(ops, 0, sizeof(ops));
	memset(ram, 0, sizeof(ram));
	memset(given, 0, sizeof(given));
	memset(slot, 0xff, sizeof(slot));
	memset(writes, 0, sizeof(writes));
	for (uint32_t i = 0; i < GUESTS * PAGES; i++) {
		pages[i].count = 1;
	}
	me = 0;
	spurious = 0;
	complaints = 0;
	has_level = false;
	its_gone = false;
	platform.its.node = 1;
	platform.its.base = ITS;
	start(4, nr_vcpus);
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		uint64_t gicr = WORLD_GICR + i * 0x20000u;

		reg_write(i, gicr + GICR_PROPBASER, 8, CONFIG << 12 | 13);
		reg_write(i, gicr + GICR_CTLR, 4, 1);
	}
	reg_write(0, ITS + GITS_CBASER, 8,
		  UINT64_C(1) << 63 | QUEUE << PAGE_SHIFT);
	reg_write(0, ITS + GITS_CTLR, 4, 1);
	memset(ram[CONFIG], 0xa1, VGIC_NR_LPIS);
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		mapc((uint16_t)i, i, true);
	}
	run_queue();
}

static void end(void)
{
	world_fini();
	for (uint32_t i = 0; i < GUESTS * PAGES; i++) {
		cr_assert_eq(pages[i].count, 1);
	}
	for (uint32_t i = 0; i < DEVS; i++) {
		cr_assert(!dev[i].mapped);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(vits_of_block); i++) {
		cr_assert_null(vits_of_block[i]);
	}
}

#endif

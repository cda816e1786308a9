/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 ITS: messages of devices become LPIs.
 *
 * Owns    the registers of one ITS, its tables and its queue of commands; the
 *         LPI part of the redistributors.
 * Not     which device and which LPI is whose.
 * Memory  given by who starts it. What the hardware reads is cleaned to the
 *         point of coherency, whether or not it snoops.
 * Locks   none: the caller's.
 * Bounds  every wait ends after GIC_POLLS; then the ITS counts as dead.
 * Spec    [GIC] "The ITS", "GITS_BASER<n>", "GICR_PROPBASER", "GICR_CTLR".
 */
#include <lib/errno.h>
#include <arch/barrier.h>
#include <arch/its.h>
#include "gic_priv.h"
#include "gic_regs.h"

#define GITS_CTLR 0x0000u
#define GITS_CTLR_ENABLED BIT32(0)
#define GITS_CTLR_QUIESCENT BIT32(31)
#define GITS_TYPER 0x0008u
#define TYPER_PHYSICAL BIT64(0)
#define TYPER_ITT_ENTRY FIELD64(7, 4)
#define TYPER_DEVBITS FIELD64(17, 13)
#define TYPER_PTA BIT64(19)
#define GITS_CBASER 0x0080u
#define GITS_CWRITER 0x0088u
#define GITS_CREADR 0x0090u
#define CREADR_STALLED BIT64(0)
#define GITS_BASER 0x0100u
#define NR_BASERS 8u
#define GITS_PIDR2 0xffe8u

#define BASE_VALID BIT64(63)
#define BASER_INDIRECT BIT64(62)
#define BASER_TYPE FIELD64(58, 56)
#define TYPE_DEVICES 1u
#define TYPE_COLLECTIONS 4u
#define BASER_ENTRY FIELD64(52, 48)
#define BASER_PAGE FIELD64(9, 8)
/* Inner write-back, inner shareable: where both kinds have these fields. */
#define BASER_CACHED (UINT64_C(7) << 59 | UINT64_C(1) << 10)
#define RBASE_CACHED (UINT64_C(7) << 7 | UINT64_C(1) << 10)
#define BASE_SHAREABLE FIELD64(11, 10)
#define BASE_NO_CACHE UINT64_C(1) /* in place of the 7s: not cached */
#define L1_ENTRY 8u
#define FLAT_PAGES 256u

#define GICR_CTLR 0x0000u
#define GICR_CTLR_LPIS BIT32(0)
#define GICR_CTLR_RWP BIT32(3)
#define GICR_TYPER 0x0008u
#define GICR_TYPER_PLPIS BIT64(0)
#define GICR_PROPBASER 0x0070u
#define GICR_PENDBASER 0x0078u
#define PENDBASER_ZERO BIT64(62)
#define LPI_ID_BITS 14u
#define LPI_CONFIG 0xa2u /* GIC_PRIORITY; bit 1 is one */

#define ALL_BYTES UINT64_C(0x0101010101010101)

#define CMD_SIZE 32u
#define BATCH 64u /* commands; with a SYNC for each CPU they fit the queue */
#define CMD_SYNC 0x05u
#define CMD_MOVI 0x01u
#define CMD_MAPD 0x08u
#define CMD_MAPC 0x09u
#define CMD_MAPTI 0x0au
#define CMD_INVALL 0x0du
#define CMD_MOVALL 0x0eu
#define CMD_VALID BIT64(63)

struct its_cmd {
	uint64_t w[4];
};
STATIC_ASSERT((BATCH + GIC_MAX_CPUS + 1) * CMD_SIZE < ITS_QUEUE_SIZE,
	      "all of it fits");
STATIC_ASSERT((3 * GIC_MAX_CPUS + 4) * CMD_SIZE < ITS_QUEUE_SIZE,
	      "and all of its_leave_cpu()");

static struct {
	char *regs;             /* NULL: none, or dead */
	struct its_config mem;
	uint32_t nr_cpus;
	uint32_t page;          /* bytes */
	uint32_t dev_bits;
	uint32_t dev_entry;     /* bytes */
	uint32_t itt_entry;     /* bytes */
	bool indirect;
	uint32_t next;          /* where the next command goes */
	uint64_t target[GIC_MAX_CPUS]; /* RDbase of each, at 50:16 */
	uint16_t to[GIC_MAX_CPUS];     /* whose target its collection has */
	uint32_t on;            /* CPUs whose LPIs are on, for good */
	uint32_t here;          /* ... and which are on line */
	uint32_t mapped;        /* collections that are */
	bool is_mixed;          /* a CPU came back: see gather() */
} its;

/* ---- commands ------------------------------------------------------------ */

static void put(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	struct its_cmd *c = (void *)((char *)its.mem.queue.va + its.next);

	*c = (struct its_cmd){ { w0, w1, w2, w3 } };
	arch_clean_dcache(c, sizeof(*c));
	its.next = (its.next + CMD_SIZE) % ITS_QUEUE_SIZE;
}

/* All that was put is done when it returns 0; few enough to fit the queue. */
static int run(void)
{
	if (!its.regs) {
		return -EIO;
	}
	dsb(sy); /* what the commands are about, before the ITS looks */
	mmio_write64(its.regs + GITS_CWRITER, its.next);
	for (uint32_t i = 0; i < GIC_POLLS; i++) {
		uint64_t at = mmio_read64(its.regs + GITS_CREADR);

		if (at == its.next) {
			return 0;
		}
		if (at & CREADR_STALLED) {
			break;
		}
	}
	its.regs = NULL;
	return -EIO;
}

static void put_sync(uint16_t cpu)
{
	put(CMD_SYNC, 0, its.target[cpu], 0);
}

/* For each CPU on line. */
static int run_synced(void)
{
	for (uint16_t i = 0; i < its.nr_cpus; i++) {
		if (its.here >> i & 1) {
			put_sync(i);
		}
	}
	return run();
}

static void put_mapc(uint16_t cpu, uint16_t to)
{
	its.to[cpu] = to;
	its.mapped |= BIT32(cpu);
	put(CMD_MAPC, 0, CMD_VALID | its.target[to] | cpu, 0);
}

static void put_invall(uint32_t collections)
{
	for (uint16_t i = 0; i < its.nr_cpus; i++) {
		if (collections >> i & 1) {
			put(CMD_INVALL, 0, i, 0);
		}
	}
}

int its_join_cpu(uint16_t cpu)
{
	if (!its.regs || !(its.on >> cpu & 1)) {
		return -ENODEV;
	}
	its.here |= BIT32(cpu);
	its.is_mixed = its.is_mixed || (its.mapped >> cpu & 1);
	put_mapc(cpu, cpu);
	put_sync(cpu);
	put_invall(BIT32(cpu));
	return run_synced();
}

/*
 * What was on its way to @cpu is there before its pending LPIs move; @to reads
 * the configuration of those that it gets.
 */
int its_leave_cpu(uint16_t cpu, uint16_t to)
{
	uint32_t moved = 0;

	if (!its.regs || !(its.here >> cpu & its.here >> to & 1)) {
		return -ENODEV;
	}
	for (uint16_t i = 0; i < its.nr_cpus; i++) {
		if ((its.mapped >> i & 1) && its.to[i] == cpu) {
			put_mapc(i, to);
			moved |= BIT32(i);
		}
	}
	put_sync(to);
	put_sync(cpu);
	put(CMD_MOVALL, 0, its.target[cpu], its.target[to]);
	put_invall(moved);
	its.here &= ~BIT32(cpu);
	return run_synced();
}

int its_map_device(uint32_t dev, uint64_t itt, unsigned int bits)
{
	put(CMD_MAPD | (uint64_t)dev << 32, bits - 1u, CMD_VALID | itt, 0);
	return run_synced();
}

/* Events of a device from the first on, where .lpi, if there is, is not 0. */
struct events {
	uint32_t dev;
	uint32_t first;
	uint32_t nr;
	const uint16_t *lpi;
};

/* @op about each. */
static int run_each(uint64_t op, const struct events *e, uint16_t collection)
{
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < e->nr; i++) {
		if (e->lpi && !e->lpi[i]) {
			continue;
		}
		put(op | (uint64_t)e->dev << 32, e->first + i, collection, 0);
		if (++waiting == BATCH) {
			waiting = 0;
			if (run()) {
				return -EIO;
			}
		}
	}
	return 0;
}

/*
 * When a CPU comes back, so does its collection; but LPIs of it that are
 * pending, and disabled, stay where they were meanwhile. No command gets at
 * them but MOVI, while the event is mapped there: so it goes around all CPUs,
 * and takes with it what it finds.
 */
static int gather(const struct events *e)
{
	int rc = 0;

	for (uint16_t i = 0; its.is_mixed && rc == 0 && i < its.nr_cpus; i++) {
		if (its.here >> i & 1) {
			rc = run_each(CMD_MOVI, e, i);
			rc = rc ? rc : run_synced();
		}
	}
	return rc;
}

/* MAPD alone leaves what is pending where it is, for the LPI's next user. */
int its_unmap_device(uint32_t dev, const uint16_t *lpi, uint32_t nr)
{
	const struct events all = { dev, 0, nr, lpi };

	if (gather(&all) || run_each(ITS_DISCARD, &all, 0)) {
		return -EIO;
	}
	put(CMD_MAPD | (uint64_t)dev << 32, 0, 0, 0);
	return run_synced();
}

/* @cpu, unless it has no LPIs. */
static uint16_t reachable(uint16_t cpu)
{
	return its.here >> cpu & 1 ? cpu : (uint16_t)ffs64(its.here);
}

int its_map_event(uint32_t dev, uint32_t event, uint32_t lpi, uint16_t cpu)
{
	put(CMD_MAPTI | (uint64_t)dev << 32, (uint64_t)lpi << 32 | event,
	    reachable(cpu), 0);
	put(ITS_INV | (uint64_t)dev << 32, event, 0, 0);
	return run_synced();
}

int its_move_event(uint32_t dev, uint32_t event, uint16_t cpu)
{
	const struct events one = { dev, event, 1, NULL };

	if (gather(&one)) {
		return -EIO;
	}
	put(CMD_MOVI | (uint64_t)dev << 32, event, reachable(cpu), 0);
	if (its.is_mixed) { /* that CPU may have known it before it left */
		put(ITS_INV | (uint64_t)dev << 32, event, 0, 0);
	}
	return run_synced();
}

int its_event(enum its_event_op op, uint32_t dev, uint32_t event, uint16_t cpu)
{
	if (its.is_mixed && its_move_event(dev, event, cpu)) {
		return -EIO;
	}
	put((uint64_t)op | (uint64_t)dev << 32, event, 0, 0);
	return run_synced();
}

int its_inv_all(void)
{
	put_invall(its.mapped);
	return run_synced();
}

void its_set_enable(uint32_t lpi, bool enable)
{
	uint8_t *c = (uint8_t *)its.mem.config.va + (lpi - LPI_FIRST);

	*c = (uint8_t)(LPI_CONFIG | (enable ? 1u : 0u));
	arch_clean_dcache(c, 1);
}

/* ---- devices ------------------------------------------------------------- */

static uint64_t *first_level(uint32_t dev)
{
	return (uint64_t *)its.mem.devices.va +
	       dev / (its.page / its.dev_entry);
}

uint32_t its_page_size(void)
{
	return its.page;
}

uint32_t its_itt_entry(void)
{
	return its.itt_entry;
}

bool its_has_device(uint32_t dev)
{
	return its.regs && (uint64_t)dev >> its.dev_bits == 0;
}

bool its_needs_page(uint32_t dev)
{
	return its.indirect && !(*first_level(dev) & BASE_VALID);
}

void its_give_page(uint32_t dev, const struct its_mem *page)
{
	uint64_t *l1 = first_level(dev);

	arch_clean_dcache(page->va, its.page);
	*l1 = BASE_VALID | page->pa;
	arch_clean_dcache(l1, sizeof(*l1));
}

/* ---- once ---------------------------------------------------------------- */

static char *baser_of(uint32_t type)
{
	for (uint32_t i = 0; i < NR_BASERS; i++) {
		char *r = its.regs + GITS_BASER + i * 8;

		if (field_get(BASER_TYPE, mmio_read64(r)) == type) {
			return r;
		}
	}
	return NULL;
}

/* @val with fields of kind @cached; not cached when it does not snoop. */
static void write_base(char *reg, uint64_t val, uint64_t cached)
{
	uint64_t seven = cached & ~BASE_SHAREABLE;

	mmio_write64(reg, val | cached);
	if (!(mmio_read64(reg) & BASE_SHAREABLE)) {
		mmio_write64(reg, val | seven / 7 * BASE_NO_CACHE);
	}
}

static uint32_t round_to_power(uint64_t size)
{
	uint32_t p = 1;

	while (p < size) { /* bound: 32 bits */
		p <<= 1;
	}
	return p;
}

/* Bytes of the table of devices, or of its first level: whole pages. */
static uint32_t devices_size(void)
{
	uint64_t flat = BIT64(its.dev_bits) * its.dev_entry;

	return (uint32_t)(its.indirect || flat < its.page ? its.page : flat);
}

/* Two levels where it can, else as many devices as 256 pages hold. */
static void choose_devices(char *reg)
{
	uint64_t most = (uint64_t)FLAT_PAGES * its.page / its.dev_entry;

	mmio_write64(reg, BASER_INDIRECT);
	its.indirect = (mmio_read64(reg) & BASER_INDIRECT) != 0;
	if (its.indirect) {
		most = (uint64_t)its.page / L1_ENTRY *
		       (its.page / its.dev_entry);
	}
	while (BIT64(its.dev_bits) > most) { /* bound: 32 bits */
		its.dev_bits--;
	}
}

static bool stop(void)
{
	mmio_write32(its.regs + GITS_CTLR,
		     mmio_read32(its.regs + GITS_CTLR) & ~GITS_CTLR_ENABLED);
	for (uint32_t i = 0; i < GIC_POLLS; i++) {
		if (mmio_read32(its.regs + GITS_CTLR) & GITS_CTLR_QUIESCENT) {
			return true;
		}
	}
	return false;
}

/* Which size of pages it has when it is asked for @code. */
static uint32_t pages_of(char *reg, uint32_t code)
{
	mmio_write64(reg, field_prep(BASER_PAGE, code));
	return (uint32_t)field_get(BASER_PAGE, mmio_read64(reg));
}

/* One size for both tables, 4 KiB if it may choose; 0: there is none. */
static uint32_t choose_page(char *devices, char *collections)
{
	static const uint32_t sizes[] = { 4096, 16384, 65536, 0 };
	uint32_t code = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		code = pages_of(devices, code);
		if (!collections || pages_of(collections, code) == code) {
			return sizes[code];
		}
		code = pages_of(collections, code);
	}
	return 0;
}

int its_probe(void *regs, struct its_sizes *out)
{
	uint64_t typer = mmio_read64((char *)regs + GITS_TYPER);
	uint32_t rev = mmio_read32((char *)regs + GITS_PIDR2) >> 4 & 0xf;
	char *devices;

	if ((rev != 3 && rev != 4) || !(typer & TYPER_PHYSICAL)) {
		return -ENODEV;
	}
	its.regs = regs;
	devices = baser_of(TYPE_DEVICES);
	if (!stop() || !devices) {
		its.regs = NULL;
		return -EIO;
	}
	its.page = choose_page(devices, baser_of(TYPE_COLLECTIONS));
	if (!its.page) {
		its.regs = NULL;
		return -ENODEV;
	}
	its.dev_bits = (uint32_t)field_get(TYPER_DEVBITS, typer) + 1;
	its.dev_entry = round_to_power(
		field_get(BASER_ENTRY, mmio_read64(devices)) + 1);
	choose_devices(devices);
	out->devices = devices_size();
	out->page = its.page;
	its.itt_entry = (uint32_t)field_get(TYPER_ITT_ENTRY, typer) + 1;
	return 0;
}

static void write_baser(char *reg, const struct its_mem *m, uint64_t size,
			uint64_t flags)
{
	uint64_t page = its.page == 4096 ? 0 : its.page == 16384 ? 1 : 2;

	arch_clean_dcache(m->va, size);
	write_base(reg, flags | BASE_VALID | m->pa |
			field_prep(BASER_PAGE, page) | (size / its.page - 1),
		   BASER_CACHED);
}

int its_start(const struct its_config *c, uint32_t nr_cpus)
{
	char *collections = baser_of(TYPE_COLLECTIONS);

	its.mem = *c;
	its.nr_cpus = nr_cpus;
	write_baser(baser_of(TYPE_DEVICES), &c->devices, devices_size(),
		    its.indirect ? BASER_INDIRECT : 0);
	if (collections) {
		write_baser(collections, &c->collections, its.page, 0);
	}
	for (uint32_t i = 0; i < LPI_NR / 8; i++) {
		((uint64_t *)c->config.va)[i] = LPI_CONFIG * ALL_BYTES;
	}
	arch_clean_dcache(c->config.va, LPI_NR);
	arch_clean_dcache(c->queue.va, ITS_QUEUE_SIZE);
	write_base(its.regs + GITS_CBASER, BASE_VALID | c->queue.pa,
		   BASER_CACHED);
	mmio_write64(its.regs + GITS_CWRITER, 0);
	mmio_write32(its.regs + GITS_CTLR, GITS_CTLR_ENABLED);
	if (mmio_read64(its.regs + GITS_CREADR)) {
		its.regs = NULL;
		return -EIO;
	}
	return 0;
}

/* ---- each CPU ------------------------------------------------------------ */

static uint64_t rd_target(void *gicr, uint64_t gicr_pa)
{
	uint64_t typer = mmio_read64(gic_reg(gicr, GICR_TYPER));

	if (mmio_read64(its.regs + GITS_TYPER) & TYPER_PTA) {
		return gicr_pa;
	}
	return field_get(FIELD64(23, 8), typer) << 16;
}

/* With LPIs on, the tables of a redistributor may not change. */
static bool lpis_off(char *gicr)
{
	mmio_write32(gicr + GICR_CTLR,
		     mmio_read32(gicr + GICR_CTLR) & ~GICR_CTLR_LPIS);
	for (uint32_t i = 0; i < GIC_POLLS; i++) {
		uint32_t ctlr = mmio_read32(gicr + GICR_CTLR);

		if (!(ctlr & GICR_CTLR_RWP)) {
			return !(ctlr & GICR_CTLR_LPIS);
		}
	}
	return false;
}

void its_init_cpu(uint16_t cpu, void *gicr, uint64_t gicr_pa)
{
	char *r = gicr;

	/* On already: it was on line before. */
	if (!its.regs || cpu >= its.nr_cpus || (its.on >> cpu & 1) ||
	    !(mmio_read64(r + GICR_TYPER) & GICR_TYPER_PLPIS) ||
	    !lpis_off(r)) {
		return;
	}
	arch_clean_dcache(its.mem.pend[cpu].va, ITS_PEND_SIZE);
	write_base(r + GICR_PROPBASER,
		   its.mem.config.pa | (LPI_ID_BITS - 1), RBASE_CACHED);
	write_base(r + GICR_PENDBASER, its.mem.pend[cpu].pa | PENDBASER_ZERO,
		   RBASE_CACHED);
	dsb(sy);
	mmio_write32(r + GICR_CTLR,
		     mmio_read32(r + GICR_CTLR) | GICR_CTLR_LPIS);
	its.target[cpu] = rd_target(r, gicr_pa);
	its.on |= BIT32(cpu);
}

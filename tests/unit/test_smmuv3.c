/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMMUv3 driver against a model of the unit: registers, a command queue
 * that is worked off when its index is written, and the walk of the stream
 * table that the unit would make. The order of steps is a log.
 */
// LINK: drivers/smmu/smmuv3.c drivers/smmu/smmuv3_queue.c
// LINK: drivers/smmu/smmuv3_ste.c drivers/smmu/smmuv3_inspect.c
// CFLAGS: -include tests/fakes/fake_smmu_port.h
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>
#include "drivers/smmu/smmuv3_priv.h"

#define CFGI_STE 0x03
#define CFGI_ALL 0x04
#define TLBI_S12 0x28
#define TLBI_IPA 0x2a
#define TLBI_ALL 0x30
#define SYNC 0x46
#define STE_VALID_S2 0xdu
#define ROOT 0x45670000u
#define HOST 8u

static uint8_t regs[0x20000] __attribute__((aligned(16)));
static struct iommu unit;
static struct {
	uint64_t w0, w1;
	uint64_t ste; /* first word of watched's entry at that moment */
} cmd[4096];
static int nr_cmd;
static char order[512]; /* of register writes at init, a letter each */
static bool hangs, errs, never_ack;
static uint32_t watched;
static struct iommu_fault told[256];
static int nr_told;
static uint32_t fail_in, nr_alloc, nr_frames;
static uint32_t cleaned;
static uint8_t arena[1 << 20] __attribute__((aligned(1 << 16)));
static size_t used;

static uint32_t get(uint32_t r)
{
	uint32_t v;

	memcpy(&v, regs + r, 4);
	return v;
}

static uint64_t get64(uint32_t r)
{
	return get(r) | (uint64_t)get(r + 4) << 32;
}

static void set(uint32_t r, uint32_t v)
{
	memcpy(regs + r, &v, 4);
}

/* Physical addresses are the host's. */
static uint64_t *at(uint64_t pa)
{
	return (uint64_t *)(uintptr_t)(pa & FIELD64(51, 6));
}

/* As the unit finds it; NULL: it has none. */
static const uint64_t *walk(uint32_t sid)
{
	uint32_t cfg = get(SMMU_STRTAB_BASE_CFG);
	uint64_t base = get64(SMMU_STRTAB_BASE);
	uint32_t bits = cfg & 0x3f, split = (cfg >> 6) & 0x1f;
	uint64_t l1;

	if (sid >> bits) {
		return NULL;
	}
	if (((cfg >> 16) & 3) == 0) {
		return at(base) + 8 * sid;
	}
	l1 = at(base)[sid >> split];
	if ((l1 & 0x1f) == 0) {
		return NULL;
	}
	cr_assert_eq(l1 & 0x1f, split + 1);
	return at(l1) + 8 * (sid & ((1u << split) - 1));
}

static void work_off(uint32_t prod)
{
	uint32_t mask = (2u << (get64(SMMU_CMDQ_BASE) & 0x1f)) - 1;
	uint32_t cons = get(SMMU_CMDQ_CONS);

	cr_assert(get(SMMU_CR0) & CR0_CMDQEN);
	while (!hangs && cons != prod) {
		const uint64_t *c = at(get64(SMMU_CMDQ_BASE)) +
				    2 * (cons & (mask >> 1));
		const uint64_t *e = walk(watched);

		if (errs) {
			set(SMMU_GERROR, get(SMMU_GERROR) ^ GERROR_CMDQ);
			return;
		}
		cmd[nr_cmd].w0 = c[0];
		cmd[nr_cmd].w1 = c[1];
		cmd[nr_cmd++].ste = e ? e[0] : 0;
		cons = (cons + 1) & mask;
		set(SMMU_CMDQ_CONS, cons);
	}
}

uint32_t mmio_read32(const volatile void *p)
{
	return get((uint32_t)((const volatile uint8_t *)p - regs));
}

void mmio_write32(volatile void *p, uint32_t v)
{
	uint32_t r = (uint32_t)((volatile uint8_t *)p - regs);

	set(r, v);
	switch (r) {
	case SMMU_CR0:
		strcat(order, v == 0 ? "0" : v & CR0_SMMUEN ? "E" : "q");
		set(SMMU_CR0ACK, never_ack ? 0 : v);
		break;
	case SMMU_GBPA:
		strcat(order, v & BIT32(20) ? "A" : "a");
		set(r, v & ~BIT32(31));
		break;
	case SMMU_IRQ_CTRL:
		set(SMMU_IRQ_CTRLACK, v);
		break;
	case SMMU_STRTAB_BASE_CFG:
		strcat(order, "T");
		break;
	case SMMU_CMDQ_PROD:
		if (get(SMMU_CR0) & CR0_CMDQEN) {
			strcat(order, strlen(order) < 99 ? "c" : "");
			work_off(v);
		}
		break;
	default:
		break;
	}
}

void mmio_write64(volatile void *p, uint64_t v)
{
	uint32_t r = (uint32_t)((volatile uint8_t *)p - regs);

	set(r, (uint32_t)v);
	set(r + 4, (uint32_t)(v >> 32));
}

void fake_barrier(void)
{
}

static void *alloc(unsigned int o, uint64_t *pa)
{
	void *va;

	if (fail_in && --fail_in == 0) {
		return NULL;
	}
	used = align_up(used, PAGE_SIZE << o);
	cr_assert_leq(used + (PAGE_SIZE << o), sizeof(arena));
	va = arena + used;
	used += PAGE_SIZE << o;
	*pa = (uintptr_t)va;
	nr_alloc++;
	nr_frames += 1u << o;
	return va;
}

static void clean(const void *va, size_t len)
{
	(void)va;
	cleaned += (uint32_t)len;
}

static void fault(struct iommu *u, const struct iommu_fault *f)
{
	cr_assert_eq(u, &unit);
	told[nr_told++] = *f;
}

static struct iommu_config config = {
	.regs = regs,
	.regs_size = sizeof(regs),
	.max_stream = 0xffff,
	.alloc = alloc,
	.clean = clean,
	.fault = fault,
};
static const struct iommu_space space = {
	.root = ROOT, .bits = 40, .start_level = 1, .tag = 5,
};
static const struct iommu_space other = {
	.root = 2 * ROOT, .bits = 48, .start_level = 0, .tag = 6,
};

/* S2P, AArch64 tables, COHACC, two levels; 16 stream bits; 44 bits out. */
static void power_on(void)
{
	set(SMMU_IDR0, BIT32(0) | BIT32(3) | BIT32(4) | 2u << 21 | 1u << 27);
	set(SMMU_IDR1, 16 | 19u << 16 | 19u << 21);
	set(SMMU_IDR5, 4 | BIT32(4));
	set(SMMU_CR0, CR0_SMMUEN); /* as a loader may leave it */
	set(SMMU_CR0ACK, CR0_SMMUEN);
	unit = (struct iommu){ .ops = &smmuv3_iommu };
	memset(arena, 0, sizeof(arena));
	used = 0;
}

static int init(void)
{
	return smmuv3_iommu.init(&unit, &config);
}

static void setup(void)
{
	power_on();
	cr_assert_eq(init(), 0);
	nr_cmd = 0;
	nr_alloc = nr_frames = 0;
}

static int attach(uint32_t first, uint32_t nr, const struct iommu_space *s)
{
	return smmuv3_iommu.attach(&unit, first, nr, s);
}

static void detach(uint32_t first, uint32_t nr, const struct iommu_space *s)
{
	smmuv3_iommu.detach(&unit, first, nr, s);
}

static uint32_t op(int n)
{
	cr_assert_lt(n, nr_cmd, "%d commands", nr_cmd);
	return (uint32_t)(cmd[n].w0 & 0xff);
}

static bool is_open(uint32_t sid)
{
	const uint64_t *e = walk(sid);

	return e && (e[0] & 1);
}

/* Refusing all, off, tables, commands that forget all, and only then on. */
Test(smmuv3, init_lets_nothing_through_on_the_way)
{
	power_on();
	cr_assert_eq(init(), 0);
	cr_expect_str_eq(order, "A0TqccqE");
	cr_expect_eq(get(SMMU_CR0), 0xd);
	cr_expect_eq(op(0), CFGI_ALL);
	cr_expect_eq(cmd[0].w1, 31);
	cr_expect_eq(op(1), SYNC);
	cr_expect_eq(op(2), TLBI_ALL);
	cr_expect_eq(op(3), SYNC);
	cr_expect_eq(get(SMMU_CR1), 0xd75);
	cr_expect_eq(get(SMMU_CR2), 6);
	cr_expect_eq(get(SMMU_IRQ_CTRL), 5);
	cr_expect_eq(unit.max_stream, 0xffff);
	cr_expect(unit.walks_coherent);
	cr_expect_eq(nr_told, 0);
	for (uint32_t sid = 0; sid < 0x10000; sid++) {
		cr_assert_not(is_open(sid));
	}
}

Test(smmuv3, what_an_entry_says)
{
	const uint64_t *e;

	setup();
	watched = HOST;
	cr_assert_eq(attach(HOST, 1, &space), 0);
	e = walk(HOST);
	cr_expect_eq(e[0], STE_VALID_S2);
	cr_expect_eq(e[1] >> 44 & 3, 1); /* shareability as it comes */
	cr_expect_eq(e[2] & 0xffff, 5);
	cr_expect_eq(e[2] >> 32 & 0x3f, 64 - 40);
	cr_expect_eq(e[2] >> 38 & 3, 1);
	cr_expect_eq(e[2] >> 46 & 3, 0); /* 4 KiB */
	cr_expect_eq(e[2] >> 48 & 7, 4);
	cr_expect_eq(e[2] >> 51 & 0xff, 0x85); /* AA64, AFFD, R; no S */
	cr_expect_eq(e[3], ROOT);
	cr_assert_eq(nr_cmd, 4); /* its own table first, then itself */
	cr_expect_eq(op(2), CFGI_STE);
	cr_expect_eq(cmd[2].w0 >> 32, HOST);
	cr_expect_eq(cmd[2].ste, STE_VALID_S2);
	cr_expect_eq(op(3), SYNC);
	/* Its neighbours are as they were. */
	cr_expect_not(is_open(HOST - 1) || is_open(HOST + 1));
}

/* Tables of more bits than the unit has: what it can. */
Test(smmuv3, input_size_is_what_both_can)
{
	setup();
	cr_assert_eq(attach(3, 1, &other), 0);
	cr_expect_eq(walk(3)[2] >> 32 & 0x3f, 64 - 44);
	cr_expect_eq(walk(3)[2] >> 38 & 3, 2);
}

Test(smmuv3, a_host_bridge_shares_one_table)
{
	setup();
	cr_assert_eq(attach(0, 0x10000, &space), 0);
	for (uint32_t sid = 0; sid < 0x10000; sid += 255) {
		cr_assert(is_open(sid), "stream %#x", sid);
	}
	cr_expect_eq(nr_frames, 4);
	detach(0, 0x10000, &space);
	for (uint32_t sid = 0; sid < 0x10000; sid += 255) {
		cr_assert_not(is_open(sid), "stream %#x", sid);
	}
}

/* Out of reach in memory, then the entry, then the translations forgotten. */
Test(smmuv3, detach_in_order)
{
	setup();
	cr_assert_eq(attach(HOST, 1, &space), 0);
	nr_cmd = 0;
	watched = HOST;
	detach(HOST, 1, &space);
	cr_assert_eq(nr_cmd, 4);
	cr_expect_eq(op(0), CFGI_STE);
	cr_expect_eq(cmd[0].ste, 0);
	cr_expect_eq(op(1), SYNC);
	cr_expect_eq(op(2), TLBI_S12);
	cr_expect_eq(cmd[2].w0 >> 32, 5);
	cr_expect_eq(op(3), SYNC);
}

/* One function of a bus that is another's as a whole. */
Test(smmuv3, a_shared_table_is_divided)
{
	setup();
	cr_assert_eq(attach(0, 0x10000, &space), 0);
	detach(HOST, 1, &space);
	cr_expect_not(is_open(HOST));
	cr_expect(is_open(HOST + 1) && is_open(0) && is_open(0x108));
	cr_assert_eq(attach(HOST, 1, &other), 0);
	cr_expect_eq(walk(HOST)[3], 2 * ROOT);
	cr_expect_eq(walk(HOST + 1)[3], ROOT);
	/* No memory to divide it: all of the bus goes, nothing stays. */
	fail_in = 1;
	detach(0x108, 1, &space);
	cr_expect_not(is_open(0x108) || is_open(0x109));
	cr_expect(is_open(0x208));
}

Test(smmuv3, a_space_again_with_other_tables)
{
	struct iommu_space s = space;

	setup();
	cr_assert_eq(attach(0, 512, &s), 0);
	detach(0, 512, &s);
	s.root = 3 * ROOT;
	cr_assert_eq(attach(0, 512, &s), 0);
	cr_expect_eq(walk(300)[3], 3 * ROOT);
}

Test(smmuv3, refused_streams)
{
	setup();
	cr_expect_eq(attach(0x10000, 1, &space), -EINVAL);
	cr_expect_eq(attach(0xffff, 2, &space), -EINVAL);
	cr_expect_eq(attach(1, UINT32_MAX, &space), -EINVAL);
	cr_expect_eq(attach(0, 0, &space), -EINVAL);
}

Test(smmuv3, attach_without_memory_leaves_nothing)
{
	setup();
	fail_in = 2; /* the shared table is there, the last chunk's not */
	cr_expect_eq(attach(0, 256 + 3, &space), -ENOMEM);
	for (uint32_t sid = 0; sid < 512; sid++) {
		cr_assert_not(is_open(sid));
	}
}

Test(smmuv3, flush)
{
	setup();
	smmuv3_iommu.flush(&unit, &space, 0x123456789abc, 1);
	cr_expect_eq(op(0), TLBI_IPA);
	cr_expect_eq(cmd[0].w0 >> 32, 5);
	cr_expect_eq(cmd[0].w1, 0x123456789000);
	cr_expect_eq(op(1), SYNC);
	smmuv3_iommu.flush(&unit, &space, 0, IOMMU_ALL);
	cr_expect_eq(op(2), TLBI_S12);
	cr_expect_eq(op(3), SYNC);
	for (int i = 0; i < 600; i++) { /* the queue wraps */
		smmuv3_iommu.flush(&unit, &space, 0x1000, 1);
	}
	cr_expect_eq(nr_cmd, 4 + 1200);
	cr_expect_eq(nr_told, 0);
}

static void expect_dead(void)
{
	cr_expect(unit.dead);
	cr_assert_eq(nr_told, 1);
	cr_expect_eq(told[0].reason, IOMMU_DEAD);
	cr_expect(get(SMMU_GBPA) & BIT32(20));
	cr_expect_eq(get(SMMU_CR0), 0);
	cr_expect_eq(get(SMMU_IRQ_CTRL), 0);
	cr_expect_eq(attach(1, 1, &space), -EIO);
	smmuv3_iommu.flush(&unit, &space, 0, IOMMU_ALL);
	cr_expect_not(smmuv3_iommu.irq(&unit));
	cr_expect_eq(nr_told, 1, "once");
}

Test(smmuv3, a_unit_that_hangs_is_cut_off)
{
	setup();
	hangs = true;
	smmuv3_iommu.flush(&unit, &space, 0x1000, 1);
	expect_dead();
}

Test(smmuv3, a_command_that_it_refuses)
{
	setup();
	errs = true;
	smmuv3_iommu.flush(&unit, &space, 0x1000, 1);
	expect_dead();
}

Test(smmuv3, a_unit_that_never_answers)
{
	power_on();
	never_ack = true;
	cr_expect_eq(init(), -ENODEV);
	cr_expect_eq(told[nr_told - 1].reason, IOMMU_DEAD);
	cr_expect(get(SMMU_GBPA) & BIT32(20));
}

/* ---- events -------------------------------------------------------------- */

static uint32_t evt_prod;

static void event(uint32_t type, uint32_t sid, bool read, uint64_t address)
{
	uint64_t *e = at(get64(SMMU_EVTQ_BASE)) + 4 * (evt_prod & 127);

	e[0] = type | (uint64_t)sid << 32;
	e[1] = (uint64_t)read << 35;
	e[2] = address;
	evt_prod = (evt_prod + 1) & 0xff;
	set(SMMU_EVTQ_PROD, (get(SMMU_EVTQ_PROD) & BIT32(31)) | evt_prod);
}

Test(smmuv3, events)
{
	setup();
	event(0x10, HOST, true, 0xabcd1234);
	event(0x13, HOST, false, 0x5000);
	event(0x02, 0x12345, false, 0x5000);
	event(0x04, 9, false, 0);
	event(0xff, 9, false, 0);
	cr_expect_not(smmuv3_iommu.irq(&unit));
	cr_assert_eq(nr_told, 5);
	cr_expect_eq(told[0].reason, IOMMU_NOT_MAPPED);
	cr_expect_eq(told[0].stream, HOST);
	cr_expect_eq(told[0].address, 0xabcd1234);
	cr_expect(told[0].has_address && !told[0].write);
	cr_expect_eq(told[1].reason, IOMMU_NOT_ALLOWED);
	cr_expect(told[1].write);
	cr_expect_eq(told[2].reason, IOMMU_NO_SPACE);
	cr_expect_eq(told[2].stream, 0x12345);
	cr_expect_not(told[2].has_address);
	cr_expect_eq(told[3].reason, IOMMU_NO_SPACE);
	cr_expect_eq(told[4].reason, IOMMU_OTHER);
	cr_expect_eq(told[4].code, 0xff);
	cr_expect_eq(get(SMMU_EVTQ_CONS), 5);
}

/* A bounded number a call; the queue wraps; an overflow is told once. */
Test(smmuv3, many_events)
{
	setup();
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 60; i++) {
			event(0x10, (uint32_t)i, true, 0);
		}
		nr_told = 0;
		cr_expect(smmuv3_iommu.irq(&unit));
		cr_expect_eq(nr_told, 16);
		while (smmuv3_iommu.irq(&unit)) {
		}
		cr_expect_eq(nr_told, 60);
	}
	nr_told = 0;
	set(SMMU_EVTQ_PROD, get(SMMU_EVTQ_PROD) | BIT32(31));
	cr_expect_not(smmuv3_iommu.irq(&unit));
	cr_assert_eq(nr_told, 1);
	cr_expect_eq(told[0].reason, IOMMU_LOST);
	cr_expect_eq(get(SMMU_EVTQ_CONS), get(SMMU_EVTQ_PROD));
	cr_expect_not(smmuv3_iommu.irq(&unit));
	cr_expect_eq(nr_told, 1);
}

Test(smmuv3, errors_of_the_unit)
{
	setup();
	set(SMMU_GERROR, GERROR_EVTQ_ABORT);
	cr_expect_not(smmuv3_iommu.irq(&unit));
	cr_expect_eq(told[0].reason, IOMMU_LOST);
	cr_expect_eq(get(SMMU_GERRORN), GERROR_EVTQ_ABORT);
	set(SMMU_GERROR, GERROR_EVTQ_ABORT | BIT32(7));
	smmuv3_iommu.irq(&unit);
	cr_expect_eq(told[1].reason, IOMMU_ERROR);
	cr_expect_eq(told[1].code, BIT32(7));
	set(SMMU_GERROR, get(SMMU_GERROR) ^ GERROR_SFM);
	smmuv3_iommu.irq(&unit);
	cr_expect_eq(told[2].reason, IOMMU_DEAD);
	cr_expect(unit.dead);
}

/* ---- other units --------------------------------------------------------- */

Test(smmuv3, units_that_cannot_do_it)
{
	static const struct {
		uint32_t reg, clear, set;
	} wrong[] = {
		{ SMMU_IDR0, BIT32(0), 0 },	   /* no stage 2 */
		{ SMMU_IDR0, BIT32(3), 0 },	   /* no AArch64 tables */
		{ SMMU_IDR0, 0, 3u << 21 },	   /* big-endian */
		{ SMMU_IDR0, 0, 2u << 24 },	   /* stalls always */
		{ SMMU_IDR1, 0, BIT32(30) },	   /* tables where it wants */
		{ SMMU_IDR1, 0x1fu << 21, 7u << 21 }, /* short queues */
		{ SMMU_IDR1, 0x1fu << 16, 6u << 16 },
		{ SMMU_IDR5, BIT32(4), 0 },	   /* no 4 KiB */
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		power_on();
		nr_told = 0;
		order[0] = 0;
		set(wrong[i].reg,
		    (get(wrong[i].reg) & ~wrong[i].clear) | wrong[i].set);
		cr_expect_eq(init(), -ENODEV, "%zu", i);
		cr_expect_eq(nr_told, 1);
		cr_expect_str_eq(order, "A0", "it refuses all");
	}
}

Test(smmuv3, one_level)
{
	power_on();
	set(SMMU_IDR0, get(SMMU_IDR0) & ~(3u << 27));
	config.max_stream = 0x3ff;
	cr_assert_eq(init(), 0);
	cr_expect_eq(get(SMMU_STRTAB_BASE_CFG), 10);
	cr_expect_eq(unit.max_stream, 0x3ff);
	cr_assert_eq(attach(0x100, 0x300, &space), 0);
	cr_expect(is_open(0x100) && is_open(0x3ff) && !is_open(0xff));
	detach(0x200, 2, &space);
	cr_expect(!is_open(0x200) && !is_open(0x201) && is_open(0x202));
	cr_expect_eq(attach(0x400, 1, &space), -EINVAL);
}

/* Its queues and tables are read from memory: all is cleaned. */
Test(smmuv3, that_sees_no_caches)
{
	power_on();
	set(SMMU_IDR0, get(SMMU_IDR0) & ~BIT32(4));
	cr_assert_eq(init(), 0);
	cr_expect_not(unit.walks_coherent);
	cr_expect_eq(get(SMMU_CR1), 0);
	cleaned = 0;
	smmuv3_iommu.flush(&unit, &space, 0x1000, 1);
	cr_expect_eq(cleaned, 32);
	event(0x10, 1, true, 0);
	smmuv3_iommu.irq(&unit);
	cr_expect_eq(cleaned, 64);
}

Test(smmuv3, init_without_memory)
{
	for (uint32_t n = 1; n <= 6; n++) {
		power_on();
		fail_in = n;
		cr_expect_eq(init(), -ENOMEM, "%u", n);
		cr_expect_not(get(SMMU_CR0) & CR0_SMMUEN);
	}
	power_on();
	cr_expect_eq(init(), 0);
}

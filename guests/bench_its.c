/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What messages of a PCI device cost, which an ITS turns into LPIs, and the
 * commands of a guest that make and unmake them: QEMU's "edu" card sends one
 * when a register of it is written. On the bare machine the ITS is the real
 * one; else what is measured is the guest's.
 */
#include "bench.h"
#include "its.h"
#include <libfdt.h>

#define NR_BASERS 8u
#define BASER_TYPE(b) ((b) >> 56 & 7)
#define BASER_64K (UINT64_C(2) << 8)
#define EVENT_BITS 11u	/* the most that a guest of Bulkhead may have */
#define EVENT 3u	/* of the card's own message */
#define OTHER 4u	/* of one that comes and goes */
#define UNUSED 5u
#define MASKED 6u
#define FIRST 16u	/* events of many() */
#define MANY 1008u	/* all but as many of a domain's LPIs */
#define LPI LPI_FIRST
#define STORM 250u

static uint64_t its;
static uint32_t edu;
static uint64_t tables[NR_BASERS][8192] __attribute__((aligned(65536)));
static uint64_t queue[4 * SLOTS] __attribute__((aligned(65536)));
static uint8_t config[8192] __attribute__((aligned(65536)));
static uint8_t pending[65536] __attribute__((aligned(65536)));
static uint64_t itt[4096] __attribute__((aligned(4096)));
static unsigned int written;	/* next slot */

/* Fills a slot; the ITS is not told yet. */
static void put(uint64_t w0, uint64_t w1, uint64_t w2)
{
	written = its_put(queue, written, w0, w1, w2, 0);
	dsb();
}

static void tell(void)
{
	mmio_write64(its + GITS_CWRITER, written * 32);
}

static bool done(void)
{
	return mmio_read64(its + GITS_CREADR) == written * 32;
}

static void command(uint64_t w0, uint64_t w1, uint64_t w2)
{
	put(w0, w1, w2);
	tell();
	CHECK(done());
}

static void about(unsigned int what, uint64_t event)
{
	command(what | (uint64_t)edu << 32, event, 0);
}

static void map_event(uint64_t event)
{
	about(MAPTI, event | (LPI + event) << 32);
}

static bool found(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "arm,gic-v3-its");
	const fdt32_t *reg = node < 0 ? NULL :
			     fdt_getprop(machine.fdt, node, "reg", NULL);

	edu = edu_find();
	CHECK(edu != 0);
	its = reg ? (uint64_t)fdt32_to_cpu(reg[0]) << 32 |
			    fdt32_to_cpu(reg[1]) : 0;
	if (!its && !PEER_DIFFERS("no ITS for its control domain")) {
		CHECK(!"an ITS in the tree");
	}
	return its && edu;
}

static void start(void)
{
	uint64_t r = this_cpu()->gicr;
	unsigned int i;

	for (i = 0; i < NR_BASERS; i++) {	/* a guest's ITS wants none */
		uint64_t at = its + GITS_BASER + 8 * i;

		if (BASER_TYPE(mmio_read64(at))) {
			mmio_write64(at, PTR(tables[i]) | BASER_64K | VALID);
		}
	}
	memset(config, 0xa3, sizeof(config));
	config[MASKED] = 0xa2;
	dsb();
	mmio_write64(r + GICR_PROPBASER, PTR(config) | 13);
	mmio_write64(r + GICR_PENDBASER, PTR(pending) | UINT64_C(1) << 62);
	mmio_write32(r + GICR_CTLR, 1);
	mmio_write64(its + GITS_CBASER, PTR(queue) | VALID);
	mmio_write64(its + GITS_CWRITER, 0);
	mmio_write32(its + GITS_CTLR, 1);
	command(MAPC, 0, VALID);
	command(MAPD | (uint64_t)edu << 32, EVENT_BITS - 1, VALID | PTR(itt));
	map_event(EVENT);
	map_event(MASKED);
}

/* What is taken is @event's, and nothing else waits. */
static uint64_t taken(struct arrival a, uint64_t event)
{
	uint64_t at = bench_taken(a);

	EXPECT_EQ(a.iar & 0xffffff, LPI + event);
	return at;
}

static void message(void)
{
	uint64_t raise = edu_doorbell(its + GITS_TRANSLATER, EVENT);
	uint64_t old = bench_vbar(PTR(bench_vectors));
	uint64_t sum = 0;
	uint64_t t0;
	unsigned int i;

	CHECK(raise != 0);
	bench_start();
	for (i = 0; raise && i < LATENCY_N; i++) {
		struct arrival a;

		bench_jitter(i);
		a = bench_device(raise, 1, &t0);
		edu_quiet();
		sum += taken(a, EVENT) - t0;
	}
	bench_vbar(old);
	bench_report("lpi_to_vector", sum, LATENCY_N);
}

/* An event is mapped, raised by a command, masked or not, and unmapped. */
static void commands(void)
{
	uint64_t old = bench_vbar(PTR(bench_vectors));
	uint64_t sums[4] = { 0 };
	uint64_t t[4], t0;
	unsigned int i;

	bench_start();
	for (i = 0; i < LATENCY_N; i++) {
		struct arrival a;

		bench_jitter(i);
		t[0] = counter();
		map_event(OTHER);
		t[1] = counter();
		about(INV, OTHER);
		t[2] = counter();
		sums[0] += t[1] - t[0];
		sums[1] += t[2] - t[1];
		put(INT | (uint64_t)edu << 32, OTHER, 0);
		a = bench_device(its + GITS_CWRITER, written * 32, &t0);
		sums[2] += taken(a, OTHER) - t0;
		CHECK(done());
		t[2] = counter();
		about(DISCARD, OTHER);
		sums[3] += counter() - t[2];
	}
	bench_vbar(old);
	bench_report("its_mapti", sums[0], LATENCY_N);
	bench_report("its_inv", sums[1], LATENCY_N);
	bench_report("its_int", sums[2], LATENCY_N);
	bench_report("its_discard", sums[3], LATENCY_N);
}

/*
 * One message after the other that nobody takes, interrupts masked: pending
 * already, of an event that is masked, of one that there is not.
 */
static void storm(void)
{
	static const struct {
		const char *name;
		uint32_t event;
	} kinds[] = {
		{ "lpi_pending", EVENT },
		{ "lpi_masked", MASKED },
		{ "lpi_unmapped", UNUSED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t raise = edu_doorbell(its + GITS_TRANSLATER,
					      kinds[i].event);

		COST_OF(kinds[i].name, STORM, 1, mmio_write32(raise, 1));
		edu_quiet();
	}
	EXPECT_EQ(gic_ack() & 0xffffff, LPI + EVENT);
	gic_eoi(LPI + EVENT);
	EXPECT_EQ(gic_ack() & 0xffffff, 1023);
}

/* The commands that look at all LPIs, with nearly all of them mapped. */
static void many(void)
{
	static const struct {
		const char *name;
		uint64_t words[3];
	} kinds[] = {
		{ "its_mapc_full", { MAPC, 0, VALID } },
		{ "its_movall_full", { MOVALL, 0, 0 } },
		{ "its_invall_full", { INVALL, 0, 0 } },
	};
	unsigned int i;
	uint64_t t;

	for (i = FIRST; i < FIRST + MANY; i++) {
		map_event(i);
	}
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		t = bench_start();
		command(kinds[i].words[0], kinds[i].words[1],
			kinds[i].words[2]);
		bench_report(kinds[i].name, counter() - t, 1);
	}
	t = bench_start();
	command(MAPD | (uint64_t)edu << 32, EVENT_BITS - 1, PTR(itt));
	bench_report("its_mapd_full", counter() - t, 1);
}

static void bench(void)
{
	printf("BENCH frequency %lu\n", sysreg_read(cntfrq_el0));
	if (!found()) {
		return;
	}
	start();
	if (!machine.native) {
		bench_settle();
	}
	message();
	commands();
	storm();
	many();
}

const struct test guest_tests[] = {
	{ "bench", bench },
	{ NULL, NULL },
};

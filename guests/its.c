/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual ITS of a control domain on GICv3: registers, messages that
 * arrive, and everything that a guest should not write to them or into the
 * queue of commands. After each attack a message arrives as before.
 */
#include "its.h"
#include <libfdt.h>

#define LPI		LPI_FIRST
#define NR_LPIS		8192u	/* of 14 bits of INTID */
#define DEVICE		8u
#define WAIT_US		2000u

static uint64_t its;
static uint64_t queue[4 * SLOTS] __attribute__((aligned(65536)));
static uint8_t config[NR_LPIS] __attribute__((aligned(65536)));
static uint8_t pending[2][65536] __attribute__((aligned(65536)));
static uint64_t itt[512] __attribute__((aligned(4096)));
static unsigned int written;	/* next slot */
static volatile unsigned int taken[4];	/* of LPI and those after it */
static volatile unsigned int strange;
static volatile unsigned int taken_by;	/* CPU, of the last one */

static void count(unsigned int intid)
{
	if (intid >= LPI && intid < LPI + ARRAY_SIZE(taken)) {
		taken[intid - LPI]++;
		taken_by = this_cpu()->id;
	} else if (intid >= LPI) {
		strange++;
	}
}

static uint64_t find_its(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "arm,gic-v3-its");
	const fdt32_t *reg = node < 0 ? NULL :
			     fdt_getprop(machine.fdt, node, "reg", NULL);

	return reg ? (uint64_t)fdt32_to_cpu(reg[0]) << 32 |
			     fdt32_to_cpu(reg[1]) :
		     0;
}

/* ---- commands ------------------------------------------------------- */

static void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	written = its_put(queue, written, w0, w1, w2, w3);
}

/* All that was written is done. */
static bool run(void)
{
	return its_run(its, written);
}

static void mapd(unsigned int device, unsigned int bits, bool valid)
{
	command(MAPD | (uint64_t)device << 32, bits - 1,
		PTR(itt) | (valid ? VALID : 0), 0);
}

static void about(unsigned int what, unsigned int event)
{
	command(what | (uint64_t)DEVICE << 32, event, 0, 0);
}

static void mapti(unsigned int event, unsigned int lpi)
{
	command(MAPTI | (uint64_t)DEVICE << 32, event | (uint64_t)lpi << 32, 0,
		0);
}

static void configure(unsigned int lpi, uint8_t value)
{
	config[lpi - LPI] = value;
	dsb();
}

/* As after reset, with LPIs on and an empty queue. */
static void start(void)
{
	unsigned int i;

	mmio_write32(its + GITS_CTLR, 0);
	mmio_write32(this_cpu()->gicr + GICR_CTLR, 0);
	memset(queue, 0, sizeof(queue));
	memset(config, 0xa1, sizeof(config));	/* priority a0, enabled */
	dsb();
	mmio_write64(this_cpu()->gicr + GICR_PROPBASER, PTR(config) | 13);
	mmio_write64(this_cpu()->gicr + GICR_PENDBASER, PTR(pending[0]));
	mmio_write32(this_cpu()->gicr + GICR_CTLR, 1);
	mmio_write64(its + GITS_CBASER, PTR(queue) | VALID);
	mmio_write32(its + GITS_CTLR, 1);
	written = 0;
	irq_hook = count;
	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		taken[i] = 0;
	}
	strange = 0;
}

/* One message of an event of a device that is mapped anew arrives, once. */
static void works(const char *after)
{
	start();
	mapd(DEVICE, 5, false);
	mapd(DEVICE, 5, true);
	command(MAPC, 0, VALID, 0);
	mapti(3, LPI + 1);
	about(INV, 3);
	about(INT, 3);
	CHECK(run());
	CHECK(wait_count(&taken[1], 1));
	pump_us(WAIT_US);
	if (taken[1] != 1 || taken[0] || strange) {
		printf("its: after %s: %u %u %u\n", after, taken[0], taken[1],
		       strange);
	}
	EXPECT_EQ(taken[1], 1);
	EXPECT_EQ(taken[0] + taken[2] + strange, 0);
}

static bool ready(void)
{
	if (!its) {
		its = find_its();
	}
	if (!its && !PEER_DIFFERS("no ITS for its control domain")) {
		CHECK(!"an ITS in the tree");
	}
	return its != 0;
}

/* ---- what is right -------------------------------------------------- */

static void identification(void)
{
	uint64_t typer;
	unsigned int i;

	if (!ready()) {
		return;
	}
	typer = mmio_read64(its + GITS_TYPER);
	EXPECT_EQ(typer & 1, 1);		/* LPIs are physical ones */
	CHECK((typer >> 8 & 0x1f) >= 4);	/* events */
	CHECK((typer >> 13 & 0x1f) >= 7);	/* devices */
	EXPECT_EQ(typer >> 24 & 0xff, machine.nr_cpus + 1);
	EXPECT_EQ(mmio_read32(its + GITS_TYPER), (uint32_t)typer);
	EXPECT_EQ(mmio_read32(its + GITS_TYPER + 4), typer >> 32);
	EXPECT_EQ(mmio_read32(its + GITS_PIDR2) >> 4 & 0xf, 3);
	CHECK(mmio_read32(its + GITS_IIDR) != 0);
	CHECK(mmio_read32(machine.gicd.base + GICD_TYPER) >> 17 & 1);
	for (i = 0; i < 64; i += 8) {
		mmio_write64(its + GITS_BASER + i, ~UINT64_C(0));
		EXPECT_EQ(mmio_read64(its + GITS_BASER + i), 0);
	}
}

static void messages(void)
{
	if (!ready()) {
		return;
	}
	works("nothing");
	about(INT, 3);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 2);
	about(INT, 4);			/* not mapped */
	about(DISCARD, 3);
	about(INT, 3);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 2);
	mapti(3, LPI + 2);
	about(INT, 3);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[2], 1);
}

static void masks(void)
{
	if (!ready()) {
		return;
	}
	works("nothing");
	configure(LPI + 1, 0xa0);
	about(INV, 3);
	about(INT, 3);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 1);		/* it waits */
	configure(LPI + 1, 0xa1);
	command(INVALL, 0, 0, 0);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 2);
	configure(LPI + 1, 0xa0);
	about(INV, 3);
	about(INT, 3);
	about(CLEAR, 3);
	CHECK(run());
	configure(LPI + 1, 0xa1);
	about(INV, 3);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 2);
}

static void listen(void *arg)
{
	(void)arg;
	CHECK(wait_count(&taken[1], 2));
}

static void lpis_on(void *arg)
{
	(void)arg;
	mmio_write64(this_cpu()->gicr + GICR_PENDBASER, PTR(pending[1]));
	mmio_write32(this_cpu()->gicr + GICR_CTLR, 1);
}

/* The last CPU gets what its collection's events raise. */
static void across_cpus(void)
{
	unsigned int last = machine.nr_cpus - 1;

	if (!ready() || last == 0) {
		return;
	}
	works("nothing");
	EXPECT_EQ(taken_by, 0);
	EXPECT_EQ(cpu_start(last), 0);
	CHECK(cpu_call(last, lpis_on, NULL));
	cpu_run(last, listen, NULL);
	command(MAPC, 0, VALID | (uint64_t)last << 16 | 1, 0);
	command(MAPC, 0, VALID | (uint64_t)MAX_CPUS << 16 | 2, 0);
	command(MOVI | (uint64_t)DEVICE << 32, 3, 1, 0);
	about(INT, 3);
	CHECK(run());
	CHECK(cpu_wait(last));
	EXPECT_EQ(taken[1], 2);
	EXPECT_EQ(taken_by, last);
	command(MOVI | (uint64_t)DEVICE << 32, 3, 0, 0);
	about(INT, 3);
	CHECK(run());
	CHECK(wait_count(&taken[1], 3));
	EXPECT_EQ(taken[1], 3);
	EXPECT_EQ(taken_by, 0);
}

/* ---- what is not ---------------------------------------------------- */

static const uint64_t bad[] = {
	0, ~UINT64_C(0), UINT64_C(1) << 63, UINT64_C(0x8000000040000000),
	UINT64_C(0xffffffff00000000), UINT64_C(0x5555555555555555),
};

/* One access; it may abort. */
static void touch(uint64_t at, unsigned int i)
{
	struct trap t;

	trap_arm();
	mmio_write64(at & ~UINT64_C(7), bad[i % ARRAY_SIZE(bad)]);
	mmio_write32(at & ~UINT64_C(3), (uint32_t)bad[(i + 1) % 6]);
	mmio_write16(at & ~UINT64_C(1), (uint16_t)i);
	mmio_write8(at, (uint8_t)i);
	(void)mmio_read64(at & ~UINT64_C(7));
	(void)mmio_read32(at & ~UINT64_C(3));
	(void)mmio_read8(at);
	(void)trap_taken(&t);
}

static void every_register(void)
{
	unsigned int i;

	if (!ready()) {
		return;
	}
	start();
	for (i = 0; i < 2 * 0x140; i++) {	/* with the ITS off, and on */
		mmio_write32(its + GITS_CTLR, i & 1);
		touch(its + (i / 2) * 4 % 0x140, i);
	}
	for (i = 0; i < ITS_SIZE; i += 0x1fc) {
		touch(its + i, i);
	}
	works("every register");
	mmio_write32(its + GITS_TRANSLATER, 3);	/* not for CPUs */
	pump_us(WAIT_US);
	EXPECT_EQ(taken[1], 1);
}

/* A queue at @base, of which all is to be done. */
static void queue_at(uint64_t base, uint64_t end)
{
	unsigned int i;
	struct trap t;

	mmio_write32(its + GITS_CTLR, 0);
	mmio_write64(its + GITS_CBASER, base);
	mmio_write32(its + GITS_CTLR, 1);
	trap_arm();
	for (i = 0; i < 4; i++) {
		mmio_write64(its + GITS_CWRITER, end);
		mmio_write64(its + GITS_CWRITER, 0);
		mmio_write64(its + GITS_CWRITER, end ^ 0x20);
	}
	CHECK(!trap_taken(&t));
}

static void queues_anywhere(void)
{
	static const uint64_t nowhere[] = {
		0, UINT64_C(0x7ffffff000), UINT64_C(0xfffffffff000), 0x9000000,
	};
	unsigned int i;

	if (!ready()) {
		return;
	}
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		start();
		queue_at(nowhere[i] | VALID, 0xfe0);
		queue_at(nowhere[i] | VALID | 255, 0x1fe0);
		queue_at(nowhere[i] | VALID, 0xfffe0);	/* outside of it */
		queue_at(nowhere[i], 0xfe0);		/* not valid */
	}
	queue_at(its | VALID | 1, 0x1000);
	queue_at((ram_top() - PAGE_SIZE) | VALID | 15, 0x2000);
	queue_at(PTR(queue) | VALID, ~UINT64_C(0));
	queue_at(~UINT64_C(0), ~UINT64_C(0));
	works("queues anywhere");
}

/* Each command with each bad value in each of its words. */
static void bad_commands(void)
{
	unsigned int what;
	unsigned int i;

	if (!ready()) {
		return;
	}
	start();
	for (what = 0; what < 256; what++) {
		for (i = 0; what < 32 && i < 216; i++) {
			uint64_t w0 = bad[i % 6] & ~UINT64_C(0xff);

			command(w0 | what, bad[i / 6 % 6], bad[i / 36],
				bad[(i + what) % 6]);
			if (i % 64 == 63) {
				CHECK(run());
			}
		}
		command(bad[1] << 8 | what, bad[what % 6], bad[1], bad[1]);
		CHECK(run());
	}
	works("bad commands");
}

/* Devices and events without end, LPIs that there are not. */
static void too_many(void)
{
	unsigned int i;

	if (!ready()) {
		return;
	}
	start();
	for (i = 0; i < 400; i++) {
		mapd(i, i % 16 + 1, true);
		CHECK(i % 64 != 63 || run());
	}
	CHECK(run());
	command(MAPC, 0, VALID, 0);
	for (i = 0; i < 3000; i++) {
		command(MAPTI | (uint64_t)(i % 400) << 32,
			i % 32 | (uint64_t)(LPI + i) << 32, i % 4, 0);
		command(MOVI | (uint64_t)(i % 400) << 32, i % 32, i % 5, 0);
		CHECK(i % 32 != 31 || run());
	}
	for (i = 0; i < 400; i++) {
		mapd(i, 1, false);
		CHECK(i % 64 != 63 || run());
	}
	CHECK(run());
	works("too many");
}

/* Configuration and pending tables where there is no memory. */
static void tables_anywhere(void)
{
	unsigned int i;

	if (!ready()) {
		return;
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start();
		mmio_write32(this_cpu()->gicr + GICR_CTLR, 0);
		mmio_write64(this_cpu()->gicr + GICR_PROPBASER, bad[i]);
		mmio_write64(this_cpu()->gicr + GICR_PENDBASER, ~bad[i]);
		mmio_write32(this_cpu()->gicr + GICR_CTLR, 1);
		mapd(DEVICE, 5, true);
		mapti(3, LPI);
		command(INVALL, 0, 0, 0);
		about(INT, 3);
		CHECK(run());
		pump_us(100);
		EXPECT_EQ(taken[0], 0);	/* nothing enables it */
	}
	works("tables anywhere");
}

const struct test guest_tests[] = {
	{ "identification", identification },
	{ "messages", messages },
	{ "masks", masks },
	{ "across_cpus", across_cpus },
	{ "every_register", every_register },
	{ "queues_anywhere", queues_anywhere },
	{ "bad_commands", bad_commands },
	{ "too_many", too_many },
	{ "tables_anywhere", tables_anywhere },
	{ NULL, NULL },
};

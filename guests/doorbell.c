/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control domain whose device is behind an SMMU and interrupts by messages,
 * which are writes to a page of the ITS: the device's arrive, as the device
 * and not as another, wrong ones do nothing; the CPU's never get there.
 *
 * What edu copies has on QEMU the name (DeviceID) of function 0, as have a
 * CPU's writes, if they came through; its messages have its own.
 */
#include "guest.h"
#include <libfdt.h>

#define GITS_CTLR 0x00u
#define GITS_CBASER 0x80u
#define GITS_CWRITER 0x88u
#define GITS_CREADR 0x90u
#define DOORBELL_PAGE 0x10000u
#define TRANSLATER 0x10040u
#define GICR_CTLR 0x00u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define VALID (UINT64_C(1) << 63)
#define MAPD 0x08u
#define MAPC 0x09u
#define MAPTI 0x0au
#define INV 0x0cu
#define LPI 8192u
#define NONE 1023u

#define COPY_DEV 0u	/* DeviceIDs */
#define COPY_EVENT 5u
#define COPY_LPI (LPI + 7)
#define OWN_EVENT 3u
#define OWN_LPI (LPI + 9)
#define MASKED_EVENT 4u /* its LPI is not enabled */
#define FLOOD 2000u

static uint64_t its;
static uint32_t edu;
static uint64_t queue[512] __attribute__((aligned(4096)));
static uint8_t config[8192] __attribute__((aligned(65536)));
static uint8_t pending[65536] __attribute__((aligned(65536)));
static uint64_t buffer[512] __attribute__((aligned(4096)));

static void command(uint64_t w0, uint64_t w1, uint64_t w2)
{
	uint64_t at = mmio_read64(its + GITS_CWRITER);
	uint64_t *c = queue + at / 8;

	c[0] = w0;
	c[1] = w1;
	c[2] = w2;
	c[3] = 0;
	dsb();
	mmio_write64(its + GITS_CWRITER, (at + 32) % sizeof(queue));
	EXPECT_EQ(mmio_read64(its + GITS_CREADR), (at + 32) % sizeof(queue));
}

static void map_event(uint64_t dev, uint32_t event, uint64_t lpi)
{
	command(MAPTI | dev << 32, lpi << 32 | event, 0);
	command(INV | dev << 32, event, 0);
}

static void found(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "arm,gic-v3-its");
	const fdt32_t *reg = fdt_getprop(machine.fdt, node, "reg", NULL);

	edu = edu_find();
	CHECK(edu != 0);
	CHECK(reg != NULL);
	its = reg ? (uint64_t)fdt32_to_cpu(reg[0]) << 32 | fdt32_to_cpu(reg[1])
		  : 0;
}

static void start(void)
{
	uint64_t r = this_cpu()->gicr;

	memset(config, 0xa2, sizeof(config));
	config[COPY_LPI - LPI] = 0xa3;
	config[OWN_LPI - LPI] = 0xa3;
	mmio_write64(r + GICR_PROPBASER, PTR(config) | 13);
	mmio_write64(r + GICR_PENDBASER, PTR(pending) | UINT64_C(1) << 62);
	mmio_write32(r + GICR_CTLR, 1);
	mmio_write64(its + GITS_CBASER, PTR(queue) | VALID);
	mmio_write64(its + GITS_CWRITER, 0);
	mmio_write32(its + GITS_CTLR, 1);
	command(MAPC, 0, VALID);
	command(MAPD | (uint64_t)COPY_DEV << 32, 4, VALID | PTR(pending));
	command(MAPD | (uint64_t)edu << 32, 4, VALID | PTR(pending));
	map_event(COPY_DEV, COPY_EVENT, COPY_LPI);
	map_event(edu, OWN_EVENT, OWN_LPI);
	map_event(edu, MASKED_EVENT, LPI + 10);
}

/* The LPI that came within @us, ended; NONE: none did. */
static uint32_t taken(uint64_t us)
{
	uint64_t end = counter() + us_to_ticks(us);
	uint32_t iar;

	do {
		iar = gic_ack() & 0xffffff;
	} while (iar == NONE && counter() < end);
	if (iar != NONE) {
		gic_eoi(iar);
	}
	return iar;
}

static uint32_t arrived(void)
{
	return taken(1000000);
}

static void expect_nothing(void)
{
	EXPECT_EQ(taken(2000), NONE);
}

/* The card's buffer is @data again and again. */
static void load(uint32_t data)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		buffer[i] = (uint64_t)data << 32 | data;
	}
	edu_reads(PTR(buffer), 4096);
}

/* First: QEMU does not tell it of a page that it has translated before. */
static void no_reading(void)
{
	edu_reads(its + DOORBELL_PAGE, 64);
}

static void messages(void)
{
	expect_nothing();
	CHECK(edu_message(its + TRANSLATER, OWN_EVENT));
	EXPECT_EQ(arrived(), OWN_LPI);
	expect_nothing();
	load(COPY_EVENT);
	edu_writes(its + TRANSLATER, 4);
	EXPECT_EQ(arrived(), COPY_LPI);
	expect_nothing();
}

/* Events that are another device's, are masked, or are none at all. */
static void wrong_messages(void)
{
	static const uint32_t data[] = {
		COPY_EVENT, MASKED_EVENT, 0, 31, 32, 0x7ff, 0x800, 0xffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(data); i++) {
		edu_message(its + TRANSLATER, data[i]);
		expect_nothing();
	}
	for (i = 0; i < FLOOD; i++) {
		edu_message(its + TRANSLATER, i % 2 ? 6 : MASKED_EVENT);
	}
	expect_nothing();
	load(OWN_EVENT);
	edu_writes(its + TRANSLATER, 4);
	load(0xffffffff);
	edu_writes(its + TRANSLATER, 4);
	edu_writes(its + DOORBELL_PAGE, 64);
	edu_writes(its + DOORBELL_PAGE, 4096);
	expect_nothing();
}

/* The rest of the ITS and its neighbours are out of reach. */
static void nothing_else(void)
{
	load(COPY_EVENT);
	edu_writes(its, 64);
	edu_writes(its + DOORBELL_PAGE - 4096, 64);
	edu_writes(its + DOORBELL_PAGE + 4096, 64);
	edu_message(its + TRANSLATER + 0x10000, COPY_EVENT);
	expect_nothing();
}

/* Emulated, and with no syndrome an abort; none of it a message. */
static void cpu_writes(void)
{
	uint64_t at = its + TRANSLATER;
	uint64_t event = COPY_EVENT;

	mmio_write32(at, COPY_EVENT);
	mmio_write16(at, COPY_EVENT);
	mmio_write64(at, COPY_EVENT);
	EXPECT_EQ(mmio_read32(at), 0);
	expect_nothing();
	trap_arm();
	asm volatile("stp %w0, %w0, [%1]" : : "r"(event), "r"(at) : "memory");
	CHECK(trap_taken(NULL));
	trap_arm();
	asm volatile("str %w0, [%1], #4" : : "r"(event), "r"(at) : "memory");
	CHECK(trap_taken(NULL));
	expect_nothing();
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion,
		      its + DOORBELL_PAGE), -EFAULT);
	expect_nothing();
}

/* Each is taken before the next. */
static void many_messages(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < FLOOD; i++) {
		edu_message(its + TRANSLATER, OWN_EVENT);
		n += arrived() == OWN_LPI;
	}
	EXPECT_EQ(n, FLOOD);
	expect_nothing();
}

const struct test guest_tests[] = {
	{ "found", found },
	{ "start", start },
	{ "no_reading", no_reading },
	{ "messages", messages },
	{ "wrong_messages", wrong_messages },
	{ "nothing_else", nothing_else },
	{ "cpu_writes", cpu_writes },
	{ "many_messages", many_messages },
	{ "messages_still", messages },
	{ NULL, NULL },
};

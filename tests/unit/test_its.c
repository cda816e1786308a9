/* SPDX-License-Identifier: Apache-2.0 */
// LINK: drivers/gic/its.c
// CFLAGS: -include tests/fakes/fake_gic_port.h
/*
 * The ITS driver: what it puts into the queue of commands, over an ITS that
 * does them at once, or not at all.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>
#include "arch/its.h"
#include "drivers/gic/gic_priv.h"

#define REGS 0x10000u
#define SLOTS (ITS_QUEUE_SIZE / 32)
#define MAX_DONE 4096u
#define BASER_FIXED (UINT64_C(7) << 56 | UINT64_C(0x1f) << 48)
#define DEVICES (UINT64_C(1) << 56 | UINT64_C(7) << 48)

enum { CTLR = 0, TYPER = 8, CWRITER = 0x88, CREADR = 0x90, BASER = 0x100,
       PIDR2 = 0xffe8 };
enum { SYNC = 0x05, MAPD = 0x08, MAPC = 0x09, MAPTI = 0x0a, INV = 0x0c };

static _Alignas(16) uint8_t regs[REGS];
static _Alignas(4096) uint8_t queue[ITS_QUEUE_SIZE];
static _Alignas(4096) uint8_t table[2][4096];
static _Alignas(8192) uint8_t config[LPI_NR];
static _Alignas(65536) uint8_t pend[2][ITS_PEND_SIZE];
static _Alignas(16) uint8_t gicr[2][0x20000];
static struct {
	uint64_t w[4];
} done[MAX_DONE];
static uint32_t nr_done;
static uint32_t most;   /* commands at a time */
static bool deaf;

static uint64_t get(uint32_t offset)
{
	uint64_t v;

	memcpy(&v, regs + offset, sizeof(v));
	return v;
}

/* Copied when it is told of them, as the hardware may. */
static void do_commands(uint64_t writer)
{
	uint64_t at = get(CREADR);
	uint32_t n = 0;

	while (!deaf && at != writer) {
		cr_assert_lt(nr_done, MAX_DONE);
		memcpy(&done[nr_done++], queue + at, 32);
		memset(queue + at, 0xff, 32);
		at = (at + 32) % ITS_QUEUE_SIZE;
		n++;
	}
	most = n > most ? n : most;
	memcpy(regs + CREADR, &at, sizeof(at));
}

uint32_t mmio_read32(const volatile void *p)
{
	uint32_t v;

	memcpy(&v, (const void *)(uintptr_t)p, sizeof(v));
	return v;
}

uint64_t mmio_read64(const volatile void *p)
{
	uint64_t v;

	memcpy(&v, (const void *)(uintptr_t)p, sizeof(v));
	return v;
}

void mmio_write32(volatile void *p, uint32_t v)
{
	if ((uintptr_t)p == (uintptr_t)(regs + CTLR)) {
		v |= (v & 1) ? 0 : UINT32_C(1) << 31;
	}
	memcpy((void *)(uintptr_t)p, &v, sizeof(v));
}

void mmio_write64(volatile void *p, uint64_t v)
{
	if ((uintptr_t)p == (uintptr_t)(regs + BASER)) {
		v = (v & ~BASER_FIXED) | DEVICES; /* as the hardware is */
	}
	memcpy((void *)(uintptr_t)p, &v, sizeof(v));
	if ((uintptr_t)p == (uintptr_t)(regs + CWRITER)) {
		do_commands(v);
	}
}

void fake_event(const char *what, uint64_t v)
{
	(void)what;
	(void)v;
}

void arch_clean_dcache(const void *va, size_t len)
{
	(void)va;
	(void)len;
}

static void put64(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

static struct its_mem mem(void *va)
{
	return (struct its_mem){ va, (uint64_t)(uintptr_t)va };
}

/* Two CPUs on line. */
static void setup(void)
{
	struct its_sizes sizes;
	struct its_config c = {
		.queue = mem(queue), .config = mem(config),
		.pend = { mem(pend[0]), mem(pend[1]) },
		.devices = mem(table[0]), .collections = mem(table[1]),
	};

	put64(regs + TYPER, 1 | UINT64_C(11) << 4 | UINT64_C(15) << 13);
	put64(regs + BASER, DEVICES);
	put64(regs + PIDR2, 0x3b);
	for (uint16_t i = 0; i < 2; i++) {
		put64(gicr[i] + 8, 1 | (uint64_t)i << 8);
	}
	cr_assert_eq(its_probe(regs, &sizes), 0);
	cr_assert_eq(its_start(&c, 2), 0);
	for (uint16_t i = 0; i < 2; i++) {
		its_init_cpu(i, gicr[i], 0);
		cr_assert_eq(its_join_cpu(i), 0);
	}
	nr_done = 0;
	most = 0;
}

TestSuite(its, .init = setup);

static uint32_t op_of(uint32_t i)
{
	return done[i].w[0] & 0xff;
}

Test(its, a_device_and_an_event)
{
	cr_expect_eq(its_map_device(5, 0x1000, 4), 0);
	cr_expect_eq(op_of(0), MAPD);
	cr_expect_eq(done[0].w[0] >> 32, 5);
	cr_expect_eq(done[0].w[1], 3);
	cr_expect_eq(done[0].w[2], UINT64_C(1) << 63 | 0x1000);
	cr_expect_eq(nr_done, 3); /* and a SYNC for each CPU */
	cr_expect_eq(its_map_event(5, 2, 8200, 1), 0);
	cr_expect_eq(op_of(3), MAPTI);
	cr_expect_eq(done[3].w[1], UINT64_C(8200) << 32 | 2);
	cr_expect_eq(op_of(4), INV);
	cr_expect_eq(op_of(6), SYNC);
}

/* The last one first: each event that is mapped, then the device. */
Test(its, a_device_goes_with_its_events)
{
	static uint16_t lpi[2048];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < 2048; i++) {
		lpi[i] = i % 2 ? (uint16_t)(i / 2 + 1) : 0;
	}
	for (int round = 0; round < 3; round++) {
		nr_done = 0;
		nr = 0;
		cr_assert_eq(its_unmap_device(5, lpi, 2048), 0);
		for (uint32_t i = 0; i < nr_done - 3; i++) {
			cr_assert_eq(op_of(i), ITS_DISCARD);
			cr_assert_eq(done[i].w[0] >> 32, 5);
			cr_assert_eq(done[i].w[1], 2 * i + 1);
			nr++;
		}
		cr_expect_eq(nr, 1024);
		cr_expect_eq(op_of(nr), MAPD);
		cr_expect_eq(done[nr].w[0] >> 32, 5);
		cr_expect_eq(done[nr].w[2], 0);
		cr_expect_eq(op_of(nr + 1), SYNC);
		cr_expect_eq(op_of(nr + 2), SYNC);
	}
	cr_expect_lt(most, SLOTS); /* never more than the queue holds */
}

Test(its, a_device_without_events)
{
	static const uint16_t lpi[32];

	cr_expect_eq(its_unmap_device(5, lpi, 32), 0);
	cr_expect_eq(nr_done, 3);
	cr_expect_eq(op_of(0), MAPD);
}

Test(its, does_not_answer)
{
	static uint16_t lpi[256];

	memset(lpi, 1, sizeof(lpi));
	deaf = true;
	cr_expect_eq(its_unmap_device(5, lpi, 256), -EIO);
	deaf = false;
	cr_expect(!its_has_device(5));
	/* Left alone: nothing is written any more. */
	cr_expect_eq(its_unmap_device(5, lpi, 256), -EIO);
	cr_expect_eq(its_map_device(5, 0x1000, 4), -EIO);
	cr_expect_eq(nr_done, 0);
}

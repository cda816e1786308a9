/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/pci_reset.c
/*
 * What a PCI function is after its guest: over a function that resets as the
 * specifications say, takes its time, and stops the test when it is touched
 * before that time is over.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>
#include "core/pci_priv.h"

#define MS UINT64_C(1000000)
#define ID 0x10421af4u

enum { POWER = 0x40, MESSAGES = 0x50, TABLE = 0x70, EXPRESS = 0x80,
       ADVANCED = 0xc0 };
enum { COMMAND = 0x04, LINE = 0x3c };

static struct pci_function f;
static uint8_t cfg[256];
static uint64_t now;
static uint64_t busy_until; /* no access before */
static uint64_t drained_at; /* requests are under way until then */
static uint64_t back_at;    /* all ones before */
static uint32_t resets;
static uint32_t not_answering; /* for so long, in ms, after a reset */
static uint32_t refusals;
static bool gone;

static uint32_t get(uint32_t reg, unsigned int bytes)
{
	uint32_t v = 0;

	memcpy(&v, &cfg[reg], bytes);
	return v;
}

static void set(uint32_t reg, unsigned int bytes, uint32_t v)
{
	memcpy(&cfg[reg], &v, bytes);
}

uint64_t arch_time_ns(void)
{
	return now;
}

int pci_refuse(const struct pci_function *fn, const char *why)
{
	(void)fn;
	(void)why;
	refusals++;
	return -ENODEV;
}

uint32_t pci_config_read(const struct pci_function *fn, uint32_t reg,
			 unsigned int bytes)
{
	(void)fn;
	cr_assert_leq(reg + bytes, 256);
	cr_assert_eq(reg % bytes, 0);
	cr_assert_geq(now, busy_until, "register %#x", reg);
	if (gone || now < back_at) {
		return UINT32_MAX >> (32 - 8 * bytes);
	}
	if (reg == EXPRESS + 0xa) {
		return now < drained_at ? 0x20 : 0;
	}
	if (reg == ADVANCED + 5) {
		return now < drained_at;
	}
	return get(reg, bytes);
}

/* All that it was told is forgotten, but for what is wired. */
static void reset(uint64_t busy)
{
	resets++;
	cr_assert(now >= drained_at || drained_at == UINT64_MAX);
	cr_assert_eq(get(COMMAND, 2) & 7, 0, "it is quiet");
	set(COMMAND, 2, 0);
	memset(&cfg[0x0c], 0, 2);
	memset(&cfg[0x10], 0, 24);
	memset(&cfg[0x30], 0, 4);
	cfg[LINE] = 0;
	set(POWER + 4, 2, get(POWER + 4, 2) & ~3u);
	set(MESSAGES + 2, 2, 0x180);
	memset(&cfg[MESSAGES + 4], 0, 16);
	set(TABLE + 2, 2, 3);
	set(EXPRESS + 8, 2, 0x2810);
	set(EXPRESS + 0x28, 2, 0);
	busy_until = now + busy;
	back_at = busy_until + not_answering * MS;
}

static void power(uint32_t value)
{
	uint32_t was = get(POWER + 4, 2) & 3;

	cr_assert_eq(value & 0x8000, 0, "an event is not cleared");
	set(POWER + 4, 2, value);
	if (was == 3 && (value & 3) == 0 && !(value & 8)) {
		reset(10 * MS);
	}
	busy_until = now + 10 * MS;
}

void pci_config_write(const struct pci_function *fn, uint32_t reg,
		      unsigned int bytes, uint32_t value)
{
	(void)fn;
	cr_assert_geq(now, busy_until, "register %#x", reg);
	cr_assert_eq(reg % bytes, 0);
	if (gone || now < back_at) {
		return;
	}
	if (reg == EXPRESS + 8 && (value & 0x8000)) {
		cr_assert(get(EXPRESS + 4, 4) & 0x10000000);
		reset(100 * MS);
	} else if (reg == ADVANCED + 4 && (value & 1)) {
		reset(100 * MS);
	} else if (reg == POWER + 4) {
		power(value);
	} else {
		set(reg, bytes, value);
	}
}

void pci_quiet(const struct pci_function *fn)
{
	(void)fn;
	set(COMMAND, 2, (get(COMMAND, 2) & ~7u) | 0x400);
	set(MESSAGES + 2, 2, get(MESSAGES + 2, 2) & ~1u);
	set(TABLE + 2, 2, get(TABLE + 2, 2) & ~0x8000u);
}

static bool has[0x20];

static uint32_t all_at; /* all parts are there */

uint32_t pci_part(const struct pci_function *fn, uint32_t id)
{
	static const uint8_t at[0x20] = {
		[0x01] = POWER, [0x05] = MESSAGES, [0x11] = TABLE,
		[0x10] = EXPRESS, [0x13] = ADVANCED,
	};

	(void)fn;
	return all_at ? all_at : has[id] ? at[id] : 0;
}

/* All parts, and each way to reset it. */
static void setup(void)
{
	memset(&f, 0, sizeof(f));
	for (uint32_t i = 0; i < 256; i++) {
		cfg[i] = (uint8_t)(i * 7 + 3);
	}
	memset(has, true, sizeof(has));
	set(0, 4, ID);
	set(COMMAND, 2, 0x546);
	set(POWER + 4, 2, 0x8100);
	set(MESSAGES + 2, 2, 0x181);
	set(TABLE + 2, 2, 0x8003);
	set(EXPRESS + 2, 2, 2);
	set(EXPRESS + 4, 4, 0x10008000);
	set(EXPRESS + 8, 2, 0x2936);
	set(ADVANCED + 2, 2, 0x306);
	cfg[ADVANCED + 4] = 0;
	pci_quiet(&f);
}

TestSuite(pci_reset, .init = setup);

static uint8_t as_given[256];

static void give(enum pci_reset kind)
{
	cr_assert_eq(pci_save(&f), 0);
	cr_assert_eq(f.reset, kind);
	memcpy(as_given, cfg, sizeof(cfg));
}

/* What a guest changes, the registers of the specification or not. */
static void use(void)
{
	set(COMMAND, 2, 0x7);
	set(0x0c, 2, 0x5555);
	memset(&cfg[0x10], 0xa5, 24);
	set(0x30, 4, 0x12345801);
	cfg[LINE] = 99;
	set(MESSAGES + 2, 2, 0x1b1);
	memset(&cfg[MESSAGES + 4], 0x5a, 16);
	set(TABLE + 2, 2, 0xc003);
	set(EXPRESS + 8, 2, 0x5020);
	set(EXPRESS + 0x28, 2, 0x77);
	pci_quiet(&f);
}

/* Steps of 1 ms; ms that it took. */
static uint32_t go(int must)
{
	uint64_t from = now;
	int rc;

	pci_reset_begin(&f);
	while ((rc = pci_reset_step(&f)) == -EAGAIN) {
		now += MS;
		cr_assert_lt(now - from, 2000 * MS, "it ends");
	}
	cr_assert_eq(rc, must);
	return (uint32_t)((now - from) / MS);
}

static void is_as_given(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		if (i / 2 != (POWER + 4) / 2) {
			cr_expect_eq(cfg[i], as_given[i], "register %#x", i);
		}
	}
	cr_expect_eq(get(POWER + 4, 2) & 3, 0);
	cr_expect_eq(get(COMMAND, 2) & 0x407, 0x400);
}

Test(pci_reset, express)
{
	give(PCI_RESET_EXPRESS);
	use();
	cr_expect_geq(go(0), 100);
	cr_expect_eq(resets, 1);
	is_as_given();
}

Test(pci_reset, advanced)
{
	set(EXPRESS + 4, 4, 0x8000);
	give(PCI_RESET_ADVANCED);
	use();
	cr_expect_geq(go(0), 100);
	cr_expect_eq(resets, 1);
	is_as_given();
}

/* One that cannot tell what is under way does not count. */
Test(pci_reset, power)
{
	has[0x10] = false;
	set(ADVANCED + 2, 2, 0x206);
	give(PCI_RESET_POWER);
	set(EXPRESS + 8, 4, 0);
	use();
	cr_expect_geq(go(0), 20);
	cr_expect_eq(resets, 1);
	has[0x10] = true;
	set(EXPRESS + 8, 2, 0x2936);
	memcpy(&cfg[EXPRESS], &as_given[EXPRESS], 0x2a);
	is_as_given();
}

/* No reset: what the specification knows is put back by hand. */
Test(pci_reset, none)
{
	set(EXPRESS + 4, 4, 0x8000);
	has[0x13] = false;
	set(POWER + 4, 2, 8);
	give(PCI_RESET_NONE);
	use();
	set(POWER + 4, 2, 0x800b); /* left asleep */
	cr_expect_geq(go(0), 10);
	cr_expect_eq(resets, 0);
	is_as_given();
	use();
	cr_expect_leq(go(0), 1, "nothing to wait for");
	is_as_given();
}

Test(pci_reset, no_parts)
{
	memset(has, 0, sizeof(has));
	give(PCI_RESET_NONE);
	set(0x10, 4, 0xdeadb000);
	set(COMMAND, 2, 0x7);
	cr_expect_leq(go(0), 1);
	is_as_given();
}

/* MSI of two lengths: nothing of what follows is written. */
Test(pci_reset, short_messages)
{
	set(MESSAGES + 2, 2, 0);
	has[0x10] = false;
	has[0x13] = false;
	has[0x01] = false;
	give(PCI_RESET_NONE);
	memset(&cfg[MESSAGES + 4], 0x5a, 12);
	cr_expect_leq(go(0), 1);
	cr_expect_eq(get(MESSAGES + 4, 4), *(uint32_t *)&as_given[0x54]);
	cr_expect_eq(get(MESSAGES + 8, 4), *(uint32_t *)&as_given[0x58]);
	cr_expect_eq(get(MESSAGES + 12, 4), 0x5a5a5a5a);
}

/* What is under way is waited for, but not for ever. */
Test(pci_reset, drains)
{
	give(PCI_RESET_EXPRESS);
	drained_at = now + 40 * MS;
	cr_expect_geq(go(0), 140);
	drained_at = UINT64_MAX;
	cr_expect_geq(go(0), 200);
	drained_at = 0;
	cr_expect_eq(resets, 2);
	set(EXPRESS + 4, 4, 0x8000);
	give(PCI_RESET_ADVANCED);
	drained_at = now + 40 * MS;
	cr_expect_geq(go(0), 140);
	is_as_given();
}

Test(pci_reset, slow)
{
	give(PCI_RESET_EXPRESS);
	not_answering = 700;
	cr_expect_geq(go(0), 800);
	is_as_given();
}

Test(pci_reset, never_back)
{
	give(PCI_RESET_EXPRESS);
	not_answering = 5000;
	cr_expect_leq(go(-EIO), 1200);
}

/* Pulled out, before and after; and another one in its place. */
Test(pci_reset, gone)
{
	give(PCI_RESET_EXPRESS);
	gone = true;
	cr_expect_leq(go(-EIO), 1200);
	cr_expect_eq(resets, 0);
	cr_expect_eq(pci_save(&f), -ENODEV);
	cr_expect_eq(refusals, 1);
	gone = false;
	set(0, 4, ID + 0x10000);
	cr_expect_leq(go(-EIO), 1200);
}

/* Parts at the very end: never beyond configuration space of PCI. */
Test(pci_reset, at_the_end)
{
	all_at = 0xfc;
	give(PCI_RESET_NONE);
	cr_expect_leq(go(0), 1);
	for (uint32_t i = 0; i < f.nr_saved; i++) {
		cr_expect_leq(f.saved[i].reg + f.saved[i].bytes, 256);
	}
	cr_expect_leq(f.nr_saved, PCI_SAVED);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where BARs of boot-time domains' functions are put, whatever the devices
 * say: inside of the windows, apart, and nothing else answers.
 */
// LINK: boot/pci_place.c core/pci_bars.c tests/fakes/fake_log.c lib/printf.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/p2m.h>
#include <lib/errno.h>
#include "boot/fdt_dom.h"
#include "boot/pci.h"
#include "core/pci_priv.h"
#include "fake_log.h"

#define BUS 2u
#define BDF(dev) ((uint16_t)(BUS << 8 | (dev) << 3))
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define LOW UINT64_C(0x10000000)
#define HIGH UINT64_C(0x8000000000)

struct domain *hardware_domain;
struct boot_domain boot_domains[MAX_BOOT_DOMAINS];
uint32_t nr_boot_domains;

static uint8_t config[256][4096];
static uint32_t keeps[256][6]; /* of words of BARs */
static uint32_t odd;           /* a device that keeps no promise */
static struct pci_host host;

/* ---- what is around ------------------------------------------------------ */

static uint32_t get(uint16_t bdf, uint32_t reg, unsigned int bytes)
{
	uint32_t v = 0;

	memcpy(&v, &config[bdf & 0xff][reg], bytes);
	return v;
}

static void set(uint16_t bdf, uint32_t reg, unsigned int bytes, uint32_t v)
{
	memcpy(&config[bdf & 0xff][reg], &v, bytes);
}

static uint32_t noise(void)
{
	odd = odd * 1664525u + 1013904223u;
	return odd >> 3;
}

uint32_t pci_config_read(const struct pci_function *f, uint32_t reg,
			 unsigned int bytes)
{
	cr_assert(reg % bytes == 0 && reg < 4096);
	cr_assert_eq(f->bdf >> 8, BUS);
	if (odd && noise() % 4 == 0) {
		return noise();
	}
	return get(f->bdf, reg, bytes);
}

void pci_config_write(const struct pci_function *f, uint32_t reg,
		      unsigned int bytes, uint32_t v)
{
	uint32_t n = (reg - 0x10) / 4;

	cr_assert(reg % bytes == 0 && reg < 4096);
	cr_assert_eq(f->bdf >> 8, BUS);
	if (reg >= 0x10 && reg < 0x28) {
		uint32_t keep = keeps[f->bdf & 0xff][n];

		v = (v & keep) | (get(f->bdf, reg, 4) & 0xf & ~keep);
	}
	set(f->bdf, reg, bytes, v);
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t g)
{
	(void)d;
	(void)g;
	return (struct p2m_entry){ .type = P2M_NONE };
}

struct pci_function *pci_next(const struct pci_function *f)
{
	(void)f;
	return NULL;
}

int pci_refuse(const struct pci_function *f, const char *why)
{
	log_warn("%x: %s\n", f->bdf, why);
	return -ENODEV;
}

void pci_quiet(const struct pci_function *f)
{
	pci_config_write(f, PCI_COMMAND, 2, PCI_COMMAND_NO_INTX);
}

static int assigned[8], nr_assigned, waits, fails_at = -1, releases;

int pci_assign(struct domain *d, uint32_t sbdf)
{
	(void)d;
	if (waits++ % 3 != 2) {
		return -EAGAIN;
	}
	if (nr_assigned == fails_at) {
		return -EIO;
	}
	assigned[nr_assigned++] = (int)sbdf;
	return 0;
}

int pci_release_step(struct domain *d)
{
	(void)d;
	return releases++ < 4 ? -EAGAIN : 0;
}

/* ---- the bus ------------------------------------------------------------- */

static void function(uint32_t dev)
{
	memset(config[dev << 3], 0, 4096);
	set(BDF(dev), 0, 4, 0x10421af4);
	set(BDF(dev), 4, 2, 7);
	set(BDF(dev), 0xb, 1, 1);
}

static void bar(uint32_t dev, uint32_t n, uint32_t flags, uint64_t size)
{
	uint64_t keep = ~(size - 1) & ~UINT64_C(0xf);

	set(BDF(dev), 0x10 + 4 * n, 4, flags);
	keeps[dev << 3][n] = (uint32_t)keep;
	if (flags & 4) {
		keeps[dev << 3][n + 1] = (uint32_t)(keep >> 32);
	}
}

static void name(uint32_t dom, uint32_t sbdf)
{
	struct boot_pci *p = &boot_domains[dom].pci;

	p->sbdf[p->nr++] = sbdf;
}

static void setup(void)
{
	memset(config, 0xff, sizeof(config));
	host = (struct pci_host){
		.name = "/pcie", .segment = 1, .first_bus = BUS,
		.last_bus = BUS + 3, .nr_windows = 2,
		.window = { { LOW, 0x50000000, 16 * MIB },
			    { HIGH, 0x9000000000, 64 * MIB } },
	};
	nr_boot_domains = 2;
	fake_log_reset();
}

TestSuite(pci_place, .init = setup);

static bool beside; /* dom0 */

static void place(void)
{
	boot_pci_place(&host, beside);
}

static uint64_t at(uint32_t dev, uint32_t n)
{
	uint64_t low = get(BDF(dev), 0x10 + 4 * n, 4);
	uint64_t high = low & 4 ? get(BDF(dev), 0x14 + 4 * n, 4) : 0;

	return high << 32 | (low & ~UINT64_C(0xf));
}

/* ---- */

/* BARs of each kind, of two functions, find room. */
static void place_all_kinds(void)
{
	function(1);
	bar(1, 0, 0, 4 * KIB);
	bar(1, 1, 8, 64 * KIB);
	set(BDF(1), 0x18, 4, 0xc001); /* ports: as they were */
	keeps[8][2] = 0xffffffe0;
	bar(1, 3, 4, 32 * MIB); /* more than the first window has */
	function(2);
	bar(2, 0, 0xc, 16 * KIB);
	name(0, 0x10000 | BDF(1));
	name(1, 0x10000 | BDF(2));
	place();
	cr_assert_eq(fake_log_count[LOG_ERR], 0);
	cr_assert_eq(get(BDF(1), 0x18, 4), 0xc001);
}

Test(pci_place, sizes_and_kinds)
{
	struct pci_function f = { .host = &host, .bdf = BDF(1) };

	place_all_kinds();
	cr_assert_eq(at(1, 0), LOW);
	cr_assert_eq(at(1, 1), LOW + 64 * KIB);
	cr_assert_eq(at(1, 3), HIGH);
	cr_assert_eq(at(2, 0), LOW + 128 * KIB);
	cr_assert_eq(get(BDF(1), 4, 2), 0x400, "off until it is given");
	/* And so it may be given. */
	cr_assert_eq(pci_read_bars(&f), 0);
	cr_assert_eq(f.bar[1].mfn, (0x50000000 + 64 * KIB) >> 12);
	cr_assert_eq(f.bar[3].mfn, 0x9000000000 >> 12);
}

/* What firmware did is done anew; what nobody gets answers nowhere. */
Test(pci_place, all_others_are_off)
{
	struct pci_function f = { .host = &host, .bdf = BDF(1) };

	for (uint32_t dev = 0; dev < 5; dev++) {
		function(dev);
		bar(dev, 0, 0, 4 * KIB);
		set(BDF(dev), 0x10, 4, (uint32_t)LOW);
	}
	set(BDF(0), 0xb, 1, 6); /* the host's own */
	set(BDF(4), 0xe, 1, 0x81);
	name(0, 0x10000 | BDF(1));
	place();
	cr_assert_eq(get(BDF(0), 4, 2), 7);
	cr_assert_eq(at(1, 0), LOW);
	for (uint32_t dev = 2; dev < 4; dev++) {
		cr_assert_eq(get(BDF(dev), 4, 2), 0x400);
		cr_assert_eq(get(BDF(dev), 0x10, 4), 0);
	}
	cr_assert_eq(get(BDF(4), 4, 2), 0x400, "nothing behind it, either");
	cr_assert_eq(get(BDF(4), 0x10, 4), LOW, "bus numbers, maybe");
	set(BDF(0), 0x10, 4, 0);
	cr_assert_eq(pci_read_bars(&f), 0, "%s", fake_log_last[LOG_WARN]);
	for (uint32_t dev = 5; dev < 32; dev++) {
		cr_assert_eq(get(BDF(dev), 0x10, 4), UINT32_MAX);
	}
}

static void expect_refused(uint32_t dom, const char *word)
{
	place();
	cr_assert(boot_domains[dom].refused, "%s", word);
	cr_assert(!boot_domains[!dom].refused);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s",
			   fake_log_last[LOG_ERR]);
}

Test(pci_place, no_room)
{
	function(1);
	bar(1, 0, 0, 8 * MIB);
	bar(1, 1, 0, 8 * MIB); /* the last of 32 bits */
	bar(1, 2, 4, 64 * MIB); /* and of all */
	function(2);
	bar(2, 0, 0, 4 * KIB);
	name(0, 0x10000 | BDF(1));
	name(1, 0x10000 | BDF(2));
	expect_refused(1, "02:02.0");
	cr_assert_eq(at(1, 1), LOW + 8 * MIB);
	cr_assert_eq(at(1, 2), HIGH);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "no room"));
}

Test(pci_place, huge)
{
	static const uint64_t sizes[] = { 128 * MIB, UINT64_C(1) << 40,
					  UINT64_C(1) << 63 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		setup();
		function(1);
		bar(1, 0, 4, sizes[i]);
		boot_domains[0] = (struct boot_domain){ .refused = false };
		name(0, 0x10000 | BDF(1));
		expect_refused(0, "no room");
	}
}

Test(pci_place, behind_a_bridge)
{
	name(0, 0x10000 | (BUS + 1) << 8);
	expect_refused(0, "behind a bridge");
}

/* Refused when it is given: nothing is written to what is not there. */
Test(pci_place, not_to_be_placed)
{
	function(1);
	set(BDF(1), 0xe, 1, 1);
	function(2);
	set(BDF(2), 0xb, 1, 6);
	bar(2, 0, 0, 4 * KIB);
	function(3);
	bar(3, 0, 0, 256); /* smaller than a page */
	keeps[3 << 3][1] = 0xff0ff000;
	for (uint32_t dev = 1; dev < 5; dev++) {
		name(0, 0x10000 | BDF(dev));
	}
	name(1, BDF(3)); /* another segment's */
	place();
	cr_assert(!boot_domains[0].refused && !boot_domains[1].refused);
	cr_assert_eq(at(2, 0), 0);
	cr_assert_eq(at(3, 0), 0);
	cr_assert_eq(at(3, 1), 0);
	cr_assert_eq(get(BDF(4), 0, 4), UINT32_MAX);
}

/* Windows from 0 on, or up to the end of all: no address 0, no wrap. */
Test(pci_place, windows_at_the_ends)
{
	host.window[0].bus = 0;
	host.window[1] = (struct pci_window){ -(64 * KIB), 0x9000000000,
					      64 * KIB };
	function(1);
	bar(1, 0, 4, 4 * KIB);
	bar(1, 2, 4, 16 * MIB); /* the first window has 4 KiB less */
	name(0, 0x10000 | BDF(1));
	expect_refused(0, "no room");
	cr_assert_eq(at(1, 0), 4 * KIB);
	setup();
	boot_domains[0].refused = false;
	host.nr_windows = 1;
	host.window[0] = (struct pci_window){ -(64 * KIB), 0x9000000000,
					      64 * KIB };
	bar(1, 2, 4, 0);
	function(1);
	bar(1, 0, 0, 4 * KIB); /* of 32 bits: not there */
	expect_refused(0, "no room");
}

/* Devices that answer anything: it ends, and stays on the bus. */
Test(pci_place, noise)
{
	for (uint32_t n = 1; n <= 3000; n++) {
		setup();
		boot_domains[0] = boot_domains[1] = (struct boot_domain){
			.refused = false };
		for (uint32_t dev = 1; dev < 4; dev++) {
			function(dev);
			bar(dev, 0, 4, UINT64_C(1) << (dev * n % 64));
			bar(dev, 2, 8, UINT64_C(1) << (n % 32));
			name(dev & 1, 0x10000 | BDF(dev));
		}
		odd = n;
		place();
		odd = 0;
	}
}

/* ---- beside dom0 --------------------------------------------------------- */

/* From the ends on, downwards; dom0 keeps all before them, in whole 64 KiB. */
Test(pci_place, at_the_ends)
{
	struct pci_function f = { .host = &host, .bdf = BDF(1) };

	beside = true;
	place_all_kinds();
	cr_assert_eq(at(1, 0), LOW + 16 * MIB - 4 * KIB);
	cr_assert_eq(at(1, 1), LOW + 16 * MIB - 128 * KIB);
	cr_assert_eq(at(1, 3), HIGH + 32 * MIB);
	cr_assert_eq(at(2, 0), LOW + 16 * MIB - 144 * KIB);
	cr_assert_eq(host.kept[0], 192 * KIB);
	cr_assert_eq(host.kept[1], 32 * MIB);
	cr_assert_eq(pci_read_bars(&f), 0);
	cr_assert_eq(f.bar[0].mfn, (0x50000000 + 16 * MIB - 4 * KIB) >> 12);
}

Test(pci_place, nothing_is_cut_for_nothing)
{
	beside = true;
	function(1);
	name(0, 0x10000 | BDF(1));
	name(1, 0x10000 | BDF(4)); /* there is none */
	place();
	cr_assert_eq(host.kept[0] | host.kept[1], 0);
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_INFO], 0);
}

/* Odd ends: BARs are aligned, and dom0's windows end at 64 KiB. */
Test(pci_place, odd_ends)
{
	beside = true;
	host.window[0] = (struct pci_window){ LOW + 0x3000, 0x50003000,
					      0x123000 };
	function(1);
	bar(1, 0, 0, 64 * KIB);
	bar(1, 1, 0, 4 * KIB);
	name(0, 0x10000 | BDF(1));
	place();
	cr_assert_eq(at(1, 0), LOW + 0x110000);
	cr_assert_eq(at(1, 1), LOW + 0x10f000);
	cr_assert_eq(host.kept[0], 0x123000 - (0x100000 - 0x3000));
}

static void beside_dom0(void)
{
	setup();
	beside = true;
	boot_domains[0] = boot_domains[1] = (struct boot_domain){
		.refused = false };
	function(1);
	name(0, 0x10000 | BDF(1));
}

/* Some of each window stays dom0's; ends above 4 GiB are not for 32 bits. */
Test(pci_place, no_room_beside_dom0)
{
	beside_dom0();
	bar(1, 0, 4, 64 * MIB);
	expect_refused(0, "no room");
	beside_dom0();
	bar(1, 0, 4, 64 * MIB);
	host.window[1].size = 64 * MIB + 64 * KIB; /* but not aligned */
	host.window[1].bus += 64 * KIB;
	place();
	cr_assert(boot_domains[0].refused);
	beside_dom0();
	bar(1, 0, 4, 64 * MIB);
	host.window[1].size = 128 * MIB;
	place();
	cr_assert(!boot_domains[0].refused);
	cr_assert_eq(host.kept[1], 64 * MIB);
	beside_dom0();
	host.nr_windows = 1;
	host.window[0].bus = (UINT64_C(1) << 32) - 8 * MIB;
	bar(1, 0, 0, 4 * KIB);
	memset(&config[8][0x14], 0, 20);
	expect_refused(0, "no room");
	beside_dom0();
	host.nr_windows = 1;
	bar(1, 0, 0, 4 * KIB);
	host.window[0].size = 60 * KIB; /* dom0 would have nothing */
	expect_refused(0, "no room");
	beside_dom0();
	host.nr_windows = 1;
	bar(1, 0, 4, 4 * KIB);
	host.window[0].bus = UINT64_MAX - 0xfff; /* it wraps */
	expect_refused(0, "no room");
}

Test(pci_place, windows_in_each_other)
{
	static const uint64_t bus[] = { LOW, LOW + 15 * MIB, LOW - 63 * MIB };

	for (size_t i = 0; i < ARRAY_SIZE(bus); i++) {
		beside_dom0();
		bar(1, 0, 0, 4 * KIB);
		host.window[1].bus = bus[i];
		expect_refused(0, "windows of its host overlap");
		cr_assert_eq(host.kept[0] | host.kept[1], 0);
	}
	beside_dom0();
	host.window[1].bus = LOW + 16 * MIB;
	place();
	cr_assert(!boot_domains[0].refused);
}

/* Whatever devices and windows are: it ends, and dom0 has some of each. */
Test(pci_place, noise_beside_dom0)
{
	for (uint32_t n = 1; n <= 3000; n++) {
		beside_dom0();
		for (uint32_t dev = 1; dev < 4; dev++) {
			function(dev);
			bar(dev, 0, 4, UINT64_C(1) << (dev * n % 64));
			bar(dev, 2, 8, UINT64_C(1) << (n % 32));
			name(dev & 1, 0x10000 | BDF(dev));
		}
		host.window[0].size = (uint64_t)n << (n % 40);
		host.window[1].bus += (uint64_t)n << (n % 50);
		odd = n & 1 ? n : 0;
		place();
		odd = 0;
		for (uint32_t i = 0; i < host.nr_windows; i++) {
			cr_assert(host.kept[i] == 0 ||
				  host.kept[i] < host.window[i].size);
		}
	}
}

/* ---- giving -------------------------------------------------------------- */

Test(pci_place, give)
{
	static struct domain d = { .name = "one" };

	name(0, 0x10008);
	name(0, 0x10010);
	name(0, 0x10018);
	cr_assert_eq(boot_pci_give(&d, &boot_domains[0]), 0);
	cr_assert_eq(nr_assigned, 3);
	cr_assert_eq(assigned[2], 0x10018);
	cr_assert_eq(boot_pci_give(&d, &boot_domains[1]), 0);
	fails_at = 4;
	nr_assigned = 3;
	cr_assert_eq(boot_pci_give(&d, &boot_domains[0]), -EIO);
	cr_assert_eq(nr_assigned, 4);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "0001:00:02.0"));
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "one"));
	boot_pci_take(&d);
	cr_assert_eq(releases, 5);
}

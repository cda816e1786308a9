/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities of a guest's PCI functions, of devices that lie, too. */
// LINK: core/vpci.c core/vpci_bar.c core/vpci_caps.c core/mmio.c core/lock.c
// LINK: debug/lock_check.c core/percpu.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_pci.c
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/percpu.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_pci.h"

#define W (&fake_win[0])
#define P (&fake_pci[0])

static struct pcpu cpu;

static void setup(void)
{
	fake_this_pcpu = &cpu;
	fake_pci_init();
	cr_assert_eq(vpci_domain_init(&W->d), 0);
}

static void teardown(void)
{
	vpci_domain_fini(&W->d);
	cr_expect_eq(fake_heap_objects, 0);
	cr_expect_eq(cpu.held_ranks, 0);
}

TestSuite(vpci_caps, .init = setup, .fini = teardown);

static void add(void)
{
	cr_assert_eq(vpci_add(&W->d, &P->f), 0);
	P->is_ours = true;
}

/* The guest's list: "id@register ...". */
static void expect_list(const char *want)
{
	char got[512] = "";
	uint32_t at = fake_cfg_read(W, 1, 0x34, 1);

	cr_expect_eq((fake_cfg_read(W, 1, 6, 1) & 0x10) != 0, at != 0);
	for (uint32_t n = 0; at != 0; n++) {
		size_t len = strlen(got);

		cr_assert_lt(n, 48);
		snprintf(got + len, sizeof(got) - len, "%x@%x ",
			 fake_cfg_read(W, 1, at, 1), at);
		at = fake_cfg_read(W, 1, at + 1, 1);
	}
	cr_expect_str_eq(got, want, "%s", got);
}

Test(vpci_caps, a_disk)
{
	static const uint8_t pm[] = { 0xff, 0xff, 0x0b, 0x81, 0x55, 0x66 };
	static const uint8_t pcie[0x3a] = {
		0x42, 0x3e, 1, 2, 3, 0x10, 0x5f, 0x29, 9, 0, 0xaa,
	};
	static const uint8_t msix[] = {
		0x07, 0xf8, 0x03, 0, 0, 0, 0x03, 0x10, 0, 0,
	};
	static const uint8_t other[] = { 1, 2, 3, 4 };

	fake_pci_cap(P, 0x40, 0x01, pm, sizeof(pm));
	fake_pci_cap(P, 0x50, 0x12, other, sizeof(other));
	fake_pci_cap(P, 0x60, 0x10, pcie, sizeof(pcie));
	fake_pci_cap(P, 0xa0, 0x11, msix, sizeof(msix));
	P->may[0xa3] = 0xc0;
	add();
	expect_list("1@40 10@60 11@a0 ");
	/* In D0, nothing else to go to, no events; for reading. */
	cr_expect_eq(fake_cfg_read(W, 1, 0x40, 4), 0x00276001);
	cr_expect_eq(fake_cfg_read(W, 1, 0x44, 4), 0x00000008);
	cr_expect_eq(fake_cfg_read(W, 1, 0x50, 4), 0);
	/* An endpoint of the host bridge's, without link, reset hidden. */
	cr_expect_eq(fake_cfg_read(W, 1, 0x60, 4), 0x0092a010);
	cr_expect_eq(fake_cfg_read(W, 1, 0x64, 4), 0x00030201);
	P->cfg[0x67] = 0x10;
	cr_expect_eq(fake_cfg_read(W, 1, 0x67, 1), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x68, 4), 0x0009295f);
	cr_expect_eq(fake_cfg_read(W, 1, 0x6c, 4), 0);
	/* Off when it came. */
	cr_expect_eq(fake_cfg_read(W, 1, 0xa0, 4), 0x00070011);
	cr_expect_eq(fake_cfg_read(W, 1, 0xa8, 4), 0x00001003);
	for (uint32_t reg = 0x40; reg < 0x100; reg += 4) {
		fake_cfg_write(W, 1, reg, 4, UINT32_MAX);
	}
	cr_expect_eq(fake_cfg_read(W, 1, 0xa2, 2), 0xc007);
	cr_expect_eq(P->cfg[0xa3], 0xf8);
	fake_cfg_write(W, 1, 0xa2, 2, 0x8000);
	cr_expect_eq(fake_cfg_read(W, 1, 0xa2, 2), 0x8007);
	cr_expect_eq(fake_cfg_read(W, 1, 0x44, 4), 8);
	fake_pci_remove(W, P);
	cr_expect_eq(P->cfg[0xa3] & 0xc0, 0);
}

static void put_virtio(uint8_t at, uint8_t type, uint8_t bytes)
{
	uint8_t rest[20] = { bytes, type, 4, 0, 0, 0 };

	fake_pci_cap(P, at, 0x09, rest, sizeof(rest) - 2);
}

Test(vpci_caps, virtio)
{
	put_virtio(0x84, 5, 0x14);
	put_virtio(0x70, 2, 0x14);
	put_virtio(0x40, 4, 0x10);
	add();
	expect_list("9@70 9@40 ");
	cr_expect_eq(fake_cfg_read(W, 1, 0x70, 4), 0x02144009);
	cr_expect_eq(fake_cfg_read(W, 1, 0x74, 1), 4);
	cr_expect_eq(fake_cfg_read(W, 1, 0x84, 4), 0);
	fake_cfg_write(W, 1, 0x84, 4, UINT32_MAX);
	fake_cfg_write(W, 1, 0x94, 4, UINT32_MAX);
	fake_cfg_write(W, 1, 0x74, 4, UINT32_MAX);
	cr_expect_eq(P->nr_writes, 1); /* COMMAND */
	fake_pci_remove(W, P);
	/* Another vendor's number 5 is its own business. */
	P->cfg[0] = 0x86;
	P->cfg[1] = 0x80;
	add();
	expect_list("9@84 9@70 9@40 ");
}

/* Bytes of the message part at 0x50 that the guest may write, by layout. */
static void allow_msi(uint16_t flags)
{
	bool is_64 = flags & 0x80;
	uint32_t data = is_64 ? 0x5c : 0x58;

	P->may[0x52] = 0x71;
	memset(&P->may[0x54], 0xff, is_64 ? 8 : 4);
	P->may[0x54] = 0xfc;
	P->may[data] = 0xff;
	P->may[data + 1] = 0xff;
	if (flags & 0x100) {
		memset(&P->may[data + 4], 0xff, 4);
	}
}

/* Every register, width and some values: the fake looks at what arrives. */
static void write_everything(void)
{
	static const uint32_t vals[] = {
		0, UINT32_MAX, 0x55555555, 0xaaaaaaaa, 0x00010000, 0x80000000,
	};

	for (uint32_t reg = 0; reg < 0x1000; reg++) {
		for (unsigned int bytes = 1; bytes <= 8; bytes *= 2) {
			for (uint32_t i = 0; i < 6; i++) {
				fake_cfg_write(W, 1, reg, bytes, vals[i]);
			}
		}
	}
}

Test(vpci_caps, messages)
{
	static const uint16_t layout[] = { 0x000, 0x080, 0x10a, 0x18a };

	for (uint32_t i = 0; i < 4; i++) {
		uint8_t rest[22] = {
			(uint8_t)(layout[i] | 0x71),
			(uint8_t)(0xfe | layout[i] >> 8),
		};
		uint32_t pending = (layout[i] & 0x80 ? 0x5c : 0x58) + 8;

		memset(P->may, 0, sizeof(P->may));
		memset(P->cfg + 0x40, 0, 0xc0);
		P->cfg[0x34] = 0;
		fake_pci_cap(P, 0x50, 0x05, rest, sizeof(rest));
		allow_msi(layout[i]);
		memset(&P->cfg[pending], 0x5a, 4);
		add();
		cr_expect_eq(fake_cfg_read(W, 1, 0x52, 2), layout[i]);
		write_everything();
		fake_cfg_write(W, 1, 0x54, 4, 0x04030040);
		cr_expect_eq(fake_cfg_read(W, 1, 0x54, 4), 0x04030040);
		fake_cfg_write(W, 1, 0x52, 2, 0xffff);
		cr_expect_eq(fake_cfg_read(W, 1, 0x52, 2), layout[i] | 0x71);
		cr_expect_eq(fake_cfg_read(W, 1, pending, 4),
			     layout[i] & 0x100 ? 0x5a5a5a5a : 0);
		cr_expect_eq(P->cfg[pending], 0x5a);
		fake_pci_remove(W, P);
		cr_expect_eq(P->cfg[0x52] & 0x71, 0);
	}
}

/* ---- devices that lie ---------------------------------------------------- */

/* One by one, and after each the guest writes everything. */
static void try_list(const char *want)
{
	add();
	expect_list(want);
	write_everything();
	fake_pci_remove(W, P);
	memset(P->cfg + 0x40, 0, 0xc0);
	memset(P->may, 0, sizeof(P->may));
}

static void put(uint8_t at, uint8_t id, uint8_t next, uint16_t info)
{
	P->cfg[6] = 0x10;
	P->cfg[at] = id;
	P->cfg[at + 1] = next;
	P->cfg[at + 2] = (uint8_t)info;
	P->cfg[at + 3] = (uint8_t)(info >> 8);
}

Test(vpci_caps, loops)
{
	P->cfg[0x34] = 0x40;
	put(0x40, 0x01, 0x40, 3); /* itself */
	try_list("1@40 ");
	put(0x40, 0x01, 0x50, 3);
	put(0x50, 0x09, 0x40, 4);
	try_list("1@40 9@50 ");
	put(0x40, 0x01, 0x3c, 3); /* into the header */
	try_list("1@40 ");
	P->cfg[0x34] = 0x10;
	try_list("");
	P->cfg[0x34] = 0xff; /* the last word */
	put(0xfc, 0x09, 0xfe, 4);
	try_list("9@fc ");
	put(0xfc, 0x11, 0, 7); /* ... has no room for more */
	try_list("");
	put(0xfc, 0x09, 0, 5);
	try_list("");
	P->cfg[6] = 0; /* a pointer, but no list */
	P->cfg[0x34] = 0x40;
	P->cfg[0x40] = 0x01;
	add();
	expect_list("");
	fake_pci_remove(W, P);
}

Test(vpci_caps, lies)
{
	P->cfg[0x34] = 0x40;
	put(0x40, 0x05, 0x60, 0); /* two of a kind: the first */
	put(0x60, 0x05, 0x70, 0);
	put(0x70, 0x10, 0x90, 1);
	put(0x90, 0x10, 0, 1);
	P->may[0x42] = 0x71;
	memset(&P->may[0x44], 0xff, 6);
	P->may[0x44] = 0xfc;
	try_list("5@40 10@70 ");
	put(0x40, 0x09, 0x44, 0xff00); /* no length */
	put(0x44, 0x09, 0x50, 0x40);   /* a long one, and one in it */
	put(0x50, 0x05, 0x84, 0x80);
	put(0x84, 0x09, 0, 0xf0);      /* longer than there is room */
	try_list("9@40 9@44 ");
	for (uint32_t at = 0x40; at < 0x100; at += 4) {
		put((uint8_t)at, 0x09, (uint8_t)(at + 4), 4);
	}
	try_list("9@40 9@44 9@48 9@4c 9@50 9@54 9@58 9@5c 9@60 9@64 9@68 9@6c "
		 "9@70 9@74 9@78 9@7c ");
}

/* It is another one each time one looks: what was found first stays. */
Test(vpci_caps, changes_its_mind)
{
	P->cfg[0x34] = 0x40;
	put(0x40, 0x05, 0x60, 0x80);
	put(0x60, 0x11, 0, 7);
	P->may[0x42] = 0x71;
	memset(&P->may[0x44], 0xff, 10);
	P->may[0x44] = 0xfc;
	P->may[0x63] = 0xc0;
	add();
	memset(P->cfg, 0xff, sizeof(P->cfg));
	cr_expect_eq(fake_cfg_read(W, 1, 0, 4), 0x10411af4);
	cr_expect_eq(fake_cfg_read(W, 1, 0x40, 4), 0x00f16005);
	cr_expect_eq(fake_cfg_read(W, 1, 0x60, 4), 0xc0070011);
	expect_list("5@40 11@60 ");
	write_everything();
	memset(P->cfg, 0, sizeof(P->cfg));
	expect_list("5@40 11@60 ");
	write_everything();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that was given the machine's PCI host, behind an SMMU, with QEMU's
 * "edu" card on it, by a partial device tree at boot. "own" in the bootargs:
 * the card copies within the domain's memory for ever, so that it is at work
 * whenever the domain ends. Otherwise it goes once for what is another's, and
 * the domain says whether it is still there then.
 */
#include "guest.h"

#define WORDS 64u
#define OTHERS UINT64_C(0x4ff00000) /* mapped in nobody's tables there */

static uint64_t page[2][512] __attribute__((aligned(4096)));

static unsigned int copied(uint64_t with)
{
	unsigned int i, bad = 0;

	for (i = 0; i < WORDS; i++) {
		page[0][i] = with + i;
		page[1][i] = 0;
	}
	edu_reads(PTR(page[0]), WORDS * 8);
	edu_writes(PTR(page[1]), WORDS * 8);
	for (i = 0; i < WORDS; i++) {
		bad += page[1][i] != with + i;
	}
	return bad;
}

static void own_memory(void)
{
	CHECK(edu_find() != 0);
	EXPECT_EQ(copied(0x1111000000000000u), 0);
	while (has_bootarg("own")) {
		EXPECT_EQ(copied(counter()), 0);
	}
}

static void elsewhere(void)
{
	printf("dma: outside now\n");
	edu_writes(OTHERS, WORDS * 8);
	delay_us(1000);
	printf("dma: still here\n");
	EXPECT_EQ(copied(0x2222000000000000u), 0);
}

const struct test guest_tests[] = {
	{ "own_memory", own_memory },
	{ "elsewhere", elsewhere },
	{ NULL, NULL },
};

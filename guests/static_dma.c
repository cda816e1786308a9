/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain that was given the machine's PCI host, behind an SMMU, with QEMU's
 * "edu" card on it, by a partial device tree at boot. "own" in the bootargs:
 * the card copies for ever without a rest, so that it is at work whenever the
 * domain ends. "destroy": this is the control domain, which ends that one.
 * Otherwise the card goes once for what is another's, and the domain says
 * whether it is still there then.
 */
#include "guest.h"
#include <xen/domctl.h>

#define WORDS 64u
#define OTHERS UINT64_C(0x4ff00000) /* nothing of this domain's */
#define VICTIM 1u
#define SOON_US 250000u

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
	if (has_bootarg("destroy")) {
		return;
	}
	CHECK(edu_find() != 0);
	EXPECT_EQ(copied(0x1111000000000000u), 0);
	while (has_bootarg("own")) {
		edu_writes(PTR(page[1]), WORDS * 8);
	}
}

static xen_domctl_t op;

static long domctl(unsigned int cmd)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = VICTIM;
	return hc1(__HYPERVISOR_domctl, PTR(&op));
}

/* What its device began comes to memory, or does not, when all is over. */
static void destroy(void)
{
	if (!has_bootarg("destroy")) {
		return;
	}
	gic_enable(machine.intid_vtimer);
	sleep_us(SOON_US);
	EXPECT_EQ(domctl(XEN_DOMCTL_destroydomain), 0);
	printf("dma: destroyed\n");
	sleep_us(SOON_US);
	while (domctl(XEN_DOMCTL_getdomaininfo) == 0 && op.domain == VICTIM) {
	}
	CHECK(op.domain > VICTIM);	/* the next one */
	printf("dma: over\n");
	sleep_us(SOON_US);
}

static void elsewhere(void)
{
	if (has_bootarg("destroy")) {
		return;
	}
	printf("dma: outside now\n");
	edu_writes(OTHERS, WORDS * 8);
	delay_us(1000);
	printf("dma: still here\n");
	EXPECT_EQ(copied(0x2222000000000000u), 0);
}

const struct test guest_tests[] = {
	{ "own_memory", own_memory },
	{ "destroy", destroy },
	{ "elsewhere", elsewhere },
	{ NULL, NULL },
};

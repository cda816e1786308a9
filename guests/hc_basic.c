/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all hypercalls share: which numbers there are, where a reply may go
 * and how far, lists of calls, and the registers of the caller.
 */
#include "guest.h"

#define XV		__HYPERVISOR_xen_version
#define MC		__HYPERVISOR_multicall

static uint8_t page_a[PAGE_SIZE * 2] __attribute__((aligned(4096)));

static const uint8_t implemented[] = {
	7, 12, 13, 17, 18, 20, 21, 24, 27, 29, 32, 33, 34, 35, 36, 42,
};

/* A reply may not be written where the guest itself could not write. */
static void read_only_reply(void)
{
	struct xen_feature_info fi = { .submap_idx = 0 };

	memset(page_a, 0x55, sizeof(page_a));
	memcpy(page_a, &fi, sizeof(fi));
	mmu_window(0, PTR(page_a), MAP_RO);
	EXPECT_EQ(hc2(XV, XENVER_extraversion, MAP_WINDOW), -EFAULT);
	EXPECT_EQ(hc2(XV, XENVER_get_features, MAP_WINDOW), -EFAULT);
	EXPECT_EQ(page_a[64], 0x55);
	EXPECT_EQ(hc3(__HYPERVISOR_console_io, CONSOLEIO_write, 0,
		      MAP_WINDOW), 0);
}

/* A reply that would leave RAM fails; one that just fits does not. */
static void end_of_ram(void)
{
	uint64_t top = ram_top();

	CHECK(top != 0);
	EXPECT_EQ(hc2(XV, XENVER_extraversion, top - 16), 0);
	EXPECT_EQ(hc2(XV, XENVER_extraversion, top - 1), -EFAULT);
	EXPECT_EQ(hc2(XV, XENVER_extraversion, top), -EFAULT);
}

/* Replies are exactly as long as the structure. */
static void reply_bounds(void)
{
	memset(page_a, 0x55, PAGE_SIZE);
	EXPECT_EQ(hc2(XV, XENVER_extraversion, PTR(page_a)), 0);
	EXPECT_EQ(page_a[15], 0);
	EXPECT_EQ(page_a[16], 0x55);
	memset(page_a, 0x55, PAGE_SIZE);
	EXPECT_EQ(hc2(XV, XENVER_capabilities, PTR(page_a)), 0);
	CHECK(find((char *)page_a, "xen-3.0-aarch64") != NULL);
	EXPECT_EQ(page_a[1024], 0x55);
	memset(page_a, 0x55, PAGE_SIZE);
	memset(page_a, 0, 4);
	EXPECT_EQ(hc2(XV, XENVER_get_features, PTR(page_a)), 0);
	EXPECT_EQ(*(uint32_t *)(page_a + 4) & 0x26805, 0x26805);
	EXPECT_EQ(page_a[8], 0x55);
}

static bool is_implemented(unsigned int nr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(implemented); i++) {
		if (implemented[i] == nr) {
			return true;
		}
	}
	return false;
}

static void numbers(void)
{
	unsigned int nr;

	for (nr = 0; nr < 64; nr++) {
		int64_t rc = hypercall(nr, 0xffff, 0, 0, 0, 0);

		if (is_implemented(nr)) {
			CHECK(rc < 0 || nr == MC);	/* MC: no entries */
			continue;
		}
		if (rc != -ENOSYS) {
			printf("number %u: %ld\n", nr, rc);
		}
		EXPECT_EQ(rc, -ENOSYS);
	}
	EXPECT_EQ(hc1(64, 0), -ENOSYS);
	EXPECT_EQ(hc1(0xffffffff, 0), -ENOSYS);
	EXPECT_EQ(hc1(UINT64_C(1) << 32 | XV, 0), -ENOSYS);
	EXPECT_EQ(hc1(~UINT64_C(0), 0), -ENOSYS);
}

static void multicall_entries(void)
{
	static multicall_entry_t m[4];

	m[0].op = XV;
	m[0].args[0] = XENVER_version;
	m[1].op = 40;
	m[2].op = MC;
	m[3].op = XV;
	m[3].args[0] = XENVER_pagesize;
	EXPECT_EQ(hc2(MC, PTR(m), 4), 0);
	EXPECT_EQ(m[0].result, 4 << 16 | 17);
	EXPECT_EQ((int64_t)m[1].result, -ENOSYS);
	EXPECT_EQ((int64_t)m[2].result, -EINVAL);
	EXPECT_EQ(m[3].result, 4096);
}

/* Everything but x0 comes back as it was. */
static void registers_survive(void)
{
	static const uint64_t in[8] = { 11, 22, 33, 44, 55, 66, 77, 88 };
	uint64_t out[8] = { 0 };

	asm volatile(
	"	ldp	x1, x2, [%1]\n	ldp	x3, x4, [%1, #16]\n"
	"	ldp	x5, x15, [%1, #32]\n	ldp	x17, x18, [%1, #48]\n"
	"	mov	x16, %2\n"
	"	mov	x0, #0\n"
	"	hvc	#0xea1\n"
	"	stp	x1, x2, [%0]\n	stp	x3, x4, [%0, #16]\n"
	"	stp	x5, x15, [%0, #32]\n	stp	x17, x18, [%0, #48]\n"
	:: "r"(out), "r"(in), "r"((uint64_t)XV)
	: "x0", "x1", "x2", "x3", "x4", "x5", "x15", "x16", "x17", "x18",
	  "memory");
	CHECK(!memcmp(in, out, sizeof(in)));
}

const struct test guest_tests[] = {
	{ "numbers", numbers },
	{ "read_only_reply", read_only_reply },
	{ "end_of_ram", end_of_ram },
	{ "reply_bounds", reply_bounds },
	{ "multicall_entries", multicall_entries },
	{ "registers_survive", registers_survive },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each operation of each hypercall, what it answers to a good argument
 * and to hostile pointers. The answers are those of Xen 4.17 to its control
 * domain. Operations that change the machine are left to other guests.
 */
#include "guest.h"

#define NONE	99u		/* the operation takes no pointer */
#define SAME	0x5a5a		/* hostile pointers change nothing */
#define ANY	0x5a5b		/* zero or positive */

struct row {
	uint8_t nr;
	uint8_t ptr;		/* which argument is the pointer */
	uint64_t a[3];		/* the other arguments */
	uint64_t in[5];		/* what the pointer points to */
	int64_t good;
	int64_t bad;		/* with a pointer that cannot be used */
	bool spare;		/* nobody needs it: -ENOSYS is right too */
};

#define XV	__HYPERVISOR_xen_version
#define MO	__HYPERVISOR_memory_op
#define EV	__HYPERVISOR_event_channel_op
#define SO	__HYPERVISOR_sched_op
#define VO	__HYPERVISOR_vcpu_op
#define HO	__HYPERVISOR_hvm_op
#define GO	__HYPERVISOR_grant_table_op
#define PO	__HYPERVISOR_physdev_op
#define CO	__HYPERVISOR_console_io
#define VA	__HYPERVISOR_vm_assist
#define MC	__HYPERVISOR_multicall
#define PF	__HYPERVISOR_platform_op
#define SC	__HYPERVISOR_sysctl
#define DC	__HYPERVISOR_domctl

#define EFAULT_	(-EFAULT)
#define EINVAL_	(-EINVAL)
#define ENOSYS_	(-ENOSYS)
#define ESRCH_	(-ESRCH)
#define EACCES_	(-EACCES)
#define ENOENT_	(-ENOENT)

#define SELF	((uint64_t)DOMID_SELF)
#define NODOM	UINT64_C(0x7f00)
#define HI(x)	((uint64_t)(x) << 32)
#define WILD	(UINT64_C(1) << 60) /* inside a structure: no address */

static const struct row rows[] = {
	{ XV, 1, { 0 }, { 0 }, 4 << 16 | 17, SAME },
	{ XV, 1, { 1 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 2 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 3 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 4 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 5 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 6 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 6 }, { 1 }, EINVAL_, EFAULT_ },
	{ XV, NONE, { 7, 0 }, { 0 }, 4096, SAME },
	{ XV, 1, { 7 }, { 0 }, EINVAL_, SAME },
	{ XV, 1, { 8 }, { 0 }, 0, EFAULT_ },
	{ XV, 1, { 9 }, { 0 }, 0, EFAULT_ },
	{ XV, NONE, { 10, 0 }, { 0 }, 20, SAME },
	{ XV, 1, { 10 }, { 0 }, EINVAL_, EFAULT_ },
	{ XV, 1, { 11 }, { 0 }, ENOSYS_, SAME },
	{ XV, 1, { 0xffff }, { 0 }, ENOSYS_, SAME },

	{ MO, 1, { 0 }, { 0, 0, 0, SELF }, 0, SAME },
	{ MO, 1, { 1 }, { 0, 0, 0, SELF }, 0, SAME },
	{ MO, 1, { 6 }, { 0, 0, 0, SELF }, 0, SAME },
	{ MO, 1, { 6 }, { 0, 1, 0, NODOM }, 0, SAME },
	{ MO, 1, { 6 }, { 0, ~UINT64_C(0), 0, SELF }, 0, SAME },
	{ MO, 1, { 6 }, { 0, 1, 60, SELF }, 0, SAME },
	{ MO, 1, { 2 }, { 0 }, ANY, SAME },
	{ MO, 1, { 3 }, { SELF }, ANY, EFAULT_ },
	{ MO, 1, { 3 }, { NODOM }, ESRCH_, EFAULT_ },
	{ MO, 1, { 4 }, { SELF }, ANY, EFAULT_ },
	{ MO, 1, { 5 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 7 }, { SELF | HI(9), 0, 0 }, ENOSYS_, EFAULT_ },
	{ MO, 1, { 7 }, { NODOM | HI(0), 0, 0 }, ESRCH_, EFAULT_ },
	{ MO, 1, { 7 }, { SELF | HI(0), 1, 0 }, EINVAL_, EFAULT_ },
	{ MO, 1, { 7 }, { SELF | HI(1), 9999, 0 }, EINVAL_, EFAULT_ },
	{ MO, 1, { 9 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 10 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 11 }, { 0 }, 0, EFAULT_, true },
	{ MO, 1, { 12 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 13 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 14 }, { SELF }, ANY, EFAULT_ },
	{ MO, 1, { 14 }, { NODOM }, ESRCH_, EFAULT_ },
	{ MO, 1, { 15 }, { SELF, 0x7000000 }, ENOENT_, EFAULT_ },
	{ MO, 1, { 15 }, { NODOM, 0x7000000 }, ESRCH_, EFAULT_ },
	{ MO, 1, { 16 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 17 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 20 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 21 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 22 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 23 }, { SELF, 0, 0, 0 }, 0, EFAULT_ },
	{ MO, 1, { 23 }, { SELF | 0 << 16 | HI(1), 0, 0, 0 }, EFAULT_,
	  EFAULT_ },
	{ MO, 1, { 25 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 26 }, { 0 }, -EOPNOTSUPP, EFAULT_, true },
	{ MO, 1, { 27 }, { 0 }, 0, EFAULT_ },
	{ MO, 1, { 28 }, { SELF | 1 << 16, 0, 0, 0 }, ESRCH_, EFAULT_ },
	{ MO, 1, { 28 }, { NODOM | 1 << 16, 0, 0, 0 }, ESRCH_, EFAULT_ },
	{ MO, 1, { 28 }, { SELF | 7 << 16, 0, 0, 0 }, ESRCH_, EFAULT_ },
	{ MO, 1, { 29 }, { 0 }, ENOSYS_, SAME },
	{ MO, 1, { 63 }, { 0 }, ENOSYS_, SAME },

	{ EV, 1, { 0 }, { NODOM | HI(1) }, ESRCH_, EFAULT_ },
	{ EV, 1, { 0 }, { SELF | HI(4000) }, EINVAL_, EFAULT_ },
	{ EV, 1, { 1 }, { 99 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 1 }, { 0 | HI(99) }, ENOENT_, EFAULT_ },
	{ EV, 1, { 2 }, { 0 }, -ENOMEM, EFAULT_, true },
	{ EV, 1, { 3 }, { 0 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 3 }, { 4000 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 3 }, { 0xffffffff }, EINVAL_, EFAULT_ },
	{ EV, 1, { 4 }, { 0 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 4 }, { 4000 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 4 }, { 0xffffffff }, EINVAL_, EFAULT_ },
	{ EV, 1, { 5 }, { SELF | HI(0) }, 0, EFAULT_ },
	{ EV, 1, { 5 }, { SELF | HI(4000) }, EINVAL_, EFAULT_ },
	{ EV, 1, { 5 }, { NODOM | HI(1) }, ESRCH_, EFAULT_ },
	{ EV, 1, { 6 }, { SELF | SELF << 16 }, 0, EFAULT_ },
	{ EV, 1, { 6 }, { NODOM }, ESRCH_, EFAULT_ },
	{ EV, 1, { 7 }, { 99 }, ENOENT_, EFAULT_ },
	{ EV, 1, { 8 }, { 0 | HI(0) }, EINVAL_, EFAULT_ },
	{ EV, 1, { 8 }, { 1 | HI(99) }, ENOENT_, EFAULT_ },
	{ EV, 1, { 9 }, { 0 }, 0, EFAULT_ },
	{ EV, 1, { 9 }, { 4000 }, EINVAL_, EFAULT_ },
	{ EV, 1, { 10 }, { NODOM }, ESRCH_, EFAULT_ },
	{ EV, 1, { 11 }, { 0, 0 | HI(99) }, ENOENT_, EFAULT_ },
	{ EV, 1, { 11 }, { 0, 4 | HI(0) }, EINVAL_, EFAULT_ },
	{ EV, 1, { 11 }, { 0, 4095 | HI(0) }, EINVAL_, EFAULT_ },
	{ EV, 1, { 12 }, { 0 }, -EOPNOTSUPP, EFAULT_ },
	{ EV, 1, { 13 }, { 0 | HI(99) }, ENOSYS_, EFAULT_ },
	{ EV, 1, { 14 }, { 0 }, -EBUSY, EFAULT_, true },
	{ EV, 1, { 0xffff }, { 0 }, ENOSYS_, SAME },

	{ SO, 1, { 0 }, { 0 }, 0, SAME },
	{ SO, 1, { 3 }, { 0, 0, 1 }, 0, EFAULT_ },
	{ SO, 1, { 3 }, { 0, 129, 1 }, EINVAL_, EFAULT_ },
	{ SO, 1, { 4 }, { NODOM }, ESRCH_, EFAULT_ },
	{ SO, 1, { 6 }, { 3 }, EINVAL_, EFAULT_ },
	{ SO, 1, { 6 }, { 1 }, EINVAL_, EFAULT_ },
	{ SO, 1, { 7 }, { 99 }, EINVAL_, EFAULT_ },
	{ SO, 1, { 8 }, { 0 }, ENOSYS_, SAME },

	{ VO, 2, { 0, 0 }, { 0 }, EINVAL_, SAME },
	{ VO, 2, { 3, 0 }, { 0 }, EINVAL_, SAME },
	{ VO, 2, { 4, 0 }, { 0 }, EINVAL_, SAME },
	{ VO, 2, { 5, 99 }, { 0 }, ENOENT_, SAME },
	{ VO, 2, { 10, 99 }, { 0 }, ENOENT_, SAME },
	{ VO, 2, { 10, 0 }, { 0, 8 }, EINVAL_, EFAULT_ },
	{ VO, 2, { 10, 0 }, { 0, 4090 }, -ENXIO, EFAULT_ },
	{ VO, 2, { 10, 0 }, { ~UINT64_C(0), 0 }, EINVAL_, EFAULT_ },
	{ VO, 2, { 13, 0 }, { 0 }, EINVAL_, SAME },

	{ HO, 1, { 0 }, { SELF | HI(99), 0 }, EINVAL_, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(0), 0 }, 0, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(1), 0 }, 0, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(2), 0 }, 0, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(17), 0 }, 0, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(18), 0 }, 0, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(3), 0 }, EINVAL_, EFAULT_ },
	{ HO, 1, { 1 }, { SELF | HI(0x7fffffff), 0 }, EINVAL_, EFAULT_ },
	{ HO, 1, { 1 }, { NODOM | HI(0), 0 }, ESRCH_, EFAULT_ },
	{ HO, 1, { 2 }, { 0 }, ENOSYS_, SAME },
	{ HO, 1, { 99 }, { 0 }, ENOSYS_, SAME },

	{ GO, 1, { 0, 0, 0 }, { 0 }, 0, SAME },
	{ GO, 1, { 0, 0, 1 }, { 0 }, 0, EFAULT_ },
	{ GO, 1, { 1, 0, 1 }, { 0 }, 0, EFAULT_ },
	{ GO, 1, { 2, 0, 1 }, { SELF }, 0, EFAULT_ },
	{ GO, 1, { 3, 0, 1 }, { SELF }, ENOSYS_, SAME },
	{ GO, 1, { 4, 0, 1 }, { 0 }, -EOPNOTSUPP, SAME, true },
	{ GO, 1, { 5, 0, 1 }, { 0 }, 0, EFAULT_ },
	{ GO, 1, { 6, 0, 1 }, { SELF }, 0, EFAULT_ },
	{ GO, 1, { 6, 0, 2 }, { SELF }, EINVAL_, SAME },
	{ GO, 1, { 7, 0, 1 }, { 0 }, 0, EFAULT_, true },
	{ GO, 1, { 8, 0, 1 }, { 1 }, 0, EFAULT_ },
	{ GO, 1, { 8, 0, 1 }, { 3 }, EINVAL_, EFAULT_ },
	{ GO, 1, { 9, 0, 1 }, { SELF }, 0, EFAULT_, true },
	{ GO, 1, { 10, 0, 1 }, { SELF }, 0, EFAULT_ },
	{ GO, 1, { 11, 0, 1 }, { 0 }, 0, EFAULT_, true },
	{ GO, 1, { 12, 0, 1 }, { 0 }, 0, EFAULT_ },
	{ GO, 1, { 12, 0, 1 }, { 0, 8192 }, EINVAL_, EFAULT_ },
	{ GO, 1, { 13, 0, 1 }, { 0 }, ENOSYS_, SAME },
	{ GO, 1, { 0, 0, 0x80000000 }, { 0 }, EINVAL_, SAME },

	{ PO, 1, { 25 }, { 0 }, ENOSYS_, SAME },
	{ PO, 1, { 15 }, { 0 }, ENOSYS_, SAME },
	{ PO, 1, { 0 }, { 0 }, ENOSYS_, SAME },

	{ CO, 2, { 0, 0 }, { 0 }, 0, SAME },
	{ CO, 2, { 0, 2 }, { 0x0d0d }, 0, EFAULT_ },
	{ CO, 2, { 1, 0 }, { 0 }, 0, SAME },
	{ CO, 2, { 1, 16 }, { 0 }, 0, SAME },
	{ CO, 2, { 1, 0xffffffff }, { 0 }, -E2BIG, SAME },
	{ CO, 2, { 2, 1 }, { 0 }, ENOSYS_, SAME },

	{ VA, NONE, { 0, 5 }, { 0 }, 0, SAME },
	{ VA, NONE, { 1, 5 }, { 0 }, 0, SAME },
	{ VA, NONE, { 0, 99 }, { 0 }, EINVAL_, SAME },
	{ VA, NONE, { 2, 5 }, { 0 }, ENOSYS_, SAME },

	{ MC, 0, { 0, 0 }, { 0 }, 0, SAME },
	{ MC, 0, { 0, 1 }, { XV }, 0, EFAULT_ },

	{ PF, 0, { 0 }, { 62 | HI(0x02000001) }, EACCES_, EFAULT_ },
	{ PF, 0, { 0 }, { 62 | HI(0x03000001), 1, 1, 1 }, 0, EFAULT_ },
	{ PF, 0, { 0 }, { 1 | HI(0x03000001) }, ENOSYS_, EFAULT_ },
	/* sysctl: cmd and version, then what each has in its own words */
	{ SC, 0, { 0 }, { 3 | HI(0x99) }, EACCES_, EFAULT_ },
	{ SC, 0, { 0 }, { 3 | HI(0x15) }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 99 | HI(0x15) }, ENOSYS_, EFAULT_ },
	{ SC, 0, { 0 }, { 1 | HI(0x15), 0, WILD, 0 }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 1 | HI(0x15), 0, WILD, 9 }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 4 | HI(0x15) }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 6 | HI(0x15), HI(9), WILD }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 6 | HI(0x15), 5 | HI(9), WILD }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 7 | HI(0x15), WILD, 0 }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 7 | HI(0x15), WILD, 4 }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 8 | HI(0x15), 1, WILD }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 16 | HI(0x15), 1, 0 }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 16 | HI(0x15), 1, WILD }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 17 | HI(0x15), 1, 0, 0 }, 0, EFAULT_ },
	{ SC, 0, { 0 }, { 17 | HI(0x15), 1, WILD, 0 }, EFAULT_, EFAULT_ },
	{ SC, 0, { 0 }, { 18 | HI(0x15), 77 }, ENOSYS_, EFAULT_ },
	{ SC, 0, { 0 }, { 18 | HI(0x15), 3 | HI(9) }, ENOENT_, EFAULT_ },
	{ SC, 0, { 0 }, { 19 | HI(0x15), 9 }, ESRCH_, EFAULT_ },
	/* domctl: cmd and version, domain, the operation's own words */
	{ DC, 0, { 0 }, { 5 | HI(0x99) }, EACCES_, EFAULT_ },
	{ DC, 0, { 0 }, { 99 | HI(0x15), 0 }, ENOSYS_, EFAULT_ },
	{ DC, 0, { 0 }, { 5 | HI(0x15), 0 }, 0, EFAULT_ },
	{ DC, 0, { 0 }, { 5 | HI(0x15), NODOM }, ESRCH_, EFAULT_ },
	{ DC, 0, { 0 }, { 5 | HI(0x15), SELF }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 1 | HI(0x15), 0xffff }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 2 | HI(0x15), 0 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 2 | HI(0x15), NODOM }, ESRCH_, EFAULT_ },
	{ DC, 0, { 0 }, { 3 | HI(0x15), NODOM }, ESRCH_, EFAULT_ },
	{ DC, 0, { 0 }, { 3 | HI(0x15), SELF }, ESRCH_, EFAULT_ },
	{ DC, 0, { 0 }, { 3 | HI(0x15), 0 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 4 | HI(0x15), 0 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 9 | HI(0x15), 0, 0 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 25 | HI(0x15), 0, 0 | HI(1), WILD, 8 },
	  EFAULT_, EFAULT_ },
	{ DC, 0, { 0 }, { 25 | HI(0x15), 0, 999 | HI(1) }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 12 | HI(0x15), 0, 0, WILD }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 13 | HI(0x15), 0, 0, WILD }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 14 | HI(0x15), 0, 0 }, 0, EFAULT_ },
	{ DC, 0, { 0 }, { 14 | HI(0x15), 0, 999 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 15 | HI(0x15), 0, 1 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 16 | HI(0x15), 0, 77 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 35 | HI(0x15), NODOM, 64 }, ESRCH_, EFAULT_ },
	{ DC, 0, { 0 }, { 68 | HI(0x15), 0, WILD, 8 }, EFAULT_, EFAULT_ },
	{ DC, 0, { 0 }, { 69 | HI(0x15), 0, WILD, 8 }, EFAULT_, EFAULT_ },
	{ DC, 0, { 0 }, { 71 | HI(0x15), 0, 0, 0 }, 0, EFAULT_ },
	{ DC, 0, { 0 }, { 71 | HI(0x15), 0, 0, 1u << 19 }, EINVAL_, EFAULT_ },
	{ DC, 0, { 0 }, { 71 | HI(0x15), 0, UINT64_MAX, 2 }, EINVAL_,
	  EFAULT_ },
	{ DC, 0, { 0 }, { 86 | HI(0x15), 0, 4097 }, EINVAL_, EFAULT_ },
};

static uint8_t page_a[PAGE_SIZE * 2] __attribute__((aligned(4096)));
static uint8_t page_b[PAGE_SIZE] __attribute__((aligned(4096)));

static int64_t call(const struct row *r, uint64_t ptr)
{
	uint64_t a[3] = { r->a[0], r->a[1], r->a[2] };

	if (r->ptr != NONE) {
		a[r->ptr] = ptr;
	}
	return hypercall(r->nr, a[0], a[1], a[2], 0, 0);
}

static void judge(const struct row *r, const char *how, int64_t got,
		  int64_t want)
{
	if ((want == ANY ? got >= 0 : got == want) ||
	    (r->spare && got == ENOSYS_)) {
		return;
	}
	printf("row: nr %u args %lx %lx %lx in %lx %lx %s: %ld\n", r->nr,
	       r->a[0], r->a[1], r->a[2], r->in[0], r->in[1], how, got);
	EXPECT_EQ(got, want);
}

static void put_in(const struct row *r, uint64_t at)
{
	memset((void *)(uintptr_t)at, 0, 1100);
	memcpy((void *)(uintptr_t)at, r->in, sizeof(r->in));
}

/* Where a struct lies must not matter as long as it is mapped. */
static void good_pointers(void)
{
	uint64_t straddle = MAP_WINDOW + PAGE_SIZE - 2;
	size_t i;

	/* Neighbours for the guest, in the wrong order in memory. */
	mmu_window(0, PTR(page_b), MAP_RW);
	mmu_window(1, PTR(page_a), MAP_RW);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		put_in(r, PTR(page_a));
		judge(r, "plain", call(r, PTR(page_a)), r->good);
		put_in(r, straddle);
		judge(r, "across pages", call(r, straddle), r->good);
	}
}

static void bad_pointers(void)
{
	size_t i;

	mmu_window(0, PTR(page_a), MAP_RW);
	mmu_window(1, 0, MAP_NONE);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		int64_t want = r->bad == SAME ? r->good : r->bad;
		uint64_t tail = MAP_WINDOW + PAGE_SIZE - 1;

		if (r->ptr == NONE) {
			continue;
		}
		memcpy((void *)(uintptr_t)tail, r->in, 1);
		judge(r, "unmapped", call(r, MAP_UNMAPPED), want);
		judge(r, "half mapped", call(r, tail), want);
		judge(r, "not an address", call(r, UINT64_C(1) << 60), want);
		judge(r, "device", call(r, machine.gicd.base), want);
	}
}

const struct test guest_tests[] = {
	{ "good_pointers", good_pointers },
	{ "bad_pointers", bad_pointers },
	{ NULL, NULL },
};

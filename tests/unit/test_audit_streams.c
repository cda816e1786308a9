/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The isolation auditor: streams of devices go by the tables of their owners
 * and by nothing else; each way in which they do not is told by its name.
 */
// LINK: $(AUDIT_WORLD) core/iommu_function.c
// LIBS: -Wl,--wrap=page_inspect
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/audit.h>
#include <hv/iommu.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>
#include "fake_audit.h"

#define STREAMS 64u

/* What each stream does, as a unit has it. */
static struct iommu_route hw[2][STREAMS];
static struct iommu unit[2];
static struct iommu_device nic = { .name = "/nic", .nr = 2 };
static struct iommu_device disk = { .name = "/disk", .nr = 1 };
static struct iommu_device twin = { .name = "/twin", .nr = 1 };
static struct iommu_device loose = { .name = "/loose", .nr = 1 };

/* ---- a driver ------------------------------------------------------------ */

static int attach(struct iommu *u, uint32_t first, uint32_t nr,
		  const struct iommu_space *s)
{
	for (uint32_t i = first; i < first + nr; i++) {
		hw[u->index][i] = (struct iommu_route){
			.use = IOMMU_TRANSLATES, .by = *s,
		};
	}
	return 0;
}

static void detach(struct iommu *u, uint32_t first, uint32_t nr,
		   const struct iommu_space *s)
{
	(void)s;
	memset(&hw[u->index][first], 0, nr * sizeof(hw[0][0]));
}

static void flush(struct iommu *u, const struct iommu_space *s,
		  uint64_t address, uint64_t pages)
{
	(void)u;
	(void)s;
	(void)address;
	(void)pages;
}

static void inspect(struct iommu *u, uint32_t stream, struct iommu_route *r)
{
	const struct iommu_route *e = hw[u->index];

	cr_assert_leq(stream, u->max_stream);
	*r = e[stream];
	r->nr = 1;
	while (stream + r->nr < STREAMS && r->nr < 16 &&
	       memcmp(&e[stream], &e[stream + r->nr], sizeof(*e)) == 0) {
		r->nr++;
	}
	r->nr = stream + r->nr == STREAMS ? UINT32_MAX : r->nr;
}

static bool irq(struct iommu *u)
{
	(void)u;
	return false;
}

static const struct iommu_ops ops = {
	.name = "unit", .attach = attach, .detach = detach, .flush = flush,
	.irq = irq,
	.inspect = inspect,
};

/* ---- the world ----------------------------------------------------------- */

static void setup(void)
{
	audit_world();
	for (uint32_t n = 0; n < 2; n++) {
		unit[n] = (struct iommu){ .ops = &ops, .walks_coherent = true,
					  .max_stream = STREAMS - 1,
					  .base = 0x9050000 + 0x20000 * n };
		spin_lock_init(&unit[n].lock, LOCK_RANK_IOMMU);
		cr_assert_eq(iommu_add_unit(&unit[n]), 0);
	}
	nic.stream[0] = (struct stream_range){ &unit[0], 8, 1 };
	nic.stream[1] = (struct stream_range){ &unit[1], 0, STREAMS };
	disk.stream[0] = (struct stream_range){ &unit[0], 0x10, 8 };
	twin.stream[0] = (struct stream_range){ &unit[0], 0x12, 2 };
	loose.stream[0] = (struct stream_range){ &unit[0], 0x20, 4 };
	iommu_add_device(&nic);
	iommu_add_device(&disk);
	iommu_add_device(&twin);
	iommu_add_device(&loose);
	d0->iommu.enabled = d1->iommu.enabled = d2->iommu.enabled = true;
	cr_assert_eq(iommu_assign(d0, &nic), 0);
	cr_assert_eq(iommu_assign(d1, &disk), 0);
}

TestSuite(audit_streams, .init = setup);

static void return_all(struct domain *d)
{
	while (iommu_return_all_step(d) == -EAGAIN) {
	}
}

static void use_space(uint32_t stream, struct domain *d)
{
	hw[0][stream].use = IOMMU_TRANSLATES;
	iommu_space_of(d, &hw[0][stream].by);
}

/* ---- what may be --------------------------------------------------------- */

Test(audit_streams, as_it_should_be)
{
	passes();
	cr_assert(strstr(out, " streams=73\n"), "%s", out); /* 1 + 64 + 8 */
	cr_assert_eq(iommu_assign(d1, &twin), 0);
	passes();
	cr_assert(strstr(out, " streams=73\n"), "%s", out);
	return_all(d1);
	passes();
	cr_assert(strstr(out, " streams=65\n"), "%s", out);
	return_all(d0);
	passes();
	cr_assert(strstr(out, " streams=0\n"), "%s", out);
}

/* A unit that gave up refuses all: nothing is open, and that is known. */
Test(audit_streams, of_a_dead_unit)
{
	memset(hw[0], 0, sizeof(hw[0]));
	unit[0].dead = true;
	passes();
	unit[0].dead = false;
	look();
	cr_assert(strstr(out, "stream kind=refused unit=0x9050000 stream=0x8 "
			      "owner=0 "), "%s", out);
	cr_assert(strstr(out, "stream=0x10 owner=1 "), "%s", out);
	cr_assert(strstr(out, " found=2 "), "%s", out);
}

Test(audit_streams, never_a_false_alarm)
{
	struct iommu_device *all_of[] = { &nic, &disk, &twin, &loose };
	struct domain *who[] = { d0, d1, d2 };

	srand(3);
	for (unsigned int i = 0; i < 300; i++) {
		struct domain *d = who[rand() % 3];

		if (rand() % 3) {
			(void)!iommu_assign(d, all_of[rand() % 4]);
		} else {
			return_all(d);
		}
		passes();
	}
}

/* Functions of a host, one with its neighbours on both sides, and back. */
Test(audit_streams, functions)
{
	static struct iommu_device f[2] = { { .name = "a" }, { .name = "b" } };
	struct iommu_look l;

	cr_assert_eq(iommu_function_add(&nic, &unit[0], 9, &f[0]), -EINVAL);
	cr_assert_eq(iommu_function_add(&nic, &unit[1], STREAMS, &f[0]),
		     -EINVAL);
	cr_assert_eq(iommu_function_add(&nic, &unit[1], 5, &f[0]), 0);
	cr_assert_eq(iommu_function_add(&nic, &unit[1], 5, &f[1]), -EINVAL);
	cr_assert_eq(iommu_function_add(&nic, &unit[1], STREAMS - 1, &f[1]),
		     0);
	passes();
	cr_assert_eq(iommu_assign(d1, &f[0]), -EBUSY, "it is the host's");
	cr_assert_eq(iommu_function_take(d1, &f[0]), -EBUSY);
	cr_assert_eq(iommu_function_back(d0, &f[0]), -EBUSY);
	cr_assert_eq(iommu_function_take(d0, &f[0]), 0);
	cr_assert_eq(iommu_function_take(d0, &f[0]), -EBUSY);
	passes();
	cr_assert(strstr(out, " streams=72\n"), "%s", out);
	cr_assert_eq(iommu_assign(d2, &f[0]), 0);
	cr_assert_eq(iommu_function_take(d0, &f[1]), 0);
	cr_assert_eq(iommu_assign(d1, &f[1]), 0);
	passes();
	cr_assert(strstr(out, " streams=73\n"), "%s", out);
	cr_assert(iommu_inspect(1, 4, &l));
	cr_assert_eq(l.owner, 0);
	cr_assert_eq(l.is.nr, 1);
	cr_assert(iommu_inspect(1, 5, &l));
	cr_assert_eq(l.owner, d2->id);
	cr_assert_eq(l.is.nr, 1);
	/* Left with dom0, or with nobody. */
	hw[1][5].by = hw[1][6].by;
	finds("stream kind=other-tables unit=0x9070000 stream=0x5 owner=2 "
	      "tables-of=0\n");
	memset(&hw[1][5], 0, sizeof(hw[1][5]));
	finds("stream kind=refused unit=0x9070000 stream=0x5 owner=2 ");
	iommu_return(d2, &f[0]);
	hw[1][5] = hw[1][6];
	finds("stream kind=not-assigned unit=0x9070000 stream=0x5 ");
	cr_assert_eq(iommu_function_back(d0, &f[0]), 0);
	cr_assert_eq(iommu_function_back(d0, &f[1]), -EBUSY, "it is d1's");
	return_all(d1);
	cr_assert_eq(iommu_function_back(d0, &f[1]), 0);
	cr_assert_eq(iommu_assign(d1, &disk), 0);
	passes();
	cr_assert(strstr(out, " streams=73\n"), "%s", out);
}

/* A host that goes while a function is away takes not that. */
Test(audit_streams, host_goes)
{
	static struct iommu_device f = { .name = "a" };

	cr_assert_eq(iommu_function_add(&nic, &unit[1], 5, &f), 0);
	cr_assert_eq(iommu_function_take(d0, &f), 0);
	cr_assert_eq(iommu_assign(d2, &f), 0);
	iommu_return(d0, &nic);
	passes();
	cr_assert(strstr(out, " streams=9\n"), "%s", out);
	cr_assert_eq(iommu_assign(d1, &nic), -EBUSY);
	passes();
	return_all(d2);
	cr_assert_eq(iommu_function_back(d0, &f), -EBUSY);
	passes();
}

/* ---- what may not -------------------------------------------------------- */

Test(audit_streams, of_another)
{
	use_space(8, d1);
	finds("stream kind=other-tables unit=0x9050000 stream=0x8 owner=0 "
	      "tables-of=1\n");
	use_space(8, d0);
	passes();
	hw[1][63].by = hw[0][0x10].by;
	finds("stream kind=other-tables unit=0x9070000 stream=0x3f owner=0 "
	      "tables-of=1\n");
}

Test(audit_streams, of_a_device_of_nobody)
{
	use_space(0x21, d2);
	finds("stream kind=not-assigned unit=0x9050000 stream=0x21 "
	      "owner=32767 tables-of=2\n");
	hw[0][0x21].use = IOMMU_REFUSES;
	use_space(0x3f, d2); /* no device that we know has it */
	finds("stream kind=not-assigned unit=0x9050000 stream=0x3f "
	      "owner=32767 tables-of=2\n");
}

Test(audit_streams, left_behind)
{
	struct iommu_route was[8];

	memcpy(was, &hw[0][0x10], sizeof(was));
	return_all(d1);
	all[1] = NULL;
	passes();
	hw[0][0x12] = was[2];
	finds("stream kind=left-behind unit=0x9050000 stream=0x12 "
	      "owner=32767 tables-of=32767\n");
	cr_assert_eq(iommu_assign(d2, &disk), 0);
	passes();
	hw[0][0x12] = was[2];
	finds("stream kind=left-behind unit=0x9050000 stream=0x12 owner=2 "
	      "tables-of=32767\n");
}

Test(audit_streams, untranslated)
{
	hw[0][8].use = IOMMU_PASSES;
	finds("stream kind=bypass unit=0x9050000 stream=0x8 owner=0 ");
	hw[0][8].use = IOMMU_TRANSLATES;
	hw[0][0].use = IOMMU_PASSES;
	finds("stream kind=bypass unit=0x9050000 stream=0 owner=32767 ");
	hw[0][0].use = IOMMU_UNKNOWN;
	finds("stream kind=other-form unit=0x9050000 stream=0 owner=32767 ");
}

Test(audit_streams, tags_and_forms)
{
	hw[0][8].by.tag++;
	finds("stream kind=other-tag unit=0x9050000 stream=0x8 owner=0 "
	      "tables-of=0\n");
	hw[0][8].by.tag--;
	hw[0][8].by.start_level ^= 1;
	finds("stream kind=other-form unit=0x9050000 stream=0x8 owner=0 ");
	hw[0][8].by.start_level ^= 1;
	hw[0][8].by.bits++;
	finds("stream kind=other-form");
	hw[0][8].by.bits -= 2; /* what both can do */
	passes();
	d1->iommu.tag = d0->iommu.tag;
	look();
	cr_assert(strstr(out, "vm kind=same-tag domain=0 root="), "%s", out);
	cr_assert(strstr(out, "stream kind=other-tag"), "%s", out);
}

Test(audit_streams, of_two)
{
	twin.owner = d2; /* which iommu_assign() would not do */
	look();
	cr_assert(strstr(out, "stream kind=of-two unit=0x9050000 stream=0x12"),
		  "%s", out);
	cr_assert(strstr(out, "found=1 "), "%s", out);
	twin.owner = NULL;
	passes();
}

/* ---- memory of units' tables --------------------------------------------- */

/* A table is followed into what is the hypervisor's, and nowhere else. */
Test(audit_streams, memory_of_units)
{
	uint64_t pa, none;
	char *va = iommu_alloc_frames(2, &pa);
	uint64_t ram = mfn_to_paddr(frame(d1, RAM)).v;

	cr_assert_not_null(va);
	cr_assert_eq(pa % (4 * PAGE_SIZE), 0);
	cr_assert_eq(iommu_memory_at(pa), va);
	cr_assert_eq(iommu_memory_at(pa + 0x3040), va + 0x3040);
	cr_assert_null(iommu_memory_at(ram));
	cr_assert_null(iommu_memory_at(UINT64_C(1) << 50));
	hv_free_pages(NULL, va, 2);
	cr_assert_null(iommu_memory_at(pa));
	cr_assert_null(iommu_alloc_frames(20, &none));
	cr_assert_eq(none, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI bridge that a guest sees, over functions that note each write. */
// LINK: core/vpci.c core/vpci_bar.c core/vpci_caps.c core/mmio.c core/lock.c
// LINK: debug/lock_check.c core/percpu.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_pci.c
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/percpu.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_pci.h"

#define MFN 0x900000u
#define A (uint32_t)VPCI_MEM_BASE
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
	fake_pci_check(W);
	vpci_domain_fini(&W->d);
	vpci_domain_fini(&W->d);
	cr_expect_eq(fake_heap_objects, 0);
	cr_expect_eq(cpu.held_ranks, 0);
}

TestSuite(vpci, .init = setup, .fini = teardown);

static void add(struct fake_pci *p)
{
	cr_assert_eq(vpci_add(&W->d, &p->f), 0);
	p->is_ours = true;
}

static uint64_t read_at(uint64_t addr, unsigned int bytes)
{
	uint64_t val = 0;

	cr_assert_eq(fake_pci_access(W, addr, bytes, false, &val), MMIO_OK);
	return val;
}

/* ---- where there is nothing ---------------------------------------------- */

Test(vpci, nothing_answers_with_ones)
{
	static const uint64_t at[] = {
		VPCI_ECAM_BASE, VPCI_ECAM_BASE + 0x8000, VPCI_MEM_BASE,
		VPCI_ECAM_BASE + VPCI_ECAM_SIZE - 8, GUEST_VPCI_ECAM_BASE,
		VPCI_MEM_BASE + VPCI_MEM_SIZE - 8,
		GUEST_VPCI_ECAM_BASE + GUEST_VPCI_ECAM_SIZE - 8,
	};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (unsigned int bytes = 1; bytes <= 8; bytes *= 2) {
			uint64_t ones = UINT64_MAX >> (64 - 8 * bytes);
			uint64_t val = 0;

			cr_expect_eq(read_at(at[i], bytes) & ones, ones);
			cr_expect_eq(fake_pci_access(W, at[i], bytes, true,
						     &val), MMIO_OK);
		}
	}
	cr_expect_null(mmio_find(&W->d, ipa(VPCI_ECAM_BASE - 1)));
	cr_expect_null(mmio_find(&W->d, ipa(VPCI_ECAM_BASE + VPCI_ECAM_SIZE)));
}

Test(vpci, numbers)
{
	uint32_t id = 0;

	for (uint32_t i = 0; i < VPCI_FUNCTIONS; i++) {
		add(&fake_pci[i]);
		cr_expect_eq(vpci_add(&W->d, &fake_pci[i].f), -EEXIST);
		cr_expect_eq(fake_cfg_read(W, i + 1, 0, 4), 0x10411af4);
		cr_expect(vpci_device_id(&W->d, (i + 1) << 3, &id));
		cr_expect_eq(id, 0x100 + i);
		for (uint32_t fn = 1; fn < 8; fn++) {
			cr_expect_eq(fake_cfg_read(W, i + 1, fn << 12, 4),
				     UINT32_MAX);
			cr_expect_not(vpci_device_id(
				&W->d, (i + 1) << 3 | fn, &id));
		}
	}
	cr_expect_eq(vpci_add(&W->d, &fake_pci[8].f), -ENOSPC);
	cr_expect_not(vpci_device_id(&W->d, 0, &id));
	cr_expect_not(vpci_device_id(&W->d, 9 << 3, &id));
	cr_expect_not(vpci_device_id(&W->d, UINT32_MAX, &id));
	cr_expect_not(vpci_device_id(&W->d, 0x100 + 8, &id));
	cr_expect_eq(fake_cfg_read(W, 0, 0, 4), UINT32_MAX);
	cr_expect_eq(fake_cfg_read(W, 9, 0, 4), UINT32_MAX);
	cr_expect_eq(fake_cfg_read(W, 31, 0, 2), UINT16_MAX);
	/* A gap is filled. */
	fake_pci_remove(W, &fake_pci[3]);
	cr_expect_eq(fake_cfg_read(W, 4, 0, 4), UINT32_MAX);
	cr_expect_not(vpci_device_id(&W->d, 4 << 3, &id));
	add(&fake_pci[8]);
	cr_expect(vpci_device_id(&W->d, 4 << 3, &id));
	cr_expect_eq(id, 0x108);
	cr_expect_eq(vpci_remove(&W->d, &fake_pci[3].f), -ENOENT);
}

Test(vpci, refused_and_undone)
{
	cr_expect_eq(vpci_add(&fake_win[1].d, &P->f), -ENODEV);
	cr_expect_eq(vpci_remove(&fake_win[1].d, &P->f), -ENOENT);
	cr_expect_not(vpci_device_id(&fake_win[1].d, 8, &(uint32_t){ 0 }));
	fake_heap_fails_in = 1;
	cr_expect_eq(vpci_domain_init(&fake_win[1].d), -ENOMEM);
	cr_expect_null(fake_win[1].d.vpci);
	fake_heap_fails_in = 1;
	cr_expect_eq(vpci_add(&W->d, &P->f), -ENOMEM);
	fake_pci_bar(P, 0, MFN, 3, false); /* no power of two */
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	fake_pci_bar(P, 0, UINT64_MAX - 1, 4, false);
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	fake_pci_bar(P, 0, MFN, 2 * FAKE_WINDOW, true);
	cr_expect_eq(vpci_add(&W->d, &P->f), -ENOSPC);
	fake_pci_bar(P, 0, MFN, 4, true); /* its upper half is another */
	fake_pci_bar(P, 1, MFN, 4, false);
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	fake_pci_bar(P, 0, MFN, 0, false);
	fake_pci_bar(P, 1, MFN, 0, false);
	fake_pci_bar(P, 5, MFN, 4, true);
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	fake_pci_bar(P, 5, MFN, 0, true);
	P->cfg[0x0e] = 0x81; /* a bridge */
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	memset(P->cfg, 0xff, sizeof(P->cfg)); /* gone */
	cr_expect_eq(vpci_add(&W->d, &P->f), -EINVAL);
	cr_expect_eq(P->nr_writes, 0);
	cr_expect_eq(fake_heap_objects, 1);
	cr_expect_eq(fake_cfg_read(W, 1, 0, 4), UINT32_MAX);
	/* No room for its ranges. */
	fake_win[1].d.mmio.nr = MMIO_MAX_RANGES - 2;
	cr_expect_eq(vpci_domain_init(&fake_win[1].d), -ENOSPC);
	cr_expect_null(fake_win[1].d.vpci);
	cr_expect_eq(fake_pci_access(&fake_win[1], VPCI_ECAM_BASE, 4, false,
				     &(uint64_t){ 0 }), MMIO_OK);
}

/* ---- the header ---------------------------------------------------------- */

Test(vpci, header)
{
	add(P);
	cr_expect_eq(P->cfg[4] | P->cfg[5] << 8, 0x402);
	cr_expect_eq(fake_cfg_read(W, 1, 0x00, 2), 0x1af4);
	cr_expect_eq(fake_cfg_read(W, 1, 0x02, 2), 0x1041);
	cr_expect_eq(fake_cfg_read(W, 1, 0x03, 1), 0x10);
	cr_expect_eq(fake_cfg_read(W, 1, 0x04, 4), 0); /* it was on */
	cr_expect_eq(fake_cfg_read(W, 1, 0x08, 4), 0x02000001);
	cr_expect_eq(fake_cfg_read(W, 1, 0x0c, 4), 0x10); /* one function */
	cr_expect_eq(fake_cfg_read(W, 1, 0x2c, 4), 0x11001af4);
	cr_expect_eq(fake_cfg_read(W, 1, 0x30, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x34, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x3c, 4), 0); /* no pin */
	cr_expect_eq(fake_cfg_read(W, 1, 0x40, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x100, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0xffc, 4), 0);
	cr_expect_eq(read_at(VPCI_ECAM_BASE + 0x8000, 8), UINT64_MAX);
	cr_expect_eq(read_at(VPCI_ECAM_BASE + 0x8001, 2) & 0xffff, 0xffff);
	cr_expect_eq(read_at(VPCI_ECAM_BASE + 0x8002, 4) & UINT32_MAX,
		     UINT32_MAX);
	for (uint32_t reg = 0; reg < 0x1000; reg += 4) {
		fake_cfg_write(W, 1, reg, 4, UINT32_MAX);
	}
	cr_expect_eq(fake_cfg_read(W, 1, 0x00, 4), 0x10411af4);
	cr_expect_eq(fake_cfg_read(W, 1, 0x04, 4), 0x406);
	cr_expect_eq(fake_cfg_read(W, 1, 0x0c, 4), 0xff);
	cr_expect_eq(fake_cfg_read(W, 1, 0x30, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x3c, 4), 0xff);
	for (uint32_t reg = 0x10; reg < 0x28; reg += 4) {
		cr_expect_eq(fake_cfg_read(W, 1, reg, 4), 0);
	}
}

/* What is written to the real one is checked by the fake, too. */
Test(vpci, command_and_status)
{
	add(P);
	fake_cfg_write(W, 1, 4, 2, 0x0547);
	cr_expect_eq(fake_cfg_read(W, 1, 4, 2), 0x0406);
	cr_expect_eq(P->cfg[4], 6);
	fake_cfg_write(W, 1, 5, 1, 0);
	cr_expect_eq(fake_cfg_read(W, 1, 4, 2), 0x0006);
	cr_expect_eq(P->cfg[5], 4); /* never INTx */
	fake_cfg_write(W, 1, 4, 1, 0);
	cr_expect_eq(P->cfg[4], 2);
	P->cfg[6] = 0x9f;
	P->cfg[7] = 0xff;
	cr_expect_eq(fake_cfg_read(W, 1, 6, 2), 0xff80);
	fake_cfg_write(W, 1, 4, 2, 0); /* says nothing about the other half */
	cr_expect_eq(P->cfg[7], 0xff);
	fake_cfg_write(W, 1, 6, 1, 0xff);
	cr_expect_eq(P->cfg[7], 0xff);
	fake_cfg_write(W, 1, 7, 1, 0x10);
	cr_expect_eq(P->cfg[7], 0xef);
	fake_cfg_write(W, 1, 4, 4, 0x80000004);
	cr_expect_eq(P->cfg[7], 0x6f);
	cr_expect_eq(P->cfg[4], 6);
	fake_pci_remove(W, P);
	cr_expect_eq(P->cfg[4], 0);
}

/* Its pin is A, whatever the real one is; one without a line has none. */
Test(vpci, line)
{
	P->cfg[0x3d] = 3;
	P->cfg[6] = 0x18;
	P->f.line = 40;
	P->f.line_of = PCI_LINE_GUEST;
	cr_expect_eq(vpci_next_virq(&W->d), VPCI_FIRST_VIRQ);
	add(P);
	cr_expect_eq(vpci_next_virq(&W->d), VPCI_FIRST_VIRQ + 1);
	cr_expect_eq(fake_cfg_read(W, 1, 0x3c, 4), 0x100);
	cr_expect_eq(P->cfg[4] | P->cfg[5] << 8, 2);
	cr_expect_eq(fake_cfg_read(W, 1, 6, 2), 8);
	fake_cfg_write(W, 1, 4, 2, 0x406);
	cr_expect_eq(P->cfg[4] | P->cfg[5] << 8, 0x406);
	fake_cfg_write(W, 1, 5, 1, 0);
	cr_expect_eq(P->cfg[4] | P->cfg[5] << 8, 6);
	fake_cfg_write(W, 1, 0x3c, 4, UINT32_MAX);
	cr_expect_eq(fake_cfg_read(W, 1, 0x3c, 4), 0x1ff);
	fake_pci_remove(W, P);
	P->f.line_of = PCI_LINE_NOBODY;
	P->f.has_id = false;
	add(P);
	cr_expect_eq(fake_cfg_read(W, 1, 0x3c, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 6, 2), 0);
	cr_expect_not(vpci_device_id(&W->d, 8, &(uint32_t){ 0 }));
	for (uint32_t i = 1; i < VPCI_FUNCTIONS; i++) {
		add(&fake_pci[i]);
	}
	cr_expect_eq(vpci_next_virq(&W->d), 0);
	cr_expect_eq(vpci_next_virq(&fake_win[1].d), 0, "has no bridge");
}

/* ---- BARs ---------------------------------------------------------------- */

static uint64_t mapped(uint64_t addr)
{
	return W->mfn[(addr - VPCI_MEM_BASE) >> PAGE_SHIFT];
}

Test(vpci, sizes)
{
	fake_pci_bar(P, 0, MFN, 1, false);
	fake_pci_bar(P, 2, MFN + 0x100, 16, true);
	add(P);
	cr_expect_eq(fake_cfg_read(W, 1, 0x10, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x18, 4), 4);
	for (uint32_t reg = 0x10; reg < 0x28; reg += 4) {
		fake_cfg_write(W, 1, reg, 4, UINT32_MAX);
	}
	cr_expect_eq(fake_cfg_read(W, 1, 0x10, 4), 0xfffff000);
	cr_expect_eq(fake_cfg_read(W, 1, 0x14, 4), 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x18, 4), 0xffff0004);
	cr_expect_eq(fake_cfg_read(W, 1, 0x1c, 4), UINT32_MAX);
	cr_expect_eq(fake_cfg_read(W, 1, 0x20, 4), 0);
	fake_cfg_write(W, 1, 0x12, 1, 0x34);
	fake_cfg_write(W, 1, 0x1e, 2, 0);
	cr_expect_eq(fake_cfg_read(W, 1, 0x10, 4), 0xff34f000);
	cr_expect_eq(fake_cfg_read(W, 1, 0x1c, 4), 0x0000ffff);
	cr_expect_eq(W->nr_mapped, 0);
}

Test(vpci, a_bar_is_where_the_guest_puts_it)
{
	fake_pci_bar(P, 0, MFN, 4, false);
	fake_pci_bar(P, 4, MFN + 0x100, 256, true);
	add(P);
	fake_cfg_write(W, 1, 0x10, 4, A + 0x4000);
	fake_cfg_write(W, 1, 0x20, 4, A + 0x100000);
	cr_expect_eq(W->nr_mapped, 0);
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, 260);
	cr_expect_eq(mapped(A + 0x4000), MFN);
	cr_expect_eq(mapped(A + 0x7000), MFN + 3);
	cr_expect_eq(mapped(A + 0x1ff000), MFN + 0x1ff);
	/* What is mapped is not emulated: who comes here comes again. */
	cr_expect_eq(fake_pci_access(W, A + 0x4000, 4, false,
				     &(uint64_t){ 0 }), MMIO_AGAIN);
	cr_expect_eq(read_at(A + 0x3ffc, 4) & UINT32_MAX, UINT32_MAX);
	/* Moved while on: at once. */
	fake_cfg_write(W, 1, 0x10, 4, A + 0x8000);
	cr_expect_eq(mapped(A + 0x4000), 0);
	cr_expect_eq(mapped(A + 0x8000), MFN);
	/* Outside, at each end. */
	fake_cfg_write(W, 1, 0x10, 4, A - 0x4000);
	cr_expect_eq(W->nr_mapped, 256);
	fake_cfg_write(W, 1, 0x10, 4, A + (uint32_t)VPCI_MEM_SIZE);
	cr_expect_eq(W->nr_mapped, 256);
	fake_cfg_write(W, 1, 0x10, 4, A + (uint32_t)VPCI_MEM_SIZE - 0x4000);
	cr_expect_eq(W->nr_mapped, 260);
	fake_cfg_write(W, 1, 0x24, 4, 1); /* above 4 GiB */
	cr_expect_eq(W->nr_mapped, 4);
	fake_cfg_write(W, 1, 0x24, 4, 0);
	cr_expect_eq(W->nr_mapped, 260);
	fake_cfg_write(W, 1, 4, 1, 0);
	cr_expect_eq(W->nr_mapped, 0);
	fake_cfg_write(W, 1, 4, 1, 6);
	cr_expect_eq(W->nr_mapped, 260);
	fake_pci_remove(W, P);
	cr_expect_eq(W->nr_mapped, 0);
}

/* The whole window, in steps that others come between. */
Test(vpci, steps)
{
	uint64_t on = 2;
	uint64_t off = 0;
	uint32_t n = 1;

	fake_pci_bar(P, 0, MFN, FAKE_WINDOW, true);
	add(P);
	fake_cfg_write(W, 1, 0x10, 4, A);
	while (fake_pci_access(W, VPCI_ECAM_BASE + 0x8004, 2, true, &on) ==
	       MMIO_AGAIN) {
		cr_assert_eq(W->nr_mapped, 64 * n);
		n++;
	}
	cr_expect_eq(n, FAKE_WINDOW / 64);
	cr_expect_eq(W->nr_mapped, FAKE_WINDOW);
	/* Off, and on again before it is off: what is there is right. */
	cr_expect_eq(fake_pci_access(W, VPCI_ECAM_BASE + 0x8004, 2, true,
				     &off), MMIO_AGAIN);
	cr_expect_eq(W->nr_mapped, FAKE_WINDOW - 64);
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, FAKE_WINDOW);
	fake_pci_check(W);
	/* Going: nothing is seen of it, nothing mapped again. */
	cr_expect_eq(vpci_remove(&W->d, &P->f), -EAGAIN);
	cr_expect_eq(vpci_add(&W->d, &P->f), -EEXIST);
	cr_expect_eq(fake_cfg_read(W, 1, 0, 4), UINT32_MAX);
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, FAKE_WINDOW - 64);
	/* Another one's accesses do a step of it as well. */
	add(&fake_pci[1]);
	cr_expect_eq(fake_pci_access(W, VPCI_ECAM_BASE + 0x10004, 2, true,
				     &on), MMIO_AGAIN);
	cr_expect_eq(W->nr_mapped, FAKE_WINDOW - 128);
	fake_pci_remove(W, P);
	cr_expect_eq(W->nr_mapped, 0);
}

Test(vpci, who_comes_later_has_nothing)
{
	struct fake_pci *q = &fake_pci[1];

	fake_pci_bar(P, 0, MFN, 4, false);
	fake_pci_bar(q, 0, MFN + 0x10, 8, false);
	fake_pci_bar(q, 1, MFN + 0x20, 1, false);
	add(P);
	add(q);
	fake_cfg_write(W, 1, 4, 2, 2);
	fake_cfg_write(W, 2, 4, 2, 2);
	fake_cfg_write(W, 1, 0x10, 4, A + 0x4000);
	fake_cfg_write(W, 2, 0x10, 4, A);
	fake_cfg_write(W, 2, 0x14, 4, A + 0x5000);
	cr_expect_eq(W->nr_mapped, 4);
	/* The place is free: the first that asked for it has it. */
	fake_cfg_write(W, 1, 0x10, 4, A + 0x10000);
	cr_expect_eq(W->nr_mapped, 12);
	cr_expect_eq(mapped(A + 0x5000), MFN + 0x15);
	fake_pci_remove(W, q);
	cr_expect_eq(W->nr_mapped, 4);
}

Test(vpci, nothing_is_replaced)
{
	fake_pci_bar(P, 0, MFN, 128, false);
	add(P);
	W->type[100] = P2M_RAM_RW;
	W->mfn[100] = 0x1234;
	fake_cfg_write(W, 1, 0x10, 4, A);
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, 0);
	cr_expect_eq(W->mfn[100], 0x1234);
	cr_expect_eq(W->d.guest_errors, 1);
	/* The toolstack's page is read by the guest, and written if it may. */
	cr_expect_eq(fake_pci_access(W, A + 100 * 4096, 4, true,
				     &(uint64_t){ 0 }), MMIO_AGAIN);
	W->type[100] = P2M_RAM_RO;
	cr_expect_eq(fake_pci_access(W, A + 100 * 4096, 4, true,
				     &(uint64_t){ 0 }), MMIO_ABORT);
	W->type[100] = P2M_DOORBELL;
	cr_expect_eq(fake_pci_access(W, A + 100 * 4096, 4, false,
				     &(uint64_t){ 0 }), MMIO_ABORT);
	W->type[100] = P2M_NONE;
	W->mfn[100] = 0;
	/* Not by itself, but when the guest says so again. */
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, 0);
	fake_cfg_write(W, 1, 4, 2, 0);
	fake_cfg_write(W, 1, 4, 2, 2);
	cr_expect_eq(W->nr_mapped, 128);
	/* No memory for tables: none of it is there; elsewhere it may be. */
	fake_pci_map_fails_in = 2;
	fake_cfg_write(W, 1, 0x10, 4, A + 0x80000);
	cr_expect_eq(W->nr_mapped, 0);
	fake_cfg_write(W, 1, 0x10, 4, A + 0x100000);
	cr_expect_eq(W->nr_mapped, 128);
	/* The toolstack has put something else there: it stays. */
	W->type[0x100] = P2M_NONE;
	W->mfn[0x100] = 0;
	W->type[0x101] = P2M_RAM_RW;
	W->mfn[0x102] = 0x77;
	W->nr_mapped -= 3;
	fake_pci_remove(W, P);
	cr_expect_eq(W->mfn[0x102], 0x77);
	cr_expect_eq(W->nr_mapped, 0);
	W->type[0x102] = P2M_NONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/p2m.c core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/page_alloc.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "core/guest_win_fast.h"
#include "fake_guest_mem.h"

#define PAGE 0x1000u
#define BASE UINT64_C(0x10000) /* frames 0x10..0x13 are RAM, 0x20 a device */

static struct domain *d1, *d2;
static struct vcpu *v;

static void setup(void)
{
	world_init(32);
	d1 = world_domain(1, false, 1);
	d2 = world_domain(2, false, 1);
	v = d1->vcpu[0];
	world_ram(d1, 0x10, 4);
	cr_assert_eq(p2m_map_mmio(d1, gfn(0x20), mfn(0x8000), 1,
				  P2M_MMIO_DEV), 0);
	/* RAM of the machine mapped as a device: page_of() knows it not. */
	cr_assert_eq(p2m_map_mmio(d1, gfn(0x21), mfn(0x40000), 1,
				  P2M_MMIO_DEV), 0);
}

static void teardown(void)
{
	cr_assert_eq(world_fini(), 0);
	fake_guest_hostile(false);
}

TestSuite(guest_win, .init = setup, .fini = teardown);

static struct page *frame(uint64_t g)
{
	return page_of(p2m_lookup(d1, gfn(g)).mfn);
}

Test(guest_win, window_pins_its_frames)
{
	struct guest_win w;
	uint64_t x;

	guest_put(d1, BASE + PAGE - 4, "abcdefgh", 8);
	cr_assert_eq(guest_win_open(v, BASE + PAGE - 4, 8, HC_IN, &w), 0);
	cr_assert_eq(frame(0x10)->count, 3);
	cr_assert_eq(frame(0x11)->count, 3);
	guest_win_read(&w, &x, 0, 8);
	cr_assert_eq(memcmp(&x, "abcdefgh", 8), 0);
	guest_win_close(&w);
	cr_assert_eq(frame(0x10)->count, 2);
	cr_assert_eq(frame(0x11)->count, 2);
	cr_assert_null(w.va[0]); /* poisoned in the checking build */
}

Test(guest_win, parts_read_and_written_at_any_offset)
{
	uint8_t in[64], out[64];
	uint32_t at, off, len, i;

	for (at = 0; at < 64; at += 7) {
		for (off = 0; off < 64; off += 5) {
			for (len = 0; len <= 64 - off; len += 3) {
				uint64_t va = BASE + PAGE - at;
				struct guest_win w;

				for (i = 0; i < 64; i++) {
					in[i] = (uint8_t)(i + at + off);
				}
				cr_assert_eq(guest_win_open(v, va, 64,
							    HC_IN | HC_OUT,
							    &w), 0);
				guest_win_write(&w, in, 0, 64);
				memset(out, 0, sizeof(out));
				guest_win_read(&w, out, off, len);
				cr_assert_eq(memcmp(out, in + off, len), 0);
				guest_win_write(&w, in, off, len);
				guest_win_close(&w);
				guest_get(d1, va + off, out, len);
				cr_assert_eq(memcmp(out, in, len), 0);
			}
		}
	}
}

Test(guest_win, refusals)
{
	struct guest_win w;
	uint32_t refs;

	cr_assert_eq(guest_win_open(v, BASE - 1, 1, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, BASE - 1, 2, HC_IN, &w), -EFAULT);
	refs = frame(0x13)->count;
	cr_assert_eq(guest_win_open(v, BASE + 4 * PAGE - 1, 2, HC_IN, &w),
		     -EFAULT);
	cr_assert_eq(frame(0x13)->count, refs);
	cr_assert_eq(guest_win_open(v, BASE, 0, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, BASE, PAGE + 1, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, BASE, UINT32_MAX, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, BASE, PAGE, HC_IN, &w), 0);
	guest_win_close(&w);
	cr_assert_eq(guest_win_open(v, 0x20000, 4, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, 0x21000, 4, HC_IN, &w), -EFAULT);
	cr_assert_eq(guest_win_open(v, UINT64_MAX - 3, 4, HC_IN, &w),
		     -EFAULT);
}

Test(guest_win, wrap_of_the_address_space)
{
	uint64_t top = UINT64_MAX >> PAGE_SHIFT;
	struct guest_win w;
	uint8_t b[16];

	/* Pages at both ends of the address space: still no way round. */
	fake_ipa_bits = 64;
	world_ram(d1, 0, 1);
	world_ram(d1, top, 1);
	cr_assert_eq(guest_copy_in(v, b, UINT64_MAX - 7, 8), 0);
	cr_assert_eq(guest_copy_in(v, b, UINT64_MAX - 7, 16), -EFAULT);
	cr_assert_eq(guest_copy_out(v, UINT64_MAX - 7, b, 16), -EFAULT);
	cr_assert_eq(guest_win_open(v, UINT64_MAX - 7, 16, HC_IN, &w),
		     -EFAULT);
	cr_assert_eq(frame(0)->count, 2);
	cr_assert_eq(p2m_remove_page(d1, gfn(top), P2M_MASK_RAM), 0);
	d1->p2m.max_gfn = 0x100; /* spare the tear-down 2^52 steps */
}

Test(guest_win, write_needs_the_right_to_write)
{
	struct guest_win w;
	uint32_t x = 5;
	mfn_t m;

	cr_assert_eq(dom_alloc_pages(d1, 0, &m), 0);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x18), m, 0, P2M_RAM_RO), 0);
	cr_assert_eq(guest_win_open(v, 0x18000, 4, HC_OUT, &w), -EFAULT);
	cr_assert_eq(guest_copy_out(v, 0x18000, &x, 4), -EFAULT);
	cr_assert_eq(guest_copy_in(v, &x, 0x18000, 4), 0);
	cr_assert_eq(x, 0);
}

Test(guest_win, foreign_pages_can_be_used)
{
	struct page *pg;
	uint32_t x = 77;

	world_ram(d2, 5, 1);
	pg = p2m_get_page(d2, gfn(5), NULL);
	cr_assert_eq(p2m_map_page(d1, gfn(0x30), pg, P2M_FOREIGN_RW), 0);
	cr_assert_eq(guest_copy_out(v, 0x30010, &x, 4), 0);
	guest_get(d2, 0x5010, &x, 4);
	cr_assert_eq(x, 77);
	cr_assert_eq(pg->count, 3);
}

static uint64_t victim;

/* Another vCPU gives the page away right after it was translated. */
static void take_away(struct vcpu *who, uint64_t va, bool write)
{
	mfn_t m;

	(void)who;
	(void)write;
	if (va >> PAGE_SHIFT != victim) {
		return;
	}
	fake_on_translate = NULL;
	cr_assert_eq(p2m_remove_page(d1, gfn(victim),
				     P2M_MASK_RAM | P2M_MASK_FOREIGN), 0);
	cr_assert_eq(dom_alloc_pages(d2, 0, &m), 0);
	page_release_owner(d2, page_of(m));
}

static struct page *still_held;

static void take_away_and_reuse(struct vcpu *who, uint64_t va, bool write)
{
	struct page *pg = frame(victim);
	mfn_t m;

	(void)who;
	(void)va;
	(void)write;
	fake_on_translate = NULL;
	cr_assert_eq(p2m_remove_page(d1, gfn(victim), P2M_MASK_RAM), 0);
	do {
		cr_assert_eq(dom_alloc_pages(d2, 0, &m), 0);
		cr_assert_eq(p2m_map_ram(d2, gfn(m.v), m, 0, P2M_RAM_RW), 0);
	} while (page_of(m) != pg);
	still_held = pg;
}

Test(guest_win, page_given_away_during_the_open)
{
	struct guest_win w;

	victim = 0x11;
	fake_on_translate = take_away;
	cr_assert_eq(guest_win_open(v, 0x11000, 8, HC_IN, &w), -EFAULT);
	/* The same, and it belongs to another domain by now. */
	victim = 0x12;
	fake_on_translate = take_away_and_reuse;
	cr_assert_eq(guest_win_open(v, 0x12000, 8, HC_IN, &w), -EFAULT);
	cr_assert_eq(still_held->owner, 2);
	cr_assert_eq(still_held->count, 2);
}

static void must_peek(struct vcpu *u, uint64_t va, bool write)
{
	(void)u;
	(void)va;
	cr_assert(!write);
	cr_assert(this_pcpu()->peeks);
}

Test(guest_win, peek)
{
	struct page *pg = frame(0x10);
	uint32_t refs = pg->count;
	char got[8];

	guest_put(d1, BASE + PAGE - 8, "abcdefgh", 8);
	fake_on_translate = must_peek;
	cr_assert_eq(guest_peek(v, got, BASE + PAGE - 8, 8), 0);
	cr_assert_eq(memcmp(got, "abcdefgh", 8), 0);
	cr_assert(!this_pcpu()->peeks);
	cr_assert_eq(pg->count, refs);
	cr_assert_eq(guest_peek(v, got, BASE - 8, 8), -EFAULT);
	cr_assert_eq(guest_peek(v, got, 0x20000, 8), -EFAULT);
	cr_assert_eq(guest_peek(v, got, 0x21000, 8), -EFAULT);
	cr_assert(!this_pcpu()->peeks);
}

/* Another CPU is in guest_peek() with a frame that goes meanwhile. */
static struct pcpu other;
static unsigned int turns;

static void peek_goes_on(void)
{
	cr_assert_neq(still_held->count, 0);
	if (++turns == 3) {
		other.peeks = false;
	}
}

Test(guest_win, frame_stays_while_a_cpu_peeks)
{
	pcpus[1] = &other;
	other.peeks = true;
	still_held = frame(0x12);
	fake_on_relax = peek_goes_on;
	cr_assert_eq(p2m_remove_page(d1, gfn(0x12), P2M_MASK_RAM), 0);
	cr_assert_eq(turns, 3);
	cr_assert_eq(still_held->count, 0);
}

Test(guest_win, copies_read_each_byte_once)
{
	uint8_t data[3 * PAGE], got[3 * PAGE];
	uint32_t i;

	for (i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 31);
	}
	guest_put(d1, BASE + 100, data, sizeof(data));
	fake_guest_hostile(true);
	cr_assert_eq(guest_copy_in(v, got, BASE + 100, sizeof(got)), 0);
	cr_assert_eq(memcmp(got, data, sizeof(got)), 0);
	for (i = 0; i < sizeof(data); i++) {
		cr_assert_eq(guest_reads(d1, BASE + 100 + i), 1);
	}
	cr_assert_eq(guest_reads(d1, BASE + 99), 0);
	cr_assert_eq(guest_copy_in(v, got, BASE + 2 * PAGE, 3 * PAGE),
		     -EFAULT);
	cr_assert_eq(guest_copy_out(v, BASE + 2 * PAGE, data, 3 * PAGE),
		     -EFAULT);
	cr_assert_eq(guest_copy_in(v, got, 0, 0), 0);
}

Test(guest_win, iterator_walks_once_and_in_order)
{
	uint64_t list[600], x;
	struct guest_iter it;
	unsigned int i;

	for (i = 0; i < 600; i++) {
		list[i] = i * 3;
	}
	guest_put(d1, BASE + 4, list, sizeof(list)); /* straddles a page */
	fake_guest_hostile(true);
	cr_assert_eq(guest_iter_init(&it, v, BASE + 4, 600, 8), 0);
	cr_assert_eq(guest_iter_reply(&it, &x), -ENODATA);
	for (i = 0; i < 600; i++) {
		cr_assert_eq(guest_iter_next(&it, &x), 0);
		cr_assert_eq(x, i * 3);
		x = ~x;
		cr_assert_eq(guest_iter_reply(&it, &x), 0);
		cr_assert_eq(guest_get_u64(d1, BASE + 4 + i * 8), ~(i * 3ul));
	}
	cr_assert_eq(guest_iter_next(&it, &x), -ENODATA);
	guest_iter_seek(&it, 599);
	cr_assert_eq(guest_iter_next(&it, &x), 0);
	guest_iter_seek(&it, 601);
	cr_assert_eq(guest_iter_next(&it, &x), -ENODATA);
}

Test(guest_win, iterator_refuses_arrays_that_wrap)
{
	struct guest_iter it;
	uint64_t x;

	cr_assert_eq(guest_iter_init(&it, v, BASE, UINT64_MAX, 8), -EFAULT);
	cr_assert_eq(guest_iter_init(&it, v, UINT64_MAX - 8, 2, 8), -EFAULT);
	cr_assert_eq(guest_iter_init(&it, v, BASE, UINT64_MAX / 8, 8),
		     -EFAULT);
	cr_assert_eq(guest_iter_init(&it, v, 0, 0, 8), 0);
	cr_assert_eq(guest_iter_next(&it, &x), -ENODATA);
	cr_assert_eq(guest_iter_init(&it, v, 0, 1, 8), 0);
	cr_assert_eq(guest_iter_next(&it, &x), -EFAULT);
	cr_assert_eq(it.next, 0);
}

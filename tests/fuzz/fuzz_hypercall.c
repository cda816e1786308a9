/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of hypercalls with arguments and memory of the fuzzer's choice, by
 * a control domain and a guest. Whatever comes in: no access out of bounds, no
 * failed check, every frame and every domain reference back at the end.
 *
 * Input: records of a byte of choices, a byte hypercall, a byte command, a
 * byte of address choices, and 16 bytes that land in the argument structure.
 */
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_table.c core/page_tree.c
// LINK: core/page_range.c core/p2m.c core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// RUNS: 2000
#include <stdlib.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define FIRST_FRAME UINT64_C(0x10)
#define NR_FRAMES 4
#define MAX_CALLS 64
#define MAX_RESTARTS 4000

struct record {
	uint8_t choice; /* bit 0: which domain, bit 1: hostile memory */
	uint8_t nr;
	uint8_t cmd;
	uint8_t where;
	uint8_t offset;
	uint8_t data[16];
};

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static const uint64_t address[] = {
	ARG, ARG + 8, ARG + 0x800, ARG + 0xff8, ARG + 0x1000,
	ARG + 0x3ff0, 0, UINT64_MAX - 7,
};

static uint64_t pick(unsigned int i)
{
	return address[i % ARRAY_SIZE(address)];
}

/* Still mapped, as the calls may have taken it away? */
static void put(struct domain *d, uint64_t va, const void *p, size_t n)
{
	uint64_t end = va + n - 1;

	if (p2m_type_is_writable(p2m_lookup(d, gfn(va >> 12)).type) &&
	    p2m_type_is_writable(p2m_lookup(d, gfn(end >> 12)).type)) {
		guest_put(d, va, p, n);
	}
}

static void one_call(struct domain *d, const struct record *r)
{
	uint64_t args[6] = { r->cmd, pick(r->where), pick(r->where >> 3),
			     r->data[0], r->data[1], 0 };
	uint32_t restarts = 0;

	if (r->where & 0x80) { /* calls whose first argument is an address */
		args[0] = pick(r->where);
		args[1] = r->cmd;
	}
	put(d, ARG + r->offset * 16u, r->data, sizeof(r->data));
	fake_guest_hostile((r->choice & 2) != 0);
	while (hypercall_dispatch(d->vcpu[0], r->nr % NR_HYPERCALLS, args) ==
	       HC_RESTARTED) {
		if (restarts++ > MAX_RESTARTS) {
			break; /* a guest may ask for 2^32 multicall entries */
		}
	}
	fake_guest_hostile(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static const uint64_t words[] = { ARG + 0x40, FIRST_FRAME, 0x200, 1 };
	static bool is_ready;
	struct domain *d[2];
	struct record r;
	unsigned int i, n;

	if (!is_ready) {
		world_init(16);
		is_ready = true;
	}
	memset(&world_log, 0, sizeof(world_log));
	d[0] = world_domain(0, true, 2);
	d[1] = world_domain(1, false, 2);
	for (i = 0; i < 2; i++) {
		d[i]->evtchn.nr_ports = 16;
		world_ram(d[i], FIRST_FRAME, NR_FRAMES);
		for (n = 0; n < 64; n++) {
			put(d[i], ARG + n * 32, words, sizeof(words));
		}
	}
	for (n = 0; n < MAX_CALLS && size >= sizeof(r); n++) {
		memmove(&r, in, sizeof(r));
		in += sizeof(r);
		size -= sizeof(r);
		one_call(d[r.choice & 1], &r);
	}
	if (world_log.refs != 0 || world_fini() != 0) {
		abort();
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ITS driver over an ITS at its worst (its_model.h): devices and events
 * that come, move and go at random, CPUs that go off line and come back,
 * messages at any time. Every message that is due arrives, where it should;
 * none for what is not mapped, disabled, or at a CPU that is off line; and the
 * driver does nothing that the architecture forbids.
 */
// LINK: drivers/gic/its.c tests/fakes/its_model.c tests/fakes/its_model_cmd.c
// CFLAGS: -include tests/fakes/fake_gic_port.h
#include <criterion/criterion.h>
#include <string.h>

#include <lib/errno.h>
#include "arch/its.h"
#include "drivers/gic/gic_priv.h"
#include "its_model.h"

#define EVENTS 200000u
#define DEVS 6u
#define LPIS 96u
#define ITTS 32u /* events of a device at most */
#define ANY IM_CPUS

static const uint32_t ids[DEVS] = { 0, 5, 511, 512, 1030, 4095 };
static struct {
	bool mapped;
	unsigned int bits;
	struct its_mem itt;
	size_t size;
	uint16_t lpi[ITTS]; /* 1 + number; 0: none */
} dev[DEVS];
static struct {
	bool mapped, enabled;
	uint32_t dev, event;
	uint16_t collection;
	bool waiting;      /* a message has to come, or to stay */
	uint32_t sent_at;  /* its CPU then */
} lpi[LPIS];
static uint16_t where[IM_CPUS]; /* of a collection */
static uint32_t online;
static bool came_back;          /* a CPU: an event moves when asked about */
static uint32_t busy;           /* device that a command is about */
static uint32_t taken, sent;
static uint32_t pages;          /* second levels */
static bool dead;
static bool cpus_move;

static bool is_on(uint32_t cpu)
{
	return online >> cpu & 1;
}

static void fine(int rc)
{
	cr_assert_null(im_error, "%s", im_error);
	if (rc == -EIO) {
		dead = true;
	} else {
		cr_assert_eq(rc, 0);
	}
}

/* ---- messages ------------------------------------------------------------ */

/* Where nothing of it waits already, it has to come to that CPU. */
static void message(uint32_t n, bool is_settled)
{
	if (lpi[n].mapped) {
		for (uint32_t cpu = 0; cpu < IM_CPUS; cpu++) {
			is_settled = is_settled &&
				     !im_is_pending(cpu, n + LPI_FIRST);
		}
		is_settled = is_settled && !lpi[n].waiting;
		lpi[n].waiting = true;
		lpi[n].sent_at = is_settled ? where[lpi[n].collection] : ANY;
		im_message(ids[lpi[n].dev], lpi[n].event);
		sent++;
	}
}

/* A device does as it likes; while commands run, too. */
static void between(void)
{
	uint32_t n = im_any(LPIS);

	if (im_any(4) != 0) {
		return;
	}
	if (lpi[n].dev != busy) {
		message(n, false);
	} else if (im_any(4) == 0) {
		im_message(ids[busy], im_any(ITTS));
	}
}

static void take(uint32_t cpu, bool is_settled)
{
	uint32_t got = im_take(cpu);
	uint32_t n = got - LPI_FIRST;

	if (!got) {
		return;
	}
	cr_assert(is_on(cpu), "CPU %u is off line", cpu);
	cr_assert(n < LPIS && lpi[n].mapped, "LPI %u is nobody's", n);
	cr_assert(lpi[n].enabled ||
			  (came_back && cpu != where[lpi[n].collection]),
		  "LPI %u is disabled", n);
	cr_assert(!is_settled || !lpi[n].waiting || lpi[n].sent_at == ANY ||
		  cpu == lpi[n].sent_at ||
		  cpu == where[lpi[n].collection], "LPI %u at CPU %u", n, cpu);
	lpi[n].waiting = false;
	taken++;
}

static bool is_kept(uint32_t n)
{
	bool is = false;

	for (uint32_t cpu = 0; cpu < IM_CPUS; cpu++) {
		bool here = im_is_pending(cpu, n + LPI_FIRST);

		cr_assert(!here || is_on(cpu), "LPI %u waits at CPU %u", n,
			  cpu);
		cr_assert(!here || lpi[n].mapped, "LPI %u waits", n);
		is = is || here;
	}
	return is;
}

/* All is where it should be. */
static void check(void)
{
	size_t must = ITS_QUEUE_SIZE + LPI_NR + IM_CPUS * ITS_PEND_SIZE;

	im_settle();
	for (uint32_t cpu = 0; cpu < IM_CPUS; cpu++) {
		for (uint32_t i = 0; i < LPIS; i++) {
			take(cpu, true);
		}
	}
	/*
	 * After CPUs came back one may wait where its collection was, and the
	 * redistributor there does not hear of INVALL: until it is asked about,
	 * one that was enabled or disabled by that is what it was.
	 */
	for (uint32_t n = 0; n < LPIS; n++) {
		bool is = is_kept(n);

		cr_assert(!lpi[n].waiting ||
				  (is && (!lpi[n].enabled || came_back)),
			  "LPI %u is lost", n);
	}
	for (uint32_t i = 0; i < DEVS; i++) {
		must += dev[i].mapped ? dev[i].size : 0;
	}
	cr_assert_geq(im_in_use(), must + pages * its_page_size());
	fine(0);
}

/* ---- what software does -------------------------------------------------- */

static void map_device(uint32_t i)
{
	struct its_mem page;

	if (dev[i].mapped || !its_has_device(ids[i])) {
		return;
	}
	if (its_needs_page(ids[i])) {
		if (im_any(4) == 0) {
			return; /* no memory */
		}
		page = im_alloc(its_page_size(), its_page_size(), IM_LEVEL);
		cr_assert_not_null(page.va);
		pages++;
		its_give_page(ids[i], &page);
		cr_assert(!its_needs_page(ids[i]));
	}
	dev[i].bits = 1 + im_any(5);
	dev[i].size = align_up(its_itt_entry() << dev[i].bits, 256);
	dev[i].itt = im_alloc(dev[i].size, ITS_ITT_ALIGN, IM_ITT);
	if (!dev[i].itt.va) {
		return;
	}
	arch_clean_dcache(dev[i].itt.va, dev[i].size);
	memset(dev[i].lpi, 0, sizeof(dev[i].lpi));
	dev[i].mapped = true;
	fine(its_map_device(ids[i], dev[i].itt.pa, dev[i].bits));
}

static void forget(uint32_t n)
{
	dev[lpi[n].dev].lpi[lpi[n].event] = 0;
	lpi[n].mapped = false;
	lpi[n].waiting = false;
	lpi[n].enabled = false;
	its_set_enable(n + LPI_FIRST, false);
}

static void unmap_device(uint32_t i)
{
	if (!dev[i].mapped) {
		return;
	}
	fine(its_unmap_device(ids[i], dev[i].lpi, 1u << dev[i].bits));
	for (uint32_t n = 0; n < LPIS; n++) {
		if (lpi[n].mapped && lpi[n].dev == i) {
			forget(n);
		}
	}
	dev[i].mapped = false;
	if (!dead) {
		im_free(&dev[i].itt, dev[i].size);
	}
}

static uint16_t any_collection(uint16_t cpu)
{
	return is_on(cpu) ? cpu : (uint16_t)__builtin_ctz(online);
}

static void map_event(uint32_t i, uint32_t n)
{
	uint32_t event = im_any(1u << dev[i].bits);
	uint16_t cpu = (uint16_t)im_any(IM_CPUS);

	if (!dev[i].mapped || dev[i].lpi[event] || lpi[n].mapped) {
		return;
	}
	lpi[n].enabled = im_any(4) != 0;
	its_set_enable(n + LPI_FIRST, lpi[n].enabled);
	lpi[n].mapped = true;
	lpi[n].dev = i;
	lpi[n].event = event;
	lpi[n].collection = any_collection(cpu);
	dev[i].lpi[event] = (uint16_t)(n + 1);
	fine(its_map_event(ids[i], event, n + LPI_FIRST, cpu));
}

static void on_event(uint32_t n)
{
	uint32_t id = ids[lpi[n].dev], event = lpi[n].event;
	uint16_t cpu = (uint16_t)im_any(IM_CPUS);
	uint16_t home = lpi[n].collection;

	busy = lpi[n].dev;
	lpi[n].collection = came_back ? any_collection(home) : home;
	switch (im_any(8)) {
	case 0:
		fine(its_event(ITS_INT, id, event, home));
		break;
	case 1:
		fine(its_event(ITS_CLEAR, id, event, home));
		lpi[n].waiting = false;
		break;
	case 2:
		fine(its_event(ITS_DISCARD, id, event, home));
		forget(n);
		break;
	case 3:
	case 4:
		lpi[n].enabled = !lpi[n].enabled;
		its_set_enable(n + LPI_FIRST, lpi[n].enabled);
		fine(its_event(ITS_INV, id, event, home));
		break;
	default:
		lpi[n].collection = any_collection(cpu);
		fine(its_move_event(id, event, cpu));
		break;
	}
}

static void some_masks(void)
{
	for (uint32_t n = im_any(LPIS); n < LPIS; n += 1 + im_any(8)) {
		if (lpi[n].mapped) {
			lpi[n].enabled = !lpi[n].enabled;
			its_set_enable(n + LPI_FIRST, lpi[n].enabled);
		}
	}
	fine(its_inv_all());
}

/* Messages on their way when a CPU comes or goes may be at either. */
static void cpu_moves(uint16_t cpu)
{
	uint16_t to = (uint16_t)im_any(IM_CPUS);

	if (!is_on(cpu)) {
		fine(its_join_cpu(cpu));
		online |= 1u << cpu;
		where[cpu] = cpu;
		came_back = true;
	} else if (to != cpu && is_on(to)) {
		fine(its_leave_cpu(cpu, to));
		online &= ~(1u << cpu);
		for (uint32_t i = 0; i < IM_CPUS; i++) {
			where[i] = where[i] == cpu ? to : where[i];
		}
	}
	for (uint32_t n = 0; n < LPIS; n++) {
		lpi[n].sent_at = ANY;
	}
}

static void event(void)
{
	uint32_t what = im_any(1000), n = im_any(LPIS);

	busy = im_any(DEVS);
	if (what < 500) {
		message(n, true);
	} else if (what < 680) {
		im_tick();
	} else if (what < 700) {
		take(im_any(IM_CPUS), false);
	} else if (what < 725) {
		map_device(busy);
	} else if (what < 735) {
		unmap_device(busy);
	} else if (what < 830) {
		map_event(busy, n);
	} else if (what < 960) {
		if (lpi[n].mapped) {
			on_event(n);
		}
	} else if (cpus_move && what < 965) {
		busy = DEVS;
		cpu_moves((uint16_t)im_any(IM_CPUS));
	} else if (what < 970) {
		some_masks();
	} else {
		check();
	}
	busy = DEVS;
}

/* ---- the machine --------------------------------------------------------- */

static struct its_config mem;

static int probe(const struct im_config *c, uint64_t seed)
{
	struct its_sizes s;
	int rc;

	im_start(c, seed);
	im_between = between;
	busy = DEVS;
	rc = its_probe(im_regs, &s);
	if (rc) {
		return rc;
	}
	mem.queue = im_alloc(ITS_QUEUE_SIZE, ITS_QUEUE_SIZE, IM_QUEUE);
	mem.config = im_alloc(LPI_NR, LPI_NR, IM_CONFIG);
	for (uint32_t i = 0; i < IM_CPUS; i++) {
		mem.pend[i] = im_alloc(ITS_PEND_SIZE, ITS_PEND_ALIGN, IM_PEND);
	}
	mem.devices = im_alloc(s.devices, s.devices, IM_DEVICES);
	mem.collections = im_alloc(s.page, s.page, IM_COLLECTIONS);
	cr_assert_not_null(mem.devices.va);
	cr_assert_not_null(mem.collections.va);
	rc = its_start(&mem, IM_CPUS);
	cr_assert_null(im_error, "%s", im_error);
	return rc;
}

static void cpu_on(uint16_t cpu)
{
	its_init_cpu(cpu, im_gicr[cpu], UINT64_C(0x80000000) + cpu * 0x20000u);
	fine(0);
}

static void up(const struct im_config *c, uint64_t seed)
{
	cr_assert_eq(probe(c, seed), 0);
	for (uint16_t i = 0; i < IM_CPUS; i++) {
		cpu_on(i);
		fine(its_join_cpu(i));
		online |= 1u << i;
		where[i] = i;
	}
}

static void play(const struct im_config *c, uint64_t seed)
{
	up(c, seed);
	for (uint32_t i = 0; i < EVENTS; i++) {
		cpus_move = i >= EVENTS / 2;
		event();
	}
	check();
	for (uint32_t i = 0; i < DEVS; i++) {
		unmap_device(i);
	}
	check();
	cr_assert_gt(taken, EVENTS / 20, "%u of %u", taken, sent);
	cr_assert_gt(im_commands, EVENTS / 2);
}

static const struct im_config usual = {
	.snoops = true, .indirect = true, .has_collections = true,
	.device_pages = 3, .collection_pages = 3, .dev_bits = 16,
	.itt_entry = 12, .hurry = 8,
};

Test(its_model, usual)
{
	play(&usual, 1001);
}

/* Nothing sees the CPUs' caches; one level; redistributors by address. */
Test(its_model, not_coherent)
{
	play(&(struct im_config){ .pta = true, .has_collections = true,
				  .device_pages = 3, .collection_pages = 3,
				  .dev_bits = 12, .itt_entry = 8,
				  .hurry = 16 }, 2002);
}

Test(its_model, slow_with_collections_inside)
{
	play(&(struct im_config){ .snoops = true, .indirect = true,
				  .device_pages = 1, .collection_pages = 3,
				  .dev_bits = 13, .itt_entry = 16,
				  .hurry = 1 }, 3003);
}

Test(its_model, large_pages)
{
	struct im_config c = usual;

	c.device_pages = 2;
	c.collection_pages = 2;
	play(&c, 4004);
}

/* Tables of two sizes of pages: left alone, or right. */
Test(its_model, pages_of_two_sizes)
{
	struct im_config c = usual;

	c.device_pages = 0;
	c.collection_pages = 2;
	cr_assert_eq(probe(&c, 5005), -ENODEV);
	cr_assert_null(im_error);
	c.device_pages = 3;
	play(&c, 5005);
}

/* One has its LPIs on, and is not on line yet. */
Test(its_model, cpu_that_comes)
{
	cr_assert_eq(probe(&usual, 6006), 0);
	cpu_on(0);
	fine(its_join_cpu(0));
	online = 1;
	cpu_on(1);
	map_device(1);
	map_event(1, 3);
	fine(its_inv_all());
	fine(its_join_cpu(1));
	online = 3;
	where[1] = 1;
	fine(its_leave_cpu(0, 1));
	online = 2;
	where[0] = 1;
	message(3, true);
	lpi[3].sent_at = ANY;
	check();
	fine(0);
}

/* It stops at some command; all after that is refused, nothing is freed. */
static void stops(uint64_t seed, bool deaf)
{
	uint32_t commands;

	up(&usual, seed);
	for (uint32_t i = 0; i < 1000; i++) {
		event();
	}
	if (deaf) {
		im_between = NULL;
		im_deaf = true;
	} else {
		im_stall_in = 1 + im_any(50);
	}
	while (!dead) {
		map_device(im_any(DEVS));
		unmap_device(im_any(DEVS));
	}
	commands = im_commands;
	im_deaf = false;
	cr_assert(!its_has_device(0));
	cr_assert_eq(its_map_device(5, 0x80000000, 3), -EIO);
	cr_assert_eq(its_map_event(5, 0, LPI_FIRST, 0), -EIO);
	cr_assert_eq(its_inv_all(), -EIO);
	cr_assert_eq(its_join_cpu(0), -ENODEV);
	cr_assert_eq(its_leave_cpu(0, 1), -ENODEV);
	for (uint32_t i = 0; i < 1000; i++) {
		im_message(ids[im_any(DEVS)], im_any(ITTS));
		im_tick();
	}
	im_settle();
	cr_assert_eq(im_commands, commands);
	cr_assert_null(im_error, "%s", im_error);
}

Test(its_model, stalls)
{
	stops(7007, false);
}

Test(its_model, deaf)
{
	stops(8008, true);
}

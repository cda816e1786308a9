/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and commands of the ITS's model; see its_model.h, its_model.c. */
#include "its_model_priv.h"

#include <string.h>

#define NR_KEPT 8u

enum { MOVI = 1, INT = 3, CLEAR = 4, SYNC = 5, MAPD = 8, MAPC = 9, MAPTI = 10,
       INV = 12, INVALL = 13, MOVALL = 14, DISCARD = 15 };

static uint64_t inside[IM_CPUS]; /* collections without a table */
static struct {
	uint32_t dev, event, lpi, cpu;
	bool is;
} kept[NR_KEPT];

/* ---- tables -------------------------------------------------------------- */

/* Address of an entry of 8 bytes, in memory of *@u; 0: there is none. */
static uint64_t device_at(uint32_t dev, uint8_t *u)
{
	uint64_t base = im_baser[0] & FIELD64(47, 12);
	uint32_t page = im_page_of(im_baser[0]);
	uint64_t level;

	*u = IM_DEVICES;
	if (dev >> im_cfg.dev_bits) {
		return 0;
	}
	if (!(im_baser[0] & BIT64(62))) {
		return dev * 8u < page * ((im_baser[0] & 0xff) + 1) ?
			       base + dev * 8u : 0;
	}
	if (dev / (page / 8) * 8u >= page * ((im_baser[0] & 0xff) + 1)) {
		return 0;
	}
	level = im_fetch(base + dev / (page / 8) * 8u, IM_DEVICES);
	*u = IM_LEVEL;
	if (!(level & IM_VALID)) {
		return 0;
	}
	return (level & FIELD64(51, 12)) + dev % (page / 8) * 8;
}

static uint64_t device_of(uint32_t dev)
{
	uint8_t u;
	uint64_t at = device_at(dev, &u);

	return at ? im_fetch(at, u) : 0;
}

/* Of an event; 0: there is no such place. */
static uint64_t event_at(uint32_t dev, uint32_t event)
{
	uint64_t d = device_of(dev);

	if (!(d & IM_VALID) || event >> ((d & 0x1f) + 1)) {
		return 0;
	}
	return (d & IM_DEVICE_ADDRESS) + event * im_cfg.itt_entry;
}

static uint64_t collection_at(uint32_t id)
{
	uint64_t b = im_baser[1];

	return (b & IM_VALID) && id * 8u < im_page_of(b) * ((b & 0xff) + 1) ?
		       (b & FIELD64(47, 12)) + id * 8u : 0;
}

static uint64_t collection_of(uint32_t id)
{
	uint64_t at = collection_at(id);

	if (!im_cfg.has_collections) {
		return id < IM_CPUS ? inside[id] : 0;
	}
	return at ? im_fetch(at, IM_COLLECTIONS) : 0;
}

/* Where it goes; false: it is not mapped, all of the way. */
static bool find(uint32_t dev, uint32_t event, uint32_t *n, uint32_t *cpu)
{
	uint64_t at = event_at(dev, event);
	uint64_t e = at ? im_fetch(at, IM_ITT) : 0;
	uint64_t c = e & IM_VALID ? collection_of(e >> 32 & 0xffff) : 0;

	*n = (uint32_t)e - LPI_FIRST;
	*cpu = (uint32_t)c;
	return (c & IM_VALID) != 0;
}

void im_forget_some(void)
{
	kept[im_any(NR_KEPT)].is = false;
}

static void forget(uint32_t dev, uint32_t event)
{
	for (uint32_t i = 0; i < NR_KEPT; i++) {
		if (kept[i].dev == dev &&
		    (event == UINT32_MAX || kept[i].event == event)) {
			kept[i].is = false;
		}
	}
}

void im_message(uint32_t dev, uint32_t event)
{
	uint32_t i = im_any(NR_KEPT), n, cpu;

	for (uint32_t k = 0; k < NR_KEPT; k++) {
		if (kept[k].is && kept[k].dev == dev &&
		    kept[k].event == event) {
			im_send(kept[k].cpu, W_SET, kept[k].lpi, 0);
			return;
		}
	}
	if (im_enabled && find(dev, event, &n, &cpu)) {
		kept[i].is = true;
		kept[i].dev = dev;
		kept[i].event = event;
		kept[i].lpi = n;
		kept[i].cpu = cpu;
		im_send(cpu, W_SET, n, 0);
	}
}

/* ---- commands ------------------------------------------------------------ */

/* Of a target field; IM_CPUS: none. */
static uint32_t cpu_at(uint64_t w)
{
	uint64_t t = w & FIELD64(50, 16);

	for (uint32_t i = 0; i < IM_CPUS; i++) {
		uint64_t is = im_cfg.pta ? IM_BASE + i * 0x20000u
				      : (uint64_t)(i + 3) << 16;

		if (t == is && im_has_lpis(i)) {
			return i;
		}
	}
	im_wrong("no redistributor with LPIs", w);
	return IM_CPUS;
}

static void do_mapd(uint32_t dev, uint64_t bits, uint64_t w)
{
	uint64_t size = ((UINT64_C(2) << bits) - 1) * im_cfg.itt_entry + 8;
	uint64_t itt = w & IM_DEVICE_ADDRESS;
	uint8_t u;
	uint64_t at = device_at(dev, &u);

	if (!at) {
		im_wrong("no place for a device", dev);
		return;
	}
	forget(dev, UINT32_MAX);
	if (w & IM_VALID) {
		if (device_of(dev) & IM_VALID) {
			im_wrong("a device is mapped twice", dev);
		}
		if (bits > 15 || (w & 0xff)) {
			im_wrong("MAPD", w);
		}
		im_is_ours(itt, size, IM_ITT);
		for (uint64_t i = 0; i < UINT64_C(2) << bits; i++) {
			if (im_fetch(itt + i * im_cfg.itt_entry, IM_ITT)) {
				im_wrong("a table of events is not empty", i);
			}
		}
	}
	im_store(at, w & IM_VALID ? IM_VALID | itt | bits : 0, u);
}

static void do_mapc(uint64_t w)
{
	uint32_t id = w & 0xffff, cpu = cpu_at(w);
	uint64_t at = collection_at(id);

	if (cpu == IM_CPUS || !(w & IM_VALID)) {
		im_wrong("MAPC", w);
	} else if (!im_cfg.has_collections && id < IM_CPUS) {
		inside[id] = IM_VALID | cpu;
	} else if (im_cfg.has_collections && at) {
		im_store(at, IM_VALID | cpu, IM_COLLECTIONS);
	} else {
		im_wrong("no place for a collection", id);
	}
}

static void do_mapti(uint32_t dev, uint64_t w1, uint64_t w2)
{
	uint64_t at = event_at(dev, (uint32_t)w1), lpi = w1 >> 32;

	if (!at || lpi < LPI_FIRST || lpi >= LPI_FIRST + LPI_NR ||
	    !(collection_of(w2 & 0xffff) & IM_VALID)) {
		im_wrong("MAPTI", w1);
	} else if (im_fetch(at, IM_ITT) & IM_VALID) {
		im_wrong("an event is mapped twice", w1);
	} else {
		im_store(at, IM_VALID | (w2 & 0xffff) << 32 | lpi, IM_ITT);
		im_collection[lpi - LPI_FIRST] = (uint16_t)w2;
	}
}

/* About an event that is mapped. */
static void do_event(uint32_t op, uint32_t dev, uint32_t event, uint64_t w2)
{
	uint64_t at = event_at(dev, event), c = collection_of(w2 & 0xffff);
	uint32_t n, cpu;

	if (!find(dev, event, &n, &cpu)) {
		im_wrong("an event is not mapped", (uint64_t)dev << 32 | event);
		return;
	}
	if (op == MOVI) {
		forget(dev, event);
		if (!(c & IM_VALID)) {
			im_wrong("MOVI to no collection", w2);
			return;
		}
		im_store(at, IM_VALID | (w2 & 0xffff) << 32 | (n + LPI_FIRST),
		      IM_ITT);
		im_collection[n] = (uint16_t)w2;
		if (cpu != (uint32_t)c) {
			im_send(cpu, W_MOVE, n, (uint32_t)c);
		}
	} else if (op == DISCARD) {
		forget(dev, event);
		im_store(at, 0, IM_ITT);
		im_send(cpu, W_DISCARD, n, 0);
	} else {
		im_send(cpu, op == INT ? W_SET : op == INV ? W_INV : W_CLEAR, n,
		     0);
	}
}

static void do_movall(uint64_t from, uint64_t to)
{
	uint32_t a = cpu_at(from), b = cpu_at(to);

	if (a != IM_CPUS && b != IM_CPUS) {
		im_move_all(a, b);
	}
}

static void do_sync(uint64_t w)
{
	uint32_t cpu = cpu_at(w);

	memset(kept, 0, sizeof(kept));
	im_flush();
	if (cpu != IM_CPUS) {
		im_drain(cpu);
	}
}

void im_do(const uint64_t *w)
{
	uint32_t op = w[0] & 0xff, dev = (uint32_t)(w[0] >> 32);
	uint64_t c;

	if ((w[0] & FIELD64(31, 8)) || (op != MOVALL && w[3])) {
		im_wrong("reserved bits", w[0]);
	}
	switch (op) {
	case MAPD:
		do_mapd(dev, w[1], w[2]);
		break;
	case MAPC:
		do_mapc(w[2]);
		break;
	case MAPTI:
		do_mapti(dev, w[1], w[2]);
		break;
	case MOVI:
	case INT:
	case CLEAR:
	case INV:
	case DISCARD:
		do_event(op, dev, (uint32_t)w[1], w[2]);
		break;
	case INVALL:
		c = collection_of(w[2] & 0xffff);
		if (c & IM_VALID) {
			im_send((uint32_t)c, W_INVALL, w[2] & 0xffff, 0);
		} else {
			im_wrong("INVALL of no collection", w[2]);
		}
		break;
	case MOVALL:
		do_movall(w[2], w[3]);
		break;
	case SYNC:
		do_sync(w[2]);
		break;
	default:
		im_wrong("no such command", op);
	}
}


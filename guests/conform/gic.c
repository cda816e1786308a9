/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of the emulated interrupt controller, every offset of every
 * frame: read at each width, aligned and not, written with what was read,
 * and written with ones and zeroes. Interrupts are masked throughout.
 */
#include "conform.h"

struct frame_of {
	const char *row;
	uint64_t base;
	uint64_t first;
	uint64_t end;
};

struct width {
	const char *read;
	const char *write;
	uint32_t load;		/* ldr* x1, [x0] */
	uint32_t store;
	unsigned int bytes;
};

static const struct width widths[] = {
	{ "read8", "write8", 0x39400001, 0x39000001, 1 },
	{ "read16", "write16", 0x79400001, 0x79000001, 2 },
	{ "read32", "write32", 0xb9400001, 0xb9000001, 4 },
	{ "read64", "write64", 0xf9400001, 0xf9000001, 8 },
};
#define WORD (&widths[2])

/* Offsets that are looked at: where registers are, and some beside them. */
static const struct range parts[] = {
	{ 0, 0x1100 }, { 0x6000, 0x200 }, { 0x7fc0, 0x80 }, { 0xc000, 0x20 },
	{ 0xffc0, 0x40 },
};

static bool load(const struct width *w, uint64_t at, uint64_t *val,
		 struct trap *t)
{
	*val = 0;
	return run_insn(w->load, at, val, t);
}

static bool store(const struct width *w, uint64_t at, uint64_t val,
		  struct trap *t)
{
	return run_insn(w->store, at, &val, t);
}

static void outcome(struct line *l, bool ok, uint64_t val,
		    const struct trap *t, uint64_t at)
{
	l->n = 0;
	if (ok) {
		line_hex(l, val);
	} else {
		line_trap(l, t, true, at);
	}
	l->text[l->n] = 0;
}

static void reads(const struct frame_of *f, const struct width *w,
		  unsigned int skew)
{
	struct series s;
	struct trap t;
	struct line l;
	uint64_t val;
	uint64_t at;

	series_begin(&s, f->row, w->read, w->bytes);
	for (at = f->first + skew; at + w->bytes <= f->end; at += w->bytes) {
		bool ok = load(w, f->base + at, &val, &t);

		outcome(&l, ok, val, &t, f->base + at);
		series_add(&s, at, l.text);
	}
	series_end(&s);
}

static void writes(const struct frame_of *f, const struct width *w,
		   unsigned int skew)
{
	struct series s;
	struct trap t;
	struct line l;
	uint64_t val;
	uint64_t at;

	series_begin(&s, f->row, w->write, w->bytes);
	for (at = f->first + skew; at + w->bytes <= f->end; at += w->bytes) {
		bool ok;

		load(w, f->base + at, &val, &t);
		ok = store(w, f->base + at, val, &t);
		outcome(&l, ok, 0, &t, f->base + at);
		series_add(&s, at, l.text);
	}
	series_end(&s);
}

/* What stays of ones and of zeroes. */
static void bits(const struct frame_of *f)
{
	struct series s;
	struct trap t;
	struct line l;
	uint64_t old;
	uint64_t ones;
	uint64_t zeroes;
	uint64_t at;

	series_begin(&s, f->row, "bits", 4);
	for (at = f->first; at + 4 <= f->end; at += 4) {
		if (!load(WORD, f->base + at, &old, &t)) {
			continue;
		}
		store(WORD, f->base + at, UINT32_MAX, &t);
		load(WORD, f->base + at, &ones, &t);
		store(WORD, f->base + at, 0, &t);
		load(WORD, f->base + at, &zeroes, &t);
		store(WORD, f->base + at, old, &t);
		l.n = 0;
		line_hex(&l, ones);
		line_string(&l, " ");
		line_hex(&l, zeroes);
		l.text[l.n] = 0;
		series_add(&s, at, l.text);
	}
	series_end(&s);
}

static void part(const char *row, uint64_t base, const struct range *r,
		 uint64_t size)
{
	struct frame_of f = { row, base, r->base, r->base + r->size };
	unsigned int i;

	if (r->base >= size) {
		return;
	}
	f.end = f.end < size ? f.end : size;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		reads(&f, &widths[i], 0);
		if (i > 0) {
			reads(&f, &widths[i], widths[i].bytes / 2);
		}
	}
	bits(&f);
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		writes(&f, &widths[i], 0);
	}
}

static void frame(const char *row, uint64_t base, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		part(row, base, &parts[i], size);
	}
}

/* The CPU interface is the hardware's; its registers, a word each. */
static void cpu_interface(void)
{
	static const uint16_t offsets[] = {
		0x00, 0x04, 0x08, 0x14, 0x18, 0x1c, 0x28, 0xd0, 0xfc, 0xffc,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint64_t at = machine.gicc.base + offsets[i];
		struct trap t;
		struct line l;
		uint64_t val;
		bool ok = load(WORD, at, &val, &t);

		line_begin(&l, "GICC");
		line_string(&l, "read32 ");
		line_hex(&l, offsets[i]);
		line_next(&l);
		line_trap(&l, &t, !ok, at);
		line_string(&l, " ");
		line_hex(&l, val);
		line_end(&l);
	}
}

void conform_gic(void)
{
	uint64_t gicr = this_cpu()->gicr;

	frame("GICD", machine.gicd.base,
	      machine.gic_version == 3 ? 0x10000 : 0x1000);
	if (machine.gic_version == 3) {
		frame("GICR", gicr, 0x10000);
		frame("GICR_SGI", gicr + 0x10000, 0x10000);
	} else {
		cpu_interface();
	}
}

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

/* Read, or written with what it reads as. */
static void sweep(const struct frame_of *f, const struct width *w,
		  unsigned int skew, bool write)
{
	struct series s;
	uint64_t at;

	series_begin(&s, f->row, write ? w->write : w->read, w->bytes);
	for (at = f->first + skew; at + w->bytes <= f->end; at += w->bytes) {
		struct trap t;
		struct line l;
		uint64_t val;
		bool ok = load(w, f->base + at, &val, &t);

		if (write) {
			ok = store(w, f->base + at, val, &t);
			val = 0;
		}
		outcome(&l, ok, val, &t, f->base + at);
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
		sweep(&f, &widths[i], 0, false);
		if (i > 0) {
			sweep(&f, &widths[i], widths[i].bytes / 2, false);
		}
	}
	bits(&f);
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		sweep(&f, &widths[i], 0, true);
	}
}

static void frame(const char *row, uint64_t base, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		part(row, base, &parts[i], size);
	}
}

/* ---- the CPU interface of GICv2, which is the hardware's ------------- */

#define GICC_CTLR	0x00u
#define GICC_PMR	0x04u
#define GICC_BPR	0x08u
#define GICC_IAR	0x0cu
#define GICC_EOIR	0x10u
#define GICC_RPR	0x14u
#define GICC_HPPIR	0x18u
#define GICC_ABPR	0x1cu
#define GICC_AIAR	0x20u
#define GICC_AEOIR	0x24u
#define GICC_AHPPIR	0x28u
#define GICC_APR0	0xd0u
#define GICC_NSAPR0	0xe0u
#define GICC_IIDR	0xfcu
#define GICC_END	0xffcu
#define GICC_DIR	0x1000u
#define GICC_ENABLE	1u
#define GICC_EOIMODE	(1u << 9)

/* @how, what is written if it is anything, offset; and what is read then. */
static void gicc(const char *how, uint32_t offset, uint64_t val, bool write)
{
	uint64_t at = machine.gicc.base + offset;
	const struct width *w = WORD;
	struct trap t;
	struct line l;
	bool ok = true;

	line_begin(&l, "GICC");
	line_string(&l, how);
	if (write) {
		line_string(&l, "write32 ");
		line_hex(&l, val);
		ok = store(w, at, val, &t);
	} else {
		line_string(&l, "read32");
	}
	line_string(&l, " ");
	line_hex(&l, offset);
	line_next(&l);
	/* To read IAR or AIAR is to take an interrupt. */
	if (ok && (!write || (offset != GICC_IAR && offset != GICC_AIAR))) {
		ok = load(w, at, &val, &t);
	}
	line_trap(&l, &t, !ok, at);
	line_string(&l, " ");
	line_hex(&l, ok ? val : 0);
	line_end(&l);
}

/* Nothing is active: what ends an interrupt has none to end. */
static void gicc_registers(void)
{
	static const uint16_t offsets[] = {
		GICC_CTLR, GICC_PMR, GICC_BPR, GICC_RPR, GICC_HPPIR, GICC_ABPR,
		GICC_AHPPIR, GICC_APR0, GICC_NSAPR0, GICC_IIDR, GICC_END,
		GICC_IAR, GICC_AIAR, GICC_EOIR, GICC_AEOIR, GICC_DIR,
	};
	static const uint32_t values[] = {
		0, 1, 2, 3, 7, 8, 0x1f, 0x78, 0x80, 0xf0, 0xff, 0x200, 0x3fb,
		0x3fc, 0x3ff, 0x1c01, 0x80000000, UINT32_MAX,
	};
	unsigned int i;
	unsigned int n;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint64_t at = machine.gicc.base + offsets[i];
		uint64_t old = 0;
		struct trap t;

		if (offsets[i] != GICC_IAR && offsets[i] != GICC_AIAR) {
			gicc("", offsets[i], 0, false);
			load(WORD, at, &old, &t);
		}
		for (n = 0; n < ARRAY_SIZE(values); n++) {
			gicc("", offsets[i], values[n], true);
		}
		store(WORD, at, old, &t);
	}
}

/* An SGI to itself from its arrival to its end. */
static void gicc_life(const char *how, uint32_t ctlr)
{
	mmio_write32(machine.gicc.base + GICC_CTLR, ctlr);
	gic_sgi(3, SGI_SELF, 0);
	gicc(how, GICC_HPPIR, 0, false);
	gicc(how, GICC_IAR, 0, false);
	gicc(how, GICC_RPR, 0, false);
	gicc(how, GICC_APR0, 0, false);
	gicc(how, GICC_EOIR, 3, true);
	gicc(how, GICC_RPR, 0, false);
	if (ctlr & GICC_EOIMODE) {
		gicc(how, GICC_DIR, 3, true);
	}
	gicc(how, GICC_IAR, 0, false);
}

/* An active interrupt that nobody ends would hold back all that follow. */
static void take_all(void)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		uint32_t iar = gic_ack();

		if ((iar & 0x3ff) >= MAX_INTID) {
			return;
		}
		gic_eoi(iar);
	}
}

static void cpu_interface(void)
{
	gicc_registers();
	gic_init();
	gic_cpu_init();
	take_all();
	gic_enable(3);
	gicc_life("EOI ends ", GICC_ENABLE);
	gicc_life("DIR ends ", GICC_ENABLE | GICC_EOIMODE);
}

/* ---------------------------------------------------------------------- */

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

/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_gic_port.h. An event of a frame is named "gicd+ctlr offset". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t fake_gicd[FAKE_FRAME] __attribute__((aligned(16)));
uint8_t fake_gicc[FAKE_FRAME] __attribute__((aligned(16)));
uint8_t fake_gich[FAKE_FRAME] __attribute__((aligned(16)));
uint8_t fake_gicr[8][FAKE_FRAME] __attribute__((aligned(16)));
uint32_t fake_stuck;
uint64_t fake_reads;

static struct {
	char what[32];
	uint64_t v;
} log_[8192];
static int nr_log;
static struct {
	char name[24];
	uint64_t v;
} sysreg[64];
static int nr_sysreg;

void fake_event(const char *what, uint64_t v)
{
	if (nr_log == 8192) {
		abort();
	}
	snprintf(log_[nr_log].what, sizeof(log_[0].what), "%s", what);
	log_[nr_log++].v = v;
}

int fake_event_find(const char *what, uint64_t v, int from)
{
	for (int i = from; i >= 0 && i < nr_log; i++) {
		if (!strcmp(log_[i].what, what) && log_[i].v == v) {
			return i;
		}
	}
	return -1;
}

int fake_event_count(const char *what)
{
	int n = 0;

	for (int i = 0; i < nr_log; i++) {
		n += !strcmp(log_[i].what, what);
	}
	return n;
}

void fake_event_clear(void)
{
	nr_log = 0;
}

void fake_gic_port_reset(void)
{
	memset(fake_gicd, 0, sizeof(fake_gicd));
	memset(fake_gicc, 0, sizeof(fake_gicc));
	memset(fake_gich, 0, sizeof(fake_gich));
	memset(fake_gicr, 0, sizeof(fake_gicr));
	fake_stuck = 0;
	fake_reads = 0;
	nr_log = 0;
	nr_sysreg = 0;
}

/* ---- frames -------------------------------------------------------------- */

static bool in(const volatile void *p, const uint8_t *f, size_t size,
	       uint32_t *off)
{
	uintptr_t a = (uintptr_t)p;
	uintptr_t b = (uintptr_t)f;

	if (a < b || a >= b + size) {
		return false;
	}
	*off = (uint32_t)(a - b);
	return true;
}

static const char *name_of(const volatile void *p, uint32_t *off)
{
	if (in(p, fake_gicd, FAKE_FRAME, off)) {
		return "gicd";
	}
	if (in(p, fake_gicc, FAKE_FRAME, off)) {
		return "gicc";
	}
	if (in(p, fake_gich, FAKE_FRAME, off)) {
		return "gich";
	}
	if (in(p, fake_gicr[0], sizeof(fake_gicr), off)) {
		return "gicr";
	}
	fprintf(stderr, "access outside the frames\n");
	abort();
}

static uint8_t *raw(const volatile void *p)
{
	return (uint8_t *)(uintptr_t)p;
}

/* Offset in a frame with distributor registers, or none. */
static bool gicd_like(const volatile void *p, uint32_t *off)
{
	if (in(p, fake_gicd, FAKE_FRAME, off)) {
		return true;
	}
	if (in(p, fake_gicr[0], sizeof(fake_gicr), off)) {
		*off %= FAKE_FRAME;
		if (*off >= 0x10000) {
			*off -= 0x10000;
			return true;
		}
	}
	return false;
}

uint32_t mmio_read32(const volatile void *p)
{
	uint32_t v;
	uint32_t off;

	fake_reads++;
	memcpy(&v, raw(p), 4);
	if (in(p, fake_gicd, FAKE_FRAME, &off) && off == 0) {
		v |= fake_stuck;
	}
	return v;
}

uint64_t mmio_read64(const volatile void *p)
{
	uint64_t v;

	fake_reads++;
	memcpy(&v, raw(p), 8);
	return v;
}

static void log_write(const volatile void *p, uint64_t v)
{
	char what[32];
	uint32_t off;
	const char *name = name_of(p, &off);

	snprintf(what, sizeof(what), "%s+%x", name, off);
	fake_event(what, v);
}

void mmio_write8(volatile void *p, uint8_t v)
{
	log_write(p, v);
	*raw(p) = v;
}

void mmio_write32(volatile void *p, uint32_t v)
{
	uint32_t off;
	uint32_t old;

	log_write(p, v);
	if (gicd_like(p, &off) && off >= 0x100 && off < 0x400) {
		bool clear = off & 0x80;
		uint8_t *set = raw(p) - (clear ? 0x80 : 0);

		memcpy(&old, set, 4);
		v = clear ? old & ~v : old | v;
		memcpy(set, &v, 4);
		memcpy(set + 0x80, &v, 4);
		return;
	}
	memcpy(raw(p), &v, 4);
}

void mmio_write64(volatile void *p, uint64_t v)
{
	log_write(p, v);
	memcpy(raw(p), &v, 8);
}

uint32_t fake_get32(const uint8_t *frame, uint32_t offset)
{
	uint32_t v;

	memcpy(&v, frame + offset, 4);
	return v;
}

void fake_set32(uint8_t *frame, uint32_t offset, uint32_t v)
{
	memcpy(frame + offset, &v, 4);
}

uint64_t fake_get64(const uint8_t *frame, uint32_t offset)
{
	uint64_t v;

	memcpy(&v, frame + offset, 8);
	return v;
}

void fake_set64(uint8_t *frame, uint32_t offset, uint64_t v)
{
	memcpy(frame + offset, &v, 8);
}

/* ---- system registers ---------------------------------------------------- */

static uint64_t *reg_of(const char *name)
{
	for (int i = 0; i < nr_sysreg; i++) {
		if (!strcmp(sysreg[i].name, name)) {
			return &sysreg[i].v;
		}
	}
	if (nr_sysreg == 64) {
		abort();
	}
	snprintf(sysreg[nr_sysreg].name, sizeof(sysreg[0].name), "%s", name);
	sysreg[nr_sysreg].v = 0;
	return &sysreg[nr_sysreg++].v;
}

uint64_t fake_sysreg_read(const char *name)
{
	return *reg_of(name);
}

void fake_sysreg_write(const char *name, uint64_t v)
{
	fake_event(name, v);
	*reg_of(name) = v;
}

void fake_sysreg_set(const char *name, uint64_t v)
{
	*reg_of(name) = v;
}

uint64_t fake_sysreg_get(const char *name)
{
	return *reg_of(name);
}

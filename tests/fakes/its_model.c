/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See its_model.h. Spec: [GIC] "The ITS", "ITS commands", "GITS_BASER<n>",
 * "LPI configuration tables", "GICR_PENDBASER".
 *
 * Entries in memory, ours to choose: bit 63 valid; of a device ITT address and
 * bits - 1, of a collection the redistributor, of an event collection in 47:32
 * and LPI in 31:0.
 */
#include "its_model_priv.h"

#include <stdio.h>
#include <string.h>

#define ARENA (1u << 20)
#define LINE 64u
#define NR_WRITES 16u
#define NR_WAY 64u

enum { CTLR = 0, TYPER = 8, CBASER = 0x80, CWRITER = 0x88, CREADR = 0x90,
       BASER = 0x100, PIDR2 = 0xffe8 };
enum { PROPBASER = 0x70, PENDBASER = 0x78 };

char im_regs[IM_REGS];
char im_gicr[IM_CPUS][IM_REGS];
const char *im_error;
void (*im_between)(void);
uint32_t im_stall_in;
bool im_deaf;
uint32_t im_commands;

struct im_config im_cfg;
static uint64_t seed;
static _Alignas(65536) uint8_t cpu_ram[ARENA]; /* through the caches */
static _Alignas(65536) uint8_t ram[ARENA];     /* as the ITS finds it */
static uint8_t use[ARENA / LINE];
bool im_enabled;
static bool stalled;
static uint32_t quiet_in;
uint64_t im_baser[2];
uint16_t im_collection[LPI_NR];
static uint64_t cbaser, cwriter, creadr;

static struct rd {
	bool on;
	uint32_t busy;          /* reads until RWP clears */
	uint64_t prop, pend;
	uint8_t config[LPI_NR]; /* kept; bit 7: it is */
	bool pending[LPI_NR];
	struct {
		enum im_way op;
		uint32_t lpi, to;
	} way[NR_WAY];
	uint32_t nr_way;
} rd[IM_CPUS];
static struct {
	uint64_t pa, value;
	uint8_t use;
} writes[NR_WRITES];
static uint32_t nr_writes;
static uint32_t top; /* no LPI from here on was ever pending */

void im_wrong(const char *what, uint64_t v)
{
	if (!im_error) {
		im_error = what;
		fprintf(stderr, "ITS: %s (%#llx), command %u\n", what,
			(unsigned long long)v, im_commands);
	}
}

uint32_t im_any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % below;
}

/* ---- memory -------------------------------------------------------------- */

struct its_mem im_alloc(size_t size, size_t align, enum im_use u)
{
	size_t lines = (size + LINE - 1) / LINE;

	for (size_t at = 0; at + size <= ARENA; at += align) {
		size_t n = 0;

		while (n < lines && !use[at / LINE + n]) {
			n++;
		}
		if (n == lines) {
			memset(use + at / LINE, u, lines);
			memset(cpu_ram + at, 0, size);
			return (struct its_mem){ cpu_ram + at, IM_BASE + at };
		}
	}
	return (struct its_mem){ NULL, 0 };
}

/* What the next owner would find changed is found at once: see flush_one(). */
void im_free(const struct its_mem *m, size_t size)
{
	size_t at = m->pa - IM_BASE;

	memset(use + at / LINE, IM_NOTHING, (size + LINE - 1) / LINE);
	memset(ram + at, 0xff, size);
}

size_t im_in_use(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARENA / LINE; i++) {
		n += use[i] ? LINE : 0;
	}
	return n;
}

bool im_is_ours(uint64_t pa, uint64_t size, uint8_t u)
{
	bool is = pa >= IM_BASE && pa - IM_BASE <= ARENA - size;

	for (uint64_t i = pa; is && i < pa + size; i += 1) {
		is = use[(i - IM_BASE) / LINE] == u;
	}
	if (!is) {
		im_wrong("memory that is not given for that", pa);
	}
	return is;
}

void arch_clean_dcache(const void *va, size_t len)
{
	size_t from = (size_t)((const uint8_t *)va - cpu_ram);
	size_t end = from + len;

	from &= ~(size_t)(LINE - 1);
	end = (end + LINE - 1) & ~(size_t)(LINE - 1);
	if (end > ARENA) {
		im_wrong("cleaned beyond memory", end);
	} else {
		memcpy(ram + from, cpu_ram + from, end - from);
	}
}

static void flush_one(void)
{
	if (im_is_ours(writes[0].pa, 8, writes[0].use)) {
		memcpy(ram + (writes[0].pa - IM_BASE), &writes[0].value, 8);
	}
	nr_writes--;
	memmove(writes, writes + 1, nr_writes * sizeof(writes[0]));
}

void im_flush(void)
{
	while (nr_writes) {
		flush_one();
	}
}

void im_store(uint64_t pa, uint64_t value, uint8_t u)
{
	if (nr_writes == NR_WRITES) {
		flush_one();
	}
	writes[nr_writes].pa = pa;
	writes[nr_writes].value = value;
	writes[nr_writes++].use = u;
	im_is_ours(pa, 8, u);
}

uint64_t im_fetch(uint64_t pa, uint8_t u)
{
	uint64_t v = 0;

	for (uint32_t i = nr_writes; i-- > 0;) {
		if (writes[i].pa == pa) {
			return writes[i].value;
		}
	}
	if (im_is_ours(pa, 8, u)) {
		memcpy(&v, ram + (pa - IM_BASE), 8);
	}
	return v;
}

/* ---- redistributors ------------------------------------------------------ */

static uint8_t config_of(struct rd *r, uint32_t n)
{
	uint64_t at = (r->prop & FIELD64(51, 12)) + n;

	if (!(r->config[n] & 0x80) && im_is_ours(at, 1, IM_CONFIG)) {
		r->config[n] = 0x80 | (ram[at - IM_BASE] & 1);
	}
	return r->config[n] & 1;
}

static void write_pending(struct rd *r, uint32_t n)
{
	uint64_t at = (r->pend & FIELD64(51, 16)) + (n + LPI_FIRST) / 8;

	if (im_is_ours(at, 1, IM_PEND)) {
		ram[at - IM_BASE] |= (uint8_t)(1u << n % 8);
	}
}

static void arrive(struct rd *r)
{
	enum im_way op = r->way[0].op;
	uint32_t n = r->way[0].lpi, to = r->way[0].to;

	r->nr_way--;
	memmove(r->way, r->way + 1, r->nr_way * sizeof(r->way[0]));
	switch (op) {
	case W_SET:
		r->pending[n] = true;
		top = n >= top ? n + 1 : top;
		write_pending(r, n);
		config_of(r, n);
		break;
	case W_DISCARD:
		r->config[n] = 0;
		/* fallthrough */
	case W_CLEAR:
		r->pending[n] = false;
		break;
	case W_INV:
		r->config[n] = 0;
		break;
	case W_INVALL:
		for (uint32_t i = 0; i < LPI_NR; i++) {
			r->config[i] = im_collection[i] == n ? 0 :
					       r->config[i];
		}
		break;
	case W_MOVE:
		r->config[n] = 0;
		if (r->pending[n]) {
			r->pending[n] = false;
			im_send(to, W_SET, n, 0);
		}
		break;
	}
}

void im_send(uint32_t cpu, enum im_way op, uint32_t lpi, uint32_t to)
{
	struct rd *r = &rd[cpu];

	if (!r->on) {
		im_wrong("redistributor without LPIs", cpu);
		return;
	}
	if (r->nr_way == NR_WAY) {
		arrive(r);
	}
	r->way[r->nr_way].op = op;
	r->way[r->nr_way].lpi = lpi;
	r->way[r->nr_way++].to = to;
}

void im_drain(uint32_t cpu)
{
	while (rd[cpu].nr_way) {
		arrive(&rd[cpu]);
	}
}

bool im_has_lpis(uint32_t cpu)
{
	return rd[cpu].on;
}

void im_move_all(uint32_t from, uint32_t to)
{
	for (uint32_t n = 0; n < top; n++) {
		if (rd[from].pending[n]) {
			rd[from].pending[n] = false;
			im_send(to, W_SET, n, 0);
		}
	}
}

bool im_is_pending(uint32_t cpu, uint32_t lpi)
{
	return rd[cpu].pending[lpi - LPI_FIRST];
}

uint32_t im_take(uint32_t cpu)
{
	for (uint32_t n = 0; n < top; n++) {
		if (rd[cpu].pending[n] && config_of(&rd[cpu], n)) {
			rd[cpu].pending[n] = false;
			return n + LPI_FIRST;
		}
	}
	return 0;
}

uint32_t im_page_of(uint64_t b)
{
	return 4096u << 2 * field_get(FIELD64(9, 8), b);
}

/* ---- what it does by itself ---------------------------------------------- */

static void step(void)
{
	uint64_t w[4];

	if (!im_enabled || stalled || im_deaf || creadr == cwriter) {
		return;
	}
	if (im_stall_in && --im_stall_in == 0) {
		stalled = true;
		return;
	}
	im_is_ours((cbaser & FIELD64(51, 12)) + creadr, 32, IM_QUEUE);
	memcpy(w, ram + ((cbaser & FIELD64(51, 12)) - IM_BASE + creadr), 32);
	im_commands++;
	im_do(w);
	creadr = (creadr + 32) % (((cbaser & 0xff) + 1) * 4096);
}

void im_tick(void)
{
	uint32_t cpu = im_any(IM_CPUS);

	if (rd[cpu].nr_way) {
		arrive(&rd[cpu]);
	}
	if (nr_writes && im_any(4) == 0) {
		flush_one();
	}
	if (im_any(8) == 0) {
		im_forget_some();
	}
}

void im_settle(void)
{
	im_flush();
	for (uint32_t i = 0; i < 3 * IM_CPUS; i++) { /* moves go on */
		im_drain(i % IM_CPUS);
	}
}

/* ---- registers ----------------------------------------------------------- */

static void is_cached_right(uint64_t inner, uint64_t share, uint64_t v)
{
	if (inner != (im_cfg.snoops ? 7 : 1) || (share != 0) != im_cfg.snoops) {
		im_wrong("caching of a table", v);
	}
}

static void check_base(uint64_t v, uint32_t unit, uint8_t u)
{
	uint64_t size = ((v & 0xff) + 1) * unit;

	if (!(v & IM_VALID) || (v & FIELD64(47, 12)) % unit) {
		im_wrong("a table is not there, or not aligned", v);
		return;
	}
	is_cached_right(v >> 59 & 7, v >> 10 & 3, v);
	im_is_ours(v & FIELD64(47, 12), size, u);
}

static void enable(bool on)
{
	if (on && !im_enabled) {
		check_base(cbaser, 4096, IM_QUEUE);
		check_base(im_baser[0], im_page_of(im_baser[0]), IM_DEVICES);
		if (im_cfg.has_collections) {
			check_base(im_baser[1], im_page_of(im_baser[1]),
				   IM_COLLECTIONS);
		}
	}
	quiet_in = im_enabled && !on ? 20 : quiet_in;
	im_enabled = on;
}

static void write_baser(uint32_t i, uint64_t v)
{
	uint8_t pages = i ? im_cfg.collection_pages : im_cfg.device_pages;

	if (im_enabled || quiet_in) {
		im_wrong("a table's base while it is on", v);
	}
	v &= ~(UINT64_C(0x71f) << 48);
	v |= UINT64_C(7) << 48 | (i ? UINT64_C(4) : 1) << 56;
	if (pages != 3) {
		v = (v & ~FIELD64(9, 8)) | (uint64_t)pages << 8;
	}
	if (i || !im_cfg.indirect) {
		v &= ~BIT64(62);
	}
	im_baser[i] = im_cfg.snoops ? v : v & ~FIELD64(11, 10);
}

static uint64_t read_its(uint32_t at)
{
	switch (at) {
	case CTLR:
		quiet_in -= quiet_in != 0;
		return (uint64_t)im_enabled |
		       (!im_enabled && !quiet_in ? BIT64(31) : 0);
	case TYPER:
		return 1 | (uint64_t)(im_cfg.itt_entry - 1) << 4 | 15 << 8 |
		       (uint64_t)(im_cfg.dev_bits - 1) << 13 |
		       (uint64_t)im_cfg.pta << 19 |
		       (im_cfg.has_collections ? 0 : (uint64_t)IM_CPUS << 24);
	case CBASER:
		return cbaser;
	case CREADR:
		if (im_between) {
			im_between();
		}
		if (im_any(16) < im_cfg.hurry) {
			step();
		}
		im_tick();
		return creadr | stalled;
	case BASER:
		return im_baser[0];
	case BASER + 8:
		return im_cfg.has_collections ? im_baser[1] : 0;
	case PIDR2:
		return 0x3b;
	default:
		return 0;
	}
}

static void write_its(uint32_t at, uint64_t v)
{
	if (at == CTLR) {
		enable(v & 1);
	} else if (at == CBASER) {
		if (im_enabled || quiet_in) {
			im_wrong("the queue's base while it is on", v);
		}
		cbaser = im_cfg.snoops ? v : v & ~FIELD64(11, 10);
		creadr = 0;
	} else if (at == CWRITER) {
		if (v % 32 || v >= ((cbaser & 0xff) + 1) * 4096) {
			im_wrong("CWRITER", v);
		}
		cwriter = v;
	} else if (at == BASER || (at == BASER + 8 && im_cfg.has_collections)) {
		write_baser(at != BASER, v);
	} else {
		im_wrong("a register that is not to be written", at);
	}
}

static void lpis_on(struct rd *r)
{
	uint64_t p = r->pend & FIELD64(51, 16), c = r->prop & FIELD64(51, 12);

	is_cached_right(r->prop >> 7 & 7, r->prop >> 10 & 3, r->prop);
	is_cached_right(r->pend >> 7 & 7, r->pend >> 10 & 3, r->pend);
	if ((r->prop & 0x1f) != 13 || !(r->pend & BIT64(62))) {
		im_wrong("LPIs", r->prop);
	}
	for (uint32_t i = 0; im_is_ours(p, ITS_PEND_SIZE, IM_PEND) &&
			     i < ITS_PEND_SIZE; i++) {
		if (ram[p - IM_BASE + i]) {
			im_wrong("pending bits are not zero", i);
		}
	}
	for (uint32_t i = 0; i < IM_CPUS; i++) {
		if (&rd[i] != r && rd[i].on && rd[i].pend == r->pend) {
			im_wrong("pending bits are another's", i);
		}
	}
	im_is_ours(c, LPI_NR, IM_CONFIG);
	r->on = true;
}

static uint64_t read_rd(struct rd *r, uint32_t at)
{
	switch (at) {
	case CTLR:
		r->busy -= r->busy != 0;
		return (uint64_t)r->on | (r->busy ? BIT64(3) : 0);
	case TYPER:
		return 1 | (uint64_t)(r - rd + 3) << 8;
	case PROPBASER:
		return r->prop;
	default:
		return at == PENDBASER ? r->pend : 0;
	}
}

static void write_rd(struct rd *r, uint32_t at, uint64_t v)
{
	uint64_t takes = im_cfg.snoops ? v : v & ~FIELD64(11, 10);

	if (at == CTLR && (v & 1) && !r->on) {
		lpis_on(r);
	} else if (at == CTLR) {
		r->busy = 5;
		if (r->on && !(v & 1)) {
			im_wrong("LPIs go off", v);
		}
	} else if (r->on || (at != PROPBASER && at != PENDBASER)) {
		im_wrong("a redistributor's table while LPIs are on", at);
	} else {
		*(at == PROPBASER ? &r->prop : &r->pend) = takes;
	}
}

/* Of which redistributor, or of the ITS: NULL. */
static struct rd *of(const volatile void *p, uint32_t *at)
{
	size_t i = (uintptr_t)p - (uintptr_t)im_gicr;

	if (i < sizeof(im_gicr)) {
		*at = (uint32_t)(i % IM_REGS);
		return &rd[i / IM_REGS];
	}
	*at = (uint32_t)((uintptr_t)p - (uintptr_t)im_regs);
	return NULL;
}

uint64_t mmio_read64(const volatile void *p)
{
	uint32_t at;
	struct rd *r = of(p, &at);

	return r ? read_rd(r, at) : read_its(at);
}

uint32_t mmio_read32(const volatile void *p)
{
	return (uint32_t)mmio_read64(p);
}

void mmio_write64(volatile void *p, uint64_t v)
{
	uint32_t at;
	struct rd *r = of(p, &at);

	if (r) {
		write_rd(r, at, v);
	} else {
		write_its(at, v);
	}
}

void mmio_write32(volatile void *p, uint32_t v)
{
	mmio_write64(p, v);
}

void fake_event(const char *what, uint64_t v)
{
	(void)what;
	(void)v;
}

/* Firmware has left it on. */
void im_start(const struct im_config *c, uint64_t s)
{
	im_cfg = *c;
	seed = s | 1;
	memset(ram, 0xff, sizeof(ram));
	memset(use, 0, sizeof(use));
	memset(rd, 0, sizeof(rd));
	write_baser(0, 0);
	write_baser(1, 0);
	im_enabled = true;
}

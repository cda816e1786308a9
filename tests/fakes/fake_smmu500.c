/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fake_smmu500.h. Written from the architecture's text and MMU-500's
 * manual, and on its own: no name or number comes from the driver.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BANKS 128u
#define MAX_GROUPS 128u
#define NR_TLB 512u

#define BITS(v, hi, lo) ((uint32_t)((v) >> (lo)) & ((2u << ((hi) - (lo))) - 1))

struct bank {
	uint32_t sctlr, actlr, tcr, fsr, fsynr0, cbar, cba2r, cbfrsynra;
	uint64_t ttbr0, far, ipafar;
	bool sync; /* one was asked for */
	uint32_t polls;
};

struct cached {
	bool is_there, is_table, goes;
	uint16_t vmid;
	uint64_t tag; /* IPA >> 12 of a page, >> 21 of a table */
	uint64_t pte; /* descriptor of a page, address of a table */
};

static struct regs {
	uint32_t cr0, cr2, acr, gfsr, gfsynr0, gfsynr1;
	uint64_t gfar;
	bool sync;
	uint32_t polls;
	uint32_t smr[MAX_GROUPS], s2cr[MAX_GROUPS];
	struct bank bank[MAX_BANKS];
	struct cached tlb[NR_TLB];
	uint32_t next; /* slot of the TLB to be reused */
} regs[FAKE_SMMUS];

struct fake_smmu fake_smmu[FAKE_SMMUS];

static void die(const char *why, uint64_t v)
{
	fprintf(stderr, "fake SMMU: %s: %#llx\n", why, (unsigned long long)v);
	abort();
}

/* ---- identity and state -------------------------------------------------- */

static uint32_t page_size(uint32_t n)
{
	return fake_smmu[n].idr1 >> 31 ? 0x10000 : 0x1000;
}

static uint32_t nr_pages(uint32_t n)
{
	return 2u << BITS(fake_smmu[n].idr1, 30, 28);
}

static uint32_t nr_groups(uint32_t n)
{
	return BITS(fake_smmu[n].idr0, 7, 0);
}

static uint32_t nr_banks(uint32_t n)
{
	return BITS(fake_smmu[n].idr1, 7, 0);
}

void *fake_smmu_regs(uint32_t n)
{
	return (void *)(uintptr_t)(0x700000000000 + (uint64_t)n *
				   FAKE_SMMU_SIZE);
}

/* What a loader used for itself: streams 1 and 2, one translated, one not. */
static void make_dirty(struct regs *r)
{
	r->cr0 = 0;
	r->gfsr = 0x80000002;
	r->smr[0] = 0x80000001;
	r->s2cr[0] = 1u << 16;
	r->smr[3] = 0x80070010;
	r->s2cr[3] = 5;
	for (uint32_t i = 0; i < MAX_BANKS; i++) {
		r->bank[i] = (struct bank){ .sctlr = 1, .actlr = 3, .fsr = 2,
					    .cbar = i & 3, .cba2r = 1 };
	}
	for (uint32_t i = 0; i < NR_TLB; i++) {
		r->tlb[i] = (struct cached){
			.is_there = true, .vmid = (uint16_t)(i & 0xff),
			.tag = i / 4, .pte = 0xdead0007c3,
		};
	}
}

void fake_smmu_reset(uint32_t n, bool dirty)
{
	struct regs *r = &regs[n];

	memset(r, 0, sizeof(*r));
	fake_smmu[n] = (struct fake_smmu){
		.idr0 = FAKE_IDR0, .idr1 = FAKE_IDR1, .idr2 = FAKE_IDR2,
		.idr7 = FAKE_IDR7, .smr_mask = 0xffff7fff, .sync_polls = 3,
	};
	r->cr0 = 1; /* CLIENTPD */
	r->acr = 1u << 26;
	for (uint32_t i = 0; i < MAX_BANKS; i++) {
		r->bank[i].actlr = 3;
	}
	if (dirty) {
		make_dirty(r);
	}
}

/* ---- TLB ----------------------------------------------------------------- */

static struct cached *tlb_find(struct regs *r, bool is_table, uint16_t vmid,
			       uint64_t addr)
{
	for (uint32_t i = 0; i < NR_TLB; i++) {
		struct cached *c = &r->tlb[i];

		if (c->is_there && c->is_table == is_table &&
		    c->vmid == vmid && c->tag == addr >> (is_table ? 21 : 12)) {
			return c;
		}
	}
	return NULL;
}

static void tlb_add(struct regs *r, bool is_table, uint16_t vmid,
		    uint64_t addr, uint64_t pte)
{
	r->tlb[r->next++ % NR_TLB] = (struct cached){
		.is_there = true, .is_table = is_table, .vmid = vmid,
		.tag = addr >> (is_table ? 21 : 12), .pte = pte,
	};
}

/* What is invalidated stays until a sync has seen it off. */
static void tlb_mark(uint32_t n, int vmid, int64_t ipa, bool leaf_only)
{
	struct regs *r = &regs[n];

	fake_smmu[n].nr_tlbis++;
	for (uint32_t i = 0; i < NR_TLB; i++) {
		struct cached *c = &r->tlb[i];
		uint32_t shift = c->is_table ? 21 : 12;

		if ((vmid < 0 || c->vmid == vmid) &&
		    (ipa < 0 || c->tag == (uint64_t)ipa >> shift) &&
		    !(leaf_only && c->is_table)) {
			c->goes = true;
		}
	}
}

static void tlb_flush(struct regs *r)
{
	for (uint32_t i = 0; i < NR_TLB; i++) {
		r->tlb[i].is_there &= !r->tlb[i].goes;
	}
}

static void sync_begin(uint32_t n, bool *sync, uint32_t *polls)
{
	fake_smmu[n].nr_syncs++;
	*sync = true;
	*polls = fake_smmu[n].sync_polls;
}

static uint32_t sync_status(uint32_t n, bool *sync, uint32_t *polls)
{
	if (!*sync || fake_smmu[n].sync_stuck) {
		return *sync;
	}
	if (*polls > 0) {
		(*polls)--;
		return 1;
	}
	*sync = false;
	tlb_flush(&regs[n]);
	return 0;
}

/* ---- registers ----------------------------------------------------------- */

static uint32_t smmu_of(const volatile void *p, uint32_t *off)
{
	uintptr_t a = (uintptr_t)p - (uintptr_t)fake_smmu_regs(0);
	uint32_t n = (uint32_t)(a / FAKE_SMMU_SIZE);

	if (n >= FAKE_SMMUS) {
		die("access outside the registers", (uintptr_t)p);
	}
	*off = (uint32_t)(a % FAKE_SMMU_SIZE);
	return n;
}

/* The register of a group or a bank that is there. */
static uint32_t *array(uint32_t *first, size_t stride, uint32_t index,
		       uint32_t nr)
{
	if (index >= nr) {
		die("register of a group or bank that is not there", index);
	}
	return (uint32_t *)(void *)((char *)first + stride * index);
}

static uint32_t *plain0(uint32_t n, uint32_t off)
{
	struct regs *r = &regs[n];

	if (off >= 0x800 && off < 0xa00) {
		return array(r->smr, 4, (off - 0x800) / 4, nr_groups(n));
	}
	if (off >= 0xc00 && off < 0xe00) {
		return array(r->s2cr, 4, (off - 0xc00) / 4, nr_groups(n));
	}
	/* clang-format off */
	switch (off) {
	case 0x00: return &r->cr0;
	case 0x08: return &r->cr2;
	case 0x10: return &r->acr;
	case 0x20: return &fake_smmu[n].idr0;
	case 0x24: return &fake_smmu[n].idr1;
	case 0x28: return &fake_smmu[n].idr2;
	case 0x3c: return &fake_smmu[n].idr7;
	case 0x40: return (uint32_t *)&r->gfar;
	case 0x44: return (uint32_t *)&r->gfar + 1;
	case 0x48: return &r->gfsr;
	case 0x50: return &r->gfsynr0;
	case 0x54: return &r->gfsynr1;
	}
	/* clang-format on */
	return NULL;
}

static uint32_t *plain1(uint32_t n, uint32_t off)
{
	struct bank *b = regs[n].bank;
	uint32_t i = (off & 0x3ff) / 4;

	/* clang-format off */
	switch (off & ~0x3ffu) {
	case 0x000: return array(&b->cbar, sizeof(*b), i, nr_banks(n));
	case 0x400: return array(&b->cbfrsynra, sizeof(*b), i, nr_banks(n));
	case 0x800: return array(&b->cba2r, sizeof(*b), i, nr_banks(n));
	}
	/* clang-format on */
	return NULL;
}

static uint32_t *plain_bank(struct bank *b, uint32_t off)
{
	/* clang-format off */
	switch (off) {
	case 0x00: return &b->sctlr;
	case 0x04: return &b->actlr;
	case 0x20: return (uint32_t *)&b->ttbr0;
	case 0x24: return (uint32_t *)&b->ttbr0 + 1;
	case 0x30: return &b->tcr;
	case 0x58: return &b->fsr;
	case 0x60: return (uint32_t *)&b->far;
	case 0x64: return (uint32_t *)&b->far + 1;
	case 0x68: return &b->fsynr0;
	}
	/* clang-format on */
	return NULL;
}

/* Bank whose page holds @off; *off: within the page. */
static struct bank *bank_at(uint32_t n, uint32_t *off)
{
	uint32_t page = *off / page_size(n);

	if (page < nr_pages(n)) {
		return NULL;
	}
	if (page - nr_pages(n) >= nr_banks(n)) {
		die("page of a bank that is not there", *off);
	}
	*off %= page_size(n);
	return &regs[n].bank[page - nr_pages(n)];
}

static uint32_t *plain(uint32_t n, uint32_t off)
{
	struct bank *b = bank_at(n, &off);

	if (b) {
		return plain_bank(b, off);
	}
	if (off < page_size(n)) {
		return plain0(n, off);
	}
	return off < 2 * page_size(n) ? plain1(n, off - page_size(n)) : NULL;
}

uint32_t mmio_read32(const volatile void *p)
{
	uint32_t off;
	uint32_t n = smmu_of(p, &off);
	uint32_t *reg = plain(n, off);
	struct bank *b;

	if (reg) {
		return *reg;
	}
	if (off == 0x74) {
		return sync_status(n, &regs[n].sync, &regs[n].polls);
	}
	b = bank_at(n, &off);
	if (!b || off != 0x7f4) {
		die("read of no register", off);
	}
	return sync_status(n, &b->sync, &b->polls);
}

/* Registers whose write does more than store. */
static bool write0(uint32_t n, uint32_t off, uint32_t v)
{
	struct regs *r = &regs[n];

	switch (off) {
	case 0x10:
		r->acr = fake_smmu[n].secure_lock ? v | 1u << 26 : v;
		return true;
	case 0x48:
		r->gfsr &= ~v;
		return true;
	case 0x64:
		tlb_mark(n, (int)(v & 0xff), -1, false);
		return true;
	case 0x68:
		tlb_mark(n, -1, -1, false);
		return true;
	case 0x6c: /* nothing of Hyp contexts is cached */
		return true;
	case 0x70:
		sync_begin(n, &r->sync, &r->polls);
		return true;
	}
	return off >= 0x20 && off < 0x40;
}

static bool write_bank(uint32_t n, struct bank *b, uint32_t off, uint32_t v)
{
	switch (off) {
	case 0x04:
		if (!(regs[n].acr & 1u << 26)) {
			b->actlr = v;
		}
		return true;
	case 0x58:
		b->fsr &= ~v;
		return true;
	case 0x7f0:
		sync_begin(n, &b->sync, &b->polls);
		return true;
	}
	return false;
}

void mmio_write32(volatile void *p, uint32_t v)
{
	uint32_t off;
	uint32_t n = smmu_of(p, &off);
	uint32_t in_bank = off;
	struct bank *b = bank_at(n, &in_bank);
	uint32_t *reg;

	fake_smmu_log_add((int)n, off, v, "");
	if (fake_smmu[n].on_write) {
		fake_smmu[n].on_write(off, v);
	}
	if (b ? write_bank(n, b, in_bank, v) : write0(n, off, v)) {
		return;
	}
	reg = plain(n, off);
	if (!reg) {
		die("write of no register", off);
	}
	*reg = off >= 0x800 && off < 0xa00 ? v & fake_smmu[n].smr_mask : v;
}

void mmio_write64(volatile void *p, uint64_t v)
{
	uint32_t off;
	uint32_t n = smmu_of(p, &off);
	struct bank *b;

	fake_smmu_log_add((int)n, off, v, "");
	if (fake_smmu[n].on_write) {
		fake_smmu[n].on_write(off, v);
	}
	b = bank_at(n, &off);
	if (b && (off == 0x630 || off == 0x638)) {
		tlb_mark(n, (int)(b->cbar & 0xff), (int64_t)(v << 12),
			 off == 0x638);
	} else {
		die("64-bit write of no such register", off);
	}
}

uint32_t fake_smmu_peek(uint32_t n, uint32_t off)
{
	uint32_t *reg = plain(n, off);

	return reg ? *reg : 0;
}

/* ---- a transaction ------------------------------------------------------- */

/* The group that takes the stream; nr_groups: none; -1 ends the test. */
static uint32_t match(uint32_t n, uint32_t stream)
{
	struct regs *r = &regs[n];
	uint32_t found = nr_groups(n);

	for (uint32_t i = 0; i < nr_groups(n); i++) {
		uint32_t mask = BITS(r->smr[i], 30, 16);

		if (!(r->smr[i] >> 31) ||
		    ((stream ^ r->smr[i]) & 0x7fff & ~mask)) {
			continue;
		}
		if (found != nr_groups(n)) {
			die("two groups match a stream", stream);
		}
		found = i;
	}
	return found;
}

static struct fake_dma stream_fault(uint32_t n, uint32_t kind, uint32_t stream,
				    uint64_t addr, bool write)
{
	struct regs *r = &regs[n];

	if (r->gfsr) {
		r->gfsr |= 1u << 31;
	} else {
		r->gfsr = kind;
		r->gfar = addr;
		r->gfsynr0 = write ? 2 : 0;
		r->gfsynr1 = stream;
	}
	return (struct fake_dma){ .end = DMA_STREAM };
}

static struct fake_dma context_fault(struct bank *b, uint32_t kind,
				     uint32_t stream, uint64_t addr,
				     bool write)
{
	if (b->fsr) {
		b->fsr |= 1u << 31;
	} else {
		b->fsr = kind;
		b->far = addr;
		b->ipafar = addr;
		b->fsynr0 = write ? 1u << 4 : 0;
		b->cbfrsynra = stream;
	}
	return (struct fake_dma){ .end = DMA_FAULT };
}

/*
 * The leaf descriptor of @addr, made one of its page; 0: none. Levels and
 * sizes as TCR says: T0SZ, SL0, concatenated tables at the start level.
 */
static uint64_t walk(uint32_t n, struct bank *b, uint64_t addr)
{
	uint16_t vmid = (uint16_t)(b->cbar & 0xff);
	uint32_t bits = 64 - BITS(b->tcr, 5, 0);
	uint32_t level = 2 - BITS(b->tcr, 7, 6);
	struct cached *c = tlb_find(&regs[n], true, vmid, addr);
	uint64_t table = b->ttbr0 & 0xfffffffff000;
	uint64_t index;

	fake_smmu[n].nr_walks++;
	if (bits > 48 || level > 1 || BITS(b->tcr, 15, 14) != 0 ||
	    !(b->cba2r & 1)) {
		die("no table format of this", b->tcr);
	}
	if (addr >> bits) {
		return 0;
	}
	index = addr >> (39 - 9 * level);
	if (c) {
		table = c->pte;
		level = 3;
		index = addr >> 12 & 511;
	}
	for (;; level++) {
		uint32_t shift = 39 - 9 * level;
		uint64_t pte = fake_smmu[n].table_entry(table + 8 * index);

		if (!(pte & 1) || (level == 3 && !(pte & 2))) {
			return 0;
		}
		if (level == 3 || !(pte & 2)) {
			return pte | (addr & ((UINT64_C(1) << shift) - 1) &
				      ~UINT64_C(0xfff));
		}
		table = pte & 0xfffffffff000;
		index = addr >> (shift - 9) & 511;
		if (level == 2 && !c) {
			tlb_add(&regs[n], true, vmid, addr, table);
		}
	}
}

static struct fake_dma translate(uint32_t n, struct bank *b, uint32_t stream,
				 uint64_t addr, bool write)
{
	uint16_t vmid = (uint16_t)(b->cbar & 0xff);
	struct cached *c;
	uint64_t pte;

	if (b->cbar >> 16 & 3) {
		die("no stage-2 context", b->cbar);
	}
	if (!(b->sctlr & 1)) {
		return (struct fake_dma){ .pa = addr };
	}
	if (b->fsr && !(b->sctlr & 1u << 8)) { /* HUPCF */
		return (struct fake_dma){ .end = DMA_FAULT };
	}
	c = tlb_find(&regs[n], false, vmid, addr);
	fake_smmu[n].nr_hits += c != NULL;
	pte = c ? c->pte : walk(n, b, addr);
	if (!pte) {
		return context_fault(b, 2, stream, addr, write); /* TF */
	}
	if (!(pte & 1u << 10)) {
		return context_fault(b, 4, stream, addr, write); /* AFF */
	}
	if (!c) {
		tlb_add(&regs[n], false, vmid, addr, pte);
	}
	if (!(pte & (write ? 1u << 7 : 1u << 6))) {
		return context_fault(b, 8, stream, addr, write); /* PF */
	}
	return (struct fake_dma){
		.pa = (pte & 0xfffffffff000) | (addr & 0xfff),
		.translated = true,
	};
}

struct fake_dma fake_smmu_dma(uint32_t n, uint32_t stream, uint64_t addr,
			      bool write)
{
	struct regs *r = &regs[n];
	uint32_t group;

	if (r->cr0 & 1) { /* CLIENTPD */
		return (struct fake_dma){ .pa = addr };
	}
	group = match(n, stream);
	if (group == nr_groups(n)) {
		return r->cr0 & 1u << 10 ? /* USFCFG */
		       stream_fault(n, 2, stream, addr, write) :
		       (struct fake_dma){ .pa = addr };
	}
	switch (BITS(r->s2cr[group], 17, 16)) {
	case 0:
		group = r->s2cr[group] & 0xff;
		if (group >= nr_banks(n)) { /* UCBF */
			return stream_fault(n, 8, stream, addr, write);
		}
		return translate(n, &r->bank[group], stream, addr, write);
	case 1:
		return (struct fake_dma){ .pa = addr };
	default: /* ICF */
		return stream_fault(n, 1, stream, addr, write);
	}
}

bool fake_smmu_global_irq(uint32_t n)
{
	return regs[n].gfsr && (regs[n].cr0 & 1u << 2);
}

bool fake_smmu_context_irq(uint32_t n)
{
	for (uint32_t i = 0; i < nr_banks(n); i++) {
		if (regs[n].bank[i].fsr & 0x800001ff &&
		    regs[n].bank[i].sctlr & 1u << 6) {
			return true;
		}
	}
	return false;
}

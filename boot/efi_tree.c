/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's device tree, copied tag by tag with other memory and, when
 * we loaded them ourselves, with modules.
 *
 * Why     the boot path behind it sees what any loader leaves: nothing of EFI
 *         reaches further. libfdt finds data by addresses that are true only
 *         where the image is linked.
 * CPU     the boot CPU under the firmware: position independent, see efi.c.
 * Bounds  2 MiB of tree, one pass to read and one to write.
 * Spec    [DT] 5 "Flattened Devicetree (DTB) Format".
 */
#include "efi_tree.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "fdt_util.h"

#define FDT_MAGIC   0xd00dfeedu
#define FDT_VERSION 17u
#define FDT_HEADER  40u
#define FDT_RESERVE 16u
enum { TAG_BEGIN = 1, TAG_END = 2, TAG_PROP = 3, TAG_NOP = 4, TAG_STOP = 9 };
/* Words of the header */
enum {
	H_MAGIC,
	H_SIZE,
	H_STRUCTS,
	H_STRINGS,
	H_RESERVES,
	H_VERSION,
	H_COMPAT,
	H_CPU,
	H_STRINGS_SIZE,
	H_STRUCTS_SIZE
};

#define DEPTH_ROOT   1u
#define DEPTH_CHOSEN 2u

/* Names of ours, behind the tree's own. */
static const struct {
	char device_type[12], reg[4], compatible[11], bootargs[9];
	char addr_cells[15], size_cells[12];
} names = {
	"device_type",	  "reg",	 "compatible", "bootargs",
	"#address-cells", "#size-cells",
};
#define NAME(member) ((uint32_t) __builtin_offsetof(__typeof__(names), member))

struct tag {
	uint32_t tag;
	uint32_t at, next;   /* offsets in the structure block */
	const char *name;    /* of the node or property */
	const uint8_t *data; /* of the property */
	uint32_t len;
};

static uint32_t header(const uint8_t *fdt, uint32_t word)
{
	return dt_be32(fdt + 4 * (size_t)word);
}

/* ---- reading ------------------------------------------------------------- */

static bool is_within(uint64_t start, uint64_t size, uint64_t end)
{
	return start <= end && size <= end - start;
}

static bool read_prop(const struct efi_tree *t, uint32_t off, struct tag *k)
{
	const uint8_t *p = t->fdt + t->structs + off;
	uint32_t name;

	if (!is_within(off, 12, t->structs_size)) {
		return false;
	}
	k->len = dt_be32(p + 4);
	name = dt_be32(p + 8);
	k->data = p + 12;
	if (!is_within(off + 12u, align_up(k->len, 4), t->structs_size) ||
	    name >= t->strings_size) {
		return false;
	}
	k->name = (const char *)t->fdt + t->strings + name;
	k->next = off + 12 + (uint32_t)align_up(k->len, 4);
	return memchr(k->name, 0, t->strings_size - name) != NULL;
}

/* The tag at @off, which is a multiple of 4. False: there is none. */
static bool read_tag(const struct efi_tree *t, uint32_t off, struct tag *k)
{
	const uint8_t *p = t->fdt + t->structs + off;
	const char *end;

	if (!is_within(off, 4, t->structs_size)) {
		return false;
	}
	*k = (struct tag){.tag = dt_be32(p), .at = off, .next = off + 4};
	if (k->tag == TAG_PROP) {
		return read_prop(t, off, k);
	}
	if (k->tag == TAG_BEGIN) {
		k->name = (const char *)p + 4;
		end = memchr(k->name, 0, t->structs_size - off - 4);
		if (!end) {
			return false;
		}
		k->next = off + 4 +
			  (uint32_t)align_up((uint64_t)(end - k->name) + 1, 4);
		return k->next <= t->structs_size;
	}
	return k->tag == TAG_END || k->tag == TAG_NOP || k->tag == TAG_STOP;
}

static bool is_named(const struct tag *k, const char *name)
{
	return strcmp(k->name, name) == 0;
}

/* One of the strings of the property is @text. */
static bool has_string(const struct tag *k, const char *text)
{
	size_t n = strlen(text) + 1;

	for (uint32_t at = 0; is_within(at, n, k->len); at++) {
		if ((at == 0 || k->data[at - 1] == 0) &&
		    memcmp(k->data + at, text, n) == 0) {
			return true;
		}
	}
	return false;
}

static void note_prop(struct efi_tree *t, const struct tag *k, uint32_t depth,
		      bool in_chosen)
{
	if (depth == DEPTH_ROOT && k->len == 4) {
		if (is_named(k, names.addr_cells)) {
			t->addr_cells = dt_be32(k->data);
		} else if (is_named(k, names.size_cells)) {
			t->size_cells = dt_be32(k->data);
		}
	}
	if (in_chosen && is_named(k, names.compatible) &&
	    has_string(k, "multiboot,module")) {
		t->has_modules = true;
	}
}

static int read_structs(struct efi_tree *t)
{
	bool in_chosen = false;
	uint32_t depth = 0;
	struct tag k;

	/* bound: each tag moves on */
	for (uint32_t at = 0; read_tag(t, at, &k); at = k.next) {
		if (k.tag == TAG_STOP) {
			return depth == 0 && at != 0 ? 0 : -EINVAL;
		}
		if (k.tag == TAG_BEGIN && depth++ == DEPTH_ROOT) {
			in_chosen = is_named(&k, "chosen");
			t->has_cpus |= is_named(&k, "cpus");
		} else if (k.tag == TAG_END && depth-- == 0) {
			return -EINVAL;
		} else if (k.tag == TAG_PROP) {
			note_prop(t, &k, depth, in_chosen && depth > 1);
		}
	}
	return -EINVAL;
}

int efi_tree_read(struct efi_tree *t, const void *fdt, uint64_t max)
{
	const uint8_t *p = fdt;
	uint32_t size;

	if (max < FDT_HEADER || header(p, H_MAGIC) != FDT_MAGIC ||
	    header(p, H_VERSION) < FDT_VERSION ||
	    header(p, H_COMPAT) > FDT_VERSION || header(p, H_SIZE) > max) {
		return -EINVAL;
	}
	size = header(p, H_SIZE);
	*t = (struct efi_tree){
		.fdt = p,
		.structs = header(p, H_STRUCTS),
		.structs_size = header(p, H_STRUCTS_SIZE),
		.strings = header(p, H_STRINGS),
		.strings_size = header(p, H_STRINGS_SIZE),
		.boot_cpu = header(p, H_CPU),
		.addr_cells = 2,
		.size_cells = 1,
	};
	if (((t->structs | t->structs_size) & 3) != 0 ||
	    !is_within(t->structs, t->structs_size, size) ||
	    !is_within(t->strings, t->strings_size, size)) {
		return -EINVAL;
	}
	return read_structs(t);
}

/* ---- writing ------------------------------------------------------------- */

struct out {
	const struct efi_tree *t;
	const struct efi_memory *m;
	const struct efi_chosen *c;
	uint8_t *p;
	uint64_t at, size; /* bytes */
	int error;	   /* the first */
};

static void put(struct out *o, const void *data, uint64_t len)
{
	uint64_t padded = align_up(len, 4);

	if (!is_within(o->at, padded, o->size)) {
		o->error = o->error ? o->error : -ENOSPC;
		return;
	}
	memcpy(o->p + o->at, data, len);
	memset(o->p + o->at + len, 0, padded - len);
	o->at += padded;
}

static void put32(struct out *o, uint32_t v)
{
	v = __builtin_bswap32(v);
	put(o, &v, sizeof(v));
}

static void put64(struct out *o, uint64_t v)
{
	put32(o, (uint32_t)(v >> 32));
	put32(o, (uint32_t)v);
}

/* A number in 1 or 2 cells. */
static void put_cells(struct out *o, uint32_t cells, uint64_t v)
{
	if (cells == 2) {
		put32(o, (uint32_t)(v >> 32));
	} else if (cells != 1 || v > UINT32_MAX) {
		o->error = o->error ? o->error : -ERANGE;
	}
	put32(o, (uint32_t)v);
}

static void put_node(struct out *o, const char *name)
{
	put32(o, TAG_BEGIN);
	put(o, name, strlen(name) + 1);
}

/* The head of a property; its value comes next. */
static void put_prop(struct out *o, uint32_t name, uint32_t len)
{
	put32(o, TAG_PROP);
	put32(o, len);
	put32(o, o->t->strings_size + name);
}

static void put_text(struct out *o, uint32_t name, const char *text)
{
	uint32_t len = (uint32_t)strlen(text) + 1;

	put_prop(o, name, len);
	put(o, text, len);
}

static void put_memory(struct out *o)
{
	const struct ranges *ram = &o->m->ram;
	uint32_t cells = o->t->addr_cells + o->t->size_cells;

	put_node(o, "memory");
	put_text(o, NAME(device_type), "memory");
	put_prop(o, NAME(reg), ram->nr * cells * 4);
	for (uint32_t i = 0; i < ram->nr; i++) {
		put_cells(o, o->t->addr_cells, ram->r[i].start);
		put_cells(o, o->t->size_cells, ram->r[i].size);
	}
	put32(o, TAG_END);
}

/* @compatible: @len bytes. */
static void put_module(struct out *o, const struct mem_range *r,
		       const char *compatible, uint32_t len, const char *args)
{
	char name[32];

	if (r->size == 0) {
		return;
	}
	(void)hv_snprintf(name, sizeof(name), "module@%llx",
			  (unsigned long long)r->start);
	put_node(o, name);
	put_prop(o, NAME(compatible), len);
	put(o, compatible, len);
	put_prop(o, NAME(reg), 16);
	put64(o, r->start);
	put64(o, r->size);
	if (args) {
		put_text(o, NAME(bootargs), args);
	}
	put32(o, TAG_END);
}

static void put_chosen_props(struct out *o)
{
	put_prop(o, NAME(addr_cells), 4);
	put32(o, 2);
	put_prop(o, NAME(size_cells), 4);
	put32(o, 2);
	put_text(o, NAME(bootargs), o->c->options);
}

static void put_modules(struct out *o)
{
	static const char kernel[] = "multiboot,kernel\0multiboot,module";
	static const char ramdisk[] = "multiboot,ramdisk\0multiboot,module";

	put_module(o, &o->c->kernel, kernel, sizeof(kernel), o->c->kernel_args);
	put_module(o, &o->c->ramdisk, ramdisk, sizeof(ramdisk), NULL);
}

/* What put_chosen_props() writes in place of the firmware's. */
static bool is_replaced(const struct tag *k)
{
	return is_named(k, names.addr_cells) || is_named(k, names.size_cells) ||
	       is_named(k, names.bootargs);
}

/* The node that begins at @k has device_type "memory". */
static bool is_memory(const struct efi_tree *t, const struct tag *k)
{
	struct tag p;

	for (uint32_t at = k->next; read_tag(t, at, &p); at = p.next) {
		if (p.tag == TAG_PROP) {
			if (is_named(&p, names.device_type) &&
			    has_string(&p, "memory")) {
				return true;
			}
		} else if (p.tag != TAG_NOP) {
			break;
		}
	}
	return false;
}

/* Behind the end of the node that begins at @at. */
static uint32_t skip_node(const struct efi_tree *t, uint32_t at)
{
	uint32_t depth = 0;
	struct tag k;

	do { /* bound: efi_tree_read() has seen its end */
		(void)read_tag(t, at, &k);
		depth += k.tag == TAG_BEGIN;
		depth -= k.tag == TAG_END;
		at = k.next;
	} while (depth != 0);
	return at;
}

/* Before the end of a node at @depth. */
static void put_more(struct out *o, uint32_t depth, bool in_chosen, bool *done)
{
	if (o->c && depth == DEPTH_CHOSEN && in_chosen) {
		put_modules(o);
		*done = true;
	}
	if (depth != DEPTH_ROOT) {
		return;
	}
	if (o->c && !*done) {
		put_node(o, "chosen");
		put_chosen_props(o);
		put_modules(o);
		put32(o, TAG_END);
	}
	put_memory(o);
}

static void put_structs(struct out *o)
{
	const struct efi_tree *t = o->t;
	bool in_chosen = false;
	bool done = false;
	uint32_t depth = 0;
	uint32_t at = 0;
	struct tag k;

	while (read_tag(t, at, &k) && k.tag != TAG_STOP) { /* bound: moves on */
		at = k.next;
		if (k.tag == TAG_BEGIN && depth == DEPTH_ROOT &&
		    is_memory(t, &k)) {
			at = skip_node(t, k.at);
			continue;
		}
		if (k.tag == TAG_END) {
			put_more(o, depth--, in_chosen, &done);
		}
		if (k.tag == TAG_PROP && depth == DEPTH_CHOSEN && in_chosen &&
		    o->c && is_replaced(&k)) {
			continue;
		}
		put(o, t->fdt + t->structs + k.at, k.next - k.at);
		if (k.tag == TAG_BEGIN && depth++ == DEPTH_ROOT) {
			in_chosen = is_named(&k, "chosen") && !done;
			if (in_chosen && o->c) {
				put_chosen_props(o);
			}
		}
	}
	put32(o, TAG_STOP);
}

/* The firmware's own list is left out: its map of memory says it all. */
static void put_reserves(struct out *o)
{
	const struct ranges *s = &o->m->reserved;

	for (uint32_t i = 0; i < s->nr; i++) {
		put64(o, s->r[i].start);
		put64(o, s->r[i].size);
	}
	put64(o, 0);
	put64(o, 0);
}

uint64_t efi_tree_size(const struct efi_tree *t, const struct efi_chosen *c)
{
	uint64_t texts = c ? strlen(c->options) + strlen(c->kernel_args) : 0;

	/* memory's reg and the list of reserves, then nodes with names */
	return FDT_HEADER + 2 * MAX_RANGES * FDT_RESERVE + t->structs_size +
	       t->strings_size + sizeof(names) + 1024 + texts;
}

int efi_tree_write(const struct efi_tree *t, const struct efi_memory *m,
		   const struct efi_chosen *c, void *buf, uint64_t size)
{
	struct out o = {.t = t,
			.m = m,
			.c = c,
			.p = buf,
			.size = size,
			.at = FDT_HEADER};
	uint32_t word[10] = {[H_MAGIC] = FDT_MAGIC,
			     [H_VERSION] = FDT_VERSION,
			     [H_COMPAT] = 16,
			     [H_CPU] = t->boot_cpu};

	word[H_RESERVES] = (uint32_t)o.at;
	put_reserves(&o);
	word[H_STRUCTS] = (uint32_t)o.at;
	put_structs(&o);
	word[H_STRUCTS_SIZE] = (uint32_t)o.at - word[H_STRUCTS];
	word[H_STRINGS] = (uint32_t)o.at;
	word[H_STRINGS_SIZE] = t->strings_size + (uint32_t)sizeof(names);
	o.at += t->strings_size;
	put(&o, &names, sizeof(names));
	word[H_SIZE] = (uint32_t)o.at;
	if (o.error) {
		return o.error;
	}
	memcpy(o.p + word[H_STRINGS], t->fdt + t->strings, t->strings_size);
	for (uint32_t i = 0; i < 10; i++) {
		word[i] = __builtin_bswap32(word[i]);
	}
	memcpy(o.p, word, sizeof(word));
	return 0;
}

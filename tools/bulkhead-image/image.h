/* SPDX-License-Identifier: Apache-2.0 */
/* One description on its way to a device tree: what each part leaves here. */
#ifndef BULKHEAD_IMAGE_IMAGE_H
#define BULKHEAD_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <hv/platform.h>

#include "cfg.h"

#define TREE_ROOM (2u << 20) /* arm64 boot protocol: 2 MiB at most */
#define MAX_BLOBS 64u
#define MIB (UINT64_C(1) << 20)
#define ALIGN_2M (2 * MIB)
#define DOM0 "dom0"

/* A file that the boot loader puts into memory. */
struct blob {
	char *path; /* absolute */
	uint64_t size;
	uint64_t at;
	uint8_t *data;
	int line;
	bool of_dom0; /* it takes its files over, others copy them */
};

/* What lies somewhere, for tables and overlaps. */
struct area {
	uint64_t start, size;
	const char *name;
	int line; /* 0: not of the description */
};

#define MAX_AREAS 512u

struct areas {
	uint32_t nr;
	struct area a[MAX_AREAS];
};

struct image {
	struct cfg cfg;
	char *dir;        /* of the description: file names are from there */
	char *name;       /* of the description, without .cfg */
	char *out;        /* directory for what is written */
	struct blob hypervisor; /* at: 0 until it is placed */
	uint64_t hypervisor_span;
	uint64_t tree_at;
	struct blob blob[MAX_BLOBS];
	uint32_t nr_blobs;
	struct areas areas;
	void *tree; /* TREE_ROOM bytes */
};

/* ---- keys.c: what may be written ----------------------------------------- */

enum key_kind {
	KEY_NUMBER, /* a cell */
	KEY_MIB,    /* MiB; in the tree two cells of KiB */
	KEY_FLAG,   /* 0 or 1; in the tree there or not */
	KEY_TEXT,
	KEY_FILE,
	KEY_ADDRESS,
	KEY_RANGES, /* list of "START+SIZE"; in the tree two cells each */
	KEY_LIST,   /* of texts, its owner reads them */
};

struct key {
	const char *name;
	uint8_t kind;       /* enum key_kind */
	bool needed;
	const char *prop;   /* of the domain's node, when it is one */
	const char *module; /* "compatible" of a boot module, when it is one */
	const char *node;   /* begin of the names of the nodes it becomes */
	const char *dom0;   /* dom0 has it too; option with a %llu, or "" */
	const char *form;   /* an example of a value */
	const char *help;
};

extern const struct key machine_keys[];
extern const struct key domain_keys[]; /* both end with name NULL */

/* Each key is known, has its kind of value and stands where it may. */
void keys_check(const struct cfg *c);
void keys_help(void);
/* The row whose property @prop is, or whose node @text names; NULL. */
const struct key *key_of_prop(const char *prop);
const struct key *key_of_node(const struct key *rows, const char *text);
/* "START+SIZE", sizes also as 64K, 2M, 1G. False: is none. */
bool range_parse(const char *text, uint64_t *start, uint64_t *size);
bool is_dom0(const struct cfg_section *s);
/* Value of @name in "a=1,b=2"; NULL without it. */
char *spec_field(const char *spec, const char *name);

/* ---- boards.c: machines that QEMU plays ---------------------------------- */

struct qemu_board {
	const char *name;  /* machine = "..." */
	const char *model; /* after QEMU's -M */
	uint64_t ram;      /* where it begins, when dtb has to be given */
	uint32_t console;  /* which of its serial ports is the console */
};

/* What machine names in @m; NULL: nothing, or nothing that is known. */
const struct qemu_board *qemu_board(const struct cfg_section *m);
/* It has no tree of QEMU's making: dtb names that of its vendor. */
bool has_own_tree(const struct qemu_board *b);
/* "NAME", or "NAME=TREE.dtb", in the place of what @m says. */
void qemu_board_choose(struct cfg_section *m, const char *words);

/* ---- base.c: the board and the files ------------------------------------- */

/* The board's own tree into img->tree, without what a boot adds. */
void base_read(struct image *img);
/* All files into img->hypervisor and img->blob; kernels are looked at. */
void files_read(struct image *img);
/* What @key of a domain names; NULL: nothing. */
const struct blob *file_of(const struct image *img,
			   const struct cfg_section *s, const char *key);
/* The file that @e names, from the description's folder. */
char *file_path(const struct image *img, const char *name);
bool file_load(struct blob *b);

/* ---- place.c ------------------------------------------------------------- */

/* Give everything its address; `platform` is the base tree's. */
void place_all(struct image *img);
void area_add(struct areas *l, uint64_t start, uint64_t size, int line,
	      const char *name);

/* ---- tree.c -------------------------------------------------------------- */

/* Domains, modules and options into img->tree. */
void tree_write(struct image *img);
/*
 * Devices of the machine in partial trees: each is there, is free, and given
 * once; `platform` is the base tree's, nothing is written to it yet.
 */
void devices_check(const struct image *img);
void devices_mark(void *tree);
/* Which one is the console is known late; `platform` is @tree's. */
void devices_check_console(const void *tree);
/* One line of shared_mem. */
struct shared {
	const char *id, *role;
	uint64_t at, size, guest;
};
bool shared_parse(const char *spec, struct shared *out);
/* "N", "N-M", with commas: bits of CPUs. False: is none. */
bool cpus_parse(const char *text, uint64_t *mask);

/* ---- pools.c ------------------------------------------------------------- */

/* Into the tree, pools before domains; `platform` is the tree's. */
void pools_put(void *fdt, const struct cfg_section *machine);
void pools_put_domain(void *fdt, const struct cfg_section *machine,
		      const struct cfg_section *s);
/* As lines of a description. */
void pools_tell(FILE *f, const void *tree);
void pools_tell_domain(FILE *f, const void *tree, int domain);

/* ---- check.c: the hypervisor's own code ---------------------------------- */

/* Whose, and in which line, what that code says next will be. */
void report_at(const struct cfg_section *s, int line);
/* The machine alone, into `platform`: what places and files depend on. */
void check_machine(struct image *img);
/* All of it; tells what the hypervisor would refuse. */
void check_all(struct image *img);
/* Read @tree as the hypervisor does; false: it would stop. */
bool check_foreign(const void *tree, bool has_image);
/* RAM that nothing has before domains are made, in bytes. */
uint64_t check_free_memory(void);

/* ---- what is written ----------------------------------------------------- */

/* What is where, of a tree that check_foreign() has read. @img may be NULL. */
void explain(FILE *f, const void *tree, const struct image *img);
/* Memory of a tree as a list without holes, for explain() and the picture. */
void areas_of_tree(struct areas *l, const void *tree,
		   const struct image *img);
void picture(FILE *f, const void *tree, const struct image *img);
/* svg.c: for both pictures. Sizes in pixels, text with its base line at @y. */
const char *svg_colour(uint32_t domain);
void svg_text(FILE *f, int x, int y, const char *text);
void svg_box(FILE *f, int x, int y, int width, int height, const char *colour);
/* The partitions and what connects them, by the description alone. */
void partitions(FILE *f, const struct cfg *c);
void write_uboot(FILE *f, const struct image *img);
void write_qemu(FILE *f, const struct image *img);

#endif

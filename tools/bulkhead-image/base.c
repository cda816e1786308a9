/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's own device tree, from a file or from QEMU, and the files that
 * the boot loader will put into memory.
 *
 * Not     where they go (place.c).
 * Why     rng-seed and kaslr-seed are left out: they are one boot's, and the
 *         same description shall make the same tree.
 */
#include "image.h"

#include <errno.h>
#include <libfdt.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lib/types.h>

#include "boot/kernel_image.h"
#include "report.h"

#define MAX_FILE_SIZE (UINT64_C(1) << 32)

extern char **environ;

/* ---- files --------------------------------------------------------------- */

char *file_path(const struct image *img, const char *name)
{
	return name[0] == '/' ? need_text("%s", name) :
				need_text("%s/%s", img->dir, name);
}

bool file_load(struct blob *b)
{
	struct stat st;
	FILE *f = fopen(b->path, "rb");
	bool ok = f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
		  st.st_size > 0 && (uint64_t)st.st_size < MAX_FILE_SIZE;

	if (ok) {
		b->size = (uint64_t)st.st_size;
		b->data = need(b->size);
		ok = fread(b->data, 1, b->size, f) == b->size;
	}
	if (f) {
		fclose(f);
	}
	return ok;
}

static bool load_named(struct image *img, const struct cfg_entry *e,
		       struct blob *b)
{
	char real[PATH_MAX];

	b->path = file_path(img, e->value.text);
	b->line = e->line;
	if (realpath(b->path, real)) {
		b->path = need_text("%s", real);
	}
	if (!file_load(b)) {
		bad(e->line, "%s = \"%s\": no file with something in it at %s; "
		    "build it, or correct the name", e->key, e->value.text,
		    b->path);
		return false;
	}
	return true;
}

const struct blob *file_of(const struct image *img,
			   const struct cfg_section *s, const char *key)
{
	const struct cfg_entry *e = cfg_find(s, key);
	char real[PATH_MAX];

	if (!e || !realpath(file_path(img, e->value.text), real)) {
		return NULL;
	}
	for (uint32_t i = 0; i < img->nr_blobs; i++) {
		if (img->blob[i].of_dom0 == is_dom0(s) &&
		    strcmp(img->blob[i].path, real) == 0) {
			return &img->blob[i];
		}
	}
	return NULL;
}

/* A file that two domains name is loaded once, and again for dom0. */
static void add_blob(struct image *img, const struct cfg_section *s,
		     const struct key *k)
{
	const struct cfg_entry *e = cfg_find(s, k->name);
	struct blob *b = &img->blob[img->nr_blobs];
	struct kernel_image kernel;

	if (!e || file_of(img, s, k->name)) {
		return;
	}
	if (img->nr_blobs == MAX_BLOBS) {
		bad(e->line, "more than %u files; use some of them twice",
		    MAX_BLOBS);
		return;
	}
	if (!load_named(img, e, b)) {
		return;
	}
	report_at(s, e->line);
	if (strcmp(k->name, "kernel") == 0 &&
	    kernel_image_probe(b->data, b->size, &kernel)) {
		return;
	}
	if (strcmp(k->name, "passthrough") == 0 &&
	    fdt_check_full(b->data, b->size)) {
		bad(e->line, "%s is no device tree; compile it with dtc",
		    b->path);
		return;
	}
	b->of_dom0 = is_dom0(s);
	img->nr_blobs++;
}

void files_read(struct image *img)
{
	load_named(img, cfg_find(&img->cfg.section[0], "hypervisor"),
		   &img->hypervisor);
	for (uint32_t i = 1; i < img->cfg.nr; i++) {
		for (const struct key *k = domain_keys; k->name; k++) {
			if (k->module) {
				add_blob(img, &img->cfg.section[i], k);
			}
		}
	}
}

/* ---- the tree ------------------------------------------------------------ */

/* QEMU writes its board's tree and ends. */
static bool dump_tree(char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ)) {
		return false;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static char *const *qemu_words(const struct cfg_section *m, const char *model,
			       const char *file)
{
	char **w = need(16 * sizeof(*w));
	uint32_t n = 0;

	w[n++] = need_text("qemu-system-aarch64");
	w[n++] = need_text("-M");
	w[n++] = need_text("%s,dumpdtb=%s", model, file);
	w[n++] = need_text("-cpu");
	w[n++] = need_text("%s", cfg_text(m, "cpu", "cortex-a53"));
	w[n++] = need_text("-smp");
	w[n++] = need_text("%llu", (unsigned long long)cfg_number(m, "cpus",
								 2));
	w[n++] = need_text("-m");
	w[n++] = need_text("%llu", (unsigned long long)cfg_number(m, "memory",
								 1024));
	w[n++] = need_text("-nodefaults");
	w[n++] = need_text("-display");
	w[n++] = need_text("none");
	return w;
}

static void read_qemu(struct image *img, const struct cfg_entry *e)
{
	const struct cfg_section *m = &img->cfg.section[0];
	struct blob b = { .path = need_text("%s/.%s.%d.dtb", img->out,
					    img->name, (int)getpid()) };
	bool ok = dump_tree(qemu_words(m, qemu_board(m)->model, b.path)) &&
		  file_load(&b);

	unlink(b.path);
	if (!ok) {
		bad(e->line, "QEMU gives no device tree for this machine (its "
		    "own words are above); correct cpu, cpus or memory, or "
		    "install QEMU: tools/setup/host.sh");
	} else if (fdt_open_into(b.data, img->tree, TREE_ROOM)) {
		bad(e->line, "QEMU's device tree cannot be read; use another "
		    "QEMU");
	}
}

static void read_board(struct image *img, const struct cfg_entry *e)
{
	static const char *const of_qemu[] = { "cpu", "cpus", "memory" };
	const struct cfg_section *m = &img->cfg.section[0];
	/* A board has its CPUs; QEMU gives it as much memory as one wants. */
	uint32_t nr = cfg_find(m, "machine") ? 2 : ARRAY_SIZE(of_qemu);
	struct blob b = { 0 };

	for (uint32_t i = 0; i < nr; i++) {
		if (cfg_find(m, of_qemu[i])) {
			bad(cfg_line(m, of_qemu[i]), "%s is said by the tree "
			    "of dtb; leave it out", of_qemu[i]);
		}
	}
	if (!load_named(img, e, &b)) {
		return;
	}
	if (fdt_check_full(b.data, b.size) ||
	    fdt_open_into(b.data, img->tree, TREE_ROOM)) {
		bad(e->line, "%s is no device tree, or larger than 2 MiB; give "
		    "the board's .dtb", b.path);
	}
}

static void prepare_chosen(void *tree)
{
	static const char *const seeds[] = { "rng-seed", "kaslr-seed" };
	int chosen = fdt_path_offset(tree, "/chosen");

	if (chosen < 0) {
		chosen = fdt_add_subnode(tree, 0, "chosen");
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		fdt_delprop(tree, chosen, seeds[i]);
	}
}

static void put_cells(uint8_t *p, int cells, uint64_t v)
{
	for (int i = cells; i-- > 0; v >>= 32) {
		fdt32_st(p + 4 * i, (uint32_t)v);
	}
}

/* Memory that the boot loader would fill in, in the root's cells. */
static void add_ram(void *tree, const struct cfg_entry *ram)
{
	int ac = fdt_address_cells(tree, 0);
	int sc = fdt_size_cells(tree, 0);
	int node;
	int len = 4 * (ac + sc);
	uint8_t reg[CFG_MAX_ITEMS * 16];

	while ((node = fdt_node_offset_by_prop_value(tree, -1, "device_type",
						     "memory", 7)) >= 0) {
		fdt_del_node(tree, node);
	}
	if (ac < 1 || ac > 2 || sc < 1 || sc > 2) {
		bad(ram->line, "the tree's root has other cells than 1 or 2; "
		    "give the board's .dtb");
		return;
	}
	for (uint32_t i = 0; i < ram->value.nr; i++) {
		uint64_t start;
		uint64_t size;

		range_parse(ram->value.item[i].text, &start, &size);
		put_cells(reg + (int)i * len, ac, start);
		put_cells(reg + (int)i * len + 4 * ac, sc, size);
	}
	node = fdt_add_subnode(tree, 0, "memory");
	if (node < 0 ||
	    fdt_setprop_string(tree, node, "device_type", "memory") ||
	    fdt_setprop(tree, node, "reg", reg, (int)ram->value.nr * len)) {
		die("no room in the tree for its memory; shorten ram");
	}
}

/* Domains come from the description alone. */
static void refuse_domains(const void *tree, int line)
{
	static const char *const words[] = {
		"xen,domain", "multiboot,module", "xen,multiboot-module",
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++) {
		int node = fdt_node_offset_by_compatible(tree, -1, words[i]);

		if (node >= 0) {
			bad(line, "the board's tree names domains or modules "
			    "already (/chosen/%s); give it as the board's "
			    "vendor made it", fdt_get_name(tree, node, NULL));
			return;
		}
	}
}

/* What QEMU will write into the tree of a board that is not its own. */
static void add_qemu_ram(struct image *img, const struct cfg_section *m)
{
	struct cfg_value bank = {
		.text = need_text("0x%llx+%lluM",
				  (unsigned long long)qemu_board(m)->ram,
				  (unsigned long long)cfg_number(m, "memory",
								 1024)),
	};

	add_ram(img->tree, &(struct cfg_entry){
			.value = { .nr = 1, .item = &bank } });
}

/* Of one that QEMU plays: from it, or from a file. */
static void read_machine(struct image *img, const struct cfg_entry *machine,
			 const struct cfg_entry *dtb)
{
	const struct cfg_section *m = &img->cfg.section[0];
	const struct qemu_board *board = qemu_board(m);

	if (!board) {
		bad(machine->line, "machine = \"%s\" is no board of QEMU that "
		    "is known here; write virt-gicv2, virt-gicv3, "
		    "virt-smmu or imx8mp-evk, or dtb = \"FILE\"", machine->value.text);
	} else if (dtb && !has_own_tree(board)) {
		bad(dtb->line, "both machine and dtb; leave one out");
	} else if (!dtb && has_own_tree(board)) {
		bad(machine->line, "QEMU has no device tree for %s; add dtb = "
		    "\"FILE\", its vendor's", board->name);
	} else if (dtb) {
		read_board(img, dtb);
	} else {
		read_qemu(img, machine);
	}
	stop_if_bad();
	if (dtb) {
		add_qemu_ram(img, m);
	}
}

void base_read(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	const struct cfg_entry *machine = cfg_find(m, "machine");
	const struct cfg_entry *dtb = cfg_find(m, "dtb");
	const struct cfg_entry *ram = cfg_find(m, "ram");

	img->tree = need(TREE_ROOM);
	if (machine) {
		read_machine(img, machine, dtb);
	} else if (dtb) {
		read_board(img, dtb);
	} else {
		bad(0, "no machine; write machine = \"virt-gicv3\", or dtb = "
		    "\"FILE\"");
	}
	if (machine && ram) {
		bad(ram->line, "ram is of boards whose tree lacks it; write "
		    "memory = MiB with machine");
	}
	stop_if_bad();
	prepare_chosen(img->tree);
	if (ram) {
		add_ram(img->tree, ram);
	}
	refuse_domains(img->tree, machine ? machine->line : dtb->line);
}

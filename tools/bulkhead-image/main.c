/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulkhead-image: from one description of a machine's domains to what boots
 * it, and back.
 */
#include "image.h"

#include <errno.h>
#include <libgen.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

static struct image image;

static void usage(FILE *f)
{
	fputs("usage: bulkhead-image [-o DIR] [-n] [-m MACHINE] DESCRIPTION\n"
	      "       bulkhead-image --partitions DESCRIPTION >PICTURE.svg\n"
	      "       bulkhead-image --explain TREE.dtb [-s PICTURE.svg]\n"
	      "       bulkhead-image --help\n"
	      "Writes to DIR (else .) for a DESCRIPTION called NAME.cfg:\n"
	      "  NAME.dtb       the device tree that the hypervisor boots "
	      "with\n"
	      "  NAME.txt       what lies where, and whose it is\n"
	      "  NAME.svg       the same as a picture\n"
	      "  NAME.boot.cmd  a U-Boot script (mkimage -T script makes "
	      "boot.scr of it)\n"
	      "  NAME.qemu.sh   starts it in QEMU, when the machine is one of "
	      "QEMU's\n"
	      "  -n             writes nothing, only checks\n"
	      "  -m MACHINE     in the place of what DESCRIPTION says; "
	      "imx8mp-evk=TREE.dtb with its tree\n"
	      "  --partitions   the domains and what connects them, as a "
	      "picture\n"
	      "  --explain      says what an existing tree describes, in the "
	      "words of a description\n"
	      "The hypervisor's own code checks it all first. Each mistake is "
	      "told with its line and its cure.\n", f);
}

/* ---- writing ------------------------------------------------------------- */

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f) {
		die("cannot write %s (%s); choose another directory with -o",
		    path, strerror(errno));
	}
	return f;
}

static void finish(FILE *f, const char *path)
{
	if (ferror(f) | fclose(f)) {
		die("cannot write all of %s; make room", path);
	}
}

static void write_tree(FILE *f, const struct image *img)
{
	fwrite(img->tree, fdt_totalsize(img->tree), 1, f);
}

static void write_layout(FILE *f, const struct image *img)
{
	explain(f, img->tree, img);
}

static void write_picture(FILE *f, const struct image *img)
{
	picture(f, img->tree, img);
}

static void write_all(const struct image *img)
{
	static const struct {
		const char *suffix;
		void (*write)(FILE *f, const struct image *img);
		mode_t mode;
	} outputs[] = {
		{ "dtb", write_tree, 0644 },
		{ "txt", write_layout, 0644 },
		{ "svg", write_picture, 0644 },
		{ "boot.cmd", write_uboot, 0644 },
		{ "qemu.sh", write_qemu, 0755 },
	};

	for (uint32_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char *path = need_text("%s/%s.%s", img->out, img->name,
				       outputs[i].suffix);
		FILE *f;

		if (outputs[i].write == write_qemu &&
		    !cfg_find(&img->cfg.section[0], "machine")) {
			continue;
		}
		f = create(path);
		outputs[i].write(f, img);
		finish(f, path);
		chmod(path, outputs[i].mode);
		printf("%s\n", path);
	}
}

/* ---- the two ways -------------------------------------------------------- */

static void read_description(struct cfg *c, const char *file)
{
	report_file = file;
	if (!cfg_read(c, file)) {
		die("%s cannot be read, or is no text; name a description",
		    file);
	}
	stop_if_bad();
	keys_check(c);
	stop_if_bad();
}

/* @machine: NULL, or in the place of the description's. */
static int make(const char *file, const char *out, const char *machine,
		bool only_check)
{
	struct image *img = &image;
	char *base = basename(need_text("%s", file));
	char *dot = strrchr(base, '.');

	img->dir = dirname(need_text("%s", file));
	img->name = need_text("%.*s", dot ? (int)(dot - base) :
					    (int)strlen(base), base);
	img->out = realpath(out, NULL);
	if (!img->out) {
		die("no directory %s; make it, or name another with -o", out);
	}
	read_description(&img->cfg, file);
	if (machine) {
		qemu_board_choose(&img->cfg.section[0], machine);
	}
	base_read(img);
	check_machine(img);
	files_read(img);
	stop_if_bad();
	devices_check(img);
	place_all(img);
	stop_if_bad();
	tree_write(img);
	stop_if_bad();
	check_all(img);
	stop_if_bad();
	if (!only_check) {
		write_all(img);
	}
	return 0;
}

static int tell(const char *file, const char *svg)
{
	struct blob b = { .path = need_text("%s", file) };
	uint8_t *tree = need(TREE_ROOM);
	FILE *f;

	report_file = file;
	if (!file_load(&b)) {
		die("%s cannot be read; name a device tree", file);
	}
	if (fdt_check_full(b.data, b.size) ||
	    fdt_open_into(b.data, tree, TREE_ROOM)) {
		die("%s is no device tree, or larger than 2 MiB; name a .dtb",
		    file);
	}
	/* What is wrong has been told; the rest is shown all the same. */
	if (!check_foreign(tree, false)) {
		return 1;
	}
	explain(stdout, tree, NULL);
	if (svg) {
		f = create(svg);
		picture(f, tree, NULL);
		finish(f, svg);
	}
	return nr_mistakes != 0;
}

/* The words that come alone. True: that was all; @status is how it ended. */
static bool main_alone(int argc, char **argv, int *status)
{
	*status = 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		keys_help();
		return true;
	}
	if (argc == 3 && strcmp(argv[1], "--partitions") == 0) {
		read_description(&image.cfg, argv[2]);
		partitions(stdout, &image.cfg);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	const char *out = ".";
	const char *svg = NULL;
	const char *machine = NULL;
	bool only_check = false;
	bool backwards = argc > 1 && strcmp(argv[1], "--explain") == 0;
	int opt;

	if (main_alone(argc, argv, &opt)) {
		return opt;
	}
	if (backwards) {
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	while ((opt = getopt(argc, argv, backwards ? "s:" : "no:m:")) !=
	       -1) {
		switch (opt) {
		case 'o':
			out = optarg;
			break;
		case 'm':
			machine = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 's':
			svg = optarg;
			break;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc - 1) {
		usage(stderr);
		return 2;
	}
	return backwards ? tell(argv[optind], svg) :
			   make(argv[optind], out, machine, only_check);
}

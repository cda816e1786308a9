/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who puts it all into memory: a U-Boot script, and QEMU's command line.
 *
 * Why     U-Boot's script compares sizes: they are in the tree, and a file
 *         that was built again would be read in part, or with a rest.
 */
#include "image.h"

#include <libfdt.h>
#include <string.h>

#include "report.h"

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- U-Boot -------------------------------------------------------------- */

/* A load that fails leaves filesize as it is. */
static void uboot_load(FILE *f, const char *name, uint64_t at, uint64_t size)
{
	fprintf(f, "echo loading %s\nsetenv filesize 0\n"
		"${bulkhead_load} 0x%llx %s\n", name,
		(unsigned long long)at, name);
	fprintf(f, "if itest.l 0x${filesize} != 0x%llx; then setenv "
		"bulkhead_bad 1; echo %s is not there, or not the %llu bytes "
		"it was when bulkhead-image ran; fi\n",
		(unsigned long long)size, name, (unsigned long long)size);
}

static void uboot_head(FILE *f, const struct image *img)
{
	fprintf(f, "# U-Boot script, made by bulkhead-image from %s.\n"
		"# Make boot.scr of it: mkimage -A arm64 -T script -d "
		"%s.boot.cmd boot.scr\n"
		"# and put it beside these files:\n", report_file, img->name);
	fprintf(f, "#   %s\n#   %s/%s.dtb\n", img->hypervisor.path, img->out,
		img->name);
	for (uint32_t i = 0; i < img->nr_blobs; i++) {
		fprintf(f, "#   %s\n", img->blob[i].path);
	}
	fputs("# Other places than a disk: set bulkhead_load, such as to "
	      "\"tftpboot\".\n"
	      "if test -z \"${bulkhead_load}\"; then setenv bulkhead_load "
	      "load ${devtype} ${devnum}:${distro_bootpart}; fi\n"
	      "setenv bulkhead_bad\n", f);
}

void write_uboot(FILE *f, const struct image *img)
{
	char *tree = need_text("%s.dtb", img->name);

	uboot_head(f, img);
	uboot_load(f, file_name(img->hypervisor.path), img->hypervisor.at,
		   img->hypervisor.size);
	uboot_load(f, tree, img->tree_at, fdt_totalsize(img->tree));
	for (uint32_t i = 0; i < img->nr_blobs; i++) {
		uboot_load(f, file_name(img->blob[i].path), img->blob[i].at,
			   img->blob[i].size);
	}
	fputs("# The tree stays where it is: nothing lies there.\n"
	      "setenv fdt_high 0xffffffffffffffff\n", f);
	/* No "exit" above: it does not end a script in U-Boot 2023.01. */
	fprintf(f, "if test -z \"${bulkhead_bad}\"; then booti 0x%llx - "
		"0x%llx; fi\n",
		(unsigned long long)img->hypervisor.at,
		(unsigned long long)img->tree_at);
}

/* ---- QEMU ---------------------------------------------------------------- */

/* One word for the shell; QEMU wants commas doubled in file names. */
static void shell_word(FILE *f, const char *before, const char *path,
		       const char *after)
{
	fprintf(f, " '%s", before);
	for (; *path; path++) {
		if (*path == '\'') {
			fputs("'\\''", f);
		} else if (*path == ',' && before[0]) {
			fputs(",,", f);
		} else {
			fputc(*path, f);
		}
	}
	fprintf(f, "%s'", after);
}

void write_qemu(FILE *f, const struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	const struct qemu_board *board = qemu_board(m);

	fprintf(f, "#!/bin/sh\n# Made by bulkhead-image from %s. More words go "
		"to QEMU; Ctrl-\\ x ends it.\n", report_file);
	fprintf(f, "exec \"${QEMU:-qemu-system-aarch64}\" -M %s", board->model);
	if (!has_own_tree(board)) {
		fputs(" -cpu", f);
		shell_word(f, "", cfg_text(m, "cpu", "cortex-a53"), "");
	}
	fprintf(f, " -smp %u -m %llu \\\n\t-display none -no-user-config "
		"-nodefaults -nic none ", platform.nr_cpus,
		(unsigned long long)cfg_number(m, "memory", 1024));
	for (uint32_t i = 0; i < board->console; i++) {
		fputs("-serial null ", f);
	}
	fputs("-serial mon:stdio -echr 0x1c \\\n\t-kernel", f);
	shell_word(f, "", img->hypervisor.path, "");
	fputs(" -dtb", f);
	shell_word(f, "", need_text("%s/%s.dtb", img->out, img->name), "");
	for (uint32_t i = 0; i < img->nr_blobs; i++) {
		fputs(" \\\n\t-device", f);
		shell_word(f, "loader,file=", img->blob[i].path,
			   need_text(",addr=0x%llx,force-raw=on",
				     (unsigned long long)img->blob[i].at));
	}
	fputs(" \"$@\"\n", f);
}

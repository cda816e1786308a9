/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own boot code over a tree, before it is booted; what that
 * code says becomes a mistake in a line of the description.
 *
 * Owns    log_printf() and the other few functions of the hypervisor that
 *         the code of boot/ calls and a host does not have.
 * Rule    what the hypervisor would only warn of in a domain is a mistake
 *         here: the domain would not be what was described.
 */
#include "image.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/page_alloc.h>
#include <hv/sched.h>
#include <lib/bits.h>
#include <lib/check.h>

#include "boot/boot.h"
#include "boot/cmdline.h"
#include "boot/dom_fdt.h"
#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_pools.h"
#include "boot/fdt_util.h"
#include "boot/kernel_image.h"
#include "boot/modules.h"
#include "report.h"

#define HV_SHARE ALIGN_2M /* of each domain, boot/dom0less.c */
#define MAX_PIECES 8u     /* ... and of what it has memory in, there */
#define DOM0_MEM_DEFAULT (512 * MIB)
#define FDT_ALIGN UINT64_C(0x10000)

/* Whose files and options are looked at; NULL: no description. */
static const struct cfg *description;
static const struct cfg_section *at_section;
static int at_line;
/* Before any domain has some of it. */
static uint64_t free_memory;

void report_at(const struct cfg_section *s, int line)
{
	at_section = s;
	at_line = line;
}

/* ---- a message of the hypervisor becomes a line -------------------------- */

static bool names_domain(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; (p = strstr(p, name)) != NULL; p += len) {
		bool begins = p - text >= 4 &&
			      (strncmp(p - 4, " of ", 4) == 0 ||
			       strncmp(p - 1, "/", 1) == 0);

		if (begins && strchr("/:; \n", p[len])) {
			return true;
		}
	}
	return false;
}

static const struct cfg_section *section_in(const char *text)
{
	for (uint32_t i = 1; i < description->nr; i++) {
		if (names_domain(text, description->section[i].name)) {
			return &description->section[i];
		}
	}
	return NULL;
}

/* The key whose property is in quotes in @text, or whose module it names. */
static const struct key *key_in(const char *text)
{
	const char *quote = strchr(text, '"');
	const char *module = strstr(text, "boot module ");
	const struct key *k = key_of_node(domain_keys, text);

	if (k) {
		return k;
	}
	if (module) {
		text = module + strlen("boot module ");
		return strncmp(text, "ramdisk", 7) ? &domain_keys[0] :
						     &domain_keys[1];
	}
	return quote ? key_of_prop(need_text("%.*s",
					     (int)strcspn(quote + 1, "\""),
					     quote + 1)) : NULL;
}

static void tell_domain(const struct cfg_section *s, const char *text)
{
	const struct key *k = key_in(text);
	const struct cfg_entry *e = k ? cfg_find(s, k->name) : NULL;
	const struct key *all = key_of_node(machine_keys, text);
	const char *quote = strstr(text, ": \"");

	if (all) {
		bad(cfg_line(&description->section[0], all->name), "%s", text);
	} else if (e) {
		text = quote ? quote + 2 : text;
		/* "write <1>" is of trees. */
		bad(e->line, strstr(text, "; write ") ?
		    "[%s] %s: %.*s (here: %s = %s)" : "[%s] %s: %.*s",
		    s->name, k->name, (int)strcspn(text, "\n"), text, k->name,
		    k->form);
	} else {
		bad(s->line, "%s", text);
	}
}

/* Keys that became an option of the hypervisor: "option NAME: ..." */
static int line_of_option(const char *text)
{
	for (uint32_t i = 1; i < description->nr; i++) {
		const struct cfg_section *s = &description->section[i];

		for (const struct key *k = domain_keys; k->name; k++) {
			size_t len = k->dom0 ? strcspn(k->dom0, "=") : 0;

			if (len && is_dom0(s) && cfg_find(s, k->name) &&
			    strncmp(text, k->dom0, len) == 0) {
				return cfg_line(s, k->name);
			}
		}
	}
	return cfg_line(&description->section[0],
			strncmp(text, "sched:", 6) ? "options" : "scheduler");
}

static void tell(const char *text)
{
	const struct cfg_section *s = description ? section_in(text) : NULL;

	if (s) {
		tell_domain(s, text);
	} else if (description && strncmp(text, "option ", 7) == 0) {
		bad(line_of_option(text + 7), "%s", text);
	} else {
		bad(at_line, "%s%s%s%s", at_section && at_section->name[0] ?
		    "[" : "", at_section ? at_section->name : "",
		    at_section && at_section->name[0] ? "] " : "", text);
	}
}

void log_printf(enum log_level lvl, const char *fmt, ...)
{
	char text[1024];
	char *ignored;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (lvl == LOG_WARN && description && section_in(text)) {
		ignored = strstr(text, "; ignored");
		tell(ignored ? need_text("%.*s; leave it out",
					 (int)(ignored - text), text) : text);
	} else if (lvl == LOG_ERR) {
		tell(text);
	} else if (lvl == LOG_WARN) {
		fprintf(stderr, "bulkhead-image: warning: %s", text);
	}
}

/* ---- what a host does not have ------------------------------------------- */

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* Only whether there is one by that name is asked. */
const struct sched_policy *sched_policy_by_name(const char *name)
{
	static const struct sched_policy any[] = {
		{ .name = "credit2" },
		{ .name = "rtds" },
		{ .name = "arinc653" },
		{ .name = "null" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(any); i++) {
		if (strcmp(any[i].name, name) == 0) {
			return &any[i];
		}
	}
	return NULL;
}

int stage1_map_ram(uint64_t start, uint64_t size);

int stage1_map_ram(uint64_t start, uint64_t size)
{
	(void)start;
	(void)size;
	return 0;
}

/* There is no memory to put free pages' records into. */
void __wrap_page_alloc_free_range(paddr_t start, uint64_t size);

void __wrap_page_alloc_free_range(paddr_t start, uint64_t size)
{
	(void)start;
	(void)size;
}

/* ---- the machine --------------------------------------------------------- */

/* QEMU's and U-Boot's boot CPU is the first that is there. */
static uint64_t first_mpidr(const void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;

	fdt_for_each_subnode(node, fdt, cpus) {
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);
		const char *status = fdt_getprop(fdt, node, "status", NULL);
		int len;
		const uint8_t *reg = fdt_getprop(fdt, node, "reg", &len);

		if (type && strcmp(type, "cpu") == 0 && reg &&
		    (!status || status[0] == 'o')) {
			return dt_cells(reg, (uint32_t)len / 4);
		}
	}
	return 0;
}

void check_machine(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];

	description = &img->cfg;
	report_at(m, cfg_line(m, cfg_find(m, "machine") ? "machine" : "dtb"));
	if (fdt_platform_parse(img->tree, first_mpidr(img->tree), &platform)) {
		stop_if_bad();
	}
}

/* ---- all of it ----------------------------------------------------------- */

/* Also the console, which is an option's or the tree's. */
static bool parse_all(const void *tree)
{
	return fdt_platform_parse(tree, first_mpidr(tree), &platform) == 0 &&
	       cmdline_parse(platform.hv_cmdline, &options) == 0 &&
	       (strcmp(options.console, "none") == 0 ||
		fdt_platform_find_console(&platform, options.dtuart) == 0);
}

uint64_t check_free_memory(void)
{
	return free_memory;
}

static uint64_t dom0_memory(void)
{
	return options.dom0_mem ? options.dom0_mem : DOM0_MEM_DEFAULT;
}

/* The hypervisor's for it: also a copy of the images when it may restart. */
static uint64_t share_of(const struct image *img, const struct cfg_section *s)
{
	const struct blob *kernel = file_of(img, s, "kernel");
	const struct blob *ramdisk = file_of(img, s, "ramdisk");
	struct kernel_image k;

	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		if (strcmp(boot_domains[i].name, s->name) == 0 && kernel &&
		    fdt_dom_restarts(&boot_domains[i].restart) &&
		    kernel_image_probe(kernel->data, kernel->size, &k) == 0) {
			return HV_SHARE +
			       align_up(k.file_size +
						(ramdisk ? ramdisk->size : 0),
					ALIGN_2M);
		}
	}
	return HV_SHARE;
}

/*
 * @want bytes for a domain, and the hypervisor's @share for it, in pieces from
 * the top, as boot/dom0less.c will take them.
 */
static bool take_memory(uint64_t want, uint64_t share)
{
	struct mem_range piece;

	if (want + share > ranges_total(&boot_free) ||
	    ranges_take(&boot_free, share, ALIGN_2M, &piece)) {
		return false;
	}
	for (uint32_t i = 0; want && i < MAX_PIECES; i++) {
		if (ranges_take(&boot_free, want, ALIGN_2M, &piece)) {
			return false;
		}
		want -= piece.size;
	}
	return want == 0;
}

static void check_memory_of(const struct image *img,
			    const struct cfg_section *s)
{
	uint64_t left = ranges_total(&boot_free);
	uint64_t want = is_dom0(s) ? dom0_memory() :
				     cfg_number(s, "memory", 0) * MIB;

	if (!take_memory(cfg_find(s, "static_mem") ? 0 : want,
			 share_of(img, s))) {
		bad(cfg_line(s, "memory"), "[%s] wants %llu MiB of memory, "
		    "%llu are left of the %llu that domains can have, and "
		    "pieces of less than 2 MiB count for nothing; make it "
		    "smaller, or another one", s->name,
		    (unsigned long long)(want / MIB),
		    (unsigned long long)(left / MIB),
		    (unsigned long long)(free_memory / MIB));
	}
}

/* dom0 chooses first. */
static void check_memory(const struct image *img)
{
	const struct cfg *c = &img->cfg;

	free_memory = ranges_total(&boot_free);
	for (uint32_t i = 1; i < c->nr; i++) {
		if (is_dom0(&c->section[i])) {
			check_memory_of(img, &c->section[i]);
		}
	}
	for (uint32_t i = 1; i < c->nr; i++) {
		if (!is_dom0(&c->section[i])) {
			check_memory_of(img, &c->section[i]);
		}
	}
}

/* Kernel, ramdisk and tree are in its memory at once. */
static void check_fit(struct image *img, const struct cfg_section *s)
{
	const struct blob *kernel = file_of(img, s, "kernel");
	const struct blob *ramdisk = file_of(img, s, "ramdisk");
	uint64_t mem = cfg_number(s, "memory", 0) * MIB;
	struct kernel_image k;
	uint64_t needed;

	report_at(s, cfg_line(s, "kernel"));
	if (!kernel || kernel_image_probe(kernel->data, kernel->size, &k)) {
		return;
	}
	needed = k.text_offset + align_up(k.image_size, PAGE_SIZE) +
		 align_up(ramdisk ? ramdisk->size : 0, PAGE_SIZE) +
		 2 * FDT_ALIGN;
	if (needed > mem) {
		bad(cfg_line(s, "memory"), "[%s] has %llu MiB of memory, its "
		    "kernel and ramdisk need %llu KiB; write memory = %llu or "
		    "more", s->name, (unsigned long long)(mem / MIB),
		    (unsigned long long)needed >> 10,
		    (unsigned long long)(needed / MIB + 1));
	}
}

/* What is wrong with a pool is wrong in the line of all. */
static bool check_pools(void)
{
	const struct cfg_section *m = description ? &description->section[0] :
						    NULL;

	if (m && cfg_find(m, "pools")) {
		report_at(m, cfg_line(m, "pools"));
	}
	return fdt_pools_parse(&host_dt, &platform) == 0;
}

static bool check_domains(const void *tree, const struct mem_range *image,
			  uint64_t tree_at)
{
	boot_image = *image;
	boot_dtb = (struct mem_range){
		.start = tree_at, .size = tree_at ? TREE_ROOM : 0,
	};
	if (!parse_all(tree) ||
	    modules_check(&platform, &boot_image, &boot_dtb)) {
		return false;
	}
	if (fdt_static_heap_parse(&host_dt, &platform) ||
	    !check_pools()) {
		return false;
	}
	fdt_dom_parse(&host_dt, &platform);
	fdt_dom_check_modules(&platform, &boot_image, &boot_dtb);
	return true;
}

void check_all(struct image *img)
{
	const struct cfg_section *m = &img->cfg.section[0];
	const struct mem_range image = {
		.start = img->hypervisor.at, .size = img->hypervisor_span,
	};
	bool ok;

	report_at(m, cfg_line(m, "options"));
	ok = check_domains(img->tree, &image, img->tree_at);
	devices_check_console(img->tree);
	if (!ok || nr_mistakes || boot_memory_init(&platform)) {
		return;
	}
	check_memory(img);
	for (uint32_t i = 1; i < img->cfg.nr; i++) {
		check_fit(img, &img->cfg.section[i]);
	}
}

bool check_foreign(const void *tree, bool has_image)
{
	const struct mem_range none = { 0 };

	return check_domains(tree, has_image ? &boot_image : &none,
			     has_image ? boot_dtb.start : 0);
}

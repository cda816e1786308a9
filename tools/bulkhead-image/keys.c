/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a description may say: one row a key, from which come the check of its
 * form, its property in the tree, the way back in --explain, and --help.
 *
 * Not     whether a value makes sense: the hypervisor's own code says that
 *         (check.c).
 * To add  a key that is one property: its row here, and nothing else.
 */
#include "image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lib/types.h>

#include "report.h"

const struct key machine_keys[] = {
	{ .name = "machine", .kind = KEY_TEXT, .form = "\"virt-gicv3\"",
	  .help = "a board of QEMU: virt-gicv2, virt-gicv3, virt-smmu, "
		  "imx8mp-evk; or dtb" },
	{ .name = "cpu", .kind = KEY_TEXT, .form = "\"cortex-a53\"",
	  .help = "the model of its CPUs" },
	{ .name = "cpus", .kind = KEY_NUMBER, .form = "2",
	  .help = "how many it has" },
	{ .name = "memory", .kind = KEY_MIB, .form = "1024",
	  .help = "MiB it has" },
	{ .name = "dtb", .kind = KEY_FILE, .form = "\"board.dtb\"",
	  .help = "the device tree of a real board, or of imx8mp-evk" },
	{ .name = "ram", .kind = KEY_RANGES, .form = "[ \"0x40000000+1G\" ]",
	  .help = "its memory, when its tree leaves that to the boot loader" },
	{ .name = "hypervisor", .kind = KEY_FILE, .needed = true,
	  .form = "\"../build/arm64/bulkhead\"", .help = "the image" },
	{ .name = "options", .kind = KEY_TEXT, .form = "\"console=dtuart\"",
	  .help = "the hypervisor's command line" },
	{ .name = "scheduler", .kind = KEY_TEXT, .form = "\"null\"",
	  .help = "its policy, the same as sched= in options" },
	{ .name = "hypervisor_at", .kind = KEY_ADDRESS, .form = "0x40200000",
	  .help = "where the boot loader puts it; else 2 MiB into memory" },
	{ .name = "tree_at", .kind = KEY_ADDRESS, .form = "0x48000000",
	  .help = "where the device tree goes; else 128 MiB into memory" },
	{ .name = "modules_at", .kind = KEY_ADDRESS, .form = "0x50000000",
	  .help = "kernels and ramdisks go from there up; else where room is" },
	{ .name = "static_heap", .kind = KEY_RANGES,
	  .prop = "xen,static-heap", .form = "[ \"0x60000000+64M\" ]",
	  .help = "the only memory of the hypervisor and of domains without "
		  "static_mem" },
	{ .name = "channels", .kind = KEY_LIST,
	  .node = "/evtchn@",
	  .form = "[ \"from=a,port=10,to=b,remote=11\" ]",
	  .help = "event channels that are there from the start" },
	{ .name = "pools", .kind = KEY_LIST,
	  .form = "[ \"name=rt,cpus=1+3,sched=rtds\" ]",
	  .help = "sets of CPUs with a scheduler of their own" },
	{ .name = "hashes", .kind = KEY_FLAG, .form = "0",
	  .help = "0: the tree does not list what its files must be" },
	{ .name = NULL },
};

const struct key domain_keys[] = {
	{ .name = "kernel", .kind = KEY_FILE, .needed = true,
	  .module = "multiboot,kernel", .dom0 = "", .form = "\"vmlinuz\"",
	  .help = "an arm64 Image, also packed with gzip" },
	{ .name = "ramdisk", .kind = KEY_FILE, .module = "multiboot,ramdisk",
	  .dom0 = "", .form = "\"initrd.gz\"", .help = "its ramdisk" },
	{ .name = "extra", .kind = KEY_TEXT, .dom0 = "",
	  .form = "\"console=ttyAMA0\"", .help = "the kernel's command line" },
	{ .name = "memory", .kind = KEY_MIB, .needed = true,
	  .prop = "memory", .dom0 = "dom0_mem=%lluM", .form = "64",
	  .help = "MiB" },
	{ .name = "vcpus", .kind = KEY_NUMBER, .needed = true, .prop = "cpus",
	  .dom0 = "dom0_max_vcpus=%llu", .form = "1",
	  .help = "number of virtual CPUs" },
	{ .name = "vpl011", .kind = KEY_FLAG, .prop = "vpl011", .form = "1",
	  .help = "1: it has a UART, a PL011 at 0x22000000" },
	{ .name = "enhanced", .kind = KEY_TEXT, .prop = "xen,enhanced",
	  .form = "\"no-xenstore\"",
	  .help = "its device tree tells of the hypervisor" },
	{ .name = "nr_spis", .kind = KEY_NUMBER, .prop = "nr_spis",
	  .form = "32", .help = "interrupt lines; else all" },
	{ .name = "cpus", .kind = KEY_TEXT, .node = "/vcpu",
	  .form = "\"1-2\"",
	  .help = "the CPUs it may run on" },
	{ .name = "pool", .kind = KEY_TEXT, .form = "\"rt\"",
	  .help = "the pool it is in; else the one with the first CPU" },
	{ .name = "weight", .kind = KEY_NUMBER, .prop = "bulkhead,weight",
	  .form = "512",
	  .help = "its share, others have 256; with sched=credit2" },
	{ .name = "budget_us", .kind = KEY_NUMBER,
	  .prop = "bulkhead,budget-us", .form = "4000",
	  .help = "each vCPU's time in a period; with sched=rtds" },
	{ .name = "period_us", .kind = KEY_NUMBER,
	  .prop = "bulkhead,period-us", .form = "10000",
	  .help = "that period" },
	{ .name = "extratime", .kind = KEY_FLAG,
	  .prop = "bulkhead,extratime", .form = "1",
	  .help = "1: and more, when nobody else wants the CPU" },
	{ .name = "static_mem", .kind = KEY_RANGES,
	  .prop = "xen,static-mem", .form = "[ \"0x70000000+64M\" ]",
	  .help = "the memory that is its, and nobody else's" },
	{ .name = "direct_map", .kind = KEY_FLAG,
	  .prop = "direct-map", .form = "1",
	  .help = "1: it sees that at the machine's own addresses" },
	{ .name = "shared_mem", .kind = KEY_LIST,
	  .node = "/shared-mem@",
	  .form = "[ \"id=box,at=0x78000000,size=64K,guest=0x50000000,"
		  "role=owner\" ]",
	  .help = "memory that others see too, under the same id" },
	{ .name = "passthrough", .kind = KEY_FILE,
	  .module = "multiboot,device-tree", .form = "\"uart.dtb\"",
	  .help = "a partial tree with the devices it gets" },
	{ .name = "pci", .kind = KEY_LIST, .prop = "bulkhead,pci",
	  .form = "[ \"0000:00:03.0\" ]",
	  .help = "PCI functions that it gets; not dom0's then" },
	{ .name = "on_poweroff", .kind = KEY_TEXT,
	  .prop = "bulkhead,on-poweroff", .form = "\"halt\"",
	  .help = "when it powers off: halt, restart or crash-machine" },
	{ .name = "on_reboot", .kind = KEY_TEXT,
	  .prop = "bulkhead,on-reboot", .form = "\"restart\"",
	  .help = "when it restarts" },
	{ .name = "on_crash", .kind = KEY_TEXT,
	  .prop = "bulkhead,on-crash", .form = "\"restart\"",
	  .help = "when it crashes" },
	{ .name = "on_watchdog", .kind = KEY_TEXT,
	  .prop = "bulkhead,on-watchdog", .form = "\"restart\"",
	  .help = "when it gives no sign of life" },
	{ .name = "restart_limit", .kind = KEY_NUMBER,
	  .prop = "bulkhead,restart-limit", .form = "3",
	  .help = "restarts in a row; else any number" },
	{ .name = "restart_backoff_ms", .kind = KEY_NUMBER,
	  .prop = "bulkhead,restart-backoff-ms", .form = "1000",
	  .help = "before the first restart of a row" },
	{ .name = "heartbeat_ms", .kind = KEY_NUMBER,
	  .prop = "bulkhead,heartbeat-ms", .form = "500",
	  .help = "longest time without a sign of life; else any" },
	{ .name = NULL },
};

bool is_dom0(const struct cfg_section *s)
{
	return strcmp(s->name, DOM0) == 0;
}

const struct key *key_of_prop(const char *prop)
{
	for (const struct key *k = domain_keys; k->name; k++) {
		if (k->prop && strcmp(k->prop, prop) == 0) {
			return k;
		}
	}
	return NULL;
}

const struct key *key_of_node(const struct key *rows, const char *text)
{
	for (const struct key *k = rows; k->name; k++) {
		if (k->node && strstr(text, k->node)) {
			return k;
		}
	}
	return NULL;
}

static const struct key *key_named(const struct key *rows, const char *name)
{
	for (const struct key *k = rows; k->name; k++) {
		if (strcmp(k->name, name) == 0) {
			return k;
		}
	}
	return NULL;
}

char *spec_field(const char *spec, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = spec; *p;) {
		size_t n = strcspn(p, ",");

		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=') {
			return need_text("%.*s", (int)(n - len - 1),
					 p + len + 1);
		}
		p += n + (p[n] == ',');
	}
	return NULL;
}

static bool size_parse(const char *text, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	*out = strtoull(text, &end, 0);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		uint32_t shift = 10 * (uint32_t)(unit - units + 1);

		if (*out >> (64 - shift)) {
			return false;
		}
		*out <<= shift;
		end++;
	}
	return end != text && *end == 0 && isdigit((unsigned char)*text);
}

bool range_parse(const char *text, uint64_t *start, uint64_t *size)
{
	const char *plus = strchr(text, '+');

	return plus &&
	       size_parse(need_text("%.*s", (int)(plus - text), text),
			  start) &&
	       size_parse(plus + 1, size) && *size != 0 &&
	       *size <= UINT64_MAX - *start;
}

/* ---- the form of a value ------------------------------------------------- */

static bool are_texts(const struct cfg_value *v, bool ranges)
{
	uint64_t start;
	uint64_t size;

	if (v->kind != CFG_LIST) {
		return false;
	}
	for (uint32_t i = 0; i < v->nr; i++) {
		if (v->item[i].kind != CFG_TEXT ||
		    (ranges && !range_parse(v->item[i].text, &start, &size))) {
			return false;
		}
	}
	return true;
}

static bool is_form(const struct key *k, const struct cfg_value *v)
{
	switch ((enum key_kind)k->kind) {
	case KEY_NUMBER:
		return v->kind == CFG_NUMBER && v->number <= UINT32_MAX;
	case KEY_MIB:
		return v->kind == CFG_NUMBER && v->number < (UINT64_C(1) << 40);
	case KEY_FLAG:
		return v->kind == CFG_NUMBER && v->number <= 1;
	case KEY_ADDRESS:
		return v->kind == CFG_NUMBER;
	case KEY_TEXT:
	case KEY_FILE:
		return v->kind == CFG_TEXT;
	case KEY_RANGES:
	case KEY_LIST:
		break;
	}
	return are_texts(v, k->kind == KEY_RANGES);
}

static const char *kind_name(const struct key *k)
{
	static const char *const names[] = {
		[KEY_NUMBER] = "a number below 4294967296",
		[KEY_MIB] = "a number of MiB", [KEY_FLAG] = "0 or 1",
		[KEY_TEXT] = "a text", [KEY_FILE] = "the name of a file",
		[KEY_ADDRESS] = "an address",
		[KEY_RANGES] = "a list of \"START+SIZE\"",
		[KEY_LIST] = "a list of texts",
	};

	return names[k->kind];
}

static void check_entry(const struct cfg_section *s, const struct key *rows,
			const struct cfg_entry *e)
{
	const struct key *k = key_named(rows, e->key);

	if (!k && key_named(rows == machine_keys ? domain_keys : machine_keys,
			    e->key)) {
		bad(e->line, "%s is a key of %s; move it %s", e->key,
		    rows == machine_keys ? "a domain" : "the machine",
		    rows == machine_keys ? "below a [name]" :
					   "above the first [name]");
	} else if (!k) {
		bad(e->line, "nobody knows the key %s; bulkhead-image --help "
		    "lists them", e->key);
	} else if (is_dom0(s) && !k->dom0) {
		bad(e->line, "%s is nothing that " DOM0 " can have; leave it "
		    "out, or name the domain otherwise", e->key);
	} else if (!is_form(k, &e->value)) {
		bad(e->line, "%s is not %s; write %s = %s", e->key,
		    kind_name(k), k->name, k->form);
	}
}

static void check_section(const struct cfg_section *s, const struct key *rows)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		check_entry(s, rows, &s->entry[i]);
	}
	for (const struct key *k = rows; k->name; k++) {
		if (k->needed && !cfg_find(s, k->name)) {
			bad(s->line, "%s%s%s has no %s; add %s = %s",
			    s->name[0] ? "[" : "the machine", s->name,
			    s->name[0] ? "]" : "", k->name, k->name, k->form);
		}
	}
}

void keys_check(const struct cfg *c)
{
	check_section(&c->section[0], machine_keys);
	for (uint32_t i = 1; i < c->nr; i++) {
		const struct cfg_section *s = &c->section[i];

		if (strlen(s->name) > 30) {
			bad(s->line, "[%s] is longer than 30 characters; "
			    "shorten it", s->name);
		}
		check_section(s, domain_keys);
	}
	if (c->nr == 1) {
		bad(0, "no domain; begin one with its name in brackets, "
		    "[name]");
	}
}

/* ---- --help -------------------------------------------------------------- */

static void help_rows(const struct key *rows)
{
	for (const struct key *k = rows; k->name; k++) {
		printf("  %-14s %-26s %s%s\n", k->name, k->form, k->help,
		       k->needed ? " (needed)" : "");
	}
}

void keys_help(void)
{
	puts("\nThe machine, above the first [name]:");
	help_rows(machine_keys);
	puts("\nEach domain, below its [name]; [" DOM0 "] is the control "
	     "domain and has the first five:");
	help_rows(domain_keys);
}

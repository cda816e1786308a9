/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's command line: one row per option, in Xen's spelling.
 *
 * Owns    `options`.
 * Not     the value formats (option_values.c); whether a named UART or
 *         scheduler exists, who asks for it knows.
 * Bounds  CMDLINE_MAX characters, rows are searched linearly.
 * Spec    [XEN] docs/misc/xen-command-line.pandoc.
 */
#include "cmdline.h"

#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "option_values.h"

#define FIELD(member)                                                         \
	.offset = offsetof(struct options, member),                           \
	.size = sizeof(((struct options *)NULL)->member)

struct options options __sealed;

static const char *const console_names[] = { "dtuart", "none", NULL };
/* Values of sched=; a new policy is one word here. */
static const char *const sched_names[] = {
	"credit2", "rtds", "arinc653", "null", NULL,
};

static const char *const measure_names[] = { "listed", "log", "require",
					    NULL };

static const char *const vwfi_names[] = { "trap", "native" };
static const char *const xsm_names[] = { "silo", "dummy" };
static const char *const fault_names[] = { "log", "crash" };

static const struct option_row rows[] = {
	{ .name = "console", FIELD(console), .parse = option_word,
	  .words = console_names, .form = "dtuart|none",
	  .help = "none: all serial ports are dom0's; the log is in memory" },
	{ .name = "dtuart", FIELD(dtuart), .parse = option_text,
	  .form = "PATH|ALIAS[:OPTIONS]", .help = "serial port of the console; "
	  "default /chosen/stdout-path" },
	{ .name = "dom0_mem", FIELD(dom0_mem), .parse = option_dom0_mem,
	  .form = "SIZE[,min:SIZE][,max:SIZE]", .help = "memory of dom0; SIZE "
	  "is a number and B, K, M, G or T, K when absent" },
	{ .name = "dom0_max_vcpus", FIELD(dom0_max_vcpus),
	  .parse = option_range, .min = 1, .max = 128, .form = "N|MIN-MAX",
	  .help = "vCPUs of dom0; default one per CPU" },
	{ .name = "dom0_vcpus_pin", FIELD(dom0_vcpus_pin),
	  .parse = option_bool, .form = "BOOL",
	  .help = "dom0's vCPU n runs on CPU n only" },
	{ .name = "dom0_scu", FIELD(dom0_scu), .parse = option_bool,
	  .form = "BOOL", .help = "dom0 talks to the system controller of an "
	  "i.MX 8; default yes" },
	{ .name = "maxcpus", FIELD(maxcpus), .parse = option_number,
	  .min = 1, .max = NR_CPUS, .form = "N",
	  .help = "CPUs to start; default all" },
	{ .name = "hmp-unsafe", FIELD(hmp_unsafe), .parse = option_bool,
	  .form = "BOOL", .help = "one pool for CPUs of different kinds; "
	  "default a pool for each",
	  .note = "guests may move between CPUs of different kinds" },
	{ .name = "sched", FIELD(sched), .parse = option_word,
	  .words = sched_names, .form = "credit2|rtds|arinc653|null",
	  .help = "scheduling policy" },
	{ .name = "sched_forced", FIELD(sched_forced), .parse = option_bool,
	  .form = "BOOL", .help = "budgets of rtds that add up to more than "
	  "the CPUs are taken, with a warning" },
	{ .name = "vwfi", FIELD(vwfi_native), .parse = option_either,
	  .words = vwfi_names, .form = "trap|native",
	  .help = "native: a guest's WFI stops the CPU itself, faster but the "
	  "CPU is lost to others" },
	{ .name = "xsm", FIELD(xsm_dummy), .parse = option_either,
	  .words = xsm_names, .form = "silo|dummy",
	  .help = "silo: domains share events and grants with dom0 only; "
	  "dummy: with each other, too",
	  .note = "domains may share with each other" },
	{ .name = "bootscrub", FIELD(bootscrub), .parse = option_bool,
	  .form = "BOOL", .help = "clear what domains get at boot, but for "
	  "dom0; later owners always get it cleared",
	  .note = "what domains get at boot is cleared, but for dom0" },
	{ .name = "noreboot", FIELD(noreboot), .parse = option_bool,
	  .form = "BOOL", .help = "stop instead of rebooting after a crash" },
	{ .name = "watchdog", FIELD(watchdog), .parse = option_watchdog,
	  .form = "BOOL", .help = "stop when a CPU hangs; see "
	  "watchdog_timeout" },
	{ .name = "watchdog_timeout", FIELD(watchdog), .parse = option_number,
	  .min = 0, .max = 3600, .form = "SECONDS",
	  .help = "how long a CPU may hang; 0 turns the watchdog off, else it "
	  "is on" },
	{ .name = "sync_console", FIELD(sync_console), .parse = option_bool,
	  .form = "BOOL", .help = "accepted; output is always synchronous",
	  .note = "output is always synchronous" },
	{ .name = "loglvl", FIELD(loglvl), .parse = option_loglvl,
	  .form = "LEVEL[/LEVEL]", .help = "least severe message to print: "
	  "error (as none), warning, info, debug, all; of two the second" },
	{ .name = "guest_loglvl", FIELD(guest_loglvl), .parse = option_loglvl,
	  .form = "LEVEL[/LEVEL]", .help = "the same for messages about "
	  "guests" },
	{ .name = "iommu", FIELD(iommu), .parse = option_bool,
	  .form = "BOOL", .help = "drive SMMUs; without, a device may reach "
	  "all memory whoever has it" },
	{ .name = "iommu_fault", FIELD(iommu_crash), .parse = option_either,
	  .words = fault_names, .form = "log|crash",
	  .help = "crash: a domain whose device tries to reach what is not "
	  "its own ends, but not dom0" },
	{ .name = "trace_all", FIELD(trace_all), .parse = option_bool,
	  .form = "BOOL", .help = "events of the scheduler, hypercalls and "
	  "interrupts into the ring that the key T prints" },
	{ .name = "measure", FIELD(measure), .parse = option_word,
	  .words = measure_names, .form = "listed|log|require",
	  .help = "SHA-256 of boot modules: only where the tree lists one, "
	  "which must be right; log: of all; require: all must be listed" },
	{ .name = "timer_slop", FIELD(timer_slop_ns), .parse = option_number,
	  .min = 0, .max = 1000000000, .form = "NANOSECONDS",
	  .help = "deadlines this close to each other share an interrupt, the "
	  "last one's; default 50000" },
};

static const struct options defaults = {
	.console = "dtuart",
	.dom0_mem_max = UINT64_MAX,
	.dom0_scu = true,
	.sched = "credit2",
	.loglvl = LOG_INFO,
	.guest_loglvl = LOG_WARN,
	.timer_slop_ns = 50000,
	.iommu = true,
	.measure = "listed",
};

/*
 * The next word of *@s into @word, quotes removed. Quotes keep blanks
 * together. False at the end of the line; a word that is too long is cut, its
 * value cannot be valid then.
 */
static bool next_word(const char **s, char *word, size_t size)
{
	const char *p = *s;
	size_t len = 0;
	char quote = 0;

	while (*p == ' ' || *p == '\t' || *p == '\n') {
		p++;
	}
	if (*p == 0) {
		return false;
	}
	for (; *p != 0; p++) {
		if (quote ? *p == quote : (*p == '"' || *p == '\'')) {
			quote = quote ? 0 : *p;
			continue;
		}
		if (!quote && (*p == ' ' || *p == '\t' || *p == '\n')) {
			break;
		}
		if (len < size - 1) {
			word[len++] = *p;
		}
	}
	word[len] = 0;
	*s = p;
	return true;
}

static const struct option_row *row_find(const char *name)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static int option_apply(char *word, struct options *o)
{
	char *eq = strchr(word, '=');
	const char *value = eq ? eq + 1 : NULL;
	const struct option_row *row;
	const char *name = word;

	if (eq) {
		*eq = 0;
	}
	row = row_find(word);
	if (!row && !value && strncmp(word, "no-", 3) == 0) {
		name = word + 3;
		row = row_find(name);
		if (row && row->parse != option_bool &&
		    row->parse != option_watchdog) {
			row = NULL;
		}
		value = "no";
	}
	if (!row) {
		log_warn("option %s is unknown and ignored\n", word);
		return 0;
	}
	if (row->parse(row, value, (uint8_t *)o + row->offset, o)) {
		log_err("option %s: \"%s\" is not allowed; give %s=%s\n", name,
			value ? value : "", name, row->form);
		return -EINVAL;
	}
	if (row->note && *((const bool *)o + row->offset)) {
		log_info("option %s: %s\n", name, row->note);
	}
	return 0;
}

int cmdline_parse(const char *line, struct options *o)
{
	static char word[CMDLINE_MAX];

	*o = defaults;
	while (next_word(&line, word, sizeof(word))) {
		int rc = option_apply(word, o);

		if (rc) {
			return rc;
		}
	}
	return 0;
}

bool options_describe(uint32_t n, struct option_help *out)
{
	if (n >= ARRAY_SIZE(rows)) {
		return false;
	}
	*out = (struct option_help){ .name = rows[n].name,
				     .form = rows[n].form,
				     .help = rows[n].help };
	return true;
}

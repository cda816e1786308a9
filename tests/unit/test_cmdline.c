/* SPDX-License-Identifier: Apache-2.0 */
/* Every option, every kind of value, and what is refused. */
// LINK: boot/cmdline.c boot/option_values.c tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/cmdline.h"
#include "fake_log.h"

static struct options o;

static void good(const char *line)
{
	fake_log_reset();
	cr_assert_eq(cmdline_parse(line, &o), 0, "%s: %s", line,
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_WARN], 0);
}

/* Refused, with a message that names option, value and what is allowed. */
static void bad(const char *line, const char *option, const char *value,
		const char *allowed)
{
	fake_log_reset();
	cr_assert_eq(cmdline_parse(line, &o), -EINVAL, "%s", line);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], option));
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], value));
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], allowed), "%s",
			   fake_log_last[LOG_ERR]);
}

Test(cmdline, defaults)
{
	good("");
	cr_assert_str_eq(o.console, "dtuart");
	cr_assert_str_eq(o.dtuart, "");
	cr_assert_eq(o.dom0_mem, 0);
	cr_assert_eq(o.dom0_mem_max, UINT64_MAX);
	cr_assert_str_eq(o.sched, "credit2");
	cr_assert_eq(o.loglvl, LOG_INFO);
	cr_assert_eq(o.guest_loglvl, LOG_WARN);
	cr_assert_eq(o.watchdog, 0);
	good("   \t ");
}

Test(cmdline, every_form_of_true_and_false)
{
	static const char *const yes[] = {
		"bootscrub", "bootscrub=1", "bootscrub=yes", "bootscrub=on",
		"bootscrub=true", "bootscrub=enable",
	};
	static const char *const no[] = {
		"bootscrub no-bootscrub", "bootscrub bootscrub=0",
		"bootscrub bootscrub=no", "bootscrub bootscrub=off",
		"bootscrub bootscrub=false",
	};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		good(yes[i]);
		cr_assert(o.bootscrub, "%s", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		good(no[i]);
		cr_assert_not(o.bootscrub, "%s", no[i]);
	}
	bad("bootscrub=perhaps", "bootscrub", "perhaps", "BOOL");
	good("dom0_scu=no");
	cr_assert_not(o.dom0_scu);
	good("");
	cr_assert(o.dom0_scu, "as firmware gives it");
	good("hmp-unsafe=true");
	cr_assert(o.hmp_unsafe);
	good("hmp-unsafe no-hmp-unsafe");
	cr_assert_not(o.hmp_unsafe);
	good("sched_forced");
	cr_assert(o.sched_forced);
	good("noreboot");
	cr_assert(o.noreboot, "an option whose name starts with no");
}

Test(cmdline, dom0_mem)
{
	good("dom0_mem=4096");
	cr_assert_eq(o.dom0_mem, 4096 << 10, "no suffix: KiB");
	good("dom0_mem=512M");
	cr_assert_eq(o.dom0_mem, UINT64_C(512) << 20);
	good("dom0_mem=1g,min:256m,max:2G");
	cr_assert_eq(o.dom0_mem, UINT64_C(1) << 30);
	cr_assert_eq(o.dom0_mem_min, UINT64_C(256) << 20);
	cr_assert_eq(o.dom0_mem_max, UINT64_C(2) << 30);
	good("dom0_mem=max:1T");
	cr_assert_eq(o.dom0_mem_max, UINT64_C(1) << 40);
	good("dom0_mem=1048576B");
	cr_assert_eq(o.dom0_mem, 1 << 20);
	good("dom0_mem=0x100M");
	cr_assert_eq(o.dom0_mem, UINT64_C(256) << 20);
	bad("dom0_mem=lots", "dom0_mem", "lots", "SIZE");
	bad("dom0_mem=", "dom0_mem", "\"\"", "SIZE");
	bad("dom0_mem", "dom0_mem", "\"\"", "SIZE");
	bad("dom0_mem=512MB", "dom0_mem", "512MB", "SIZE");
	bad("dom0_mem=0", "dom0_mem", "0", "SIZE");
	bad("dom0_mem=1G,", "dom0_mem", "1G,", "SIZE");
	bad("dom0_mem=min:2G,max:1G", "dom0_mem", "min:2G", "SIZE");
	bad("dom0_mem=99999999999999999T", "dom0_mem", "T", "SIZE");
	bad("dom0_mem=99999999999999999999999", "dom0_mem", "99", "SIZE");
}

Test(cmdline, numbers_and_ranges)
{
	good("dom0_max_vcpus=4");
	cr_assert_eq(o.dom0_max_vcpus, 4);
	good("dom0_max_vcpus=2-6");
	cr_assert_eq(o.dom0_max_vcpus, 6);
	good("dom0_max_vcpus=-3");
	cr_assert_eq(o.dom0_max_vcpus, 3);
	good("dom0_max_vcpus=2-");
	cr_assert_eq(o.dom0_max_vcpus, 128);
	bad("dom0_max_vcpus=0", "dom0_max_vcpus", "0", "MIN-MAX");
	bad("dom0_max_vcpus=6-2", "dom0_max_vcpus", "6-2", "MIN-MAX");
	bad("dom0_max_vcpus=129", "dom0_max_vcpus", "129", "MIN-MAX");
	bad("dom0_max_vcpus=2x", "dom0_max_vcpus", "2x", "MIN-MAX");
	good("maxcpus=1 timer_slop=1000");
	cr_assert_eq(o.maxcpus, 1);
	cr_assert_eq(o.timer_slop_ns, 1000);
	cr_assert_str_eq(o.measure, "listed");
	good("measure=require");
	cr_assert_str_eq(o.measure, "require");
	bad("measure=no", "measure", "no", "listed|log|require");
	bad("maxcpus=0", "maxcpus", "0", "N");
	bad("maxcpus=18446744073709551617", "maxcpus", "1844", "N");
	bad("maxcpus=0x10000000000000001", "maxcpus", "0x1", "N");
	bad("maxcpus=4294967297", "maxcpus", "4294967297", "N");
}

Test(cmdline, words_and_texts)
{
	char line[300] = "dtuart=";

	good("console=none");
	cr_assert_str_eq(o.console, "none");
	bad("console=com1", "console", "com1", "dtuart|none");
	good("console=dtuart dtuart=/soc/uart@0:115200 sched=null");
	cr_assert_str_eq(o.dtuart, "/soc/uart@0:115200");
	cr_assert_str_eq(o.sched, "null");
	bad("sched=best", "sched", "best", "credit2|rtds|arinc653|null");
	bad("dtuart=", "dtuart", "\"\"", "PATH");
	memset(line + 7, 'x', 200);
	bad(line, "dtuart", "xxx", "PATH");
	good("vwfi=native");
	cr_assert(o.vwfi_native);
	good("vwfi=native vwfi=trap");
	cr_assert_not(o.vwfi_native, "the last one counts");
	bad("vwfi=yes", "vwfi", "yes", "trap|native");
	cr_assert_not(o.xsm_dummy);
	good("xsm=dummy");
	cr_assert(o.xsm_dummy);
	good("xsm=dummy xsm=silo");
	cr_assert_not(o.xsm_dummy);
	bad("xsm=flask", "xsm", "flask", "silo|dummy");
	bad("xsm", "xsm", "\"\"", "silo|dummy");
	cr_assert_not(o.iommu_crash);
	good("iommu_fault=crash");
	cr_assert(o.iommu_crash);
	good("iommu_fault=crash iommu_fault=log");
	cr_assert_not(o.iommu_crash);
	bad("iommu_fault=stop", "iommu_fault", "stop", "log|crash");
}

Test(cmdline, watchdog)
{
	good("watchdog");
	cr_assert_eq(o.watchdog, 5);
	good("watchdog=force");
	cr_assert_eq(o.watchdog, 5);
	good("watchdog_timeout=30 watchdog");
	cr_assert_eq(o.watchdog, 30);
	good("watchdog no-watchdog");
	cr_assert_eq(o.watchdog, 0);
	bad("watchdog=30", "watchdog", "30", "BOOL");
}

Test(cmdline, log_levels)
{
	static const struct {
		const char *line;
		uint8_t level;
	} rows[] = {
		{ "loglvl=none", LOG_ERR }, { "loglvl=error", LOG_ERR },
		{ "loglvl=warning", LOG_WARN }, { "loglvl=info", LOG_INFO },
		{ "loglvl=debug", LOG_DEBUG }, { "loglvl=all", LOG_DEBUG },
		{ "loglvl=error/warning", LOG_WARN },
		{ "loglvl=none/all", LOG_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		good(rows[i].line);
		cr_assert_eq(o.loglvl, rows[i].level, "%s", rows[i].line);
	}
	good("guest_loglvl=all");
	cr_assert_eq(o.guest_loglvl, LOG_DEBUG);
	bad("loglvl=loud", "loglvl", "loud", "LEVEL");
	bad("loglvl=info/loud", "loglvl", "info/loud", "LEVEL");
	bad("loglvl=/", "loglvl", "/", "LEVEL");
	bad("loglvl=inf", "loglvl", "inf", "LEVEL");
}

Test(cmdline, unknown_is_one_warning_each)
{
	fake_log_reset();
	cr_assert_eq(cmdline_parse("fancy=1 maxcpus=2 no-fancier", &o), 0);
	cr_assert_eq(fake_log_count[LOG_WARN], 2);
	cr_assert_not_null(strstr(fake_log_last[LOG_WARN], "no-fancier"));
	cr_assert_eq(o.maxcpus, 2, "the others still count");
	fake_log_reset();
	cr_assert_eq(cmdline_parse("no-maxcpus", &o), 0);
	cr_assert_eq(fake_log_count[LOG_WARN], 1, "not a boolean");
}

Test(cmdline, quotes_keep_blanks)
{
	good("\"dtuart=/soc/a b\" maxcpus=2");
	cr_assert_str_eq(o.dtuart, "/soc/a b");
	good("dtuart='/soc/a b'");
	cr_assert_str_eq(o.dtuart, "/soc/a b");
	good("dtuart=\"it's\"");
	cr_assert_str_eq(o.dtuart, "it's");
	good("dtuart=\"open");
	cr_assert_str_eq(o.dtuart, "open");
}

Test(cmdline, what_is_done_anyway_is_said)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{ "bootscrub", "option bootscrub: what domains get at boot" },
		{ "sync_console=1", "option sync_console: output is always" },
		{ "bootscrub=0 no-sync_console noreboot", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		good(rows[i].line);
		cr_assert_eq(fake_log_count[LOG_INFO], *rows[i].said != 0);
		cr_assert_not_null(strstr(fake_log_last[LOG_INFO],
					  rows[i].said));
	}
}

Test(cmdline, every_option_is_described)
{
	static char readme[65536];
	FILE *f = fopen("README.md", "r");
	struct option_help h;
	uint32_t n = 0;

	cr_assert_not_null(f, "run from the top folder");
	cr_assert_gt(fread(readme, 1, sizeof(readme) - 1, f), 0);
	fclose(f);

	while (options_describe(n, &h)) {
		char line[64];

		cr_assert(h.name && h.form && h.help);
		/* none is unknown to the parser */
		snprintf(line, sizeof(line), "%s=", h.name);
		fake_log_reset();
		(void)!cmdline_parse(line, &o);
		cr_assert_eq(fake_log_count[LOG_WARN], 0, "%s", h.name);
		snprintf(line, sizeof(line), "\n    %s=%s", h.name, h.form);
		cr_assert_not_null(strstr(readme, line), "README.md:%s", line);
		n++;
	}
	cr_assert_eq(n, 24);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* "bulkhead,..." properties of a "xen,domain" node: each one, each mistake. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_log.c tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "fake_log.h"
#include "fake_tree.h"

#define NODE "/chosen/dom"

static struct platform p;
static void *fdt;

static void setup(void)
{
	static const char kernel[] = "multiboot,kernel\0multiboot,module";

	fdt = fake_tree(3);
	fake_tree_add(fdt, "/chosen", "dom", "xen,domain");
	CELLS(fdt, NODE, "#address-cells", 2);
	CELLS(fdt, NODE, "#size-cells", 2);
	CELLS(fdt, NODE, "memory", 0, 65536);
	CELLS(fdt, NODE, "cpus", 1);
	fake_tree_add(fdt, NODE, "module@1", NULL);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, NODE "/module@1"),
				 "compatible", kernel, sizeof(kernel)), 0);
	CELLS(fdt, NODE "/module@1", "reg", 0, 0x60000000, 0, 0x100000);
}

TestSuite(fdt_dom_restart, .init = setup);

static void text(const char *prop, const char *value)
{
	cr_assert_eq(fdt_setprop_string(fdt, fake_tree_node(fdt, NODE), prop,
					value), 0);
}

static const struct restart_policy *parse(void)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0);
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, 1);
	return &boot_domains[0].restart;
}

static void expect_good(void)
{
	cr_assert(!boot_domains[0].refused, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_WARN], 0);
}

/* One message, which names the property, the node and has @word. */
static void expect_refused(const char *prop, const char *word)
{
	parse();
	cr_assert(boot_domains[0].refused, "%s: %s", prop, word);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], prop), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "dom"));
}

Test(fdt_dom_restart, nothing_said)
{
	const struct restart_policy *r = parse();

	expect_good();
	cr_assert(!fdt_dom_has_policy(r));
	cr_assert(!fdt_dom_restarts(r));
	for (int i = 0; i < NR_RESTART_CAUSES; i++) {
		cr_assert_eq(r->on[i], RESTART_HALT);
	}
	cr_assert_eq(r->limit, 0);
	cr_assert_eq(r->heartbeat_ms, 0);
}

Test(fdt_dom_restart, all_said)
{
	const struct restart_policy *r;

	text("bulkhead,on-poweroff", "halt");
	text("bulkhead,on-reboot", "restart");
	text("bulkhead,on-crash", "crash-machine");
	text("bulkhead,on-watchdog", "restart");
	CELLS(fdt, NODE, "bulkhead,restart-limit", 7);
	CELLS(fdt, NODE, "bulkhead,restart-backoff-ms", 250);
	CELLS(fdt, NODE, "bulkhead,heartbeat-ms", 20);
	r = parse();
	expect_good();
	cr_assert_eq(r->on[RESTART_POWEROFF], RESTART_HALT);
	cr_assert_eq(r->on[RESTART_REBOOT], RESTART_AGAIN);
	cr_assert_eq(r->on[RESTART_CRASH], RESTART_CRASH_MACHINE);
	cr_assert_eq(r->on[RESTART_WATCHDOG], RESTART_AGAIN);
	cr_assert_eq(r->limit, 7);
	cr_assert_eq(r->backoff_ms, 250);
	cr_assert_eq(r->heartbeat_ms, 20);
	cr_assert(fdt_dom_has_policy(r));
	cr_assert(fdt_dom_restarts(r));
}

Test(fdt_dom_restart, each_alone_and_defaults)
{
	text("bulkhead,on-poweroff", "restart");
	cr_assert_eq(parse()->on[RESTART_POWEROFF], RESTART_AGAIN);
	expect_good();
	cr_assert_eq(parse()->backoff_ms, 1000);
	cr_assert_eq(parse()->limit, 0);
	CELLS(fdt, NODE, "bulkhead,restart-backoff-ms", 0);
	cr_assert_eq(parse()->backoff_ms, 0);
	expect_good();
}

Test(fdt_dom_restart, policies_without_a_restart)
{
	text("bulkhead,on-crash", "crash-machine");
	cr_assert(fdt_dom_has_policy(parse()));
	cr_assert(!fdt_dom_restarts(parse()));
	expect_good();
	text("bulkhead,on-crash", "halt");
	cr_assert(!fdt_dom_has_policy(parse()));
	CELLS(fdt, NODE, "bulkhead,heartbeat-ms", 1);
	cr_assert(fdt_dom_has_policy(parse()));
	expect_good();
}

Test(fdt_dom_restart, wrong_actions)
{
	static const char *const props[] = {
		"bulkhead,on-poweroff", "bulkhead,on-reboot",
		"bulkhead,on-crash", "bulkhead,on-watchdog",
	};
	static const char *const bad[] = { "", "Restart", "restart ", "reboot",
					   "hal" };

	for (size_t i = 0; i < ARRAY_SIZE(props); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
			text(props[i], bad[k]);
			expect_refused(props[i], "write one of them");
		}
		/* Not ended by a NUL, though the word is right. */
		cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, NODE),
					 props[i], "restart", 7), 0);
		expect_refused(props[i], "write one of them");
		text(props[i], "restart");
	}
	parse();
	expect_good();
}

Test(fdt_dom_restart, wrong_numbers)
{
	static const struct {
		const char *prop;
		uint32_t bad;
	} rows[] = {
		{ "bulkhead,restart-limit", 0 },
		{ "bulkhead,restart-limit", UINT32_MAX },
		{ "bulkhead,restart-backoff-ms", 3600001 },
		{ "bulkhead,restart-backoff-ms", UINT32_MAX },
		{ "bulkhead,heartbeat-ms", 0 },
		{ "bulkhead,heartbeat-ms", 3600001 },
	};

	text("bulkhead,on-crash", "restart");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CELLS(fdt, NODE, rows[i].prop, rows[i].bad);
		expect_refused(rows[i].prop, "is not a number");
		CELLS(fdt, NODE, rows[i].prop, 0, 5);
		expect_refused(rows[i].prop, "is not a number");
		cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, NODE),
					 rows[i].prop, NULL, 0), 0);
		expect_refused(rows[i].prop, "is not a number");
		CELLS(fdt, NODE, rows[i].prop, 3600000);
		parse();
		expect_good();
	}
}

Test(fdt_dom_restart, about_restarts_that_never_come)
{
	CELLS(fdt, NODE, "bulkhead,restart-limit", 3);
	expect_refused("bulkhead,restart-limit", "nothing restarts");
	text("bulkhead,on-crash", "crash-machine");
	expect_refused("bulkhead,restart-limit", "nothing restarts");
	cr_assert_eq(fdt_delprop(fdt, fake_tree_node(fdt, NODE),
				 "bulkhead,restart-limit"), 0);
	CELLS(fdt, NODE, "bulkhead,restart-backoff-ms", 0);
	expect_refused("bulkhead,restart-backoff-ms", "nothing restarts");
}

Test(fdt_dom_restart, others_with_our_prefix_are_told_of)
{
	text("bulkhead,on-whim", "restart");
	parse();
	cr_assert(!boot_domains[0].refused);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_WARN],
				  "bulkhead,on-whim"));
}

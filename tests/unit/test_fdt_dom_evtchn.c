/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes "xen,evtchn-v1": pairs between domains, with dom0 and within one, and
 * every mistake: its own message, and of the two domains of a pair only the
 * one that has the mistake is refused.
 */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/modules.c lib/printf.c
// LINK: tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_dom_evtchn.h"
#include "boot/fdt_platform.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define FIRST  "/chosen/first"
#define NOBODY 0x9999 /* a phandle of no node */

static struct platform p;

/* Node @name of @dom: @port, joined with phandle @to; itself @phandle. */
static void end(void *fdt, const char *dom, const char *name, int64_t phandle,
		int64_t port, int64_t to)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dom, name);
	fake_tree_add(fdt, dom, name, "xen,evtchn-v1");
	CELLS(fdt, path, "phandle", phandle);
	CELLS(fdt, path, "xen,evtchn", port, to);
}

/* A pair between "first" and "bad", which the tests spoil. */
static void *pair(void)
{
	void *fdt = fake_domains(3);

	end(fdt, FIRST, "e1", 0x101, 10, 0x201);
	end(fdt, BAD, "e1", 0x201, 11, 0x101);
	return fdt;
}

static void parse(void *fdt)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, 3);
}

static void expect_refused(void *fdt, const char *word)
{
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s: %u messages", word,
		     fake_log_count[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s", word,
			   fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], BAD "/e"), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert(!boot_domains[0].refused);
	cr_assert(boot_domains[1].refused, "%s", word);
	cr_assert(!boot_domains[2].refused);
}

/* The end with that port, of a domain. */
static struct static_evtchn *with_port(uint8_t dom, uint32_t port)
{
	for (uint32_t i = 0; i < nr_static_evtchns; i++) {
		if (static_evtchns[i].dom == dom &&
		    static_evtchns[i].port == port) {
			return &static_evtchns[i];
		}
	}
	cr_assert_fail("domain %u has no port %u", dom, port);
	return NULL;
}

static void expect_pair(struct static_evtchn *a, struct static_evtchn *b)
{
	cr_assert_neq(a, b);
	cr_assert_eq(&static_evtchns[a->peer], b);
	cr_assert_eq(&static_evtchns[b->peer], a);
}

Test(fdt_dom_evtchn, pairs)
{
	void *fdt = pair();

	end(fdt, BAD, "e2", 0x202, 1023, 0x203);
	end(fdt, BAD, "e3", 0x203, 1, 0x202);
	end(fdt, BAD, "e4", 0x204, 10, 0x401);
	end(fdt, "/chosen", "e1", 0x401, 4095, 0x204);
	/* A number that another domain has too. */
	end(fdt, "/chosen/third", "e1", 0x301, 10, 0x402);
	end(fdt, "/chosen", "e2", 0x402, 10, 0x301);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 0, "%s", fake_log_last[LOG_ERR]);
	cr_assert_eq(fake_log_count[LOG_WARN], 0);
	cr_assert_eq(nr_static_evtchns, 8);
	expect_pair(with_port(0, 10), with_port(1, 11));
	expect_pair(with_port(1, 1023), with_port(1, 1));
	expect_pair(with_port(1, 10), with_port(STATIC_DOM0, 4095));
	expect_pair(with_port(2, 10), with_port(STATIC_DOM0, 10));
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		cr_assert(!boot_domains[i].refused);
	}
}

Test(fdt_dom_evtchn, a_property_alone)
{
	static const struct {
		int64_t cells[5];
		const char *word;
	} bad[] = {
		{{-1}, "is not a port and a phandle"},
		{{11, -1}, "is not a port and a phandle"},
		{{11, 0x101, 0, -1}, "is not a port and a phandle"},
		{{0, 0x101, -1}, "a port that is not from 1"},
		{{1024, 0x101, -1}, "a port that is not from 1"},
		{{0xffffffff, 0x101, -1}, "a port that is not from 1"},
		{{11, NOBODY, -1}, "names a node that is not there"},
		{{11, 0, -1}, "names a node that is not there"},
		{{11, 0xffffffff, -1}, "names a node that is not there"},
		{{11, FAKE_TREE_GIC, -1}, "that is no \"xen,evtchn-v1\""},
		{{11, 0x201, -1}, "names its own node"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *fdt = pair();

		fake_tree_set_cells(fdt, BAD "/e1", "xen,evtchn", bad[i].cells);
		expect_refused(fdt, bad[i].word);
		cr_assert_eq(with_port(0, 10)->peer, STATIC_NO_PEER);
	}
}

Test(fdt_dom_evtchn, what_is_missing)
{
	void *fdt = pair();

	fake_tree_drop(fdt, BAD "/e1", "xen,evtchn");
	expect_refused(fdt, "is missing");
}

Test(fdt_dom_evtchn, one_port_twice)
{
	void *fdt = pair();

	end(fdt, BAD, "e2", 0x202, 11, 0x203);
	end(fdt, BAD, "e3", 0x203, 12, 0x202);
	expect_refused(fdt, "that another node of the domain has");
}

/* Of right ends, that which is not named back has the mistake. */
Test(fdt_dom_evtchn, two_to_one)
{
	void *fdt = pair();

	end(fdt, BAD, "e2", 0x202, 12, 0x101);
	expect_refused(fdt, "names a node that names another one");
	/* Though that of the other domain names one of a refused domain now. */
	cr_assert_eq(with_port(0, 10)->node != 0, true);
}

/* A node of the right kind in the wrong place is no end. */
Test(fdt_dom_evtchn, an_end_of_nobody)
{
	void *fdt = pair();

	end(fdt, "/", "stray", 0x501, 10, 0x201);
	CELLS(fdt, BAD "/e1", "xen,evtchn", 11, 0x501);
	expect_refused(fdt, "that is no \"xen,evtchn-v1\" of a domain");
}

/* The other domain has another mistake: no matter of its peer's. */
Test(fdt_dom_evtchn, the_peer_is_refused)
{
	void *fdt = pair();

	CELLS(fdt, BAD, "cpus", 0);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert(boot_domains[1].refused);
	cr_assert(!boot_domains[0].refused);
	cr_assert_eq(with_port(0, 10)->peer, STATIC_NO_PEER);
}

/* dom0 is not refused for it, nor those who wanted to talk to it. */
Test(fdt_dom_evtchn, dom0s_own)
{
	void *fdt = pair();

	end(fdt, "/chosen", "e1", 0x401, 4096, 0x201);
	end(fdt, BAD, "e2", 0x202, 12, 0x401);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 2, "and that dom0 goes without");
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "dom0 is without"));
	cr_assert(!boot_domains[1].refused);
	cr_assert_eq(with_port(1, 12)->peer, STATIC_NO_PEER);
	/* Named wrong: found when all are read. */
	fdt = pair();
	end(fdt, "/chosen", "e1", 0x401, 10, NOBODY);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "/chosen/e1"));
	cr_assert_eq(with_port(STATIC_DOM0, 10)->node, 0);
	expect_pair(with_port(0, 10), with_port(1, 11));
}

Test(fdt_dom_evtchn, more_than_there_is_room_for)
{
	void *fdt = fake_domains(3);
	char name[16];

	for (int i = MAX_STATIC_EVTCHNS; i >= 0; i--) {
		snprintf(name, sizeof(name), "e%d", i);
		end(fdt, BAD, name, 0x200 + i, 1 + i, 0x200 + (i ^ 1));
	}
	expect_refused(fdt, "more than 128 ends");
}

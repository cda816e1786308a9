/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of the scheduler in the device tree, and every mistake in them. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/modules.c lib/printf.c boot/dom_sched.c
// LINK: tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/sched.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_dom_vcpu.h"
#include "boot/fdt_platform.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define V1 BAD "/v1"

static struct platform p;

/* ---- the scheduler ------------------------------------------------------- */

const struct sched_policy sched_credit2 = { .name = "credit2" };
const struct sched_policy sched_rtds = { .name = "rtds" };
static struct cpupool pool = { .policy = &sched_rtds };
static struct vcpu vcpus[2];
static struct vcpu *list[2] = { &vcpus[0], &vcpus[1] };
static struct domain dom = { .max_vcpus = 2, .vcpu = list, .pool = &pool };
static struct sched_params got[2];
static unsigned int sets;
static uint32_t budget_limit = UINT32_MAX;

int sched_admit(const struct domain *d, const struct vcpu *v,
		const struct sched_params *s)
{
	cr_assert_eq(d, &dom);
	(void)v;
	return s->budget_us > budget_limit ? -ENOSPC : 0;
}

int sched_set_params(struct vcpu *v, const struct sched_params *s)
{
	got[v - vcpus] = *s;
	sets++;
	return 0;
}

/* ---- */

static void parse(void *fdt)
{
	fake_log_reset();
	cr_assert_eq(fdt_platform_parse(fdt, 0, &p), 0, "%s",
		     fake_log_last[LOG_ERR]);
	p.nr_cpus = 4;
	fdt_dom_parse(&host_dt, &p);
	cr_assert_eq(nr_boot_domains, 3);
}

/* Domain 1 has two vCPUs; a node for the second one. */
static void *two(void)
{
	void *fdt = fake_domains(3);

	CELLS(fdt, BAD, "cpus", 2);
	fake_tree_add(fdt, BAD, "v1", "xen,vcpu");
	CELLS(fdt, V1, "id", 1);
	return fdt;
}

static void expect_refused(void *fdt, const char *word)
{
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s", word);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
	cr_assert(!boot_domains[0].refused && !boot_domains[2].refused);
	cr_assert(boot_domains[1].refused, "%s", word);
}

Test(fdt_dom_sched, nothing_said)
{
	parse(two());
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_WARN], 0);
	cr_assert_eq(dom_build_sched(&dom, 1), 0);
	cr_assert_eq(sets, 0);
}

Test(fdt_dom_sched, of_all_and_of_one)
{
	void *fdt = two();

	CELLS(fdt, BAD, "bulkhead,budget-us", 2000);
	CELLS(fdt, BAD, "bulkhead,period-us", 8000);
	fake_tree_flag(fdt, BAD, "bulkhead,extratime");
	CELLS(fdt, V1, "bulkhead,budget-us", 500);
	CELLS(fdt, V1, "bulkhead,period-us", 500);
	parse(fdt);
	cr_assert_eq(fake_log_count[LOG_ERR] + fake_log_count[LOG_WARN], 0);
	cr_assert_eq(dom_build_sched(&dom, 1), 0);
	cr_assert_eq(sets, 3);
	cr_assert_eq(got[0].budget_us, 2000);
	cr_assert_eq(got[0].period_us, 8000);
	cr_assert(got[0].extratime);
	cr_assert_eq(got[1].budget_us, 500);
	cr_assert_eq(got[1].period_us, 500);
	cr_assert(!got[1].extratime);
	cr_assert_eq(dom_build_sched(&dom, 0), 0);
	cr_assert_eq(sets, 3);
	/* More than there is, of all or of the one. */
	budget_limit = 1000;
	cr_assert_eq(dom_build_sched(&dom, 1), -ENOSPC);
	cr_assert_eq(sets, 3);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "can promise"));
	budget_limit = UINT32_MAX;
	pool.policy = &sched_credit2;
	cr_assert_eq(dom_build_sched(&dom, 1), 0);
	cr_assert_eq(sets, 3);
	cr_assert_eq(fake_log_count[LOG_WARN], 2);
}

Test(fdt_dom_sched, weight)
{
	void *fdt = two();

	CELLS(fdt, BAD, "bulkhead,weight", 65535);
	parse(fdt);
	cr_assert_eq(dom_build_sched(&dom, 1), 0);
	cr_assert_eq(fake_log_count[LOG_WARN], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_WARN], "its pool's, rtds"));
	cr_assert_eq(sets, 0);
	pool.policy = &sched_credit2;
	cr_assert_eq(dom_build_sched(&dom, 1), 0);
	cr_assert_eq(sets, 2);
	cr_assert_eq(got[0].weight, 65535);
	cr_assert_eq(got[1].weight, 65535);
}

Test(fdt_dom_sched, mistakes)
{
	static const struct {
		const char *path, *name;
		uint32_t value;
		const char *word;
	} bad[] = {
		{ BAD, "bulkhead,weight", 0, "from 1 to 65535" },
		{ BAD, "bulkhead,weight", 65536, "from 1 to 65535" },
		{ BAD, "bulkhead,budget-us", 0, "number of microseconds" },
		{ BAD, "bulkhead,period-us", 0, "number of microseconds" },
		{ BAD, "bulkhead,budget-us", 4000, "go together" },
		{ BAD, "bulkhead,period-us", 4000, "go together" },
		{ V1, "bulkhead,budget-us", 0, "number of microseconds" },
		{ V1, "bulkhead,period-us", 0, "number of microseconds" },
		{ V1, "bulkhead,budget-us", 4000, "go together" },
		{ V1, "bulkhead,period-us", 4000, "go together" },
	};
	static const char *const nodes[] = { BAD, V1 };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fdt = two();
		CELLS(fdt, bad[i].path, bad[i].name, bad[i].value);
		expect_refused(fdt, bad[i].word);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		fdt = two();
		fake_tree_flag(fdt, nodes[i], "bulkhead,extratime");
		expect_refused(fdt, "is nothing without");
		fdt = two();
		CELLS(fdt, nodes[i], "bulkhead,budget-us", 4001);
		CELLS(fdt, nodes[i], "bulkhead,period-us", 4000);
		expect_refused(fdt, "is more than");
	}
}

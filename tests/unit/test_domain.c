/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/gnttab_dma.c
// LINK: core/domain.c core/console_guest.c lib/printf.c core/gnttab.c
// LINK: release/audit_auto.c
// LINK: core/gnttab_copy.c core/domain_destroy.c
// LINK: core/gnttab_map.c core/gnttab_op.c core/gnttab_track.c
// LINK: core/evtchn.c core/evtchn_bind.c core/evtchn_2l.c core/evtchn_fifo.c
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/memory_map.c core/memory_acquire.c core/heap.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_sched_world.c
// LINK: tests/fakes/fake_no_pci.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_p2m_init,--wrap=arch_domain_init
// LIBS: -Wl,--wrap=arch_machine_off
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include <hv/console.h>
#include <hv/dom_config.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <hv/platdev.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define EXIT_OFF 71

static unsigned int steps, fail_at; /* 0: none */
static long live;                   /* objects and frames not given back */

/* ---- every allocation is a step that can fail -------------------------- */

static bool fails(void)
{
	return ++steps == fail_at;
}

void *__real_heap_alloc(struct domain *d, size_t size);
void __real_heap_free(struct domain *d, void *p);
void *__real_hv_alloc_pages(struct domain *d, unsigned int order);
int __real_arch_p2m_init(struct domain *d);
int __real_arch_domain_init(struct domain *d, const struct dom_config *cfg);

void *__wrap_heap_alloc(struct domain *d, size_t size)
{
	void *p = fails() ? NULL : __real_heap_alloc(d, size);

	live += p != NULL;
	return p;
}

void __wrap_heap_free(struct domain *d, void *p)
{
	live -= p != NULL;
	__real_heap_free(d, p);
}

void *__wrap_hv_alloc_pages(struct domain *d, unsigned int order)
{
	return fails() ? NULL : __real_hv_alloc_pages(d, order);
}

int __wrap_arch_p2m_init(struct domain *d)
{
	return fails() ? -ENOMEM : __real_arch_p2m_init(d);
}

int __wrap_arch_domain_init(struct domain *d, const struct dom_config *cfg)
{
	return fails() ? -ENOSPC : __real_arch_domain_init(d, cfg);
}

void __wrap_arch_machine_off(void)
{
	_exit(EXIT_OFF);
}

void console_flush(void)
{
}

void console_write_domain(const struct domain *d, const char *buf,
			  uint32_t len)
{
	(void)d;
	(void)buf;
	(void)len;
}

bool console_input_is(const struct domain *d)
{
	(void)d;
	return false;
}

void arch_uart_update_locked(struct domain *d)
{
	(void)d;
}

void irq_release_all(struct domain *d)
{
	(void)d;
}

int platdev_release_all(struct domain *d)
{
	(void)d;
	return 0;
}

void work_gen_snapshot(uint32_t gen[NR_CPUS])
{
	(void)gen;
}

bool work_gen_passed(const uint32_t gen[NR_CPUS])
{
	(void)gen;
	return true;
}

/* ---- help ---------------------------------------------------------------- */

static struct dom_config config(domid_t id)
{
	return (struct dom_config){
		.domid = id,
		.name = "guest",
		.nr_vcpus = 4,
		.mem_max_bytes = UINT64_C(16) << 20,
		.max_evtchn_port = 1023,
		.max_grant_frames = 8,
		.max_maptrack_frames = 8,
		.gic_version = 3,
		.has_console = true,
	};
}

static struct domain *make(domid_t id, bool hardware)
{
	struct dom_config cfg = config(id);
	struct domain *d = NULL;

	cfg.is_hardware = cfg.is_control = hardware;
	cr_assert_eq(domain_create(&cfg, &d), 0);
	for (uint32_t i = 0; i < 2; i++) {
		d->vcpu[i] = calloc(1, sizeof(struct vcpu));
		d->vcpu[i]->id = i;
		d->vcpu[i]->domain = d;
	}
	d->nr_vcpus = 2;
	return d;
}

static void setup(void)
{
	world_init(32);
	/* The heap keeps one empty slab a class: let it have them now. */
	domain_free(make(9, false));
	cr_assert_eq(live, 0);
}

TestSuite(domain, .init = setup);

static unsigned int reap(void)
{
	unsigned int n;

	for (n = 0; this_pcpu()->work & PWORK_DOMAIN; n++) {
		this_pcpu()->work = 0;
		domain_poll();
	}
	return n;
}

/* ---- birth and death ----------------------------------------------------- */

Test(domain, what_is_made_is_described)
{
	struct dom_config cfg = config(5);
	struct domain *d = NULL;

	cr_assert_eq(domain_create(&cfg, &d), 0);
	cr_assert_eq(d->id, 5);
	cr_assert_eq(d->refs, 1);
	cr_assert_eq(d->state, DOM_BUILDING);
	cr_assert_eq(d->max_vcpus, 4);
	cr_assert_eq(d->max_pages, 4096);
	cr_assert_eq(d->p2m.pool_pages, P2M_POOL_DEFAULT);
	cr_assert_str_eq(d->name, "guest");
	cr_assert(!d->is_control);
	cr_assert_eq(d->features & BIT32(XENFEAT_dom0), 0);
	cr_assert(d->features & BIT32(XENFEAT_not_direct_mapped));
	cr_assert_not_null(d->shared_info);
	cr_assert_eq(page_owner(d->shared_info_page), DOMID_HV);
	cr_assert_null(domain_lookup_get(5));
	domain_free(d);
	cr_assert_eq(live, 0);
}

Test(domain, each_failing_step_is_undone)
{
	uint64_t frames = page_alloc_nr_free();
	struct dom_config cfg = config(5);
	int rc = -ENOMEM;
	unsigned int n;

	for (n = 1; rc != 0; n++) {
		struct domain *d = NULL;

		cr_assert_lt(n, 100);
		steps = 0;
		fail_at = n;
		rc = domain_create(&cfg, &d);
		fail_at = 0;
		cr_assert(rc == 0 || rc == -ENOMEM || rc == -ENOSPC);
		cr_assert_eq(d == NULL, rc != 0, "step %u", n);
		cr_assert_null(domain_lookup_get(5));
		cr_assert_null(domain_next_get(0));
		if (rc == 0) {
			domain_free(d);
		}
		cr_assert_eq(live, 0, "step %u: %ld left", n, live);
		cr_assert_eq(page_alloc_nr_free(), frames, "step %u", n);
	}
	cr_assert_gt(n, 8); /* each part of a domain was reached */
}

Test(domain, impossible_domains)
{
	struct dom_config cfg = config(DOMID_FIRST_RESERVED);
	struct domain *d = NULL;

	cr_assert_eq(domain_create(&cfg, &d), -EINVAL);
	cfg = config(1);
	cfg.nr_vcpus = 0;
	cr_assert_eq(domain_create(&cfg, &d), -EINVAL);
	cfg.nr_vcpus = MAX_VCPUS_PER_DOMAIN + 1;
	cr_assert_eq(domain_create(&cfg, &d), -EINVAL);
	cr_assert_null(d);
	cr_assert_eq(live, 0);
}

/* ---- the table ----------------------------------------------------------- */

Test(domain, lookup_takes_references)
{
	struct domain *a = make(3, false);
	struct domain *b = make(255, false);

	domain_publish(a);
	domain_publish(b);
	cr_assert_eq(domain_lookup_get(3), a);
	cr_assert_eq(a->refs, 2);
	cr_assert_eq(domain_get_for(a->vcpu[0], DOMID_SELF), a);
	cr_assert_eq(domain_get_for(b->vcpu[0], 3), a);
	cr_assert_eq(a->refs, 4);
	cr_assert_eq(domain_get_for(a->vcpu[0], 255), b);
	cr_assert_eq(b->refs, 2);
	cr_assert_eq(domain_next_get(3), a);
	cr_assert_eq(domain_next_get(4), b);
	cr_assert_null(domain_next_get(256));
	cr_assert_null(domain_lookup_get(256));
	cr_assert_null(domain_lookup_get(DOMID_SELF));
	cr_assert_null(hardware_domain);
	domain_put(b);
	cr_assert_eq(b->refs, 2);
}

Test(domain, an_unpublished_domain_finds_itself)
{
	struct domain *d = make(3, false);

	cr_assert_eq(domain_get_for(d->vcpu[0], 3), d);
	domain_put(d);
	cr_assert_gt(live, 0);
	domain_put(d); /* the last one; work points free */
	cr_assert_gt(live, 0);
	reap();
	cr_assert_eq(live, 0);
}

/* What took long to fill is freed in many steps; it is nobody's meanwhile. */
Test(domain, large_ones_are_freed_in_steps)
{
	uint64_t frames = page_alloc_nr_free();
	struct dom_config cfg = config(7);
	struct domain *d = NULL;
	struct page *pg;

	cfg.max_grant_frames = 200;
	cr_assert_eq(domain_create(&cfg, &d), 0);
	while (gnttab_get_shared_frame(d, 199, &pg) == -EAGAIN) {
	}
	page_put(pg);
	domain_publish(d);
	domain_put(d);
	cr_assert_null(domain_lookup_get(7));
	cr_assert(!domain_id_is_free(7));
	cr_assert_gt(reap(), 6);
	cr_assert(domain_id_is_free(7));
	cr_assert_eq(live, 0);
	cr_assert_eq(page_alloc_nr_free(), frames);
}

/* ---- stopping ------------------------------------------------------------ */

Test(domain, pause_reaches_each_vcpu)
{
	struct domain *d = make(3, false);

	domain_start(d);
	cr_assert_eq(d->state, DOM_RUNNING);
	cr_assert_eq(d->vcpu[0]->state, VCPU_RUNNABLE);
	domain_pause(d);
	domain_pause(d);
	domain_unpause(d);
	cr_assert_eq(d->vcpu[0]->pause_count, 1);
	cr_assert_eq(d->vcpu[1]->pause_count, 1);
	d->vcpu[0]->loaded_on = CPU_NONE;
	cr_assert(!domain_is_descheduled(d));
	d->vcpu[1]->loaded_on = CPU_NONE;
	cr_assert(domain_is_descheduled(d));
}

Test(domain, the_first_shutdown_decides)
{
	struct domain *d = make(3, false);

	domain_publish(make(0, true));
	cr_assert_eq(domain_resume(d), -EINVAL);
	domain_shutdown(d, SHUTDOWN_suspend);
	domain_shutdown(d, SHUTDOWN_crash);
	cr_assert_eq(d->state, DOM_SHUTDOWN);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_suspend);
	cr_assert_eq(d->vcpu[1]->pause_count, 1);
	cr_assert_eq(domain_resume(d), 0);
	cr_assert_eq(d->state, DOM_RUNNING);
	cr_assert_eq(d->vcpu[1]->pause_count, 0);
	domain_shutdown(d, SHUTDOWN_crash);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_crash);
	cr_assert_eq(domain_resume(d), -EINVAL);
}

/* From under locks: it ends at the work point, unless it has by then. */
Test(domain, a_crash_soon)
{
	struct domain *d = make(3, false);
	struct domain *e = make(4, false);

	domain_publish(make(0, true));
	domain_publish(d);
	domain_publish(e);
	domain_crash_soon(d, "so");
	domain_crash_soon(e, "so");
	domain_crash_soon(e, "so");
	cr_assert_eq(d->shutdown_code, SHUTDOWN_CODE_NONE);
	cr_assert(this_pcpu()->work & PWORK_DOMAIN);
	domain_shutdown(d, SHUTDOWN_poweroff);
	cr_assert_leq(reap(), 3);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_poweroff);
	cr_assert_eq(e->state, DOM_SHUTDOWN);
	cr_assert_eq(e->shutdown_code, SHUTDOWN_crash);
	cr_assert_eq(e->vcpu[1]->pause_count, 1);
	cr_assert_null(d->crash_why, "not for what it may be resumed to");
	cr_assert_eq(e->refs, 1);
}

/* What it says before is what it ends for. */
Test(domain, a_code_said_before)
{
	struct domain *d = make(3, false);

	domain_publish(make(0, true));
	cr_assert_eq(d->shutdown_code, SHUTDOWN_CODE_NONE);
	domain_set_shutdown_code(d, SHUTDOWN_suspend);
	domain_set_shutdown_code(d, 99);
	domain_shutdown(d, SHUTDOWN_crash);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_suspend);
	cr_assert_eq(domain_resume(d), 0);
	cr_assert_eq(d->shutdown_code, SHUTDOWN_CODE_NONE);
}

Test(domain, dom0_takes_the_machine_along, .exit_code = EXIT_OFF)
{
	struct domain *d = make(0, true);

	cr_assert_null(hardware_domain);
	domain_publish(d);
	cr_assert_eq(hardware_domain, d);
	cr_assert(d->is_control);
	cr_assert_eq(d->p2m.pool_pages, UINT64_MAX);
	cr_assert(d->features & BIT32(XENFEAT_dom0));
	domain_shutdown(d, SHUTDOWN_poweroff);
}

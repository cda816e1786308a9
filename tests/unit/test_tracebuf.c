/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/hotplug.c core/watchdog.c
// LINK: core/hc_domctl.c core/domctl_life.c core/domctl_info.c
// LINK: core/domctl_vcpu.c core/domctl_sched.c core/domctl_memory.c
// LINK: core/domain_destroy.c core/iommu.c core/console_serial.c
// LINK: core/iommu_inspect.c
// LINK: core/tracebuf.c core/sched_trace.c core/sched_cap.c
// LINK: core/hc_sysctl.c core/sysctl_sched.c core/console.c
// LINK: core/domain.c core/vcpu.c core/vcpu_create.c core/runstate.c
// LINK: release/audit_auto.c
// LINK: core/cpupool.c
// LINK: core/sched.c core/sched_params.c core/sched_credit2.c core/prioq.c
// LINK: core/sched_keep.c core/sched_soft.c
// LINK: core/sched_credit2_params.c
// LINK: core/sched_rtds.c core/sched_rtds_params.c core/sched_arinc653.c
// LINK: core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c
// LINK: core/irq.c core/heap.c lib/printf.c core/gnttab.c
// LINK: core/gnttab_copy.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_op.c
// LINK: core/gnttab_track.c core/evtchn.c core/evtchn_bind.c
// LINK: core/evtchn_2l.c core/evtchn_fifo.c core/hypercall.c
// LINK: core/hypercall_subop.c core/hypercall_table.c core/memory.c
// LINK: core/memory_map.c core/memory_acquire.c core/hc_version.c
// LINK: core/hc_console.c core/hc_sched.c core/hc_vcpu.c core/hc_hvm.c
// LINK: core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c tests/fakes/fake_hv.c
// LINK: tests/fakes/fake_no_pci.c
// LINK: core/platdev.c core/domctl_device.c
// LINK: core/mmio.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
// LIBS: -Wl,--wrap=heap_alloc,--wrap=heap_free,--wrap=hv_alloc_pages
// LIBS: -Wl,--wrap=arch_cpu_idle
#include <criterion/criterion.h>
#include <string.h>

#include <hv/page_alloc.h>
#include <hv/tracebuf.h>
#include <hv/work.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"
#include "fake_hv.h"

#define NR_CPUS_HERE 2
#define MAP_GFN	     (HV_MAP_GFN + 64)
#define EVENT	     (TRC_PV_HYPERCALL_V2)

static void setup(void)
{
	hv_start(64, NR_CPUS_HERE);
}

TestSuite(tracebuf, .init = setup);

static int64_t control_with(struct xen_sysctl *op, uint32_t cmd)
{
	op->u.tbuf_op.cmd = cmd;
	return hv_sysctl(XEN_SYSCTL_tbuf_op, op);
}

/* @value: pages or event mask, as the command wants it. */
static int64_t control(uint32_t cmd, uint32_t value)
{
	struct xen_sysctl op = { .cmd = 0 };

	op.u.tbuf_op.evt_mask = value;
	op.u.tbuf_op.size = value;
	return control_with(&op, cmd);
}

static int64_t set_cpus(uint64_t mask, uint32_t bits, uint64_t at)
{
	struct xen_sysctl op = { .cmd = 0 };

	guest_put(hv_dom0, HV_BUF, &mask, sizeof(mask));
	op.u.tbuf_op.cpu_mask.nr_bits = bits;
	op.u.tbuf_op.cpu_mask.bitmap.q = at;
	return control_with(&op, XEN_SYSCTL_TBUFOP_set_cpu_mask);
}

static struct xen_sysctl_tbuf_op get_info(void)
{
	struct xen_sysctl op = { .cmd = 0 };

	cr_assert_eq(control_with(&op, XEN_SYSCTL_TBUFOP_get_info), 0);
	return op.u.tbuf_op;
}

static void work_everywhere(void)
{
	for (uint16_t i = 0; i < NR_CPUS_HERE; i++) {
		hv_run_cpu(i);
	}
}

static void start(uint32_t pages)
{
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, pages), 0);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_enable, 0), 0);
	/* Words of their own kind only: nothing of what the test does. */
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_evt_mask, TRC_PV_ENTRY), 0);
	work_everywhere();
}

/* ---- as the reader sees it ----------------------------------------------- */

static const struct t_info *list(void)
{
	return hv_va(mfn_to_paddr(mfn(get_info().buffer_mfn)));
}

static uint64_t frame(uint32_t cpu, uint32_t page)
{
	const uint32_t *words = (const uint32_t *)list();

	return words[list()->mfn_offset[cpu] + page];
}

static struct t_buf *buffer(uint32_t cpu)
{
	return hv_va(mfn_to_paddr(mfn(frame(cpu, 0))));
}

static uint32_t data_bytes(void)
{
	return list()->tbuf_size * (uint32_t)PAGE_SIZE -
	       (uint32_t)sizeof(struct t_buf);
}

static uint32_t next_word(struct t_buf *b)
{
	uint32_t at = b->cons % data_bytes();
	uint32_t word;

	memcpy(&word, (const uint8_t *)(b + 1) + at, sizeof(word));
	b->cons = (b->cons + 4) % (2 * data_bytes());
	return word;
}

/* The next record: its event, with its words; 0: none. */
static uint32_t take(uint32_t cpu, uint32_t *words, uint64_t *ns)
{
	struct t_buf *b = buffer(cpu);
	uint32_t head;

	if (b->cons == b->prod) {
		return 0;
	}
	head = next_word(b);
	cr_assert(head >> 31);
	*ns = next_word(b);
	*ns |= (uint64_t)next_word(b) << 32;
	for (uint32_t i = 0; i < (head >> 28 & 7); i++) {
		words[i] = next_word(b);
	}
	return head & 0x7fffffff;
}

static void put(uint32_t first, unsigned int nr)
{
	uint32_t words[7];

	for (unsigned int i = 0; i < 7; i++) {
		words[i] = first + i;
	}
	tracebuf_write(EVENT, words, nr);
}

/* ---- control ------------------------------------------------------------- */

Test(tracebuf, wrong_control)
{
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_enable, 0), -EINVAL);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_disable, 0), 0);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 0), -EINVAL);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 129), -EINVAL);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, UINT32_MAX), -EINVAL);
	cr_assert_eq(control(99, 0), -EINVAL);
	cr_assert_eq(set_cpus(1, 8, HV_BAD), -EFAULT);
	cr_assert_eq(get_info().size, 0);
	cr_assert_eq(get_info().buffer_mfn, 0);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 3), 0);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 3), -EINVAL);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 4), -EINVAL);
	cr_assert_eq(list()->tbuf_size, 3);
	cr_assert_eq(get_info().size, PAGE_SIZE);
	cr_assert_eq(get_info().evt_mask, TRC_ALL);
}

/* Memory ends at each of the steps: nothing is kept, and later it is there. */
Test(tracebuf, without_memory)
{
	uint64_t free_pages = page_alloc_nr_free();

	for (unsigned int step = 1; step <= NR_CPUS_HERE + 1; step++) {
		hv_steps = 0;
		hv_fail_at = step;
		cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 4), -ENOMEM);
		hv_fail_at = 0;
		cr_assert_eq(page_alloc_nr_free(), free_pages);
		cr_assert_eq(control(XEN_SYSCTL_TBUFOP_enable, 0), -EINVAL);
	}
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_set_size, 4), 0);
	cr_assert_eq(page_alloc_nr_free(),
		     free_pages - 1 - NR_CPUS_HERE * 4);
}

Test(tracebuf, masks)
{
	uint32_t words[7];
	uint64_t ns;

	start(1);
	cr_assert(fake_traps_traced);
	put(1, 2);
	cr_assert_eq(take(0, words, &ns), EVENT | 2 << 28);
	cr_assert_eq(words[1], 2);
	tracebuf_write(TRC_HW_IRQ_HANDLED, words, 3); /* another class */
	tracebuf_write(TRC_PV_SUBCALL + 1, words, 3); /* another part of it */
	cr_assert_eq(take(0, words, &ns), 0);
	cr_assert_eq(set_cpus(2, 8, HV_BUF), 0);
	work_everywhere();
	put(1, 2);
	cr_assert_eq(take(0, words, &ns), 0);
	fake_this_pcpu = pcpus[1];
	put(1, 2);
	fake_this_pcpu = pcpus[0];
	cr_assert_eq(take(1, words, &ns), EVENT | 2 << 28);
	cr_assert_eq(control(XEN_SYSCTL_TBUFOP_disable, 0), 0);
	work_everywhere();
	fake_this_pcpu = pcpus[1];
	put(1, 2);
	cr_assert_eq(take(1, words, &ns), 0);
	cr_assert_not(fake_traps_traced);
	fake_this_pcpu = pcpus[0];
}

/* ---- records ------------------------------------------------------------- */

/* All sizes, over the end of the buffer again and again. */
Test(tracebuf, what_is_written_is_read)
{
	uint32_t words[7];
	uint64_t ns;

	start(1);
	for (uint32_t i = 0; i < 20000; i++) {
		unsigned int nr = i * 7 % 8;

		fake_time_ns += 1000;
		put(i, nr);
		if (i % 5 != 4) {
			continue;
		}
		for (uint32_t k = i - 4; k <= i; k++) {
			nr = k * 7 % 8;
			cr_assert_eq(take(0, words, &ns), EVENT | nr << 28);
			cr_assert_eq(fake_time_ns - ns, 1000 * (i - k));
			for (unsigned int w = 0; w < nr; w++) {
				cr_assert_eq(words[w], k + w);
			}
		}
		cr_assert_eq(take(0, words, &ns), 0);
	}
}

Test(tracebuf, lost_records_are_counted)
{
	uint32_t words[7];
	uint32_t kept = 0, taken = 0, at;
	uint64_t ns, since;

	start(1);
	do {
		kept++;
		at = buffer(0)->prod;
		put(kept, 7);
	} while (buffer(0)->prod != at);
	kept--; /* the last found no room */
	since = fake_time_ns;
	cr_assert_eq(kept, data_bytes() / 40);
	fake_time_ns += 5000;
	put(0, 7);
	put(0, 0); /* it may be small: the one about the lost has no room */
	for (uint32_t i = 0; i < kept; i++) {
		cr_assert_eq(take(0, words, &ns), (EVENT | 7u << 28));
		cr_assert_eq(words[0], ++taken);
	}
	cr_assert_eq(take(0, words, &ns), 0);
	put(99, 1);
	cr_assert_eq(take(0, words, &ns), TRC_LOST_RECORDS | 4u << 28);
	cr_assert_eq(words[0], 3);
	cr_assert_eq(words[1] & 0xffff, 0); /* dom0 runs */
	cr_assert_eq(words[2] | (uint64_t)words[3] << 32, since);
	cr_assert_eq(take(0, words, &ns), EVENT | 1u << 28);
	cr_assert_eq(words[0], 99);
	cr_assert_eq(take(0, words, &ns), 0);
}

/* Whatever stands there, nothing but the data of this buffer is written. */
Test(tracebuf, hostile_reader)
{
	static uint8_t before[2][PAGE_SIZE];
	struct t_buf *other;
	uint32_t set;
	uint32_t bad[] = { UINT32_MAX, 0, 1, 3, 0x80000000, 0, 4, 5000 };

	start(1);
	other = buffer(1);
	memcpy(before[0], other, PAGE_SIZE);
	memcpy(before[1], list(), PAGE_SIZE);
	bad[1] = 2 * data_bytes();
	bad[5] = 2 * data_bytes() - 1;
	for (uint32_t i = 0; i < 5000; i++) {
		buffer(0)->cons = bad[i % ARRAY_SIZE(bad)];
		buffer(0)->prod = i % 3 ? bad[i / 7 % ARRAY_SIZE(bad)] : 0;
		set = buffer(0)->prod;
		put(i, i % 8);
		/* No position at all: taken as a full buffer. */
		cr_assert(buffer(0)->cons < 2 * data_bytes() ||
			  buffer(0)->prod == set);
	}
	cr_assert_eq(memcmp(before[0], other, PAGE_SIZE), 0);
	cr_assert_eq(memcmp(before[1], list(), PAGE_SIZE), 0);
	/* And it can come to its senses. */
	buffer(0)->cons = 0;
	put(0, 0);
	cr_assert_lt(buffer(0)->prod, 2 * data_bytes());
}

Test(tracebuf, half_full_is_told_once)
{
	uint32_t told = 0;

	start(1);
	cr_assert_eq(pcpus[0]->work & PWORK_TRACE, 0);
	for (uint32_t i = 0; i < data_bytes() / 40; i++) {
		put(i, 7);
		if (pcpus[0]->work & PWORK_TRACE) {
			told++;
			cr_assert_geq(buffer(0)->prod, data_bytes() / 2);
			hv_run_cpu(0);
		}
	}
	cr_assert_eq(told, 1);
}

/* ---- mappings ------------------------------------------------------------ */

/* Frame @m of the hypervisor at MAP_GFN of dom0: the result for the page. */
static int map(uint64_t m)
{
	xen_add_to_physmap_batch_t a = { .domid = DOMID_SELF,
					 .space = XENMAPSPACE_gmfn_foreign,
					 .size = 1 };
	uint64_t pair[2] = { m, MAP_GFN };
	int32_t err;

	a.u.foreign_domid = DOMID_XEN;
	a.idxs.q = HV_BUF;
	a.gpfns.q = HV_BUF + 8;
	a.errs.q = HV_BUF + 16;
	guest_put(hv_dom0, HV_BUF, pair, sizeof(pair));
	cr_assert_eq(hv_memory_op(XENMEM_add_to_physmap_batch, &a, sizeof(a)),
		     0);
	guest_get(hv_dom0, HV_BUF + 16, &err, sizeof(err));
	return err;
}

Test(tracebuf, only_its_pages_are_mapped)
{
	uint64_t any = page_alloc_max_mfn() - 1;

	cr_assert_eq(map(any), -EINVAL);
	start(2);
	for (uint32_t i = 0; i < NR_CPUS_HERE; i++) {
		for (uint32_t p = 0; p < 2; p++) {
			cr_assert_eq(map(frame(i, p)), 0);
			cr_assert_eq(p2m_lookup(hv_dom0, gfn(MAP_GFN)).type,
				     P2M_FOREIGN_RW);
		}
	}
	cr_assert_eq(map(get_info().buffer_mfn), 0);
	cr_assert_eq(p2m_lookup(hv_dom0, gfn(MAP_GFN)).type, P2M_FOREIGN_RO);
	cr_assert_eq(map(get_info().buffer_mfn + 1 == frame(0, 0)
				 ? frame(1, 1) + 1
				 : get_info().buffer_mfn + 1),
		     -EINVAL);
	cr_assert_eq(map(UINT64_MAX), -EINVAL);
	cr_assert_eq(map(any), -EINVAL);
}

/* SPDX-License-Identifier: Apache-2.0 */
// LINK: core/hypercall.c core/hypercall_subop.c core/hypercall_table.c
// LINK: core/memory.c core/memory_map.c core/memory_acquire.c
// LINK: core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c
// LINK: core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c
// LINK: core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c
// LINK: core/static_mem.c core/heap.c core/page_range.c core/p2m.c
// LINK: core/guest_win.c core/lock.c
// LINK: debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c
// LINK: arch/fake/last_words.c tests/fakes/fake_guest_mem.c
// LINK: tests/fakes/fake_world.c
// CFLAGS: -Dmemcpy=fake_guest_memcpy -Dguest_mem_copy=fake_guest_memcpy
#include <criterion/criterion.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"
#include "fake_guest_mem.h"

#define ARG UINT64_C(0x10000)
#define LIST UINT64_C(0x12000)
#define BAD UINT64_C(0x999000)

static struct domain *d0, *d1;
static struct vcpu *v0, *v1;

static void setup(void)
{
	world_init(32);
	d0 = world_domain(0, true, 2);
	d1 = world_domain(1, false, 2);
	v0 = d0->vcpu[0];
	v1 = d1->vcpu[0];
	world_ram(d0, 0x10, 8);
	world_ram(d1, 0x10, 8);
}

static void teardown(void)
{
	fake_guest_hostile(false);
	cr_assert_eq(world_log.refs, 0);
	cr_assert_eq(world_fini(), 0);
}

TestSuite(hc_small, .init = setup, .fini = teardown);

static int64_t call(struct vcpu *v, uint64_t nr, uint64_t a, uint64_t b,
		    uint64_t c)
{
	uint64_t args[5] = { a, b, c };

	return hypercall_dispatch(v, nr, args);
}

/* ---- xen_version ----------------------------------------------------- */

static int64_t version(struct vcpu *v, uint64_t cmd, uint64_t va)
{
	return call(v, __HYPERVISOR_xen_version, cmd, va, 0);
}

static char text[1100];

static const char *version_text(struct vcpu *v, uint64_t cmd, size_t size)
{
	memset(text, 'x', sizeof(text));
	guest_put(v->domain, ARG + 0xff0, text, sizeof(text));
	cr_assert_eq(version(v, cmd, ARG + 0xff0), 0);
	guest_get(v->domain, ARG + 0xff0, text, sizeof(text));
	cr_assert_eq(text[size - 1], '\0');
	cr_assert_eq(text[size], 'x'); /* not a byte more */
	return text;
}

Test(hc_small, version_numbers_and_texts)
{
	cr_assert_eq(version(v1, XENVER_version, BAD), 4 << 16 | 17);
	cr_assert_str_eq(version_text(v1, XENVER_extraversion, 16),
			 ".7-bulkhead");
	cr_assert_str_eq(version_text(v1, XENVER_capabilities, 1024),
			 "xen-3.0-aarch64 ");
	version_text(v1, XENVER_changeset, 64);
	version_text(v1, XENVER_compile_info, 144);
	cr_assert_gt(strlen(text), 0);
	cr_assert_eq(version(v1, XENVER_pagesize, 0), 4096);
	cr_assert_eq(version(v1, XENVER_pagesize, ARG), -EINVAL);
	cr_assert_eq(version(v1, 11, ARG), -ENOSYS);
	cr_assert_eq(version(v1, UINT32_MAX, ARG), -ENOSYS);
	cr_assert_eq(version(v1, UINT64_C(5) << 32, 0), 4 << 16 | 17);
}

Test(hc_small, version_arguments_out_of_reach)
{
	uint64_t cmd;

	for (cmd = 1; cmd <= 9; cmd++) {
		if (cmd != XENVER_pagesize) {
			cr_assert_eq(version(v0, cmd, BAD), -EFAULT, "%u",
				     (unsigned)cmd);
		}
	}
	cr_assert_eq(version(v0, XENVER_build_id, BAD), -EFAULT);
}

Test(hc_small, version_features)
{
	xen_feature_info_t f = { .submap_idx = 0, .submap = 0xffff };

	d1->features = 0x16005;
	guest_put(d1, ARG + 0xffc, &f, sizeof(f)); /* over a page's end */
	cr_assert_eq(version(v1, XENVER_get_features, ARG + 0xffc), 0);
	guest_get(d1, ARG + 0xffc, &f, sizeof(f));
	cr_assert_eq(f.submap, 0x16005);
	f.submap_idx = 1;
	guest_put(d1, ARG, &f, sizeof(f));
	cr_assert_eq(version(v1, XENVER_get_features, ARG), -EINVAL);
}

Test(hc_small, version_rest)
{
	uint8_t h[16];
	uint32_t len;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		d1->handle[i] = (uint8_t)(i + 1);
	}
	cr_assert_eq(version(v1, XENVER_guest_handle, ARG), 0);
	guest_get(d1, ARG, h, 16);
	cr_assert_eq(memcmp(h, d1->handle, 16), 0);
	cr_assert_eq(version(v1, XENVER_platform_parameters, ARG), 0);
	cr_assert_eq(guest_get_u64(d1, ARG), 0x200000);
	strcpy(platform.hv_cmdline, "dom0_mem=512M");
	cr_assert_str_eq(version_text(v0, XENVER_commandline, 1024),
			 "dom0_mem=512M");
	cr_assert_str_eq(version_text(v1, XENVER_commandline, 9), "<denied>");
	cr_assert_eq(version(v1, XENVER_build_id, 0), -EPERM);
	cr_assert_eq(version(v0, XENVER_build_id, 0), 20);
	for (len = 0; len < 30; len++) {
		int64_t want = len == 0 ? -EINVAL : len < 20 ? -ENOBUFS : 20;

		guest_put(d0, ARG, &len, 4);
		cr_assert_eq(version(v0, XENVER_build_id, ARG), want);
	}
}

/* ---- console_io ------------------------------------------------------ */

static int64_t console(struct vcpu *v, uint64_t cmd, uint64_t n, uint64_t va)
{
	int64_t rc;

	do {
		rc = call(v, __HYPERVISOR_console_io, cmd, n, va);
	} while (rc == HC_RESTARTED);
	return rc;
}

Test(hc_small, console_write)
{
	char buf[1500];
	unsigned int i;

	for (i = 0; i < sizeof(buf); i++) {
		buf[i] = (char)('a' + i % 26);
	}
	guest_put(d0, ARG + 0xffe, buf, sizeof(buf));
	fake_guest_hostile(true);
	cr_assert_eq(console(v0, CONSOLEIO_write, 5, ARG + 0xffe), 0);
	cr_assert_eq(world_log.console_len, 5);
	cr_assert_eq(fake_nr_restarts, 0);
	fake_guest_hostile(false);
	guest_put(d0, ARG + 0xffe, buf, sizeof(buf));
	world_log.console_len = 0;
	cr_assert_eq(console(v0, CONSOLEIO_write, 1500, ARG + 0xffe), 0);
	cr_assert_eq(world_log.console_len, 1500);
	cr_assert_eq(memcmp(world_log.console, buf, 1500), 0);
	cr_assert_eq(fake_nr_restarts, 2);
	cr_assert_eq(console(v0, CONSOLEIO_write, 0, ARG), 0);
	cr_assert_eq(console(v0, CONSOLEIO_write, 5, BAD), -EFAULT);
	cr_assert_eq(console(v0, CONSOLEIO_write, UINT32_MAX, ARG), -EFAULT);
	cr_assert_eq(console(v0, CONSOLEIO_write, 9, UINT64_MAX - 4),
		     -EFAULT);
	cr_assert_eq(console(v1, CONSOLEIO_write, 5, ARG), -EPERM);
	cr_assert_eq(console(v0, 2, 5, ARG), -ENOSYS);
}

Test(hc_small, console_read_loses_nothing)
{
	char buf[8] = { 0 };

	world_log.input = "hello";
	cr_assert_eq(console(v0, CONSOLEIO_read, 3, BAD), -EFAULT);
	cr_assert_eq(console(v0, CONSOLEIO_read, 3, ARG), 3);
	cr_assert_eq(console(v0, CONSOLEIO_read, 500, ARG + 3), 2);
	cr_assert_eq(console(v0, CONSOLEIO_read, 500, ARG), 0);
	guest_get(d0, ARG, buf, 5);
	cr_assert_str_eq(buf, "hello");
	cr_assert_eq(console(v0, CONSOLEIO_read, 0, ARG), 0);
	cr_assert_eq(console(v1, CONSOLEIO_read, 3, ARG), -EPERM);
}

/* ---- sched_op -------------------------------------------------------- */

static int64_t sched(struct vcpu *v, uint64_t cmd, const void *arg, size_t n)
{
	guest_put(v->domain, ARG, arg, n);
	return call(v, __HYPERVISOR_sched_op, cmd, ARG, 0);
}

Test(hc_small, sched_yield_block_shutdown)
{
	struct sched_shutdown s = { .reason = SHUTDOWN_reboot };

	cr_assert_eq(sched(v1, SCHEDOP_yield, NULL, 0), 0);
	cr_assert_eq(sched(v1, SCHEDOP_block, NULL, 0), 0);
	cr_assert(v1->arch.unmasked);
	cr_assert_eq(world_log.yields, 1);
	cr_assert_eq(world_log.blocks, 1);
	cr_assert_eq(sched(v1, SCHEDOP_shutdown, &s, sizeof(s)), 0);
	cr_assert_eq(world_log.shutdown_domain, 1);
	cr_assert_eq(world_log.shutdown_code, SHUTDOWN_reboot);
	cr_assert_eq(sched(v1, SCHEDOP_shutdown_code, &s, sizeof(s)), 0);
	cr_assert_eq(world_log.shutdown_code_set, SHUTDOWN_reboot);
	cr_assert_eq(call(v1, __HYPERVISOR_sched_op, SCHEDOP_shutdown, BAD,
			  0), -EFAULT);
	cr_assert_eq(sched(v1, 8, &s, sizeof(s)), -ENOSYS);
}

Test(hc_small, sched_remote_shutdown)
{
	struct sched_remote_shutdown r = { .domain_id = 1,
					   .reason = SHUTDOWN_crash };

	cr_assert_eq(sched(v1, SCHEDOP_remote_shutdown, &r, sizeof(r)),
		     -EPERM);
	cr_assert_eq(sched(v0, SCHEDOP_remote_shutdown, &r, sizeof(r)), 0);
	cr_assert_eq(world_log.shutdown_domain, 1);
	cr_assert_eq(world_log.shutdown_code, SHUTDOWN_crash);
	r.domain_id = 55;
	cr_assert_eq(sched(v0, SCHEDOP_remote_shutdown, &r, sizeof(r)),
		     -ESRCH);
}

Test(hc_small, sched_poll)
{
	struct sched_poll p = { .nr_ports = 3, .timeout = 1000 };
	uint32_t ports[128] = { 4, 5, 6 };

	d1->evtchn.nr_ports = 10;
	d1->time_offset_ns = 500;
	p.ports.q = LIST;
	guest_put(d1, LIST, ports, sizeof(ports));
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), 0);
	cr_assert_eq(world_log.blocks, 1);
	cr_assert_eq(world_log.timer_set_ns, 1500);
	cr_assert(v1->poll);
	world_log.pending_port = 5;
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), 0);
	cr_assert_eq(world_log.blocks, 1);
	cr_assert_not(v1->poll);
	p.nr_ports = 4; /* port 0 */
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	p.nr_ports = 129;
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), -EINVAL);
	p.nr_ports = 1;
	p.ports.q = BAD;
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), -EFAULT);
	cr_assert_not(v1->poll);
	p.nr_ports = 0;
	p.timeout = 0;
	world_log.timer_set_ns = 0;
	cr_assert_eq(sched(v1, SCHEDOP_poll, &p, sizeof(p)), 0);
	cr_assert_eq(world_log.timer_set_ns, 0);
	cr_assert_eq(world_log.blocks, 2);
}

static int64_t watchdog(uint32_t id, uint32_t timeout)
{
	struct sched_watchdog w = { .id = id, .timeout = timeout };

	return sched(v1, SCHEDOP_watchdog, &w, sizeof(w));
}

Test(hc_small, sched_watchdogs)
{
	domain_watchdog_init(d1);
	fake_time_ns = 1000;
	cr_assert_eq(watchdog(0, 0), -EINVAL);
	cr_assert_eq(watchdog(3, 5), -EINVAL);
	cr_assert_eq(watchdog(1, 5), -EINVAL);
	cr_assert_eq(watchdog(0, 5), 1);
	cr_assert_eq(world_log.timer_set_ns, UINT64_C(5000001000));
	cr_assert_eq(watchdog(0, 9), 2);
	cr_assert_eq(watchdog(0, 9), -ENOSPC);
	cr_assert_eq(watchdog(2, 7), 0);
	cr_assert_eq(world_log.timer_set_ns, UINT64_C(7000001000));
	cr_assert_eq(watchdog(1, 0), 0);
	cr_assert_eq(watchdog(1, 0), -EINVAL);
	cr_assert_eq(watchdog(0, 9), 1);
	d1->watchdog[0].fn(d1->watchdog[0].arg);
	cr_assert_eq(world_log.shutdown_code, SHUTDOWN_watchdog);
	world_log.timer_cancels = 0;
	domain_watchdog_stop(d1);
	cr_assert_eq(world_log.timer_cancels, 2);
}

Test(hc_small, sched_pin_override)
{
	struct sched_pin_override p = { .pcpu = 2 };

	cr_assert_eq(sched(v1, SCHEDOP_pin_override, &p, sizeof(p)), -EPERM);
	cr_assert_eq(sched(v0, SCHEDOP_pin_override, &p, sizeof(p)), 0);
	cr_assert_eq(world_log.affinity, 4);
	p.pcpu = 4;
	cr_assert_eq(sched(v0, SCHEDOP_pin_override, &p, sizeof(p)), -EINVAL);
	p.pcpu = -1;
	cr_assert_eq(sched(v0, SCHEDOP_pin_override, &p, sizeof(p)), 0);
	cr_assert_eq(world_log.affinity, 0); /* back to what it had */
}

/* ---- vcpu_op --------------------------------------------------------- */

static int64_t register_info(struct vcpu *v, uint64_t id, uint64_t g,
			     uint32_t offset)
{
	struct vcpu_register_vcpu_info a = { .mfn = g, .offset = offset };

	guest_put(v->domain, ARG, &a, sizeof(a));
	return call(v, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, id,
		    ARG);
}

Test(hc_small, vcpu_info_moves_once_with_its_contents)
{
	struct page *pg = page_of(p2m_lookup(d1, gfn(0x15)).mfn);
	struct vcpu_info i;

	d1->shared_info->vcpu_info[0].time.version = 42;
	cr_assert_eq(register_info(v1, 0, 0x15, 0xfd0), 0);
	guest_get(d1, 0x15fd0, &i, sizeof(i));
	cr_assert_eq(i.time.version, 42);
	cr_assert_eq(i.evtchn_upcall_pending, 1);
	cr_assert_eq(i.evtchn_pending_sel, UINT64_MAX);
	cr_assert_eq(v1->info_page, pg);
	cr_assert_eq(pg->count, 3);
	cr_assert_eq((void *)v1->info, (char *)hv_va(mfn_to_paddr(
					       page_mfn(pg))) + 0xfd0);
	cr_assert_eq(world_log.info_moved, 1);
	cr_assert_eq(register_info(v1, 0, 0x15, 0), -EINVAL);
	cr_assert_eq(pg->count, 3);
	/* The other one is off line: may be told where it will be. */
	cr_assert_eq(register_info(v1, 1, 0x15, 64), 0);
	cr_assert_eq(pg->count, 4);
}

Test(hc_small, vcpu_info_refusals)
{
	mfn_t m;

	cr_assert_eq(register_info(v1, 0, 0x15, 0xfd8), -ENXIO);
	cr_assert_eq(register_info(v1, 0, 0x15, UINT32_MAX), -ENXIO);
	cr_assert_eq(register_info(v1, 0, 0x15, 4), -ENXIO);
	cr_assert_eq(register_info(v1, 0, 0x99, 0), -EINVAL);
	cr_assert_eq(register_info(v1, 0, UINT64_MAX, 0), -EINVAL);
	cr_assert_eq(register_info(v1, 2, 0x15, 0), -ENOENT);
	cr_assert_eq(register_info(v1, UINT64_MAX, 0x15, 0), -ENOENT);
	d1->vcpu[1]->state = VCPU_BLOCKED;
	cr_assert_eq(register_info(v1, 1, 0x15, 0), -EINVAL);
	cr_assert_eq(dom_alloc_pages(d1, 0, &m), 0);
	cr_assert_eq(p2m_map_ram(d1, gfn(0x40), m, 0, P2M_RAM_RO), 0);
	cr_assert_eq(register_info(v1, 0, 0x40, 0), -EINVAL);
	cr_assert_eq(page_of(m)->count, 2);
	cr_assert_eq(call(v1, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
			  0, BAD), -EFAULT);
	cr_assert_eq(v1->info_page, NULL);
}

Test(hc_small, vcpu_other_commands)
{
	uint64_t cmd;

	for (cmd = 0; cmd < 20; cmd++) {
		if (cmd != 5 && cmd != 10) {
			cr_assert_eq(call(v1, __HYPERVISOR_vcpu_op, cmd, 0,
					  ARG), -EINVAL);
		}
	}
}

/* ---- hvm_op ---------------------------------------------------------- */

static uint64_t param_value;

static int64_t param(struct vcpu *v, uint64_t cmd, domid_t who, uint32_t index)
{
	struct xen_hvm_param p = { .domid = who, .index = index,
				   .value = param_value };
	int64_t rc;

	guest_put(v->domain, ARG, &p, sizeof(p));
	rc = call(v, __HYPERVISOR_hvm_op, cmd, ARG, 0);
	guest_get(v->domain, ARG, &p, sizeof(p));
	param_value = p.value;
	return rc;
}

Test(hc_small, hvm_params)
{
	static const uint8_t good[] = { 0, 1, 2, 17, 18 };
	unsigned int i;

	cr_assert_eq(param(v0, HVMOP_get_param, DOMID_SELF,
			   HVM_PARAM_STORE_EVTCHN), 0);
	cr_assert_eq(param_value, 0); /* unset is 0, not an error */
	for (i = 0; i < sizeof(good); i++) {
		param_value = 1000 + i;
		cr_assert_eq(param(v1, HVMOP_set_param, DOMID_SELF, good[i]),
			     -EPERM);
		cr_assert_eq(param(v1, HVMOP_set_param, 0, good[i]), -EPERM);
		cr_assert_eq(param(v0, HVMOP_set_param, 0, good[i]), -EPERM);
		cr_assert_eq(param(v0, HVMOP_set_param, 1, good[i]), 0);
		param_value = 0;
		cr_assert_eq(param(v1, HVMOP_get_param, DOMID_SELF, good[i]),
			     0);
		cr_assert_eq(param_value, 1000 + i);
		cr_assert_eq(param(v0, HVMOP_get_param, 1, good[i]), 0);
		cr_assert_eq(param(v1, HVMOP_get_param, 0, good[i]), -EPERM);
	}
	cr_assert_eq(param(v0, HVMOP_set_param, 1, 28), 0);
	cr_assert_eq(param(v1, HVMOP_get_param, DOMID_SELF, 28), -EPERM);
	cr_assert_eq(param(v0, HVMOP_get_param, 1, 28), 0);
	for (i = 3; i < 300; i++) {
		if (i != 17 && i != 18 && i != 28) {
			cr_assert_eq(param(v0, HVMOP_get_param, 1, i),
				     -EINVAL);
			cr_assert_eq(param(v0, HVMOP_set_param, 1, i),
				     -EINVAL);
		}
	}
	cr_assert_eq(param(v0, HVMOP_get_param, 1, UINT32_MAX), -EINVAL);
	cr_assert_eq(param(v0, HVMOP_get_param, 9, 1), -ESRCH);
	cr_assert_eq(param(v0, 2, 1, 1), -ENOSYS);
	cr_assert_eq(call(v1, __HYPERVISOR_hvm_op, HVMOP_get_param, BAD, 0),
		     -EFAULT);
}

/* ---- platform_op, vm_assist, physdev_op ------------------------------ */

Test(hc_small, platform_settime)
{
	xen_platform_op_t op = { .cmd = XENPF_settime64,
				 .interface_version =
					 XENPF_INTERFACE_VERSION };

	op.u.settime64 = (struct xenpf_settime64){ .secs = 1700000000,
						   .nsecs = 5,
						   .system_time = 1000 };
	d0->time_offset_ns = 300;
	guest_put(d0, ARG, &op, sizeof(op));
	guest_put(d1, ARG, &op, sizeof(op));
	cr_assert_eq(call(v1, __HYPERVISOR_platform_op, ARG, 0, 0), -EPERM);
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, ARG, 0, 0), 0);
	cr_assert_eq(world_log.wall_sets, 1);
	cr_assert_eq(world_log.wall_sec, 1700000000);
	cr_assert_eq(world_log.wall_nsec, 5);
	cr_assert_eq(world_log.wall_system_ns, 1300);
	op.u.settime64.nsecs = 1000000000;
	guest_put(d0, ARG, &op, sizeof(op));
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, ARG, 0, 0), -EINVAL);
	op.u.settime64.nsecs = 0;
	op.u.settime64.mbz = 1;
	guest_put(d0, ARG, &op, sizeof(op));
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, ARG, 0, 0), -EINVAL);
	op.cmd = 17;
	guest_put(d0, ARG, &op, sizeof(op));
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, ARG, 0, 0), -ENOSYS);
	op.interface_version++;
	guest_put(d0, ARG, &op, sizeof(op));
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, ARG, 0, 0), -EACCES);
	cr_assert_eq(call(v0, __HYPERVISOR_platform_op, BAD, 0, 0), -EFAULT);
	cr_assert_eq(world_log.wall_sets, 1);
}

Test(hc_small, vm_assist)
{
	uint64_t type;

	cr_assert_eq(call(v1, __HYPERVISOR_vm_assist, VMASST_CMD_enable, 5, 0),
		     0);
	cr_assert_eq(d1->vm_assist, 1u << 5);
	cr_assert_eq(call(v1, __HYPERVISOR_vm_assist, VMASST_CMD_disable, 5,
			  0), 0);
	cr_assert_eq(d1->vm_assist, 0);
	cr_assert_eq(call(v1, __HYPERVISOR_vm_assist, 2, 5, 0), -ENOSYS);
	for (type = 0; type < 100; type++) {
		if (type != 5) {
			cr_assert_eq(call(v1, __HYPERVISOR_vm_assist, 0, type,
					  0), -EINVAL);
		}
	}
	cr_assert_eq(call(v0, __HYPERVISOR_physdev_op, 25, ARG, 0), -ENOSYS);
}

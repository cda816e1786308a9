/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that a toolstack made: the machine it promises, its console and
 * store, and nothing that only the control domain may do. Runs by xl.
 */
#include "guest.h"

/* [XEN] arch-arm.h: where a guest's devices and memory are. */
static void addresses(void)
{
	EXPECT_EQ(machine.gicd.base, machine.gic_version == 3 ?
		  GUEST_GICV3_GICD_BASE : GUEST_GICD_BASE);
	if (machine.gic_version == 3) {
		EXPECT_EQ(machine.gicr[0].base, GUEST_GICV3_GICR0_BASE);
	} else {
		EXPECT_EQ(machine.gicc.base, GUEST_GICC_BASE);
	}
	EXPECT_EQ(machine.ram[0].base, GUEST_RAM0_BASE);
	EXPECT_EQ(machine.grant.base, GUEST_GNTTAB_BASE);
	EXPECT_EQ(machine.intid_evtchn, GUEST_EVTCHN_PPI);
	EXPECT_EQ(machine.intid_vtimer, GUEST_TIMER_VIRT_PPI);
	EXPECT_EQ(machine.console >> 24, GUEST_MAGIC_BASE >> 24);
}

static int64_t param(unsigned int op, uint32_t index, uint64_t *value)
{
	xen_hvm_param_t p = {
		.domid = DOMID_SELF, .index = index, .value = 1,
	};
	int64_t rc = hc2(__HYPERVISOR_hvm_op, op, PTR(&p));

	*value = p.value;
	return rc;
}

static void params(void)
{
	uint64_t v;

	EXPECT_EQ(param(HVMOP_get_param, HVM_PARAM_STORE_PFN, &v), 0);
	EXPECT_EQ(v * PAGE_SIZE >> 24, GUEST_MAGIC_BASE >> 24);
	EXPECT_EQ(param(HVMOP_get_param, HVM_PARAM_STORE_EVTCHN, &v), 0);
	CHECK(v > 0 && v < 4096);
	EXPECT_EQ(param(HVMOP_set_param, HVM_PARAM_STORE_PFN, &v), -EPERM);
}

static void no_privilege(void)
{
	static uint8_t arg[256] __attribute__((aligned(8)));

	((xen_sysctl_t *)arg)->cmd = XEN_SYSCTL_physinfo;
	((xen_sysctl_t *)arg)->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	EXPECT_EQ(hc1(__HYPERVISOR_sysctl, PTR(arg)), -EPERM);
	memset(arg, 0, sizeof(arg));
	((xen_domctl_t *)arg)->cmd = XEN_DOMCTL_destroydomain;
	((xen_domctl_t *)arg)->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	EXPECT_EQ(hc1(__HYPERVISOR_domctl, PTR(arg)), -EPERM);
}

const struct test guest_tests[] = {
	{ "addresses", addresses },
	{ "params", params },
	{ "no_privilege", no_privilege },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest guest: it runs, sees its machine, and can fault and go on. */
#include "guest.h"

static void machine_is_described(void)
{
	CHECK(machine.gic_version == 2 || machine.gic_version == 3);
	CHECK(machine.nr_cpus > 0);
	CHECK(machine.nr_ram > 0);
	EXPECT_EQ(machine.mpidr[0], sysreg_read(mpidr_el1) & 0xffffff);
	EXPECT_EQ(machine.intid_vtimer, 27);
	EXPECT_EQ(machine.intid_ptimer, 30);
	CHECK(machine.intid_evtchn >= 16 && machine.intid_evtchn < 32);
	CHECK(machine.grant.base && machine.grant.size >= PAGE_SIZE);
	printf("hello: GICv%u, %u CPUs, RAM %lx+%lx, grants %lx, PPI %u, "
	       "ticks %lu\n", machine.gic_version, machine.nr_cpus,
	       machine.ram[0].base, machine.ram[0].size, machine.grant.base,
	       machine.intid_evtchn, machine.boot_ticks);
}

static void version(void)
{
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_version, 0),
		  4 << 16 | 17);
}

static void fault_and_go_on(void)
{
	struct trap t;

	trap_arm();
	mmio_read32(MAP_UNMAPPED);
	CHECK(trap_taken(&t));
	EXPECT_EQ(ESR_EC(t.esr), EC_DABT_CUR);
	EXPECT_EQ(t.far, MAP_UNMAPPED);
}

const struct test guest_tests[] = {
	{ "machine_is_described", machine_is_described },
	{ "version", version },
	{ "fault_and_go_on", fault_and_go_on },
	{ NULL, NULL },
};

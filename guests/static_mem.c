/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain with memory that the device tree has set aside: it lies where the
 * bootargs say, nothing of an earlier owner is in it, what it gives up it gets
 * back, and what one domain writes into shared memory the others read.
 *
 * Bootargs: ram, size, gicd, uart, spi in hexadecimal ("ram=70000000"); shm=
 * the guest address of a shared region; talk=N: this domain writes N into it
 * and waits until all of "wait" (a mask of N) have.
 */
#include <libfdt.h>

#include "guest.h"

#define PAGE_FIRST 0u /* of the window */
#define PAGE_LAST 1u
#define MAGIC UINT64_C(0x5ead000000000000)

/* Hexadecimal after "NAME=" in bootargs; 0 without it. */
static uint64_t arg(const char *name)
{
	int node = fdt_path_offset(machine.fdt, "/chosen");
	const char *at = fdt_getprop(machine.fdt, node, "bootargs", NULL);
	uint64_t v = 0;

	at = at ? find(at, name) : NULL;
	if (!at) {
		return 0;
	}
	for (at += strlen(name); *at && *at != ' '; at++) {
		v = v << 4 |
		    (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
	}
	return v;
}

static void addresses(void)
{
	EXPECT_EQ(machine.ram[0].base, arg("ram="));
	EXPECT_EQ(machine.ram[0].size, arg("size="));
	EXPECT_EQ(machine.gicd.base, arg("gicd="));
	EXPECT_EQ(machine.gic_version == 3 ? machine.gicr[0].base :
		  machine.gicc.base, arg("gicc="));
	EXPECT_EQ(machine.uart, arg("uart="));
	EXPECT_EQ(machine.intid_uart, arg("spi="));
	EXPECT_EQ(machine.intid_evtchn, GUEST_EVTCHN_PPI);
	EXPECT_EQ(machine.grant.base, GUEST_GNTTAB_BASE);
	printf("machine: RAM %lx+%lx, %u ranges, GIC %lx, UART %lx\n",
	       machine.ram[0].base, machine.ram[0].size, machine.nr_ram,
	       machine.gicd.base, machine.uart);
}

/* The first page of each 64 KiB between our image and the device tree. */
static void nothing_of_others_is_in_it(void)
{
	uint64_t a = machine.ram[0].base + (4u << 20);
	uint64_t dirty = 0;

	for (; a + (4u << 20) < ram_top(); a += 64u << 10) {
		const uint64_t *p = (const void *)(uintptr_t)a;

		if (a - (PTR(machine.fdt) & ~UINT64_C(0xffff)) < 128u << 10) {
			continue; /* the device tree */
		}
		dirty += p[0] | p[511];
	}
	if (PEER_DIFFERS("clears static memory only with bootscrub")) {
		return;
	}
	EXPECT_EQ(dirty, 0);
}

static int64_t reservation(unsigned int op, uint64_t frame)
{
	xen_pfn_t list[1] = { frame };
	xen_memory_reservation_t r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, list);
	return hc2(__HYPERVISOR_memory_op, op, PTR(&r));
}

/* Never from the heap: the same page comes back. */
static void what_it_gives_up_comes_back(void)
{
	volatile uint64_t *p = (void *)(uintptr_t)
		(machine.ram[0].base + (5u << 20));
	uint64_t frame = PTR(p) / PAGE_SIZE;

	*p = MAGIC;
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, frame), 1);
	EXPECT_EQ(reservation(XENMEM_populate_physmap, frame), 1);
	if (machine.bulkhead && !has_bootarg("heap")) {
		EXPECT_EQ(*p, MAGIC);
	}
	*p = 1;
	EXPECT_EQ(*p, 1);
	/* There is no more than what was set aside. */
	EXPECT_EQ(reservation(XENMEM_populate_physmap,
			      (machine.ram[0].base + (1u << 30)) / PAGE_SIZE),
		  0);
}

static uint64_t cells(const fdt32_t *p)
{
	return (uint64_t)fdt32_to_cpu(p[0]) << 32 | fdt32_to_cpu(p[1]);
}

/* Bindings/reserved-memory/xen,shared-memory.txt */
static void the_tree_tells_of_shared_memory(void)
{
	int node = fdt_node_offset_by_compatible(machine.fdt, -1,
						 "xen,shared-memory-v1");
	const fdt32_t *reg;
	const char *id;
	int len;

	if (!arg("shm=")) {
		EXPECT_EQ(node, -FDT_ERR_NOTFOUND);
		return;
	}
	CHECK(node >= 0);
	reg = fdt_getprop(machine.fdt, node, "reg", &len);
	EXPECT_EQ(len, 16);
	EXPECT_EQ(cells(reg), arg("shm="));
	EXPECT_EQ(cells(reg + 2), arg("shmsize="));
	id = fdt_getprop(machine.fdt, node, "xen,id", &len);
	EXPECT_EQ(len, sizeof("region-0"));
	EXPECT_EQ(memcmp(id, "region-0", sizeof("region-0")), 0);
	node = fdt_parent_offset(machine.fdt, node);
	CHECK(fdt_getprop(machine.fdt, node, "ranges", NULL));
	EXPECT_EQ(fdt_path_offset(machine.fdt, "/reserved-memory"), node);
}

static volatile uint64_t *slots(unsigned int page)
{
	return (volatile uint64_t *)(uintptr_t)(MAP_WINDOW + page * PAGE_SIZE);
}

/* A tenth of a second without a CPU: the others need it. */
static void rest(void)
{
	sysreg_write(cntv_tval_el0, sysreg_read(cntfrq_el0) / 10);
	sysreg_write(cntv_ctl_el0, 1);
	isb();
	wfi();
	irq_on();
	irq_off();
}

static void timer_off(unsigned int intid)
{
	if (intid == machine.intid_vtimer) {
		sysreg_write(cntv_ctl_el0, 0);
		isb();
	}
}

/* Each domain has a word of its own in the first page and in the last. */
static void all_read_what_one_writes(void)
{
	uint64_t at = arg("shm=");
	uint64_t own = arg("talk=");
	uint64_t wait = arg("wait=");
	unsigned int i;

	if (!at) {
		return;
	}
	irq_hook = timer_off;
	gic_enable(machine.intid_vtimer);
	mmu_window(PAGE_FIRST, at, 0);
	mmu_window(PAGE_LAST, at + arg("shmsize=") - PAGE_SIZE, 0);
	slots(PAGE_FIRST)[own] = MAGIC + own;
	slots(PAGE_LAST)[own] = ~(MAGIC + own);
	for (i = 0; i < 16; i++) {
		while (wait & 1u << i &&
		       (slots(PAGE_FIRST)[i] != MAGIC + i ||
			slots(PAGE_LAST)[i] != ~(MAGIC + i))) {
			rest();
		}
	}
	printf("heard from all\n");
}

/* It is not the domain's own to give up or to fill. */
static void shared_memory_is_not_its_own(void)
{
	uint64_t frame = arg("shm=") / PAGE_SIZE;

	if (!frame) {
		return;
	}
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, frame), 0);
	EXPECT_EQ(reservation(XENMEM_populate_physmap, frame), 0);
	EXPECT_EQ(slots(PAGE_FIRST)[arg("talk=")], MAGIC + arg("talk="));
}

/* Goes on until a word comes that others write, perhaps after some ended. */
static void listens(void)
{
	uint64_t slot = arg("listen=");

	if (!slot) {
		return;
	}
	printf("listening\n");
	while (slots(PAGE_FIRST)[slot] != MAGIC + slot) {
		rest();
	}
	EXPECT_EQ(slots(PAGE_FIRST)[0], MAGIC);
}

const struct test guest_tests[] = {
	{ "addresses", addresses },
	{ "nothing_of_others_is_in_it", nothing_of_others_is_in_it },
	{ "what_it_gives_up_comes_back", what_it_gives_up_comes_back },
	{ "the_tree_tells_of_shared_memory", the_tree_tells_of_shared_memory },
	{ "all_read_what_one_writes", all_read_what_one_writes },
	{ "shared_memory_is_not_its_own", shared_memory_is_not_its_own },
	{ "listens", listens },
	{ NULL, NULL },
};

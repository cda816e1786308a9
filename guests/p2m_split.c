/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor takes one page out of a large block of this guest's memory
 * while another CPU uses the rest of the block: that CPU sees nothing of it,
 * neither as an abort nor in a hypercall whose argument is there.
 */
#include "port.h"

#define BLOCK	UINT64_C(0x200000)
#define BLOCKS	24u
#define OTHER	0x30000u		/* a page that stays, in the block */

static struct {
	uint64_t block;			/* to be used; 0: that was all */
	uint64_t in_use;		/* it is */
	unsigned int aborts;
	unsigned int refused;
} use;

static void use_block(uint64_t block)
{
	volatile uint64_t *word = (volatile uint64_t *)(block + OTHER);
	evtchn_status_t *s = (evtchn_status_t *)(block + OTHER + 64);

	trap_arm();
	(void)*word;
	s->dom = DOMID_SELF;
	s->port = 1;
	use.refused += EVTCHN(EVTCHNOP_status, s) == -EFAULT;
	use.aborts += trap_taken(NULL);
	__atomic_store_n(&use.in_use, block, __ATOMIC_RELEASE);
}

static void user(void *arg)
{
	uint64_t block;

	(void)arg;
	while ((block = __atomic_load_n(&use.block, __ATOMIC_ACQUIRE))) {
		use_block(block);
		asm volatile("yield");
	}
}

/* A page of the hypervisor's in its place; and away again: it is but one. */
static void take_page(uint64_t at)
{
	xen_add_to_physmap_t add = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info,
		.gpfn = at / PAGE_SIZE,
	};

	xen_remove_from_physmap_t remove = { .domid = DOMID_SELF,
					     .gpfn = at / PAGE_SIZE };

	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		      PTR(&add)), 0);
	EXPECT_EQ(hc2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
		      PTR(&remove)), 0);
}

static void split(void)
{
	uint64_t block = (ram_top() & ~(BLOCK - 1)) - BLOCK;
	unsigned int i;

	if (machine.nr_cpus < 2) {
		return;
	}
	use.block = block;
	EXPECT_EQ(cpu_start(1), 0);
	cpu_run(1, user, NULL);
	for (i = 0; i < BLOCKS; i++, block -= BLOCK) {
		__atomic_store_n(&use.block, block, __ATOMIC_RELEASE);
		while (__atomic_load_n(&use.in_use, __ATOMIC_ACQUIRE) !=
		       block) {
			asm volatile("yield");
		}
		take_page(block);
	}
	__atomic_store_n(&use.block, 0, __ATOMIC_RELEASE);
	CHECK(cpu_call(1, user, NULL));
	EXPECT_EQ(use.aborts, 0);
	EXPECT_EQ(use.refused, 0);
}

const struct test guest_tests[] = {
	{ "split", split },
	{ NULL, NULL },
};

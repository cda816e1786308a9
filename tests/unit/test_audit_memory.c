/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The isolation auditor: each fault of what is mapped, and of the frame table,
 * is told once and by its name.
 */
// LINK: $(AUDIT_WORLD)
// LIBS: -Wl,--wrap=page_inspect
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <hv/audit.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include "core/gnttab_priv.h"
#include "fake_audit.h"
#include "fake_guest_mem.h"

TestSuite(audit_memory, .init = audit_world);

/* ---- memory -------------------------------------------------------------- */

Test(audit_memory, a_stale_entry)
{
	mfn_t m = frame(d1, RAM);

	cr_assert_eq(p2m_remove_page(d1, gfn(RAM), P2M_MASK_RAM), 0);
	enter(d1, m, P2M_RAM_RW);
	finds("page kind=free mapped-by=1 gfn=0x400 mfn=");
	page_of(m); /* looking has changed nothing */
	finds("owner=32767");
}

Test(audit_memory, ram_of_another)
{
	enter(d2, frame(d1, RAM), P2M_RAM_RW);
	finds("page kind=not-its-own mapped-by=2 gfn=0x400 mfn=");
}

Test(audit_memory, ram_with_another_owner)
{
	page_of(frame(d1, RAM))->owner = 2;
	finds("page kind=not-its-own mapped-by=1 gfn=0x10 mfn=");
	cr_assert(strstr(out, "owner=2\n"));
}

Test(audit_memory, ram_that_was_given_up)
{
	page_of(frame(d1, RAM))->flags &= (uint8_t)~PGF_ALLOCATED;
	finds("page kind=given-up mapped-by=1");
}

Test(audit_memory, ram_without_reference)
{
	page_of(frame(d1, RAM))->count = 1;
	finds("page kind=uncounted mapped-by=1");
}

Test(audit_memory, ram_that_is_none)
{
	enter(d1, mfn(0x100), P2M_RAM_RW);
	finds("page kind=not-ram mapped-by=1 gfn=0x400 mfn=0x100");
}

Test(audit_memory, the_hypervisors_own)
{
	void *va = hv_alloc_pages(NULL, 0);
	mfn_t m = paddr_to_mfn(hv_pa(va));

	enter(d1, m, P2M_RAM_RW);
	finds("page kind=hypervisor mapped-by=1");
	block(d1, FREE)->type = P2M_XEN_RW;
	finds("page kind=hypervisor mapped-by=1");
	block(d1, FREE)->type = P2M_GRANT_RW;
	finds("page kind=hypervisor mapped-by=1");
	cr_assert_eq(arch_p2m_map(d0, gfn(FREE), m, 0, P2M_FOREIGN_RO), 0);
	block(d1, FREE)->type = P2M_MMIO_DEV;
	look();
	cr_assert(strstr(out, "page kind=hypervisor mapped-by=0") &&
		  strstr(out, "page kind=ram mapped-by=1"), "%s", out);
}

Test(audit_memory, anothers_shared_page)
{
	enter(d2, page_mfn(d1->shared_info_page), P2M_XEN_RW);
	finds("page kind=hypervisor mapped-by=2");
	block(d2, FREE)->m = frame(d2, RAM).v;
	finds("page kind=not-shared mapped-by=2");
	block(d2, FREE)->m = page_mfn(d2->shared_info_page).v;
	finds("page kind=uncounted mapped-by=2");
}

Test(audit_memory, a_trace_page_that_may_be_written)
{
	trace_page = paddr_to_mfn(hv_pa(hv_alloc_pages(NULL, 0)));
	enter(d0, trace_page, P2M_FOREIGN_RW);
	finds("page kind=hypervisor mapped-by=0");
}

Test(audit_memory, foreign_pages)
{
	enter(d2, frame(d1, RAM), P2M_FOREIGN_RO);
	finds("page kind=not-permitted mapped-by=2");
	block(d2, FREE)->m = frame(d2, RAM).v;
	block(d2, FREE)->type = P2M_RAM_RW;
	page_of(frame(d2, RAM))->count = 3; /* twice in one domain */
	passes();
	enter(d0, frame(d1, RAM), P2M_FOREIGN_RW);
	finds("page kind=uncounted mapped-by=0");
	d1->direct_mapped = true; /* it may have unmapped what it has */
	passes();
	page_of(frame(d1, RAM))->count = 1;
	look();
	cr_assert(strstr(out, "page kind=uncounted mapped-by=0"));
	page_of(frame(d1, RAM))->count = 2;
	block(d0, FREE)->m = frame(d0, RAM).v;
	finds("page kind=not-permitted mapped-by=0");
}

Test(audit_memory, a_region_without_reference)
{
	mfn_t io;

	cr_assert_eq(dom_alloc_pages(d0, 0, &io), 0);
	page_of(io)->owner = DOMID_IO;
	enter(d1, io, P2M_FOREIGN_RW);
	finds("page kind=uncounted mapped-by=1");
}

Test(audit_memory, grants_that_are_none)
{
	uint32_t handle;

	enter(d0, frame(d1, RAM + 9), P2M_GRANT_RW);
	finds("page kind=not-granted mapped-by=0");
	cr_assert_eq(arch_p2m_unmap(d0, gfn(FREE), &(struct p2m_entry){}), 0);
	handle = map_grant(d0, d1, 9, GNTMAP_readonly, FREE);
	passes();
	block(d0, FREE)->type = P2M_GRANT_RW; /* more than was granted */
	finds("page kind=not-granted mapped-by=0");
	block(d0, FREE)->type = P2M_GRANT_RO;
	block(d0, FREE)->m = frame(d1, RAM + 8).v;
	finds("page kind=not-granted mapped-by=0");
	block(d0, FREE)->m = frame(d1, RAM + 9).v;
	page_of(frame(d1, RAM + 9))->count = 1;
	look();
	cr_assert(strstr(out, "page kind=uncounted mapped-by=0"));
	page_of(frame(d1, RAM + 9))->count = 4;
	unmap_grant(d0, handle, FREE);
	passes();
}

Test(audit_memory, descriptors)
{
	block(d1, RAM)->is_unsound = true;
	finds("page kind=rights mapped-by=1 gfn=0x10 mfn=");
	block(d1, RAM)->is_unsound = false;
	block(d1, RAM)->is_bad_table = true;
	finds("page kind=table mapped-by=1 gfn=0x10 mfn=");
}

/* What is for devices alone, and not what all of them have, or for a vCPU. */
Test(audit_memory, a_doorbell_of_two)
{
	fake_doorbell = DEVICE + 2;
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE), mfn(DEVICE + 2), 1,
				  P2M_DOORBELL), 0);
	passes();
	block(d1, FREE)->type = P2M_MMIO_DEV;
	finds("page kind=device-of-two mapped-by=1 gfn=0x400 mfn=0x9002 "
	      "owner=0");
	block(d1, FREE)->type = P2M_DOORBELL;
	block(d1, FREE)->m = DEVICE + 1;
	finds("page kind=device-of-two mapped-by=1 gfn=0x400 mfn=0x9001 "
	      "owner=0");
	block(d1, FREE)->m = DEVICE + 2;
	passes();
}

Test(audit_memory, devices_of_two)
{
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE), mfn(DEVICE + 1), 1,
				  P2M_MMIO_DEV), 0);
	finds("page kind=device-of-two mapped-by=1 gfn=0x400 mfn=0x9001 "
	      "owner=0");
	block(d1, FREE)->m = 0x8001;
	cr_assert_eq(p2m_map_mmio(d1, gfn(FREE + 1), mfn(0x8002), 2,
				  P2M_MMIO_DEV), 0);
	passes();
	cr_assert_eq(p2m_map_mmio(d2, gfn(FREE + 4), mfn(0x8003), 1,
				  P2M_MMIO_DEV), 0);
	finds("page kind=device-of-two mapped-by=2 gfn=0x404 mfn=0x8003 "
	      "owner=1");
}

Test(audit_memory, more_devices_than_it_can_remember)
{
	for (uint64_t i = 0; i < 33; i++) {
		cr_assert_eq(p2m_map_mmio(d1, gfn(FREE + 2 * i),
					  mfn(0x8000 + 3 * i), 1,
					  P2M_MMIO_DEV), 0);
	}
	look();
	cr_assert(strstr(out, "audit: UNSURE run=1 ") &&
		  strstr(out, "unsure=1 "), "%s", out);
}

Test(audit_memory, the_frame_table)
{
	void *va = hv_alloc_pages(NULL, 0);
	struct page *pg = page_of(paddr_to_mfn(hv_pa(va)));

	pg->owner = 77;
	finds("frame kind=no-such-owner owner=77 mfn=");
	pg->owner = DOMID_HV;
	pg->count = 0;
	finds("frame kind=uncounted owner=32754 mfn=");
	pg->count = 1;
	hv_free_pages(NULL, va, 0);
	passes();
	pg->owner = 1; /* still of a chunk that is split */
	finds("frame kind=free-and-used owner=1 mfn=");
}

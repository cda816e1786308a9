/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest windows, the inner part: one frame, in line. For guest_win.c and for
 * the dispatcher's path of small structures, which every hypercall takes; and
 * a copy from one frame without a window, for what is read and then done.
 */
#ifndef CORE_GUEST_WIN_FAST_H
#define CORE_GUEST_WIN_FAST_H

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Tests put their memory's copy in its place. */
#ifndef guest_mem_copy
#define guest_mem_copy copy_small
#endif

/* Part of a window within one frame. */
struct guest_part {
	struct page *pg;
	char *va;
};

/* Foreign, granted or shared page: is it still mapped at @va? */
bool guest_part_still_there(struct vcpu *v, uint64_t va, bool write,
			    paddr_t pa);

static inline bool guest_is_one_page(uint64_t va, uint32_t len)
{
	return (va & (PAGE_SIZE - 1)) + len <= PAGE_SIZE;
}

__must_check static inline int guest_part_open(struct vcpu *v, uint64_t va,
					       bool write,
					       struct guest_part *p)
{
	paddr_t pa;

	if (unlikely(arch_gva_to_pa(v, gva(va), write, &pa) != 0)) {
		return -EFAULT;
	}
	p->pg = page_of(paddr_to_mfn(pa));
	if (unlikely(!p->pg || !page_get(p->pg))) {
		return -EFAULT; /* a device, or just going away */
	}
	if (unlikely(page_owner(p->pg) != v->domain->id) &&
	    !guest_part_still_there(v, va, write, pa)) {
		page_put(p->pg);
		return -EFAULT;
	}
	p->va = hv_va(pa);
	return 0;
}

/*
 * Copy in @len bytes of one page. No reference is taken: who unmaps a frame
 * waits, after its TLB maintenance and before it drops the mapping's own
 * reference, for every CPU that peeks (p2m.c; adr/0010). A CPU that says so
 * after that does not get the translation any more.
 */
__must_check static inline int guest_peek(struct vcpu *v, void *dst,
					  uint64_t va, uint32_t len)
{
	struct pcpu *c = this_pcpu();
	const struct page *pg;
	int rc = -EFAULT;
	paddr_t pa;

	__atomic_store_n(&c->peeks, true, __ATOMIC_RELAXED);
	arch_walk_fence();
	if (likely(arch_gva_to_pa(v, gva(va), false, &pa) == 0)) {
		pg = page_of(paddr_to_mfn(pa));
		if (likely(pg && pg->count != 0)) { /* else no RAM */
			guest_mem_copy(dst, hv_va(pa), len);
			rc = 0;
		}
	}
	__atomic_store_n(&c->peeks, false, __ATOMIC_RELEASE);
	return rc;
}

#endif

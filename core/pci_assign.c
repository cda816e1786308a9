/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose each PCI function is: from dom0 to a guest, and back.
 *
 * Owns    the state of each function that the toolstack has named.
 * Order   there: it is quiet, its messages are nobody's, nothing of it is
 *         under way to dom0's memory, its line is nobody's, dom0 has its pages
 *         no more; then it has the guest's tables and the guest its line, and
 *         sees it. Back: the guest sees it no more, its messages are nobody's,
 *         it is quiet, its line is nobody's, nothing of it is under way to the
 *         guest's memory; it is reset, if it can be, and its configuration is
 *         as dom0 had it; dom0 has its pages and its line, then its stream and
 *         messages. At all times one has it, or nobody. Without dom0, or for
 *         what boot has kept from dom0, there is nobody in its place, and its
 *         part of all this is left out.
 * Not     what the guest sees (vpci.c), messages (arch_msi_*), streams
 *         (iommu_function.c), which line it is (pci_line.c).
 * Locks   control_lock, held by the caller. .state is atomic for
 *         pci_is_given(); of it nothing else is read without the lock.
 * Bounds  STEP_PAGES pages a call; a reset is waited for by calling again
 *         (pci_reset.c).
 */
#include <hv/pci.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/vpci.h>
#include <lib/errno.h>
#include "pci_priv.h"

#define STEP_PAGES 64u

static void enter(struct pci_function *f, enum pci_state state)
{
	__atomic_store_n(&f->state, (uint8_t)state, __ATOMIC_SEQ_CST);
}

static int lost(struct pci_function *f, const char *why)
{
	log_err("PCI %s: %s: it is nobody's from now on\n", f->name, why);
	pci_quiet(f);
	f->owner = NULL;
	enter(f, PCI_LOST);
	return -EIO;
}

/* ---- back to dom0 -------------------------------------------------------- */

/* Pages of BARs that dom0 has to give, and to get. */
static uint32_t nr_of_dom0(const struct pci_function *f)
{
	return pci_home(f) ? pci_nr_pages(f) : 0;
}

static int give_back_step(struct pci_function *f)
{
	for (uint32_t i = 0; i < STEP_PAGES && f->pages != 0; i++) {
		uint64_t m = pci_page(f, f->pages - 1);

		if (p2m_map_mmio(hardware_domain, gfn(m), mfn(m), 1,
				 P2M_MMIO_DIRECT) != 0) {
			return lost(f, "dom0 has something else in its place");
		}
		f->pages--;
	}
	if (f->pages != 0 ||
	    pci_line_give(f, hardware_domain, f->line) != 0) {
		return -EAGAIN;
	}
	if (!f->is_kept &&
	    iommu_function_back(hardware_domain, &f->behind) != 0) {
		return lost(f, "its SMMU does not take it for dom0's");
	}
	f->owner = NULL;
	enter(f, PCI_DOM0);
	return 0;
}

static int reset_step(struct pci_function *f)
{
	int rc = pci_reset_step(f);

	if (rc == -EIO) {
		return lost(f, "it does not answer after a reset");
	}
	if (rc == 0) {
		f->error = 0;
		enter(f, PCI_GOING);
	}
	return -EAGAIN;
}

static void forget_messages(struct domain *d, const struct pci_function *f)
{
	if (d && f->has_id) {
		arch_msi_forget(d, f->device_id);
	}
}

/* The guest's no more. A domain that is at its end cannot keep it. */
static int leave_step(struct domain *d, struct pci_function *f)
{
	int rc = vpci_remove(d, f);

	if (rc == -EAGAIN || (rc && rc != -ENOENT && d->state < DOM_DYING)) {
		return rc;
	}
	forget_messages(d, f);
	pci_quiet(f);
	pci_line_take(f, d);
	iommu_return(d, &f->behind);
	pci_reset_begin(f);
	enter(f, PCI_RESET);
	return -EAGAIN;
}

/* A step of the way from @d to dom0, wherever it is. */
static int back_step(struct domain *d, struct pci_function *f)
{
	switch (f->state) {
	case PCI_TAKING:
		enter(f, PCI_GOING);
		return -EAGAIN;
	case PCI_GIVEN:
		return leave_step(d, f);
	case PCI_RESET:
		return reset_step(f);
	default:
		return give_back_step(f);
	}
}

/* ---- to a guest ---------------------------------------------------------- */

/*
 * The toolstack of this release does not say at creation that there will be
 * functions: the first one, before the domain runs, brings what they need.
 * What was made goes with the domain.
 */
static int prepare(struct domain *d)
{
	int rc = d->has_pci || d->state == DOM_BUILDING ? 0 : -ENODEV;

	if (rc) {
		log_warn("%s: no PCI functions for a domain that runs and was "
			 "made without any\n", d->name);
		return rc;
	}
	if (!d->has_its && !d->has_pci) {
		rc = arch_msi_domain_init(d);
		d->has_its = rc == 0;
		rc = rc == -ENODEV ? 0 : rc; /* it may have a line */
	}
	if (rc == 0 && !d->has_pci) {
		rc = vpci_domain_init(d);
		d->has_pci = rc == 0;
	}
	return rc;
}

static int check_domain(const struct domain *d)
{
	if (d->state >= DOM_DYING || d->is_hardware) {
		return -EINVAL;
	}
	return d->iommu.enabled ? 0 : -EOPNOTSUPP;
}

/* A function that has no line of its own has to work by messages. */
static bool has_messages(const struct domain *d, const struct pci_function *f)
{
	return d->has_its && f->has_id &&
	       (pci_part(f, PCI_PART_TABLE) != 0 ||
		pci_part(f, PCI_PART_MESSAGES) != 0);
}

/* It goes back; the caller hears @rc when dom0 has all of it. */
static int give_up(struct pci_function *f, int rc)
{
	f->error = rc;
	enter(f, PCI_GOING);
	return -EAGAIN;
}

static int give(struct domain *d, struct pci_function *f)
{
	uint32_t virq = vpci_next_virq(d);
	int rc = virq ? pci_line_give(f, d, virq) : -ENOSPC;

	if (rc) {
		return rc == -EAGAIN ? rc : give_up(f, rc);
	}
	rc = iommu_assign(d, &f->behind);
	if (rc == 0) {
		rc = vpci_add(d, f);
		if (rc) {
			iommu_return(d, &f->behind);
		}
	}
	if (rc) {
		pci_line_take(f, d);
		return give_up(f, rc);
	}
	enter(f, PCI_GIVEN);
	log_info("%s: has PCI %s%s\n", d->name, f->name,
		 f->reset ? "" : ", which has no reset of its own");
	return 0;
}

static int take_step(struct domain *d, struct pci_function *f)
{
	uint32_t nr = nr_of_dom0(f);

	for (uint32_t i = 0; i < STEP_PAGES && f->pages < nr; i++) {
		int rc = p2m_remove_page(hardware_domain,
					 gfn(pci_page(f, f->pages)),
					 P2M_MASK(P2M_MMIO_DIRECT));

		if (rc) {
			return give_up(f, rc);
		}
		f->pages++;
	}
	return f->pages < nr ? -EAGAIN : give(d, f);
}

static int take_begin(struct domain *d, struct pci_function *f)
{
	int rc = prepare(d);

	if (rc == 0) {
		rc = pci_line_find(f);
	}
	if (rc == 0) {
		rc = pci_read_bars(f);
	}
	if (rc == 0 && f->line == 0 && !has_messages(d, f)) {
		rc = pci_line_refuse(f);
	}
	if (rc == 0) {
		rc = pci_save(f);
	}
	if (rc) {
		return rc;
	}
	enter(f, PCI_TAKING);
	if (!f->is_kept) {
		forget_messages(hardware_domain, f);
		rc = iommu_function_take(hardware_domain, &f->behind);
	}
	if (rc) {
		enter(f, PCI_DOM0);
		return rc;
	}
	pci_line_take(f, hardware_domain);
	f->error = 0;
	f->owner = d;
	return -EAGAIN;
}

/* Goes on until it is dom0's; then tells why. */
static int give_up_step(struct pci_function *f)
{
	int why = f->error;
	int rc = give_back_step(f);

	return rc ? rc : why;
}

int pci_assign(struct domain *d, uint32_t sbdf)
{
	struct pci_function *f;
	int rc = check_domain(d);

	if (rc == 0) {
		rc = pci_know(sbdf, &f);
	}
	if (rc) {
		return rc;
	}
	if (f->state == PCI_DOM0) {
		return take_begin(d, f);
	}
	if (f->owner == d && f->state == PCI_TAKING) {
		return take_step(d, f);
	}
	if (f->owner == d && f->state == PCI_GOING && f->error) {
		return give_up_step(f);
	}
	return f->state == PCI_LOST ? -EIO : -EBUSY;
}

/* ---- boot, beside dom0 --------------------------------------------------- */

__cold int pci_keep(uint32_t sbdf, const struct pci_function **out)
{
	struct pci_function *f;
	int rc = pci_know(sbdf, &f);

	if (rc == 0) {
		rc = pci_read_bars(f);
	}
	if (rc == 0) {
		rc = iommu_function_take(hardware_domain, &f->behind);
	}
	if (rc) {
		return rc;
	}
	f->is_kept = true;
	*out = f;
	for (uint32_t i = pci_nr_pages(f); i != 0 && rc == 0; i--) {
		rc = p2m_remove_page(hardware_domain, gfn(pci_page(f, i - 1)),
				     P2M_MASK(P2M_MMIO_DIRECT));
	}
	return rc ? lost(f, "its memory could not be kept from dom0") : 0;
}

/* ---- the rest of what the toolstack asks --------------------------------- */

int pci_deassign(struct domain *d, uint32_t sbdf)
{
	struct pci_function *f = pci_known(sbdf);

	if (!f || f->owner != d || d->state >= DOM_DYING) {
		return -EINVAL;
	}
	return back_step(d, f);
}

int pci_test_assign(uint32_t sbdf)
{
	struct pci_function *f;
	int rc = pci_know(sbdf, &f);

	if (rc) {
		return rc;
	}
	return f->state == PCI_DOM0 && !f->is_kept ? 0 : -EBUSY;
}

/* Some of these pages are on their way to another, or another's. */
static bool is_of_other(const struct domain *d, uint64_t mfn, uint64_t nr)
{
	const struct pci_function *f = pci_next(NULL);

	for (; f; f = f->next) { /* bound: PCI_FUNCTIONS */
		for (uint32_t i = 0; f->owner && i < PCI_BARS; i++) {
			const struct pci_bar *b = &f->bar[i];

			if (f->owner != d && mfn < b->mfn + b->nr &&
			    b->mfn < mfn + nr) {
				return true;
			}
		}
	}
	return false;
}

int pci_permit_pages(const struct domain *d, uint64_t mfn, uint64_t nr)
{
	if (d->state >= DOM_DYING || d->is_hardware || nr == 0) {
		return -EINVAL;
	}
	if (!pci_in_window(mfn, nr)) {
		return -EPERM;
	}
	return is_of_other(d, mfn, nr) ? -EBUSY : 0;
}

int pci_release_step(struct domain *d)
{
	struct pci_function *f = pci_next(NULL);

	while (f && f->owner != d) {
		f = f->next; /* bound: PCI_FUNCTIONS */
	}
	if (!f) {
		return 0;
	}
	(void)back_step(d, f); /* lost, or dom0's, or more to do */
	return -EAGAIN;
}

void pci_domain_fini(struct domain *d)
{
	vpci_domain_fini(d);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domctl: devices of the machine for a domain: registers, lines, accesses to
 * memory.
 *
 * Owns    what a call may ask for at a time.
 * Not     whose a device is (platdev.c, pci_assign.c).
 * Locks   control_lock, held by the caller.
 * Bounds  MAX_PAGES pages mapped a call; a name of PLATDEV_PATH_MAX bytes.
 * Spec    [XEN] domctl.h. A line has the same number in the guest.
 */
#include "domctl_priv.h"

#include <hv/domain.h>
#include <hv/guest_win.h>
#include <hv/hypercall.h>
#include <hv/iommu_dev.h>
#include <hv/mmio.h>
#include <hv/pci.h>
#include <hv/platdev.h>
#include <lib/errno.h>

#define MAX_PAGES 64u /* libxc takes less when it hears -E2BIG */

int64_t domctl_iomem_permission(struct vcpu *v, struct domain *d,
				struct xen_domctl *op)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;

	int rc = platdev_permit_pages(d, p->first_mfn, p->nr_mfns,
				      p->allow_access != 0);

	(void)v;
	/* Of no device of the tree's: then of a PCI function, perhaps. */
	return rc == -EPERM ? pci_permit_pages(d, p->first_mfn, p->nr_mfns)
			    : rc;
}

/* A guest sees no ports: those of its functions make no difference. */
int64_t domctl_ioport_permission(struct vcpu *v, struct domain *d,
				 struct xen_domctl *op)
{
	(void)v;
	(void)d;
	(void)op;
	return pci_is_present() ? 0 : -ENOSYS;
}

/* Neither over what the domain has there nor over what is emulated for it. */
static int map(struct domain *d, uint64_t g, uint64_t m, uint64_t nr)
{
	if (g >> (64 - PAGE_SHIFT)) {
		return -EINVAL;
	}
	if (mmio_is_modelled(d, ipa(g << PAGE_SHIFT), nr << PAGE_SHIFT)) {
		return -EEXIST;
	}
	return p2m_map_mmio(d, gfn(g), mfn(m), nr, P2M_MMIO_DEV);
}

/* Only what was mapped just so. */
static int unmap(struct domain *d, uint64_t g, uint64_t m, uint64_t nr)
{
	struct p2m_entry e;

	for (uint64_t i = 0; i < nr; i++) { /* bound: MAX_PAGES */
		e = p2m_lookup(d, gfn(g + i));
		if (e.type != P2M_MMIO_DEV || e.mfn.v != m + i) {
			return -EINVAL;
		}
	}
	for (uint64_t i = 0; i < nr; i++) { /* as above */
		int rc = p2m_remove_page(d, gfn(g + i),
					 P2M_MASK(P2M_MMIO_DEV));

		if (rc) {
			return rc; /* what stays is still its device */
		}
	}
	return 0;
}

int64_t domctl_memory_mapping(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op)
{
	const struct xen_domctl_memory_mapping *p = &op->u.memory_mapping;
	uint64_t g = p->first_gfn;
	uint64_t m = p->first_mfn;
	uint64_t nr = p->nr_mfns;
	int rc;

	(void)v;
	if (nr == 0 || nr > UINT64_MAX - m || nr > UINT64_MAX - g) {
		return -EINVAL;
	}
	if (nr > MAX_PAGES) {
		return -E2BIG;
	}
	rc = platdev_check_pages(d, m, nr);
	if (rc) {
		return rc;
	}
	return p->add_mapping ? map(d, g, m, nr) : unmap(d, g, m, nr);
}

int64_t domctl_irq_permission(struct vcpu *v, struct domain *d,
			      struct xen_domctl *op)
{
	const struct xen_domctl_irq_permission *p = &op->u.irq_permission;

	(void)v;
	return platdev_permit_line(d, p->pirq, p->allow_access != 0);
}

int64_t domctl_bind_pt_irq(struct vcpu *v, struct domain *d,
			   struct xen_domctl *op)
{
	const struct xen_domctl_bind_pt_irq *p = &op->u.bind_pt_irq;

	(void)v;
	if (p->irq_type != PT_IRQ_TYPE_SPI) {
		return -ENOSYS;
	}
	if (p->machine_irq != p->u.spi.spi) {
		return -EINVAL;
	}
	return platdev_bind_line(d, p->machine_irq);
}

/* ---- accesses to memory -------------------------------------------------- */

/*
 * A PCI function; *@sbdf is which. Whether there are hosts that could have it
 * is another matter.
 */
static bool is_pci(const struct xen_domctl_assign_device *p, uint32_t *sbdf)
{
	uint32_t may = XEN_DOMCTL_DEV_RDM_RELAXED; /* of x86 */

	*sbdf = p->u.pci.machine_sbdf;
	return p->dev == XEN_DOMCTL_DEV_PCI && (p->flags & ~may) == 0 &&
	       pci_is_present();
}

/* @d: NULL where none is meant. */
static int find(struct vcpu *v, const struct domain *d,
		const struct xen_domctl_assign_device *p, struct platdev **dev)
{
	char path[PLATDEV_PATH_MAX];
	uint32_t size = p->u.dt.size;

	if (!(d ? d->iommu.enabled : iommu_is_present())) {
		return -EOPNOTSUPP;
	}
	if (p->dev != XEN_DOMCTL_DEV_DT) {
		return -ENODEV;
	}
	if (p->flags != 0 || size == 0 || size >= sizeof(path)) {
		return -EINVAL;
	}
	if (guest_copy_in(v, path, p->u.dt.path.q, size)) {
		return -EFAULT;
	}
	path[size] = '\0';
	*dev = platdev_find(path);
	return *dev ? 0 : -ESRCH;
}

static int64_t again(int rc)
{
	return rc == -EAGAIN ? HC_AGAIN : rc;
}

/*
 * Without a domain (DOMID_IO) dom0's tools say that dom0 holds a PCI function
 * for a guest, or does so no more: it has to be dom0's, and stays so.
 */
int64_t domctl_assign_device(struct vcpu *v, struct domain *d,
			     struct xen_domctl *op)
{
	struct platdev *dev = NULL;
	uint32_t sbdf;
	int rc;

	if (is_pci(&op->u.assign_device, &sbdf)) {
		return again(d && !pci_is_kept(sbdf) ? pci_assign(d, sbdf)
						     : pci_test_assign(sbdf));
	}
	if (!d) {
		return -ESRCH;
	}
	rc = find(v, d, &op->u.assign_device, &dev);
	return rc ? rc : platdev_assign(d, dev);
}

int64_t domctl_deassign_device(struct vcpu *v, struct domain *d,
			       struct xen_domctl *op)
{
	struct platdev *dev = NULL;
	uint32_t sbdf;
	int rc;

	if (is_pci(&op->u.assign_device, &sbdf)) {
		return again(d ? pci_deassign(d, sbdf)
			       : pci_test_assign(sbdf));
	}
	if (!d) {
		return -ESRCH;
	}
	rc = find(v, d, &op->u.assign_device, &dev);
	return rc ? rc : platdev_deassign(d, dev);
}

static int test_assign(struct vcpu *v, const struct domain *d,
		       const struct xen_domctl_assign_device *p)
{
	struct platdev *dev = NULL;
	uint32_t sbdf;
	int rc;

	if (is_pci(p, &sbdf)) {
		return pci_test_assign(sbdf);
	}
	rc = find(v, d, p, &dev);
	if (rc == 0 && !dev->behind) {
		rc = -ENODEV;
	}
	return rc == 0 && dev->owner ? -EBUSY : rc;
}

/* Of nobody in particular (DOMID_INVALID): could it be given away now? */
int64_t domctl_test_assign_device(struct vcpu *v, struct domain *d,
				  struct xen_domctl *op)
{
	int rc;

	if (op->domain != DOMID_INVALID) {
		d = domain_lookup_get(op->domain);
		if (!d) {
			return -ESRCH;
		}
	}
	rc = test_assign(v, d, &op->u.assign_device);
	if (d) {
		domain_put(d);
	}
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weak stand-ins for PCI functions of guests: a machine without any. A test
 * that links the real modules gets those.
 */
#include <hv/pci.h>
#include <lib/errno.h>

#define WEAK __attribute__((weak))

WEAK bool pci_is_present(void)
{
	return false;
}

WEAK bool pci_is_kept(uint32_t sbdf)
{
	(void)sbdf;
	return false;
}

WEAK int pci_permit_pages(const struct domain *d, uint64_t mfn, uint64_t nr)
{
	(void)d;
	(void)mfn;
	(void)nr;
	return -EPERM;
}

WEAK int pci_assign(struct domain *d, uint32_t sbdf)
{
	(void)d;
	(void)sbdf;
	return -ENODEV;
}

WEAK int pci_deassign(struct domain *d, uint32_t sbdf)
{
	(void)d;
	(void)sbdf;
	return -EINVAL;
}

WEAK int pci_test_assign(uint32_t sbdf)
{
	(void)sbdf;
	return -ENODEV;
}

WEAK int pci_release_step(struct domain *d)
{
	(void)d;
	return 0;
}

WEAK void pci_domain_fini(struct domain *d)
{
	(void)d;
}

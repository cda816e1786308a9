/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of core/pci*.c have together. */
#ifndef CORE_PCI_PRIV_H
#define CORE_PCI_PRIV_H

#include <hv/domain.h>
#include <hv/pci.h>
#include <hv/vpci.h>

/* Of all BARs of one function: a guest has no more room. */
#define PCI_MAX_PAGES (VPCI_MEM_SIZE >> PAGE_SHIFT)

/* [PCI] 6.1, 6.7; [PCIE] 7.5.3: registers, and bits of them. */
#define PCI_VENDOR 0x00u
#define PCI_COMMAND 0x04u
#define PCI_COMMAND_DECODE 0x3u /* answers to ports, to memory */
#define PCI_COMMAND_MASTER 0x4u
#define PCI_COMMAND_NO_INTX 0x400u
#define PCI_STATUS 0x06u
#define PCI_STATUS_PARTS 0x10u
#define PCI_CLASS 0x0bu
#define PCI_CLASS_BRIDGE 0x06u
#define PCI_HEADER 0x0eu
#define PCI_HEADER_TYPE 0x7fu
#define PCI_HEADER_MANY 0x80u
#define PCI_BAR(n) (0x10u + 4u * (n))
#define PCI_BAR_PORTS 0x1u
#define PCI_BAR_TYPE 0x6u
#define PCI_BAR_64 0x4u
#define PCI_BAR_PREFETCH 0x8u
#define PCI_BAR_FLAGS 0xfu
#define PCI_FIRST_PART 0x34u
#define PCI_PART_MESSAGES 0x05u /* MSI */
#define PCI_PART_EXPRESS 0x10u
#define PCI_PART_TABLE 0x11u /* MSI-X */
#define PCI_EXPRESS_CAN 0x4u
#define PCI_EXPRESS_CAN_RESET 0x10000000u
#define PCI_EXPRESS_CONTROL 0x8u
#define PCI_EXPRESS_RESET 0x8000u
#define PCI_HEADER_BRIDGE 0x1u
#define PCI_SECONDARY 0x19u /* of a bridge: the bus behind it */
#define PCI_PIN 0x3du       /* 1 to 4: A to D */
#define PCI_NOTHING 0xffffffffu

/* Who has it when no guest does; NULL: nobody. */
static inline struct domain *pci_home(const struct pci_function *f)
{
	return f->is_kept ? NULL : hardware_domain;
}

/*
 * The function at @sbdf, one that is known; NULL. pci_know() makes one known.
 * -ENODEV, logged: there is none, or no BAR, stream or id of it can be told;
 * -ENOSPC, -ENOMEM.
 */
struct pci_function *pci_known(uint32_t sbdf);
__must_check int pci_know(uint32_t sbdf, struct pci_function **f);
/* The next one that is known, from NULL on. */
struct pci_function *pci_next(const struct pci_function *f);
/* Logs why @f is not given away; -ENODEV. */
__must_check int pci_refuse(const struct pci_function *f, const char *why);
/* Where part @id of its configuration is; 0: it has none. */
uint32_t pci_part(const struct pci_function *f, uint32_t id);
/* It does no DMA, answers at no address, interrupts nobody. */
void pci_quiet(const struct pci_function *f);

/*
 * pci_bars.c: read what BARs @f has and where dom0 has put them. It is quiet
 * meanwhile. -ENODEV, logged.
 */
__must_check int pci_read_bars(struct pci_function *f);
/*
 * pci_reset.c. Before it is given, and quiet: what it has to get back is kept.
 * -ENODEV, logged.
 */
__must_check int pci_save(struct pci_function *f);
/*
 * It is quiet and reaches no memory: begin; then steps until they answer. 0:
 * it is as it was saved; -EAGAIN: call again; -EIO: it is not there any more.
 */
void pci_reset_begin(struct pci_function *f);
__must_check int pci_reset_step(struct pci_function *f);
/* All of [mfn, mfn + nr) is in one window of a host's. */
bool pci_in_window(uint64_t mfn, uint64_t nr);
/* Pages of all BARs, and the @n-th of them. */
uint32_t pci_nr_pages(const struct pci_function *f);
uint64_t pci_page(const struct pci_function *f, uint32_t n);

/*
 * pci_line.c: is there a line that dom0 has, and that nothing but @f pulls?
 * @f->line. A bus a step; -EAGAIN: call again.
 */
__must_check int pci_line_find(struct pci_function *f);
/* Logs that it would need one; -ENODEV. */
__must_check int pci_line_refuse(const struct pci_function *f);
/* It is @d's no more; @f is quiet. Nothing to do: has none, or is nobody's. */
void pci_line_take(struct pci_function *f, struct domain *d);
/*
 * It is @d's, as @virq. -EAGAIN: call again; -EBUSY: @d uses that otherwise;
 * dom0 then has none, which is logged, and is no error.
 */
__must_check int pci_line_give(struct pci_function *f, struct domain *d,
			       uint32_t virq);

#endif

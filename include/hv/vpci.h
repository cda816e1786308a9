/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCI functions of a domain as the domain sees them: a host bridge of its
 * own with bus 0, whose configuration space the hypervisor emulates, and a
 * window in which the functions' memory appears where the guest puts it.
 *
 * Decided here, where the design is silent:
 * - vpci_remove() goes by steps: -EAGAIN, call again. From the first one on
 *   the guest sees nothing of the function any more, and it does no DMA.
 * - At most VPCI_FUNCTIONS a domain, devices 1 to VPCI_FUNCTIONS of bus 0;
 *   the lowest one that is free is taken.
 * - A BAR of more than the window is refused (-ENOSPC).
 * - BARs begin at 0, COMMAND with nothing on; prefetchable reads as not.
 */
#ifndef HV_VPCI_H
#define HV_VPCI_H

#include <lib/types.h>

struct domain;
struct pci_function;

/* Guest-physical; nothing of public/arch-arm.h is there. */
#define VPCI_ITS_BASE UINT64_C(0x04020000)
#define VPCI_ITS_SIZE UINT64_C(0x00020000)
#define VPCI_ECAM_BASE UINT64_C(0x04100000) /* bus 0 */
#define VPCI_ECAM_SIZE UINT64_C(0x00100000)
#define VPCI_MEM_BASE UINT64_C(0x08000000)
#define VPCI_MEM_SIZE UINT64_C(0x08000000)

#define VPCI_FUNCTIONS 8u /* of one domain, at a time */
/*
 * Interrupts of the guest's by the pins of its functions, in the order of
 * their numbers; a domain that may have functions has at least as many SPIs.
 */
#define VPCI_FIRST_VIRQ 56u
#define VPCI_NR_SPIS (VPCI_FIRST_VIRQ + VPCI_FUNCTIONS - 32u)

/*
 * Before the domain runs: it has the bridge, without functions, and the one of
 * the stock toolstack, which stays empty. -ENOMEM, -ENOSPC, -EEXIST; after an
 * error there is nothing, or what answers with all ones.
 */
__must_check int vpci_domain_init(struct domain *d);
/*
 * No vCPU of it runs any more, and its p2m has been emptied or is about to be:
 * what is left in it is forgotten, with commands and messages off. A domain
 * without a bridge: nothing.
 */
void vpci_domain_fini(struct domain *d);
/*
 * control_lock held, @f nobody's or @d's, its real BARs placed, its line @d's
 * or nobody's. The guest sees it when it looks next. -ENODEV: @d has no
 * bridge; -EEXIST; -ENOSPC: no number, or a BAR larger than the window;
 * -EINVAL: BARs that cannot be; -ENOMEM. Nothing remains after an error.
 */
__must_check int vpci_add(struct domain *d, struct pci_function *f);
/*
 * control_lock held. What vpci_add() would have the pin of the next function
 * pull; 0: there is no number for another one.
 */
uint32_t vpci_next_virq(struct domain *d);
/*
 * control_lock held. @f is not @d's to see any more: no memory, no bus master,
 * no messages, and in bounded steps none of its pages. -EAGAIN: call again;
 * -ENOENT: it was not there. Whoever calls then has to do
 * arch_msi_forget(@d, f->device_id): from the first step on
 * vpci_device_id() does not find it.
 */
__must_check int vpci_remove(struct domain *d, struct pci_function *f);
/*
 * The guest's DeviceID -> the machine's. Takes no lock, may be called with any
 * held: each entry is one atomic word, and the table lives as long as @d. The
 * answer may be old at once unless the caller holds what arch_msi_forget()
 * takes.
 */
bool vpci_device_id(const struct domain *d, uint32_t virt, uint32_t *phys);

#endif

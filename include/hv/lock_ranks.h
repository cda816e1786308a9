/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one list of lock ranks, in the order in which they may be taken: a CPU
 * takes a lock only of a higher rank (further down) than any it holds. Two
 * locks of one rank: lock_pair(), lower domain id first. docs/locking.md is
 * generated from this list.
 */
#ifndef HV_LOCK_RANKS_H
#define HV_LOCK_RANKS_H

#define LOCK_RANKS(R)                                                         \
	R(CONTROL, "control operations, one at a time")                       \
	R(DOMAIN_LIST, "list of domains")                                     \
	R(DOMAIN, "life cycle and limits of one domain")                      \
	R(IOMMU_DEV, "whose a device behind an IOMMU is")                     \
	R(GRANT_DMA, "granted frames where devices find them")                \
	R(VPCI, "PCI functions as one domain sees them")                      \
	R(P2M, "stage-2 tables and frame types of one domain")                \
	R(IOMMU, "registers and queues of one IOMMU; short")                  \
	R(GNTTAB, "grant table of one domain")                                \
	R(EVTCHN, "port table of one domain")                                 \
	R(GUEST_CONSOLE, "console and emulated UART of one domain")           \
	R(ITS, "the physical ITS and its guests' ones")                       \
	R(VGIC, "virtual interrupts of one domain; IRQs off; short")          \
	R(IRQ, "irq_desc table: owner and routing of physical lines")         \
	R(CPUPOOL, "pools and their policies")                                \
	R(RUNQ, "run queue of one CPU or pool; IRQs off")                     \
	R(CAP, "budget of one domain with a cap; IRQs off")                   \
	R(TIMER, "timer queue of one CPU")                                    \
	R(HEAP, "free lists of small objects")                                \
	R(PAGE_ALLOC, "free frames and the frame table; leaf")                \
	R(CONSOLE, "log ring and UART; IRQs off; leaf")

#define LOCK_RANK_ENUM(name, what) LOCK_RANK_##name,
enum lock_rank { LOCK_RANKS(LOCK_RANK_ENUM) NR_LOCK_RANKS };

#endif

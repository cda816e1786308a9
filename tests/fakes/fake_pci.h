/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions with a memory of what they were told, and the window of a
 * domain's address space in which their BARs are. Tests link core/vpci*.c and
 * core/mmio.c with it.
 */
#ifndef FAKE_PCI_H
#define FAKE_PCI_H

#include <hv/domain.h>
#include <hv/mmio.h>
#include <hv/pci.h>
#include <hv/vpci.h>

#define FAKE_PCI 10u
#define FAKE_WINDOW (VPCI_MEM_SIZE >> PAGE_SHIFT)

struct fake_pci {
	struct pci_function f;
	uint8_t cfg[256];
	uint8_t may[256]; /* writable bits; COMMAND, STATUS apart */
	uint32_t nr_writes;
	bool is_ours;     /* a domain has it: BARs may be mapped */
};

struct fake_window {
	struct domain d;
	struct vcpu v;
	uint64_t mfn[FAKE_WINDOW]; /* 0: nothing */
	uint8_t type[FAKE_WINDOW];
	uint32_t nr_mapped;
};

extern struct fake_pci fake_pci[FAKE_PCI];
extern struct fake_window fake_win[2];
/* Pages mapped and unmapped since a test has set it to 0. */
extern uint32_t fake_pci_work;
/* Fail the n-th next mapping, or allocation (1: the next one); 0: none. */
extern uint32_t fake_pci_map_fails_in;
extern uint32_t fake_heap_fails_in;
extern uint32_t fake_heap_objects;

/* Two domains, functions without BARs and capabilities. */
void fake_pci_init(void);
/* BAR @i of @p: @nr pages from @mfn. */
void fake_pci_bar(struct fake_pci *p, uint32_t i, uint64_t mfn, uint32_t nr,
		  bool is_64);
/* A capability at @at with @bytes after the pointer, the last of the list. */
void fake_pci_cap(struct fake_pci *p, uint8_t at, uint8_t id, const void *rest,
		  size_t bytes);
/* One access of a vCPU of @w's; *@value is what it read. */
enum mmio_result fake_pci_access(struct fake_window *w, uint64_t addr,
				 unsigned int bytes, bool write,
				 uint64_t *value);
/* By register of a function; a write goes on until it is done. */
uint32_t fake_cfg_read(struct fake_window *w, uint32_t dev, uint32_t reg,
		       unsigned int bytes);
void fake_cfg_write(struct fake_window *w, uint32_t dev, uint32_t reg,
		    unsigned int bytes, uint32_t value);
/* vpci_remove() to its end. */
void fake_pci_remove(struct fake_window *w, struct fake_pci *p);
/* All that is mapped is a BAR of a function in @w's slots; nothing twice. */
void fake_pci_check(struct fake_window *w);

#endif

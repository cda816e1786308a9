/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the virtual configuration space share. */
#ifndef CORE_VPCI_PRIV_H
#define CORE_VPCI_PRIV_H

#include <hv/domain.h>
#include <hv/pci.h>
#include <hv/vpci.h>
#include <lib/bits.h>

#define VPCI_WORDS 64u /* of 32 bits: header and capabilities */
#define VPCI_CAPS 16u  /* shown of one function */

#define PCI_COMMAND 0x04u
#define PCI_COMMAND_MEMORY BIT32(1)
#define PCI_COMMAND_MASTER BIT32(2)
#define PCI_COMMAND_NO_INTX BIT32(10)
#define PCI_STATUS 0x06u
#define PCI_STATUS_CAPS BIT32(4)
#define PCI_HEADER_TYPE 0x0eu
#define PCI_CAP_POINTER 0x34u
#define PCI_FIRST_CAP 0x40u

/* One that the guest sees; does not change. */
struct vpci_cap {
	uint8_t id;
	uint8_t at;    /* first word */
	uint8_t words;
	uint8_t next;  /* register of the next one; 0: the last */
	uint16_t info; /* what follows the pointer, as far as it is constant */
};

struct vpci_bar {
	uint64_t addr;      /* as the guest wrote it, aligned to the size */
	uint64_t gfn;       /* claimed from here on, as many as the BAR has */
	uint32_t nr_mapped; /* of these, from the first on */
	bool is_claimed;
	bool has_failed;    /* what the guest last chose cannot be mapped */
};

struct vpci_function {
	struct pci_function *f;
	uint32_t id;        /* these three as the real one's were */
	uint32_t class;
	uint32_t subsystem;
	uint16_t command;   /* the guest's */
	uint8_t cache_line;
	uint8_t line;
	uint8_t nr_caps;
	bool has_line;      /* the guest's, as VPCI_FIRST_VIRQ + its index */
	bool is_leaving;    /* vpci_remove() began: the guest sees nothing */
	uint8_t cap_of[VPCI_WORDS]; /* 1 + index in cap[]; 0: none */
	struct vpci_cap cap[VPCI_CAPS];
	struct vpci_bar bar[PCI_BARS];
};

struct vpci {
	struct spinlock lock; /* rank VPCI: all but .id */
	struct vpci_function *slot[VPCI_FUNCTIONS]; /* device 1 + index */
	uint64_t id[VPCI_FUNCTIONS]; /* atomic: 1 << 32 | DeviceID; 0: none */
};

/* Register @reg becomes @val where @lanes has ones. */
static inline uint32_t vpci_merge(uint32_t reg, uint32_t val, uint32_t lanes)
{
	return (reg & ~lanes) | (val & lanes);
}

/* ---- vpci_bar.c; the lock is held ---------------------------------------- */

/* -EINVAL: cannot be; -ENOSPC: larger than the window. */
__must_check int vpci_bars_check(const struct pci_function *f);
uint32_t vpci_bar_read(const struct vpci_function *vf, uint32_t i);
void vpci_bar_write(struct vpci_function *vf, uint32_t i, uint32_t val,
		    uint32_t lanes);
/* Memory came on: what could not be mapped is tried again. */
void vpci_bars_retry(struct vpci_function *vf);
/* Towards what commands and BARs say; true: there is more to do. */
bool vpci_bars_step(struct domain *d, struct vpci *vp);
/* Towards nothing of @vf; true: there is more to do. */
bool vpci_bars_drop(struct domain *d, struct vpci_function *vf);

/* ---- vpci_caps.c; the lock is held, or nobody else has @vf --------------- */

/* Make the list from the real one's. */
void vpci_caps_make(struct vpci_function *vf);
/* @word from PCI_FIRST_CAP / 4 on. */
uint32_t vpci_caps_read(const struct vpci_function *vf, uint32_t word);
void vpci_caps_write(const struct vpci_function *vf, uint32_t word,
		     uint32_t val, uint32_t lanes);
/* The real one sends no messages. */
void vpci_caps_off(const struct vpci_function *vf);

#endif

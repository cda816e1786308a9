/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PCI host of dom0's with a few functions, an SMMU that remembers by whose
 * tables each stream goes, and stand-ins for what guests see of a function.
 * On top of fake_hv.h.
 */
#ifndef FAKE_PCI_WORLD_H
#define FAKE_PCI_WORLD_H

#include <hv/pci.h>
#include "fake_hv.h"

#define BUS_MFN 0x10000u     /* the window: as many frames are dom0's */
#define BUS_PAGES 0x4000u
#define BUS_OTHER 0x40000000u /* addresses on the bus are that much higher */
#define STREAM0 0x100u       /* of function 0:0.0 */
#define ID0 0x8000u          /* its DeviceID */
#define LINE0 48u            /* of slot 0; those of PCI are four, dom0's */
#define PW_FUNCTIONS 0x300u  /* on three buses; the host has one of them */
#define SMALL 0x0008u        /* 0:1.0: 1 page, 4 pages; can be reset; pin A */
#define PLAIN 0x0010u        /* 0:2.0: 8 pages; cannot */
#define LARGE 0x0018u        /* 0:3.0: 128 pages; can; pin A */
#define BRIDGE 0x0020u
#define NONE 0x0028u

extern struct pci_host pw_host;
extern uint8_t pw_config[PW_FUNCTIONS * 4096u];
extern struct iommu pw_unit;
extern struct iommu_device pw_bridge;
/* What a write to word n of the BARs of a function keeps. */
extern uint32_t pw_keeps[PW_FUNCTIONS][6];
extern bool pw_dead[PW_FUNCTIONS];          /* reads all ones */
extern uint32_t pw_resets[PW_FUNCTIONS];
extern uint64_t pw_root[0x100];      /* of the stream; 0: reaches nothing */
extern struct domain *pw_seen[0x100]; /* whose guest sees it */
extern struct domain *pw_messages[0x100]; /* who has mapped its id */
extern int pw_attach_rc, pw_add_rc, pw_init_rc, pw_its_rc;
extern uint32_t pw_fail_stream;      /* pw_attach_rc is for this one */
extern uint32_t pw_inits;

void pw_start(void);
/* May have functions. */
struct domain *pw_build(void);
uint32_t pw_get(uint16_t bdf, uint32_t reg, unsigned int bytes);
void pw_set(uint16_t bdf, uint32_t reg, unsigned int bytes, uint32_t value);
/* By boot's code: pci_assign() until there is an answer. */
int pw_give(struct domain *d, uint32_t sbdf);
/* Until there is an answer; time passes. */
int64_t pw_assign(struct domain *d, uint16_t bdf);
int64_t pw_deassign(struct domain *d, uint16_t bdf);
/*
 * Of each function all parts are where its state says, the auditor's view
 * included, and nobody else has one. False: said why.
 */
bool pw_is_right(void);

#endif

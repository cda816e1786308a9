/* SPDX-License-Identifier: Apache-2.0 */
/* Device trees of domains; dom0's devices, from the host's tree. */
#ifndef BOOT_DOM_FDT_H
#define BOOT_DOM_FDT_H

#include <hv/dom_config.h>
#include <hv/irqchip.h>
#include <hv/platform.h>
#include "fdt_dom_mem.h"

struct boot_devices;
struct pci_host;

#define DOM0_MAX_EXTENDED 32u

struct dom0_fdt_args {
	const struct platform *platform;
	const char *bootargs;
	uint64_t initrd_start;         /* initrd_end 0: none */
	uint64_t initrd_end;
	const struct mem_range *bank;  /* dom0's memory, IPA == PA */
	uint32_t nr_banks;
	uint32_t nr_vcpus;
	uint32_t evtchn_intid;         /* a PPI */
	struct mem_range grant_window;
	const struct mem_range *extended;
	uint32_t nr_extended;
	const struct shm_use *shm;     /* what it shares with others */
	uint32_t nr_shm;
	const struct pci_host *pci;    /* and .next: their windows' ends */
};

/*
 * Write dom0's tree to @buf (8-byte aligned, not the host tree) and its size
 * to @out_size. -ENOSPC: @size is too small; -ERANGE: an address does not fit
 * the root's cells; -EINVAL. Logged.
 */
__must_check int dom0_fdt_build(const struct dom0_fdt_args *a, void *buf,
				size_t size, uint32_t *out_size);

struct guest_fdt_args {
	const struct dom_config *cfg;
	const char *bootargs;
	uint64_t initrd_start;         /* initrd_end 0: none */
	uint64_t initrd_end;
	const struct mem_range *bank;  /* guest addresses */
	uint32_t nr_banks;             /* at most MAX_STATIC_BANKS */
	const struct shm_use *shm;     /* what it shares with others */
	uint32_t nr_shm;
	bool vpl011;
	bool hypervisor;               /* tell that this is Xen's interface */
	const struct boot_devices *devices; /* tree NULL: none */
	bool pci;                      /* a host bridge, and its ITS */
	bool pci_is_coherent;
};

/* Bytes that guest_fdt_build() needs at most. */
uint32_t guest_fdt_size(const struct guest_fdt_args *a);
/*
 * Write the tree of a domain with the guest's address map of [XEN] arch-arm.h
 * to @buf. -ENOSPC, -EINVAL: nothing but a fault of ours.
 */
__must_check int guest_fdt_build(const struct guest_fdt_args *a, void *buf,
				 uint32_t size, uint32_t *out_size);

/*
 * What the walk found; each may be NULL. A value other than 0 ends the walk
 * and is its result.
 */
struct dom0_devices {
	/* Whole pages, sorted, disjoint; never RAM, never the hypervisor's. */
	int (*mmio)(uint64_t start, uint64_t size, void *arg);
	/* Once per INTID, 32 to 1019, rising. */
	int (*spi)(uint32_t intid, enum irq_trigger trigger, void *arg);
	/* GICv2m frame whose SPIs only its MSI_TYPER tells. */
	int (*v2m)(uint64_t start, uint64_t size, void *arg);
};

/* -ENOSPC: more devices than our tables hold, logged. */
__must_check int dom0_devices_walk(const struct platform *p,
				   const struct dom0_devices *cb, void *arg);
/*
 * Holes of the first 2^@ipa_bits addresses that are neither RAM nor devices
 * nor in @avoid: 2 MiB aligned, 64 MiB or more. At most @max of them.
 */
__must_check int dom0_find_extended_regions(const struct platform *p,
					    uint32_t ipa_bits,
					    const struct mem_range *avoid,
					    uint32_t nr_avoid,
					    struct mem_range *out,
					    uint32_t max, uint32_t *out_nr);

#endif

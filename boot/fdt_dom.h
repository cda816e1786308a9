/* SPDX-License-Identifier: Apache-2.0 */
/* The domains that the device tree wants to be started at boot. */
#ifndef BOOT_FDT_DOM_H
#define BOOT_FDT_DOM_H

#include <hv/platform.h>
#include "fdt_dom_mem.h"
#include "fdt_dom_pci.h"
#include "fdt_dom_sched.h"
#include "fdt_dom_restart.h"
#include "fdt_util.h"

#define MAX_BOOT_DOMAINS 16u

/* One node of /chosen, as its author wants it. */
struct boot_domain {
	char name[32];    /* of the node, cut off when longer */
	uint16_t domid;   /* 0: not started */
	uint32_t node;    /* of the tree */
	bool refused;     /* one message said why; the others go on */
	uint64_t mem_kib;
	uint32_t nr_vcpus;
	uint32_t nr_spis; /* UINT32_MAX: not said */
	uint32_t pool_phandle; /* 0: pool 0 */
	bool vpl011;
	bool enhanced;    /* its tree tells of Xen's interface */
	bool xenstore;    /* ... and dom0 will give it a xenstore */
	struct mem_range kernel;
	struct mem_range ramdisk; /* size 0: none */
	struct mem_range dtb;     /* of its devices; size 0: none */
	const uint8_t *sha256[MODULE_OTHER]; /* by kind; NULL: any will do */
	const char *bootargs;     /* into the tree; never NULL */
	struct boot_mem mem;      /* what is set aside for it */
	struct boot_pci pci;
	struct restart_policy restart;
	struct boot_sched sched;  /* of all its vCPUs */
};

extern struct boot_domain boot_domains[MAX_BOOT_DOMAINS];
extern uint32_t nr_boot_domains;

/*
 * Read all nodes of /chosen that are compatible with "xen,domain". What is
 * wrong with one is logged and concerns only that one.
 */
void fdt_dom_parse(struct dt *t, const struct platform *p);
/*
 * Where their images and what is set aside for them are: refuse what lies
 * badly. After this the images of a domain that is refused for that have size
 * 0: nobody looks at them.
 */
void fdt_dom_check_modules(const struct platform *p,
			   const struct mem_range *image,
			   const struct mem_range *dtb);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a domain shall be. Written by an author (dom0.c, dom0less.c, the
 * toolstack's createdomain), read by the one builder and domain_create().
 */
#ifndef HV_DOM_CONFIG_H
#define HV_DOM_CONFIG_H

#include <lib/types.h>

struct dom_config {
	uint16_t domid;
	char name[32]; /* of its node, or "d" and its number */
	uint32_t nr_vcpus;
	uint64_t mem_bytes;        /* wanted */
	uint64_t mem_max_bytes;    /* limit; UINT64_MAX: none */
	bool is_control;
	bool is_hardware;
	bool direct_mapped;
	bool iommu;                /* may have devices behind one */
	bool pin_vcpus;            /* vCPU n on CPU first_cpu + n */
	uint32_t pool_id;
	uint16_t first_cpu;        /* where vCPU 0 begins; the others follow */
	bool has_console;          /* lines and keys of the hypervisor's own */
	bool has_uart;             /* ... also through an emulated UART */
	uint64_t uart_base;        /* there, with this SPI */
	uint32_t uart_intid;
	uint32_t max_evtchn_port;
	uint32_t max_grant_frames;
	uint32_t max_maptrack_frames;
	uint32_t nr_spis;          /* INTIDs 32..32+nr_spis-1 exist */
	uint8_t gic_version;       /* 2 or 3 */
	/* Guest addresses of the interrupt controller; the host's for dom0. */
	uint64_t gicd_base, gicd_size;
	uint64_t gicc_base, gicc_size; /* v2 */
	uint64_t gicr_base, gicr_size; /* v3; first region */
	uint64_t its_base;             /* v3; 0: without messages of devices */
};

#endif

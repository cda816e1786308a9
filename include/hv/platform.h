/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What boot/ learned of the machine from its device tree and command line.
 * Written once by boot/fdt_platform.c, const after seal().
 */
#ifndef HV_PLATFORM_H
#define HV_PLATFORM_H

#include <lib/types.h>
#include <hv/percpu.h>

#define MAX_RESERVED 64u
#define MAX_MODULES 16u
#define MAX_GICR_REGIONS 8u
#define CMDLINE_MAX 1024u

struct mem_range {
	uint64_t start;
	uint64_t size;
};

enum module_kind { MODULE_KERNEL, MODULE_RAMDISK, MODULE_DTB, MODULE_OTHER };

struct boot_module {
	enum module_kind kind;
	uint64_t start;
	uint64_t size;
	char bootargs[CMDLINE_MAX]; /* "" when the node has none */
	bool has_bootargs;
	const uint8_t *sha256; /* in the tree: what it must have; NULL: any */
};

/* What a reserved range is, struct platform reserved_flags[]. */
enum reserved_flags {
	RESERVED_NODE = 1u << 0,   /* /reserved-memory: dom0 gets it too */
	RESERVED_NO_MAP = 1u << 1, /* must not be mapped, not even read */
};

enum cpu_enable { CPU_ENABLE_NONE, CPU_ENABLE_PSCI, CPU_ENABLE_SPIN_TABLE };

/* Whose services firmware has beside PSCI, of those that dom0 may call. */
enum firmware_kind { FIRMWARE_OTHER, FIRMWARE_IMX8MQ, FIRMWARE_IMX8Q };

enum psci_conduit { PSCI_NONE, PSCI_SMC, PSCI_HVC };

struct platform {
	/*
	 * Memory: banks sorted, merged; reserved: /memreserve/ and
	 * /reserved-memory.
	 */
	struct mem_range bank[32];
	uint32_t nr_banks;
	struct mem_range reserved[MAX_RESERVED];
	uint8_t reserved_flags[MAX_RESERVED]; /* enum reserved_flags */
	uint32_t nr_reserved;

	/* CPUs in device-tree order, boot CPU moved to index 0. */
	uint64_t cpu_mpidr[NR_CPUS];
	uint32_t nr_cpus;      /* of which we use */
	uint32_t nr_cpus_found; /* in the tree */
	uint8_t cpu_enable[NR_CPUS];        /* enum cpu_enable */
	uint64_t cpu_release_addr[NR_CPUS]; /* spin-table */
	const char *cpu_model[NR_CPUS]; /* "compatible", into the tree; "" */

	struct {
		uint8_t version; /* 2, 3; 0: none known */
		uint64_t gicd_base, gicd_size;
		uint64_t gicc_base, gicc_size;
		uint64_t gich_base, gich_size;
		uint64_t gicv_base, gicv_size;
		uint64_t frame; /* in both: arch/gic.h, gicv2_frame() */
		struct mem_range gicr[MAX_GICR_REGIONS];
		uint32_t nr_gicr;
		uint64_t gicr_stride; /* 0: by GICR_TYPER */
		uint32_t maint_intid;
		uint32_t phandle;
		int node;             /* offset in the host tree */
	} gic;

	/* The one ITS of the GIC, if there is one and it works. */
	struct {
		uint64_t base, size;
		int node; /* 0: none, or none that we drive */
	} its;

	struct {
		uint32_t sec_phys, phys, virt, hyp; /* INTIDs of PPIs */
		uint32_t clock_frequency;           /* 0: CNTFRQ */
		int node;
	} timer;

	enum psci_conduit psci_conduit;
	enum firmware_kind firmware;
	uint32_t psci_version; /* from compatible: 0x2 = 0.2, 0x10000 = 1.0 */

	struct {
		uint64_t base, size;
		uint32_t intid;       /* 0: none */
		const char *compatible; /* into the tree: its strings ... */
		uint32_t compatible_size; /* ... in so many bytes, the last 0 */
		int node;             /* -1: no console, or a guess ... */
		uint8_t shift, width; /* ... with these for the 8250 family */
	} uart;

	bool keeps_scu;       /* i.MX 8: dom0 has no system controller */

	struct boot_module module[MAX_MODULES];
	uint32_t nr_modules;

	char hv_cmdline[CMDLINE_MAX];
	char dom0_cmdline[CMDLINE_MAX];
	const void *fdt;  /* our copy of the host tree */
	uint32_t fdt_size;
};

extern struct platform platform;

/* The parsed hypervisor command line; rows in boot/cmdline.c. */
struct options {
	char console[32];
	char dtuart[128];
	uint64_t dom0_mem;     /* bytes; 0: default */
	uint64_t dom0_mem_min;
	uint64_t dom0_mem_max; /* UINT64_MAX: none */
	uint32_t dom0_max_vcpus; /* 0: one per CPU */
	bool dom0_vcpus_pin;
	bool dom0_scu;
	bool hmp_unsafe;
	bool sched_forced;
	uint32_t maxcpus;      /* 0: all */
	char sched[16];
	bool vwfi_native;
	bool xsm_dummy;        /* domains share with each other */
	bool bootscrub;
	bool noreboot;
	uint32_t watchdog;     /* seconds; 0: off */
	bool sync_console;
	uint8_t loglvl;        /* enum log_level */
	uint8_t guest_loglvl;
	uint64_t timer_slop_ns;
	bool trace_all;
	bool iommu;
	bool iommu_crash;      /* a device's fault is its domain's end */
	char measure[8]; /* "listed", "log" or "require" */
};

extern struct options options;

#endif

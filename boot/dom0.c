/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The author of dom0: reads options and modules, decides, has it built.
 *
 * CPU     the boot CPU.
 * Spec    [XEN] docs/misc/arm/device-tree/booting; Linux
 *         Documentation/arch/arm64/booting.
 */
#include "boot.h"
#include "dom_build.h"
#include "dom_fdt.h"
#include "fdt_dom_mem.h"
#include "iommu.h"
#include "kernel_image.h"
#include "measure.h"
#include "modules.h"
#include "pci.h"
#include <arch/stage1.h>
#include <arch/directmap.h>
#include <arch/mmio_access.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DOM0_MEM_DEFAULT (UINT64_C(512) << 20)
#define GRANT_WINDOW UINT64_C(0x40000) /* 64 frames */

static struct dom0_plan plan;
static struct mem_range candidates_r[MAX_RANGES] __noinit;
static struct ranges candidates = RANGES_IN(candidates_r);
static struct dom_config config;

static uint64_t wanted_memory(void)
{
	uint64_t total = ranges_total(&candidates);
	uint64_t want = options.dom0_mem ? options.dom0_mem :
					   DOM0_MEM_DEFAULT;

	if (!options.dom0_mem && want > total) {
		want = align_down(total, UINT64_C(2) << 20);
	}
	if (options.dom0_mem_min && want < options.dom0_mem_min) {
		want = options.dom0_mem_min;
	}
	if (want > options.dom0_mem_max) {
		want = options.dom0_mem_max;
	}
	return want;
}

/* What dom0 may choose from: free memory and its own modules. */
static int find_candidates(void)
{
	int rc = ranges_copy(&candidates, &boot_free);

	for (uint32_t i = 0; i < platform.nr_modules && rc == 0; i++) {
		const struct boot_module *m = &platform.module[i];
		uint64_t s = align_down(m->start, PAGE_SIZE);

		rc = boot_heap_add(&candidates, s,
				   align_up(m->start + m->size, PAGE_SIZE) -
					   s);
	}
	return rc;
}

static void describe_vgic(struct dom_config *cfg)
{
	cfg->gic_version = platform.gic.version;
	dom_host_gic(cfg);
	cfg->its_base = platform.its.node ? platform.its.base : 0;
	cfg->nr_spis = irqchip_nr_lines > 32 ? irqchip_nr_lines - 32 : 0;
	if (cfg->nr_spis > 960) {
		cfg->nr_spis = 960;
	}
}

static void describe(struct dom_config *cfg)
{
	uint32_t most = platform.gic.version == 2 ? 8 : MAX_VCPUS_PER_DOMAIN;
	uint32_t vcpus = options.dom0_max_vcpus;

	if (vcpus == 0) {
		vcpus = popcount64(cpupool_find(0)->cpus);
	}
	memcpy(cfg->name, "d0", 3);
	if (vcpus > most) {
		log_warn("dom0_max_vcpus=%u: GICv%u allows %u\n", vcpus,
			 platform.gic.version, most);
		vcpus = most;
	}
	cfg->nr_vcpus = vcpus;
	cfg->mem_bytes = wanted_memory();
	cfg->mem_max_bytes = options.dom0_mem_max;
	cfg->is_control = true;
	cfg->is_hardware = true;
	cfg->direct_mapped = true;
	cfg->iommu = iommu_is_present();
	cfg->pin_vcpus = options.dom0_vcpus_pin;
	cfg->max_evtchn_port = UINT32_MAX;
	cfg->max_grant_frames = 64;
	cfg->max_maptrack_frames = 1024;
	describe_vgic(cfg);
}

/* The banks leave the plan of what is nobody's and go to the allocator. */
static int hand_over_memory(void)
{
	int rc = ranges_copy(&boot_free, &candidates);

	for (uint32_t i = 0; i < plan.nr_banks && rc == 0; i++) {
		page_alloc_free_range(paddr(plan.bank[i].start),
				      plan.bank[i].size);
		rc = ranges_remove(&boot_free, plan.bank[i].start,
				   plan.bank[i].size);
	}
	return rc;
}

static int load_images(const struct boot_module *kernel,
		       const struct kernel_image *image,
		       const struct boot_module *ramdisk)
{
	void *to = hv_va(paddr(plan.kernel_load));
	int rc;

	if (ramdisk && plan.ramdisk_load != ramdisk->start) {
		memmove(hv_va(paddr(plan.ramdisk_load)),
			hv_va(paddr(ramdisk->start)), ramdisk->size);
		arch_clean_dcache(hv_va(paddr(plan.ramdisk_load)),
				  ramdisk->size);
	}
	if (plan.kernel_in_place) {
		return 0;
	}
	rc = kernel_image_load(image, hv_va(paddr(kernel->start)), to,
			       plan.kernel_span);
	if (rc) {
		return rc;
	}
	arch_clean_dcache(to, plan.kernel_span);
	arch_invalidate_icache();
	return 0;
}

static int build_fdt(const struct dom_config *cfg, const struct domain *d)
{
	static struct mem_range extended[DOM0_MAX_EXTENDED];
	struct mem_range avoid[1 + MAX_SHARED] = {
		{ .start = boot_image.start, .size = GRANT_WINDOW },
	};
	struct dom0_fdt_args a = {
		.platform = &platform,
		.bootargs = platform.dom0_cmdline,
		.initrd_start = plan.ramdisk_load,
		.initrd_end = plan.ramdisk_load + plan.ramdisk_size,
		.bank = plan.bank,
		.nr_banks = plan.nr_banks,
		.nr_vcpus = cfg->nr_vcpus,
		.evtchn_intid = arch_evtchn_intid(d),
		.grant_window = avoid[0],
		.extended = extended,
		.shm = dom0_mem.shm,
		.nr_shm = dom0_mem.nr_shm,
		.pci = boot_pci_hosts(),
	};
	void *buf = hv_va(paddr(plan.fdt_load));
	uint32_t size = 0;
	int rc;

	for (uint32_t i = 0; i < a.nr_shm; i++) {
		avoid[i + 1] = (struct mem_range){
			.start = a.shm[i].ipa, .size = a.shm[i].host.size };
	}
	rc = dom0_find_extended_regions(&platform, arch_ipa_bits(), avoid,
					a.nr_shm + 1, extended,
					DOM0_MAX_EXTENDED, &a.nr_extended);
	if (rc == 0) {
		rc = dom0_fdt_build(&a, buf, plan.fdt_room, &size);
	}
	if (rc == 0) {
		arch_clean_dcache(buf, size);
	}
	return rc;
}

static int add_mmio(uint64_t start, uint64_t size, void *arg)
{
	return dom_build_mmio(arg, start, size);
}

static int add_spi(uint32_t intid, enum irq_trigger t, void *arg)
{
	if (intid >= irqchip_nr_lines) {
		log_warn("d0: interrupt %u is beyond the controller's %u "
			 "lines: left out\n", intid, irqchip_nr_lines);
		return 0;
	}
	return dom_build_spi(arg, intid, t);
}

/* [GIC-400] "GICv2m": MSI_TYPER */
#define V2M_MSI_TYPER 0x8u
#define V2M_TYPER_BASE FIELD64(25, 16)
#define V2M_TYPER_NUM FIELD64(9, 0)

/* A GICv2m frame: which SPIs its messages raise, only itself tells. */
static int add_v2m(uint64_t start, uint64_t size, void *arg)
{
	const char *regs = stage1_map_device(start, size);
	uint64_t typer, base;
	int rc = 0;

	if (!regs) {
		return -ENOMEM;
	}
	typer = mmio_read32(regs + V2M_MSI_TYPER);
	base = field_get(V2M_TYPER_BASE, typer);
	for (uint64_t i = 0; i < field_get(V2M_TYPER_NUM, typer) && rc == 0;
	     i++) { /* bound: 1023 */
		const struct irq_desc *desc = irq_desc_of((uint32_t)(base + i));

		/* QEMU's virt has the lines of its SMMU among them. */
		if (!desc || desc->owner != IRQ_HV) {
			rc = add_spi((uint32_t)(base + i), IRQ_EDGE, arg);
		}
	}
	return rc;
}

static const struct dom0_devices device_callbacks = {
	.mmio = add_mmio,
	.spi = add_spi,
	.v2m = add_v2m,
};

/* Linux wants so many bytes below 4 GiB for devices of 32-bit addresses. */
#define LOW_ENOUGH (UINT64_C(64) << 20)

static void tell(const struct dom_config *cfg)
{
	uint64_t low = 0, all = 0;

	for (uint32_t i = 0; i < plan.nr_banks; i++) {
		const struct mem_range *b = &plan.bank[i];

		log_info("d0: RAM %#llx-%#llx (%llu MiB)\n",
			 (unsigned long long)b->start,
			 (unsigned long long)(b->start + b->size - 1),
			 (unsigned long long)(b->size >> 20));
		all += b->size;
		low += b->start < UINT64_C(1) << 32 ? b->size : 0;
	}
	log_info("d0: %u vCPUs, %llu MiB, %llu of it below 4 GiB; kernel at "
		 "%#llx%s, ramdisk at %#llx\n", cfg->nr_vcpus,
		 (unsigned long long)(all >> 20),
		 (unsigned long long)(low >> 20),
		 (unsigned long long)plan.kernel_load,
		 plan.kernel_in_place ? " (in place)" : "",
		 (unsigned long long)plan.ramdisk_load);
	if (low < LOW_ENOUGH && low < all) {
		log_warn("d0: too little memory below 4 GiB: its devices that "
			 "reach no further may not work\n");
	}
}

static int build(struct domain *d, const struct dom_config *cfg,
		 const struct boot_module *kernel,
		 const struct kernel_image *image,
		 const struct boot_module *ramdisk)
{
	int rc = hand_over_memory();

	for (uint32_t i = 0; i < plan.nr_banks && rc == 0; i++) {
		rc = dom_build_ram(d, plan.bank[i].start, &plan.bank[i]);
	}
	if (rc == 0) {
		rc = load_images(kernel, image, ramdisk);
	}
	if (rc == 0) {
		rc = dom0_devices_walk(&platform, &device_callbacks, d);
	}
	if (rc == 0) {
		boot_iommu_dom0(d);
		dom_build_dom0_shared(d);
		rc = build_fdt(cfg, d);
	}
	if (rc == 0) {
		rc = dom_build_vcpus(d, cfg, plan.kernel_load, plan.fdt_load);
	}
	return rc;
}

/* How event channels interrupt it, for a guest that has no device tree. */
static void set_callback(struct domain *d)
{
	d->hvm_params[HVM_PARAM_CALLBACK_IRQ] =
		(uint64_t)HVM_PARAM_CALLBACK_TYPE_PPI << 56 |
		HVM_PARAM_CALLBACK_TYPE_PPI_FLAG_LOW_LEVEL << 8 |
		arch_evtchn_intid(d);
}

int boot_dom0(void)
{
	const struct boot_module *kernel = module_find(&platform,
						       MODULE_KERNEL);
	const struct boot_module *ramdisk = module_find(&platform,
							MODULE_RAMDISK);
	struct kernel_image image;
	struct domain *d;
	int rc = measure_dom0();

	if (rc == 0) {
		rc = kernel_image_probe(hv_va(paddr(kernel->start)),
					kernel->size, &image);
	}
	if (rc == 0) {
		rc = find_candidates();
	}
	if (rc) {
		return rc;
	}
	describe(&config);
	rc = dom0_plan_make(&candidates, config.mem_bytes, kernel, &image,
			    ramdisk, &plan);
	if (rc) {
		return rc;
	}
	/* Without max: in dom0_mem it may have what it starts with. */
	if (config.mem_max_bytes == UINT64_MAX ||
	    config.mem_max_bytes < config.mem_bytes) {
		config.mem_max_bytes = config.mem_bytes;
	}
	rc = domain_create(&config, &d);
	if (rc) {
		return rc;
	}
	rc = build(d, &config, kernel, &image, ramdisk);
	if (rc) {
		return rc; /* the caller stops the machine: nothing to undo */
	}
	set_callback(d);
	tell(&config);
	domain_publish(d);
	return 0;
}

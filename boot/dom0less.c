/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The author of the domains that the device tree names: decides where each has
 * its memory and what lies where in it, has it built.
 *
 * Not     what is asked for (fdt_dom.c), how it is made (dom_build.c).
 * Rule    a domain that cannot be made is left out, with its reason.
 * CPU     the boot CPU, after dom0 has taken its memory.
 * Bounds  MAX_PIECES pieces of memory a domain; the rest grows with its images
 *         and its 2 MiB chunks. Its memory is not cleared: nobody had it since
 *         reset (adr/0012), unless bootscrub says so.
 * Spec    Linux Documentation/arch/arm64/booting "Call the kernel image"; the
 *         guest's address map in [XEN] arch-arm.h.
 */
#include "boot.h"
#include "dom_build.h"
#include "dom_fdt.h"
#include "dom_restart.h"
#include "fdt_dom.h"
#include "fdt_dom_dev.h"
#include "fdt_pools.h"
#include "kernel_image.h"
#include "measure.h"
#include "pci.h"
#include "platdev.h"
#include <abi/xen.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/irqchip.h>
#include <hv/page_alloc.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

#define ALIGN_2M (UINT64_C(1) << 21)
/* Heap and page tables of one domain, beyond what boot has set aside. */
#define HV_SHARE ALIGN_2M
#define FDT_ALIGN UINT64_C(0x10000) /* never across 2 MiB: Linux's rule */
#define MAX_PIECES 8u
#define MAX_SPIS 960u
#define NR_FIXED 8u /* ranges of guest addresses */
#define MIB(x) ((unsigned long long)((x) >> 20))

/* Contiguous in the machine and in the guest. */
struct piece {
	uint64_t ipa;
	struct mem_range host;
};

static struct {
	struct piece piece[MAX_PIECES + 1]; /* the banks' border cuts one */
	uint32_t nr;
	struct mem_range bank[MAX_STATIC_BANKS]; /* guest addresses */
	uint32_t nr_banks;
	uint64_t kernel_load; /* guest addresses, all in the first piece */
	uint64_t kernel_span;
	uint64_t ramdisk_load;
	uint64_t fdt_load;
} guest;

static struct boot_devices devices; /* of the domain that is being made */

static int problem(const struct boot_domain *b, const char *what, int rc)
{
	log_err("device tree: /chosen/%s: %s\n", b->name, what);
	return rc;
}

/* ---- memory -------------------------------------------------------------- */

/* @want bytes, or as many as are in one piece, out of boot_free's largest. */
static int take_piece(uint64_t want, struct mem_range *out)
{
	return ranges_take(&boot_free, want, ALIGN_2M, out);
}

/* Where the guest's next memory is; @room: until its bank ends. */
static uint64_t next_ipa(uint64_t done, uint64_t *room)
{
	if (done < GUEST_RAM0_SIZE) {
		*room = GUEST_RAM0_SIZE - done;
		return GUEST_RAM0_BASE + done;
	}
	*room = UINT64_MAX;
	return GUEST_RAM1_BASE + (done - GUEST_RAM0_SIZE);
}

/* One piece of the machine is one of the guest, or two: banks have borders. */
static void add_piece(struct mem_range host, uint64_t *done)
{
	while (host.size && guest.nr < ARRAY_SIZE(guest.piece)) {
		struct piece *p = &guest.piece[guest.nr++];
		struct mem_range *bank;
		uint64_t room;

		p->ipa = next_ipa(*done, &room);
		p->host.start = host.start;
		p->host.size = host.size < room ? host.size : room;
		bank = &guest.bank[p->ipa >= GUEST_RAM1_BASE];
		bank->start = bank->size ? bank->start : p->ipa;
		bank->size += p->host.size;
		*done += p->host.size;
		host.start += p->host.size;
		host.size -= p->host.size;
	}
}

/* For good: what a domain that fails later leaves is the allocator's. */
static void hand_over(const struct mem_range *r)
{
	page_alloc_free_range(paddr(r->start), r->size);
}

/* What the tree has set aside for it, at usual addresses or the machine's. */
static void plan_static(const struct boot_domain *b)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < b->mem.nr_banks; i++) {
		if (!b->mem.direct_map) {
			add_piece(b->mem.bank[i], &done);
			continue;
		}
		guest.bank[i] = b->mem.bank[i];
		guest.piece[i].ipa = b->mem.bank[i].start;
		guest.piece[i].host = b->mem.bank[i];
		guest.nr = b->mem.nr_banks;
	}
	guest.nr_banks = guest.bank[1].size ? 2 : 1;
	if (b->mem.direct_map) {
		guest.nr_banks = b->mem.nr_banks;
	}
}

/* What we need for it: a copy of its images, too, when it may restart. */
static uint64_t hv_share(const struct boot_domain *b,
			 const struct kernel_image *image)
{
	uint64_t copy = fdt_dom_restarts(&b->restart) ?
				image->file_size + b->ramdisk.size : 0;

	return HV_SHARE + align_up(copy, ALIGN_2M);
}

static int plan_memory(const struct boot_domain *b, uint64_t share)
{
	uint64_t want = b->mem.nr_banks ? 0 : b->mem_kib * 1024;
	struct mem_range host;
	uint64_t done = 0;

	if (want + share > ranges_total(&boot_free)) {
		log_err("device tree: /chosen/%s: %llu MiB wanted, %llu are "
			"free; make \"memory\" smaller\n", b->name,
			MIB(want + share - HV_SHARE),
			MIB(ranges_total(&boot_free)));
		return -ENOMEM;
	}
	memset(&guest, 0, sizeof(guest));
	if (take_piece(share, &host)) {
		return problem(b, "no 2 MiB of memory in one piece", -ENOMEM);
	}
	hand_over(&host);
	if (b->mem.nr_banks) {
		plan_static(b);
		return 0;
	}
	while (done < want) { /* bound: MAX_PIECES */
		if (guest.nr >= MAX_PIECES || take_piece(want - done, &host)) {
			return problem(b, "free memory is in too many pieces; "
				       "make \"memory\" smaller", -ENOMEM);
		}
		hand_over(&host);
		add_piece(host, &done);
	}
	guest.nr_banks = guest.bank[1].size ? 2 : 1;
	return 0;
}

static void *guest_va(uint64_t ipa)
{
	return hv_va(paddr(guest.piece[0].host.start +
			   (ipa - guest.piece[0].ipa)));
}

/* Kernel at the bottom, device tree and ramdisk at the top. */
static int plan_images(const struct boot_domain *b,
		       const struct kernel_image *image, uint64_t fdt_size)
{
	uint64_t base = align_up(guest.piece[0].ipa, ALIGN_2M);
	uint64_t cut = base - guest.piece[0].ipa;
	uint64_t all = guest.piece[0].host.size;
	uint64_t size = all > cut ? all - cut : 0;
	uint64_t rd = align_up(b->ramdisk.size, PAGE_SIZE);
	uint64_t fdt = align_up(fdt_size, FDT_ALIGN);
	uint64_t kernel_end;

	guest.kernel_span = align_up(image->image_size, PAGE_SIZE);
	guest.kernel_load = base + image->text_offset;
	kernel_end = image->text_offset + guest.kernel_span;
	if (kernel_end > size || rd > size - kernel_end ||
	    fdt + FDT_ALIGN > size - kernel_end - rd) {
		log_err("device tree: /chosen/%s: kernel and ramdisk need %llu "
			"KiB in one piece, there are %llu; make \"memory\" "
			"larger\n", b->name,
			(unsigned long long)(kernel_end + rd + fdt +
					     FDT_ALIGN) >> 10,
			(unsigned long long)size >> 10);
		return -ENOSPC;
	}
	guest.ramdisk_load = base + size - rd;
	guest.fdt_load = align_down(guest.ramdisk_load - fdt, FDT_ALIGN);
	return 0;
}

/* ---- what it shall be ---------------------------------------------------- */

static uint32_t nr_spis(const struct boot_domain *b)
{
	uint32_t all = irqchip_nr_lines > 32 ? irqchip_nr_lines - 32 : 0;

	if (b->nr_spis != UINT32_MAX) {
		return b->nr_spis;
	}
	return all < MAX_SPIS ? all : MAX_SPIS;
}

static int describe(const struct boot_domain *b, struct dom_config *cfg)
{
	struct xen_arch_domainconfig arch = {
		.gic_version = XEN_DOMCTL_CONFIG_GIC_NATIVE,
		.tee_type = XEN_DOMCTL_CONFIG_TEE_NONE,
		.nr_spis = nr_spis(b),
	};
	int rc;

	*cfg = (struct dom_config){
		.domid = domain_new_id(),
		.nr_vcpus = b->nr_vcpus,
		.mem_bytes = b->mem_kib * 1024,
		.mem_max_bytes = b->mem_kib * 1024,
		.first_cpu = dom_build_next_cpu(b->nr_vcpus),
		.has_console = true,
		.has_uart = b->vpl011,
		.uart_base = GUEST_PL011_BASE,
		.uart_intid = GUEST_VPL011_SPI,
		.max_evtchn_port = 1023, /* as real Xen */
		.max_grant_frames = 64,
		.max_maptrack_frames = 1024,
	};
	dom_build_name(cfg, b->name);
	if (fdt_pools_find(b->pool_phandle, &cfg->pool_id) != 0) {
		return problem(b, "\"domain-cpupool\" names no node that is "
			       "compatible with \"xen,cpupool\"; correct it",
			       -ENOENT);
	}
	rc = arch_domain_config(cfg, &arch);
	if (b->mem.direct_map) { /* fdt_dom_mem_check.c: all of it is there */
		cfg->direct_mapped = true;
		cfg->uart_base = platform.uart.base;
		cfg->uart_intid = platform.uart.intid;
		dom_host_gic(cfg);
	}
	return rc;
}

/* ---- devices of the machine ---------------------------------------------- */

/* Its own addresses: no device may be mapped over them. */
static uint32_t used_addresses(const struct boot_domain *b,
			       const struct dom_config *cfg,
			       struct mem_range *used)
{
	uint64_t end = BIT64(arch_ipa_bits());
	const struct mem_range fixed[] = {
		{ .start = cfg->gicd_base, .size = cfg->gicd_size },
		{ .start = cfg->gicc_base, .size = cfg->gicc_size },
		{ .start = cfg->gicr_base, .size = cfg->gicr_size },
		{ .start = cfg->uart_base, .size = GUEST_PL011_SIZE },
		{ .start = GUEST_GNTTAB_BASE, .size = GUEST_GNTTAB_SIZE },
		{ .start = GUEST_MAGIC_BASE, .size = GUEST_MAGIC_SIZE },
		{ .start = end, .size = UINT64_MAX - end },
		{ .start = VPCI_ITS_BASE,
		  .size = b->pci.nr ? GUEST_VPCI_ECAM_BASE +
				      GUEST_VPCI_ECAM_SIZE - VPCI_ITS_BASE :
				      0 },
	};
	uint32_t nr = ARRAY_SIZE(fixed);

	STATIC_ASSERT(ARRAY_SIZE(fixed) == NR_FIXED, "for the array's size");
	memcpy(used, fixed, sizeof(fixed));
	for (uint32_t i = 0; i < guest.nr_banks; i++) {
		used[nr++] = guest.bank[i];
	}
	for (uint32_t i = 0; i < b->mem.nr_shm; i++) {
		used[nr++] = (struct mem_range){
			.start = b->mem.shm[i].ipa,
			.size = b->mem.shm[i].host.size,
		};
	}
	return nr;
}

static int read_devices(const struct boot_domain *b,
			const struct dom_config *cfg)
{
	struct mem_range used[NR_FIXED + MAX_STATIC_BANKS + MAX_SHARED];
	struct dev_request q = {
		.domain = b->name,
		.tree = hv_va(paddr(b->dtb.start)),
		.tree_size = b->dtb.size,
		.host = &host_dt,
		.platform = &platform,
		.used = used,
		.nr_spis = cfg->nr_spis,
		.own_spi = b->vpl011 ? cfg->uart_intid : 0,
		.has_dom0 = hardware_domain != NULL,
	};

	memset(&devices, 0, sizeof(devices));
	if (b->dtb.size == 0) {
		return 0;
	}
	q.nr_used = used_addresses(b, cfg, used);
	return fdt_dev_parse(&q, &devices);
}

static int give_devices(struct domain *d, const struct boot_domain *b)
{
	int rc = 0;

	for (uint32_t i = 0; i < devices.nr_regions && rc == 0; i++) {
		const struct dev_region *r = &devices.region[i];

		rc = p2m_map_mmio(d, gfn(r->guest >> PAGE_SHIFT),
				  mfn(r->host >> PAGE_SHIFT),
				  r->size >> PAGE_SHIFT, P2M_MMIO_DEV);
	}
	for (uint32_t i = 0; i < devices.nr_irqs && rc == 0; i++) {
		rc = dom_build_spi(d, devices.irq[i].intid,
				   devices.irq[i].trigger);
	}
	for (uint32_t i = 0; i < devices.nr_behind && rc == 0; i++) {
		rc = iommu_assign(d, devices.behind[i]);
	}
	return rc ? problem(b, "its devices could not be given to it; an "
			    "interrupt that it shares with another device is "
			    "one reason", rc) : 0;
}

/* ---- making it ----------------------------------------------------------- */

static int load_images(const struct boot_domain *b,
		       const struct kernel_image *image)
{
	void *to = guest_va(guest.kernel_load);
	int rc = kernel_image_load(image, hv_va(paddr(b->kernel.start)), to,
				   guest.kernel_span);

	if (rc) {
		return rc;
	}
	arch_clean_dcache(to, guest.kernel_span);
	arch_invalidate_icache();
	if (b->ramdisk.size) {
		to = guest_va(guest.ramdisk_load);
		memcpy(to, hv_va(paddr(b->ramdisk.start)), b->ramdisk.size);
		arch_clean_dcache(to, b->ramdisk.size);
	}
	return 0;
}

static int build_fdt(const struct guest_fdt_args *a)
{
	void *buf = guest_va(guest.fdt_load);
	uint32_t size = guest_fdt_size(a);
	int rc = guest_fdt_build(a, buf, size, &size);

	if (rc == 0) {
		arch_clean_dcache(buf, size);
	}
	return rc;
}

static int build_memory(struct domain *d, const struct boot_domain *b)
{
	int rc = 0;

	for (uint32_t i = 0; i < guest.nr && rc == 0; i++) {
		const struct piece *p = &guest.piece[i];

		if (b->mem.nr_banks) {
			rc = dom_build_static(d, p->ipa, &p->host);
			continue;
		}
		rc = dom_build_ram(d, p->ipa, &p->host);
		if (rc == 0 && options.bootscrub) {
			dom_build_scrub(&p->host);
		}
	}
	return rc ? rc : dom_build_shared(d, &b->mem);
}

/* For its tables: what a toolstack would give, and for what it shares. */
static uint64_t pool_pages(const struct boot_domain *b)
{
	uint64_t nr = (b->mem_kib >> 10) +
		      b->nr_vcpus * (UINT64_C(1) << (20 - PAGE_SHIFT));

	for (uint32_t i = 0; i < b->mem.nr_shm; i++) {
		nr += (b->mem.shm[i].host.size >> 20) + 4;
	}
	return nr;
}

/* Of the images as loaded: what a restart puts there again. */
static int keep_for_restart(struct domain *d, const struct boot_domain *b,
			    const struct kernel_image *image,
			    const struct guest_fdt_args *fdt)
{
	const struct dom_image images[DOM_NR_IMAGES] = {
		{ guest.kernel_load, image->file_size },
		{ guest.ramdisk_load, b->ramdisk.size },
		{ guest.fdt_load, guest_fdt_size(fdt) },
	};
	int rc;

	if (!fdt_dom_has_policy(&b->restart)) {
		return 0;
	}
	rc = dom_restart_make(d, &b->restart,
			      fdt_dom_restarts(&b->restart) ? images : NULL);
	for (uint32_t i = 0; i < guest.nr && rc == 0; i++) {
		rc = dom_restart_add_ram(d, guest.piece[i].ipa,
					 guest.piece[i].host.size);
	}
	for (uint32_t i = 0; i < b->mem.nr_shm && rc == 0; i++) {
		rc = dom_restart_add_shared(d, b->mem.shm[i].ipa,
					    &b->mem.shm[i].host);
	}
	return rc;
}

static int build(struct domain *d, const struct boot_domain *b,
		 const struct dom_config *cfg,
		 const struct kernel_image *image,
		 const struct guest_fdt_args *fdt)
{
	int rc;

	d->p2m.pool_pages = pool_pages(b);
	rc = build_memory(d, b);
	if (rc == 0) {
		rc = give_devices(d, b);
	}
	if (rc == 0) {
		rc = boot_pci_give(d, b);
	}
	if (rc == 0) {
		rc = load_images(b, image);
	}
	if (rc == 0) {
		rc = build_fdt(fdt);
	}
	if (rc == 0) {
		rc = dom_build_vcpus(d, cfg, guest.kernel_load,
				     guest.fdt_load);
	}
	if (rc == 0) {
		rc = dom_build_affinity(d, (uint8_t)(b - boot_domains));
	}
	if (rc == 0) {
		rc = dom_build_sched(d, (uint8_t)(b - boot_domains));
	}
	if (rc == 0) {
		rc = keep_for_restart(d, b, image, fdt);
	}
	return rc;
}

static void tell(const struct domain *d, const struct boot_domain *b)
{
	log_info("d%u: %s, %u vCPUs, %llu MiB, kernel at %#llx\n", d->id,
		 b->name, d->nr_vcpus, MIB(b->mem_kib * 1024),
		 (unsigned long long)guest.kernel_load);
}

static int start(struct boot_domain *b)
{
	struct dom_config cfg;
	struct kernel_image image;
	struct domain *d;
	struct guest_fdt_args fdt = {
		.cfg = &cfg,
		.bootargs = b->bootargs,
		.bank = guest.bank,
		.shm = b->mem.shm,
		.nr_shm = b->mem.nr_shm,
		.vpl011 = b->vpl011,
		.hypervisor = b->enhanced,
		.devices = &devices,
		.pci = b->pci.nr != 0,
		.pci_is_coherent = boot_pci_is_coherent(),
	};
	int rc = measure_domain(b);

	if (rc == 0) {
		rc = kernel_image_probe(hv_va(paddr(b->kernel.start)),
					b->kernel.size, &image);
	}
	if (rc == 0) {
		rc = plan_memory(b, hv_share(b, &image));
	}
	if (rc == 0) {
		rc = describe(b, &cfg);
	}
	if (rc == 0) {
		rc = read_devices(b, &cfg);
	}
	if (rc == 0) {
		rc = plan_images(b, &image, guest_fdt_size(&fdt));
	}
	if (rc) {
		return rc;
	}
	cfg.iommu = devices.nr_behind != 0 || fdt.pci;
	fdt.nr_banks = guest.nr_banks;
	fdt.initrd_start = guest.ramdisk_load;
	fdt.initrd_end = guest.ramdisk_load + b->ramdisk.size;
	rc = domain_create(&cfg, &d);
	if (rc) {
		return rc;
	}
	d->handle[15] = (uint8_t)(b - boot_domains + 1); /* dom_windows.c */
	rc = build(d, b, &cfg, &image, &fdt);
	if (rc) {
		irq_release_all(d);
		boot_pci_take(d);
		domain_free(d);
		return rc;
	}
	tell(d, b);
	boot_platdevs_note(d, &devices);
	domain_publish(d);
	b->domid = d->id;
	return 0;
}

/* Whole pages only: what shares a page with them may be somebody's. */
static void give_back(const struct mem_range *image)
{
	uint64_t s = align_up(image->start, PAGE_SIZE);
	uint64_t e = align_down(image->start + image->size, PAGE_SIZE);

	if (s < e && boot_heap_add(&boot_free, s, e - s)) {
		log_warn("memory is in too many pieces: %llu KiB are lost\n",
			 (unsigned long long)(e - s) >> 10);
	}
}

bool boot_dom0less(void)
{
	bool any = false;

	fdt_dev_reset();
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		struct boot_domain *b = &boot_domains[i];
		int rc = b->refused ? -EINVAL : start(b);

		any |= rc == 0;
		if (rc) {
			log_err("/chosen/%s: this domain is not started (see "
				"above; error %d)\n", b->name, -rc);
		}
	}
	dom_build_evtchns();
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		give_back(&boot_domains[i].kernel);
		give_back(&boot_domains[i].ramdisk);
		give_back(&boot_domains[i].dtb);
	}
	return any;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A PCI host, its functions, and who has them; see fake_pci_world.h. */
#include "fake_pci_world.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <hv/ecam.h>
#include <hv/arch.h>
#include <hv/iommu_dev.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/vpci.h>
#include <lib/errno.h>
#include "arch/fake/fake_arch.h"

#define EXPRESS 0x80u

struct pci_host pw_host;
uint8_t pw_config[PW_FUNCTIONS * 4096u];
struct iommu pw_unit;
struct iommu_device pw_bridge = { .name = "/pcie", .nr = 1 };
uint32_t pw_keeps[PW_FUNCTIONS][6];
bool pw_dead[PW_FUNCTIONS];
uint32_t pw_resets[PW_FUNCTIONS];
uint64_t pw_root[0x100];
struct domain *pw_seen[0x100];
struct domain *pw_messages[0x100];
int pw_attach_rc, pw_add_rc, pw_init_rc, pw_its_rc;
uint32_t pw_fail_stream = UINT32_MAX;
uint32_t pw_inits;
static uint32_t removing[0x100];
static uint16_t virqs[0x100]; /* of those that are seen */
static uint16_t bridges[PCI_BUSES];

/* ---- the unit ------------------------------------------------------------ */

static int attach(struct iommu *u, uint32_t first, uint32_t nr,
		  const struct iommu_space *s)
{
	bool fails = first == pw_fail_stream;

	(void)u;
	for (uint32_t i = first; i < first + nr; i++) {
		pw_root[i - STREAM0] = fails ? 0 : s->root;
	}
	return fails ? pw_attach_rc : 0;
}

static void detach(struct iommu *u, uint32_t first, uint32_t nr,
		   const struct iommu_space *s)
{
	(void)u;
	(void)s;
	memset(&pw_root[first - STREAM0], 0, nr * sizeof(pw_root[0]));
}

static void flush(struct iommu *u, const struct iommu_space *s, uint64_t at,
		  uint64_t pages)
{
	(void)u;
	(void)s;
	(void)at;
	(void)pages;
}

static void inspect(struct iommu *u, uint32_t stream, struct iommu_route *r)
{
	uint32_t n = stream - STREAM0;

	*r = (struct iommu_route){ .nr = UINT32_MAX, .use = IOMMU_REFUSES };
	if (stream < STREAM0) {
		r->nr = STREAM0 - stream;
	} else if (n < 0x100) {
		r->by.root = pw_root[n];
		r->use = pw_root[n] ? IOMMU_TRANSLATES : IOMMU_REFUSES;
		for (r->nr = 1; n + r->nr < 0x100 &&
				pw_root[n + r->nr] == pw_root[n];) {
			r->nr++;
		}
	}
	(void)u;
}

static bool irq(struct iommu *u)
{
	(void)u;
	return false;
}

static const struct iommu_ops ops = {
	.name = "unit", .attach = attach, .detach = detach, .flush = flush,
	.irq = irq, .inspect = inspect,
};

/* ---- configuration space ------------------------------------------------- */

uint32_t pw_get(uint16_t bdf, uint32_t reg, unsigned int bytes)
{
	uint32_t v = 0;

	memcpy(&v, &pw_config[bdf * 4096u + reg], bytes);
	return v;
}

void pw_set(uint16_t bdf, uint32_t reg, unsigned int bytes, uint32_t value)
{
	memcpy(&pw_config[bdf * 4096u + reg], &value, bytes);
}

uint32_t ecam_read(const volatile void *at, unsigned int bytes)
{
	size_t off = (size_t)((const volatile uint8_t *)at - pw_config);

	if (off >= sizeof(pw_config) || off % bytes) {
		fprintf(stderr, "configuration space read at %#zx\n", off);
		__builtin_trap();
	}
	if (pw_dead[off / 4096]) {
		return UINT32_MAX >> (32 - 8 * bytes);
	}
	return pw_get((uint16_t)(off / 4096), off % 4096, bytes);
}

static void reset(uint16_t bdf)
{
	pw_resets[bdf]++;
	pw_set(bdf, 4, 2, 0);
	for (uint32_t i = 0; i < 6; i++) {
		uint32_t flags = pw_get(bdf, 0x10 + 4 * i, 4) & 0xf &
				 ~pw_keeps[bdf][i];

		pw_set(bdf, 0x10 + 4 * i, 4, flags);
	}
}

void ecam_write(volatile void *at, unsigned int bytes, uint32_t value)
{
	size_t off = (size_t)((volatile uint8_t *)at - pw_config);
	uint16_t bdf = (uint16_t)(off / 4096);
	uint32_t reg = off % 4096;
	uint32_t n = (reg - 0x10) / 4;

	if (pw_dead[bdf]) {
		return;
	}
	if (reg >= 0x10 && reg < 0x28) {
		uint32_t kept = pw_get(bdf, reg, 4) & 0xf & ~pw_keeps[bdf][n];

		value = (value & pw_keeps[bdf][n]) | kept;
	}
	if (reg == EXPRESS + 8 && (value & 0x8000) && bdf != PLAIN) {
		reset(bdf);
		return;
	}
	pw_set(bdf, reg, bytes, value);
}

/* BAR @n of @pages pages at page @at of the window, behind its flags. */
static void bar(uint16_t bdf, uint32_t n, uint32_t flags, uint32_t pages,
		uint32_t at)
{
	uint32_t bus = BUS_OTHER + ((BUS_MFN + at) << 12);

	pw_set(bdf, 0x10 + 4 * n, 4, bus | flags);
	pw_keeps[bdf][n] = ~(pages * 4096u - 1);
	if ((flags & 6) == 4) {
		pw_keeps[bdf][n + 1] = UINT32_MAX;
	}
}

static void function(uint16_t bdf, bool express)
{
	pw_set(bdf, 0, 4, 0x10421af4);
	pw_set(bdf, 4, 2, 7);
	pw_set(bdf, 6, 2, 0x10);
	pw_set(bdf, 0x34, 1, 0x40);
	pw_set(bdf, 0x40, 4, 0x80018011); /* MSI-X, on */
	pw_set(bdf, 0x42, 2, 0x8003);
	pw_set(bdf, 0x41, 1, EXPRESS);
	pw_set(bdf, EXPRESS, 2, 0x10);
	pw_set(bdf, EXPRESS + 4, 4, express ? 0x10008000 : 0x8000);
}

/* ---- what a guest has of it ---------------------------------------------- */

int vpci_domain_init(struct domain *d)
{
	(void)d;
	pw_inits++;
	return pw_init_rc;
}

void vpci_domain_fini(struct domain *d)
{
	for (uint32_t i = 0; i < 0x100; i++) {
		if (pw_seen[i] == d) {
			__builtin_trap();
		}
	}
}

uint32_t vpci_next_virq(struct domain *d)
{
	uint32_t virq = VPCI_FIRST_VIRQ;

	for (uint32_t i = 0; i < 0x100; i++) {
		if (virqs[i] == virq &&
		    (pw_seen[i] == d || removing[i] != 0)) {
			virq++;
			i = 0;
		}
	}
	return virq;
}

int vpci_add(struct domain *d, struct pci_function *f)
{
	if (pw_seen[f->bdf]) {
		__builtin_trap();
	}
	if (pw_add_rc == 0) {
		virqs[f->bdf] = (uint16_t)vpci_next_virq(d);
		pw_seen[f->bdf] = d;
	}
	return pw_add_rc;
}

/* In three steps; after the first the guest does not see it. */
int vpci_remove(struct domain *d, struct pci_function *f)
{
	if (pw_seen[f->bdf] == d) {
		removing[f->bdf] = 2;
		pw_seen[f->bdf] = NULL;
	} else if (removing[f->bdf] == 0) {
		return -ENOENT;
	} else {
		removing[f->bdf]--;
	}
	return removing[f->bdf] ? -EAGAIN : 0;
}

int arch_msi_domain_init(struct domain *d)
{
	(void)d;
	return pw_its_rc;
}

void arch_msi_forget(struct domain *d, uint32_t device_id)
{
	if (pw_messages[device_id - ID0] == d) {
		pw_messages[device_id - ID0] = NULL;
	}
}

/* ---- the world ----------------------------------------------------------- */

static void pass_time(void)
{
	fake_time_ns += 10000000;
	hv_run_others();
}

static void host_init(void)
{
	pw_unit.ops = &ops;
	pw_unit.walks_coherent = true;
	pw_unit.max_stream = 0x1ff;
	spin_lock_init(&pw_unit.lock, LOCK_RANK_IOMMU);
	if (iommu_add_unit(&pw_unit) != 0) {
		__builtin_trap();
	}
	pw_bridge.stream[0] = (struct stream_range){ &pw_unit, STREAM0, 0x100 };
	iommu_add_device(&pw_bridge);
	pw_host = (struct pci_host){
		.name = "/pcie", .ecam = pw_config, .behind = &pw_bridge,
		.nr_windows = 1, .nr_streams = 1, .nr_ids = 1,
		.window = { { BUS_OTHER + (BUS_MFN << 12), BUS_MFN << 12,
			      BUS_PAGES << 12 } },
		.stream = { { 0, STREAM0, 0x100, &pw_unit } },
		.id = { { 0, ID0, 0x100, NULL } },
		.up = bridges,
	};
	for (uint32_t n = 0; n < PCI_HOST_PINS; n++) {
		pw_host.line[n] = (uint16_t)(LINE0 + (n / 4 + n % 4) % 4);
	}
	pci_add_host(&pw_host);
}

void pw_start(void)
{
	hv_start(64, 2);
	hv_between = pass_time;
	memset(pw_config, 0xff, sizeof(pw_config));
	for (uint16_t bdf = SMALL; bdf <= BRIDGE; bdf += 8) {
		memset(&pw_config[bdf * 4096u], 0, 4096);
		function(bdf, bdf != PLAIN);
	}
	pw_set(BRIDGE, 0xe, 1, 1);
	bar(SMALL, 0, 0, 1, 0);
	pw_set(SMALL, 0x14, 4, 0x1001); /* ports */
	pw_keeps[SMALL][1] = 0xffffffe0;
	bar(SMALL, 4, 0xc, 4, 4);
	bar(PLAIN, 0, 0, 8, 8);
	bar(LARGE, 2, 0x4, 128, 0x100);
	pw_set(SMALL, 0x3d, 1, 1);
	pw_set(LARGE, 0x3d, 1, 1);
	host_init();
	for (uint32_t i = LINE0; i < LINE0 + 4; i++) {
		if (irq_assign_guest(hv_dom0, i, i, IRQ_LEVEL) != 0 ||
		    arch_virq_link(hv_dom0, i, i) != 0) {
			__builtin_trap();
		}
	}
	hv_dom0->iommu.enabled = true;
	if (p2m_map_mmio(hv_dom0, gfn(BUS_MFN), mfn(BUS_MFN), BUS_PAGES,
			 P2M_MMIO_DIRECT) != 0 ||
	    iommu_assign(hv_dom0, &pw_bridge) != 0) {
		__builtin_trap();
	}
}

struct domain *pw_build(void)
{
	struct domain *d = hv_build(1, 4);

	d->iommu.enabled = true;
	return d;
}

static int64_t call(uint32_t cmd, struct domain *d, uint16_t bdf)
{
	struct xen_domctl op = { 0 };

	op.u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op.u.assign_device.flags = XEN_DOMCTL_DEV_RDM_RELAXED;
	op.u.assign_device.u.pci.machine_sbdf = bdf;
	return hv_domctl(cmd, d->id, &op);
}

int pw_give(struct domain *d, uint32_t sbdf)
{
	int rc;

	do {
		rc = pci_assign(d, sbdf);
	} while (rc == -EAGAIN);
	return rc;
}

int64_t pw_assign(struct domain *d, uint16_t bdf)
{
	return call(XEN_DOMCTL_assign_device, d, bdf);
}

int64_t pw_deassign(struct domain *d, uint16_t bdf)
{
	return call(XEN_DOMCTL_deassign_device, d, bdf);
}

/* ---- is it right? -------------------------------------------------------- */

static const uint16_t names[] = { SMALL, PLAIN, LARGE };

static bool says(const char *what, uint16_t bdf, unsigned long long more)
{
	fprintf(stderr, "function %x: %s (%#llx)\n", bdf, what, more);
	return false;
}

static const struct pci_function *known(uint16_t bdf)
{
	const struct iommu_device *dev = pw_bridge.functions;

	for (; dev; dev = dev->next_function) {
		const struct pci_function *f = (const void *)(
			(const char *)dev -
			offsetof(struct pci_function, behind));

		if (f->bdf == bdf) {
			return f;
		}
	}
	return NULL;
}

static uint64_t root_of(struct domain *d)
{
	struct iommu_space s = { 0 };

	if (d) {
		iommu_space_of(d, &s);
	}
	return s.root;
}

static bool stream_is_right(uint16_t bdf, struct domain *has)
{
	struct iommu_look l;

	if (pw_root[bdf] != root_of(has)) {
		return says("its stream goes elsewhere", bdf, pw_root[bdf]);
	}
	if (!iommu_inspect(0, STREAM0 + bdf, &l) ||
	    l.other_owner != OWNER_NONE ||
	    l.owner != (has ? has->id : OWNER_NONE) || l.is.nr < 1 ||
	    l.must.root != root_of(has)) {
		return says("the auditor sees another's", bdf, l.owner);
	}
	return true;
}

/* dom0 lacks the first @gone of its pages. */
static bool pages_are_right(const struct pci_function *f, uint32_t gone)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < 6; i++) {
		for (uint64_t m = 0; m < f->bar[i].nr; m++, n++) {
			uint64_t at = f->bar[i].mfn + m;
			struct p2m_entry e = p2m_lookup(hv_dom0, gfn(at));

			if ((e.type == P2M_MMIO_DIRECT && e.mfn.v == at) !=
			    (n >= gone)) {
				return says("a page", f->bdf, at);
			}
		}
	}
	return true;
}

/* Its line interrupts who has it, and nobody else's is linked to it. */
static bool line_is_right(uint16_t bdf, const struct pci_function *f)
{
	uint32_t line = bdf == SMALL ? LINE0 + 1 : bdf == LARGE ? LINE0 + 3 : 0;
	const struct irq_desc *q = irq_desc_of(line);
	struct domain *has = q->owner == IRQ_GUEST ? q->domain : NULL;
	uint8_t of = f ? f->line_of : PCI_LINE_DOM0;
	struct domain *may = of == PCI_LINE_DOM0    ? hv_dom0
			     : of == PCI_LINE_GUEST ? f->owner
						    : NULL;
	uint32_t nr = 0;

	if (line == 0) {
		return true;
	}
	if (has != may && !(may && !has && may->state >= DOM_DYING)) {
		return says("its line is another's", bdf, of);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(fake_links); i++) {
		const struct fake_link *l = &fake_links[i];

		if (l->d && l->line == line) {
			nr++;
			if (l->d != may || (has && l->virq != q->virq)) {
				return says("a link", bdf, l->virq);
			}
		}
	}
	if (nr != (may ? 1 : 0)) {
		return says("links", bdf, nr);
	}
	return of != PCI_LINE_GUEST || f->state != PCI_GIVEN ||
	       !pw_seen[bdf] || f->virq == virqs[bdf] ||
	       says("not as the guest knows it", bdf, f->virq);
}

static bool function_is_right(uint16_t bdf, const struct pci_function *f)
{
	uint8_t state = f ? f->state : PCI_DOM0;
	bool kept = f && f->is_kept;
	struct domain *has = state == PCI_DOM0	? (kept ? NULL : hv_dom0)
			     : state == PCI_GIVEN ? f->owner
						  : NULL;
	uint32_t nr = 0;

	for (uint32_t i = 0; f && i < 6; i++) {
		nr += f->bar[i].nr;
	}
	if (pw_seen[bdf] && pw_seen[bdf] != has) {
		return says("a guest sees it that has not got it", bdf, 0);
	}
	if (pw_messages[bdf] && pw_messages[bdf] != has) {
		return says("another has its messages", bdf, state);
	}
	if (pci_is_given(ID0 + bdf) != (kept || state != PCI_DOM0)) {
		return says("dom0 may have its messages", bdf, state);
	}
	if (f && state != PCI_LOST &&
	    !pages_are_right(f, kept			? nr
				: state == PCI_DOM0	? 0
				: state == PCI_GIVEN ||
					  state == PCI_RESET
				? nr
				: f->pages)) {
		return false;
	}
	return line_is_right(bdf, f) && stream_is_right(bdf, has);
}

bool pw_is_right(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!function_is_right(names[i], known(names[i]))) {
			return false;
		}
	}
	/* Their neighbours are dom0's, always. */
	return stream_is_right(0, hv_dom0) &&
	       stream_is_right(BRIDGE, hv_dom0) &&
	       stream_is_right(0xff, hv_dom0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of the machine: which there are, and what they say.
 *
 * Owns    the hosts, which boot makes, and the functions that the toolstack
 *         has named. One that is known stays so.
 * Not     whose each is (pci_assign.c); its BARs (pci_bars.c), its line
 *         (pci_line.c); what a guest sees of it (vpci.c).
 * Locks   control_lock, held by the caller, for all but pci_is_given() and
 *         accesses to configuration space. The list only grows: who walks it
 *         without the lock sees whole entries.
 * Bounds  PCI_FUNCTIONS, and their parts of configuration space.
 * Spec    [PCI] 6.1, 6.7, [PCIE] 7.5, 7.2.2.
 */
#include <hv/pci.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/ecam.h>
#include <hv/heap.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include "pci_priv.h"

#define MAX_PARTS 48u
#define CONFIG_SIZE 4096u

static struct pci_host *hosts __ro_after_boot;
static struct pci_function *functions; /* atomic */
static uint32_t nr_functions;

void pci_add_host(struct pci_host *host)
{
	host->next = hosts;
	hosts = host;
}

bool pci_is_present(void)
{
	return hosts != NULL && hardware_domain != NULL;
}

/* ---- configuration space ------------------------------------------------- */

static void *config_of(const struct pci_host *h, uint16_t bdf)
{
	uint32_t page = bdf - ((uint32_t)h->first_bus << 8);

	return (char *)h->ecam + (size_t)page * CONFIG_SIZE;
}

uint32_t pci_config_read(const struct pci_function *f, uint32_t reg,
			 unsigned int bytes)
{
	const char *page = config_of(f->host, f->bdf);

	return ecam_read(page + (reg & (CONFIG_SIZE - 1)), bytes);
}

void pci_config_write(const struct pci_function *f, uint32_t reg,
		      unsigned int bytes, uint32_t value)
{
	char *page = config_of(f->host, f->bdf);

	ecam_write(page + (reg & (CONFIG_SIZE - 1)), bytes, value);
}

uint32_t pci_part(const struct pci_function *f, uint32_t id)
{
	uint32_t at;

	if (!(pci_config_read(f, PCI_STATUS, 2) & PCI_STATUS_PARTS)) {
		return 0;
	}
	at = pci_config_read(f, PCI_FIRST_PART, 1) & ~3u;
	for (uint32_t i = 0; i < MAX_PARTS && at >= 0x40; i++) {
		uint32_t head = pci_config_read(f, at, 2);

		if ((head & 0xff) == id) {
			return at;
		}
		at = head >> 8 & ~3u;
	}
	return 0;
}

/* The enable bits of MSI and MSI-X, in the high byte of their control. */
static void messages_off(const struct pci_function *f, uint32_t id,
			 uint32_t bits)
{
	uint32_t at = pci_part(f, id);

	if (at != 0) {
		uint32_t now = pci_config_read(f, at + 2, 2);

		pci_config_write(f, at + 2, 2, now & ~bits);
	}
}

void pci_quiet(const struct pci_function *f)
{
	uint32_t cmd = pci_config_read(f, PCI_COMMAND, 2);

	cmd &= ~(PCI_COMMAND_DECODE | PCI_COMMAND_MASTER);
	pci_config_write(f, PCI_COMMAND, 2, cmd | PCI_COMMAND_NO_INTX);
	messages_off(f, PCI_PART_MESSAGES, 0x1);
	messages_off(f, PCI_PART_TABLE, 0x8000);
}

/* ---- which there are ----------------------------------------------------- */

struct pci_function *pci_next(const struct pci_function *f)
{
	return f ? f->next : __atomic_load_n(&functions, __ATOMIC_ACQUIRE);
}

struct pci_function *pci_known(uint32_t sbdf)
{
	struct pci_function *f = pci_next(NULL);

	while (f && ((uint32_t)f->segment << 16 | f->bdf) != sbdf) {
		f = f->next; /* bound: PCI_FUNCTIONS */
	}
	return f;
}

bool pci_is_given(uint32_t device_id)
{
	const struct pci_function *f = pci_next(NULL);

	for (; f; f = f->next) { /* bound: PCI_FUNCTIONS */
		if (f->has_id && f->device_id == device_id &&
		    (f->is_kept || __atomic_load_n(&f->state, __ATOMIC_SEQ_CST)
					   != PCI_DOM0)) {
			return true;
		}
	}
	return false;
}

bool pci_is_kept(uint32_t sbdf)
{
	const struct pci_function *f = pci_known(sbdf);

	return f && f->is_kept;
}

enum mmio_result pci_config_absent(struct vcpu *v, struct mmio_access *a,
				   void *opaque)
{
	(void)v;
	(void)opaque;
	a->value = UINT64_MAX;
	return MMIO_OK;
}

int pci_refuse(const struct pci_function *f, const char *why)
{
	log_warn("PCI %04x:%02x:%02x.%x: not for guests: %s\n", f->segment,
		 f->bdf >> 8, f->bdf >> 3 & 31u, f->bdf & 7u, why);
	return -ENODEV;
}

bool pci_in_window(uint64_t mfn, uint64_t nr)
{
	const struct pci_host *h = hosts;

	for (; h; h = h->next) { /* bound: hosts of the tree */
		for (uint32_t i = 0; i < h->nr_windows; i++) {
			uint64_t first = h->window[i].base >> PAGE_SHIFT;
			uint64_t has = h->window[i].size >> PAGE_SHIFT;

			if (mfn >= first && nr <= has &&
			    mfn - first <= has - nr) {
				return true;
			}
		}
	}
	return false;
}

static const struct pci_host *host_of(uint32_t sbdf)
{
	const struct pci_host *h = hosts;
	uint32_t bus = sbdf >> 8 & 0xff;

	while (h && (h->segment != sbdf >> 16 || bus < h->first_bus ||
		     bus > h->last_bus)) {
		h = h->next; /* bound: hosts of the tree */
	}
	return h;
}

static const struct pci_map *map_of(const struct pci_map *m, uint32_t nr,
				    uint16_t bdf)
{
	for (uint32_t i = 0; i < nr; i++) { /* PCI_HOST_MAPS */
		if (bdf >= m[i].bdf && bdf - m[i].bdf < m[i].nr) {
			return &m[i];
		}
	}
	return NULL;
}

/* What is wrong with what @f says of itself; NULL: nothing. */
static const char *is_wrong(const struct pci_function *f)
{
	uint32_t header = pci_config_read(f, PCI_HEADER, 1);

	if (pci_config_read(f, PCI_VENDOR, 4) == PCI_NOTHING) {
		return "there is none";
	}
	if ((header & PCI_HEADER_TYPE) != 0 ||
	    pci_config_read(f, PCI_CLASS, 1) == PCI_CLASS_BRIDGE) {
		return "it is a bridge";
	}
	return NULL;
}

/* Its stream and id: what the tree says of it. */
static int place(struct pci_function *f)
{
	const struct pci_host *h = f->host;
	const struct pci_map *s = map_of(h->stream, h->nr_streams, f->bdf);
	const struct pci_map *m = map_of(h->id, h->nr_ids, f->bdf);

	if (!s) {
		return pci_refuse(f, "no SMMU watches it");
	}
	if (!m && h->nr_ids != 0) {
		return pci_refuse(f, "its messages have no id");
	}
	f->has_id = m != NULL;
	f->device_id = m ? m->to + (f->bdf - m->bdf) : 0;
	f->behind.name = f->name;
	return iommu_function_add(h->behind, s->unit,
				  s->to + (f->bdf - s->bdf), &f->behind);
}

static int make(const struct pci_function *like, struct pci_function **out)
{
	struct pci_function *f;
	int rc;

	if (nr_functions == PCI_FUNCTIONS) {
		return -ENOSPC;
	}
	f = heap_alloc(NULL, sizeof(*f));
	if (!f) {
		return -ENOMEM;
	}
	*f = *like;
	hv_snprintf(f->name, sizeof(f->name), "%04x:%02x:%02x.%x", f->segment,
		    f->bdf >> 8, f->bdf >> 3 & 31u, f->bdf & 7u);
	rc = place(f);
	if (rc) {
		heap_free(NULL, f);
		return rc == -EINVAL ? pci_refuse(like, "it shares a stream")
				     : rc;
	}
	f->next = functions;
	nr_functions++;
	__atomic_store_n(&functions, f, __ATOMIC_RELEASE);
	*out = f;
	return 0;
}

int pci_know(uint32_t sbdf, struct pci_function **f)
{
	struct pci_function like = {
		.host = host_of(sbdf),
		.segment = (uint16_t)(sbdf >> 16),
		.bdf = (uint16_t)sbdf,
	};
	const char *wrong;

	*f = pci_known(sbdf);
	if (*f) {
		return 0;
	}
	if (!like.host || like.host->behind->owner != hardware_domain) {
		return pci_refuse(&like, hardware_domain ?
				  "no host of dom0's has it" :
				  "no host that could be used has it");
	}
	wrong = is_wrong(&like);
	return wrong ? pci_refuse(&like, wrong) : make(&like, f);
}

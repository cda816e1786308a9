/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's PCI host bridge: one bus, whose configuration space is emulated.
 *
 * Owns    d->vpci: which function has which number; the header that the guest
 *         sees of each.
 * Not     BARs (vpci_bar.c), capabilities (vpci_caps.c), whose a function is
 *         and its real configuration space (pci.c), messages (the domain's
 *         virtual ITS).
 * Rule    the real COMMAND has memory on as long as the function is here, bus
 *         master when the guest says so, INTx when the guest has its line
 *         and says so; of the real STATUS the guest clears error bits. No
 *         other bit of the header is written.
 * Access  as on a bridge that knows 1, 2 and 4 bytes, aligned: others read
 *         all ones and write nothing; so does a number without a function.
 *         The window for BARs answers the same where nothing is mapped.
 * Locks   vpci.lock (rank VPCI) around each access, and each step of adding
 *         and removing; control_lock besides for these.
 * Bounds  an access does one step of mapping; while more waits the guest
 *         repeats it (MMIO_AGAIN).
 * Spec    [PCI] "Configuration Space", "Type 0/1 Common Configuration Space";
 *         [PCIE] "PCI Express Enhanced Configuration Access Mechanism".
 */
#include <hv/vpci.h>

#include "vpci_priv.h"
#include <hv/heap.h>
#include <lib/errno.h>

#define DEVFN_SHIFT 3
#define ECAM_DEV_SHIFT 15
#define ECAM_REG 0x7fffu /* function and register */
#define HEADER_WORDS (PCI_FIRST_CAP / 4)

#define COMMAND_BITS                                                          \
	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX)
#define STATUS_ERRORS 0xf900u /* written with ones to clear */
#define STATUS_SEEN (STATUS_ERRORS | 0x06a0u) /* and how fast it is */
#define STATUS_INTX 0x0008u
#define PIN_A 0x100u /* beside the line */
#define HAS_ID BIT64(32)

static uint32_t all_ones(unsigned int bytes)
{
	return UINT32_MAX >> (32 - 8 * bytes);
}

/* ---- the header ---------------------------------------------------------- */

static uint32_t read_status(const struct vpci_function *vf)
{
	uint32_t real = pci_config_read(vf->f, PCI_STATUS, 2);

	real &= STATUS_SEEN | (vf->has_line ? STATUS_INTX : 0);
	return real | (vf->nr_caps != 0 ? PCI_STATUS_CAPS : 0);
}

static uint32_t read_header(const struct vpci_function *vf, uint32_t word)
{
	switch (word) {
	case 0: /* vendor, device */
		return vf->id;
	case 1:
		return vf->command | read_status(vf) << 16;
	case 2: /* revision, class */
		return vf->class;
	case 3: /* type 0, one function, no self test */
		return vf->cache_line;
	case 4 ... 9:
		return vpci_bar_read(vf, word - 4);
	case 11:
		return vf->subsystem;
	case 13:
		return vf->nr_caps != 0 ? vf->cap[0].at * 4u : 0;
	case 15:
		return vf->line | (vf->has_line ? PIN_A : 0);
	default:
		return 0; /* no ROM */
	}
}

static void write_real_command(const struct vpci_function *vf)
{
	uint32_t cmd = vf->command & (PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);

	if (!vf->has_line) {
		cmd |= PCI_COMMAND_NO_INTX;
	}
	pci_config_write(vf->f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | cmd);
}

static void write_command(struct vpci_function *vf, uint32_t val,
			  uint32_t lanes)
{
	uint16_t was = vf->command;

	vf->command = (uint16_t)vpci_merge(was, val & COMMAND_BITS, lanes);
	if ((was ^ vf->command) & (PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX)) {
		write_real_command(vf);
	}
	if (~was & vf->command & PCI_COMMAND_MEMORY) {
		vpci_bars_retry(vf);
	}
}

static void write_status(const struct vpci_function *vf, uint32_t clear)
{
	if (clear & STATUS_ERRORS) {
		pci_config_write(vf->f, PCI_STATUS, 2, clear & STATUS_ERRORS);
	}
}

/* True: it may change what is mapped. */
static bool write_header(struct vpci_function *vf, uint32_t word, uint32_t val,
			 uint32_t lanes)
{
	switch (word) {
	case 1:
		write_command(vf, val, lanes);
		write_status(vf, (val & lanes) >> 16);
		return true;
	case 3:
		vf->cache_line =
			(uint8_t)vpci_merge(vf->cache_line, val, lanes & 0xff);
		return false;
	case 4 ... 9:
		vpci_bar_write(vf, word - 4, val, lanes);
		return true;
	case 15:
		vf->line = (uint8_t)vpci_merge(vf->line, val, lanes & 0xff);
		return false;
	default:
		return false;
	}
}

/* ---- accesses ------------------------------------------------------------ */

/* Extended configuration space is there, and empty. */
static uint32_t read_word(const struct vpci_function *vf, uint32_t word)
{
	if (word < HEADER_WORDS) {
		return read_header(vf, word);
	}
	return word < VPCI_WORDS ? vpci_caps_read(vf, word) : 0;
}

static bool write_word(struct vpci_function *vf, uint32_t word, uint32_t val,
		       uint32_t lanes)
{
	if (word < HEADER_WORDS) {
		return write_header(vf, word, val, lanes);
	}
	if (word < VPCI_WORDS) {
		vpci_caps_write(vf, word, val, lanes);
	}
	return false;
}

/* NULL: there is none at @offset. */
static struct vpci_function *function_at(const struct vpci *vp,
					 uint64_t offset)
	REQUIRES(vp->lock)
{
	uint64_t i = (offset >> ECAM_DEV_SHIFT) - 1;
	struct vpci_function *vf;

	if (i >= VPCI_FUNCTIONS || (offset & ECAM_REG) >= PAGE_SIZE) {
		return NULL;
	}
	vf = vp->slot[array_index_nospec(i, VPCI_FUNCTIONS)];
	return vf && !vf->is_leaving ? vf : NULL;
}

static enum mmio_result access_locked(struct domain *d, struct vpci *vp,
				      struct mmio_access *a)
	REQUIRES(vp->lock)
{
	struct vpci_function *vf = function_at(vp, a->offset);
	uint32_t word = (uint32_t)((a->offset & ECAM_REG) / 4);
	unsigned int shift = 8 * (a->offset & 3);
	uint32_t ones = all_ones(a->size);

	if (!a->write) {
		a->value = ones;
		if (vf) {
			a->value = read_word(vf, word) >> shift & ones;
		}
	} else if (vf && write_word(vf, word, (uint32_t)a->value << shift,
				    ones << shift)) {
		return vpci_bars_step(d, vp) ? MMIO_AGAIN : MMIO_OK;
	}
	return MMIO_OK;
}

static enum mmio_result ecam_access(struct vcpu *v, struct mmio_access *a,
				    void *opaque)
{
	struct vpci *vp = v->domain->vpci;
	enum mmio_result rc;

	(void)opaque;
	if (!vp || a->size > 4 || !is_aligned(a->offset, a->size)) {
		a->value = UINT64_MAX;
		return MMIO_OK;
	}
	spin_lock(&vp->lock);
	rc = access_locked(v->domain, vp, a);
	spin_unlock(&vp->lock);
	return rc;
}

/* The stock toolstack's bridge. */
static enum mmio_result empty_access(struct vcpu *v, struct mmio_access *a,
				     void *opaque)
{
	(void)v;
	(void)opaque;
	a->value = UINT64_MAX;
	return MMIO_OK;
}

/* No BAR, or one that has come meanwhile. */
static enum mmio_result window_access(struct vcpu *v, struct mmio_access *a,
				      void *opaque)
{
	ipa_t at = ipa(VPCI_MEM_BASE + a->offset);
	struct p2m_entry e;

	(void)opaque;
	p2m_settle(v->domain);
	e = p2m_lookup(v->domain, ipa_to_gfn(at));
	a->value = UINT64_MAX;
	if (e.type == P2M_NONE) {
		return MMIO_OK;
	}
	if (e.type == P2M_DOORBELL ||
	    (a->write && !p2m_type_is_device(e.type) &&
	     !p2m_type_is_writable(e.type))) {
		return MMIO_ABORT;
	}
	return MMIO_AGAIN;
}

/* ---- domains ------------------------------------------------------------- */

/* It does nothing by itself any more. */
static void silence(const struct vpci_function *vf)
{
	pci_config_write(vf->f, PCI_COMMAND, 2, PCI_COMMAND_NO_INTX);
	vpci_caps_off(vf);
}

__cold void vpci_domain_fini(struct domain *d)
{
	struct vpci *vp = d->vpci;

	if (!vp) {
		return;
	}
	for (uint32_t i = 0; i < VPCI_FUNCTIONS; i++) {
		struct vpci_function *vf = vp->slot[i];

		if (vf && !vf->is_leaving) {
			silence(vf);
		}
		heap_free(d, vf);
	}
	heap_free(d, vp);
	d->vpci = NULL;
}

__cold int vpci_domain_init(struct domain *d)
{
	static const struct mmio_range ranges[] = {
		{
			.start = VPCI_ECAM_BASE,
			.size = VPCI_ECAM_SIZE,
			.fn = ecam_access,
		},
		{
			.start = VPCI_MEM_BASE,
			.size = VPCI_MEM_SIZE,
			.fn = window_access,
		},
		{
			.start = GUEST_VPCI_ECAM_BASE,
			.size = GUEST_VPCI_ECAM_SIZE,
			.fn = empty_access,
		},
	};
	int rc = 0;

	d->vpci = heap_alloc(d, sizeof(*d->vpci));
	if (!d->vpci) {
		return -ENOMEM;
	}
	spin_lock_init(&d->vpci->lock, LOCK_RANK_VPCI);
	for (uint32_t i = 0; rc == 0 && i < ARRAY_SIZE(ranges); i++) {
		rc = mmio_register(d, &ranges[i]);
	}
	if (rc) {
		vpci_domain_fini(d);
	}
	return rc;
}

bool vpci_device_id(const struct domain *d, uint32_t virt, uint32_t *phys)
{
	uint64_t i = (uint64_t)(virt >> DEVFN_SHIFT) - 1;
	uint64_t id;

	if (!d->vpci || (virt & (BIT32(DEVFN_SHIFT) - 1)) != 0 ||
	    i >= VPCI_FUNCTIONS) {
		return false;
	}
	i = array_index_nospec(i, VPCI_FUNCTIONS);
	id = __atomic_load_n(&d->vpci->id[i], __ATOMIC_ACQUIRE);
	*phys = (uint32_t)id;
	return (id & HAS_ID) != 0;
}

/* ---- functions that come and go ------------------------------------------ */

/* Number of @f, or with NULL of the first free one; VPCI_FUNCTIONS: none. */
static uint32_t number_of(const struct vpci *vp, const struct pci_function *f)
	REQUIRES(vp->lock)
{
	uint32_t i = 0;

	while (i < VPCI_FUNCTIONS &&
	       (vp->slot[i] ? vp->slot[i]->f : NULL) != f) {
		i++;
	}
	return i;
}

__cold uint32_t vpci_next_virq(struct domain *d)
{
	struct vpci *vp = d->vpci;
	uint32_t i = VPCI_FUNCTIONS;

	if (vp) {
		spin_lock(&vp->lock);
		i = number_of(vp, NULL);
		spin_unlock(&vp->lock);
	}
	return i != VPCI_FUNCTIONS ? VPCI_FIRST_VIRQ + i : 0;
}

static void read_identity(struct vpci_function *vf)
{
	vf->has_line = vf->f->line != 0 && vf->f->line_of == PCI_LINE_GUEST;
	vf->id = pci_config_read(vf->f, 0x00, 4);
	vf->class = pci_config_read(vf->f, 0x08, 4);
	vf->subsystem = pci_config_read(vf->f, 0x2c, 4);
	vf->cache_line = (uint8_t)pci_config_read(vf->f, 0x0c, 1);
	vpci_caps_make(vf);
}

static int publish_locked(struct vpci *vp, struct vpci_function *vf)
	REQUIRES(vp->lock)
{
	uint32_t i = number_of(vp, NULL);

	if (number_of(vp, vf->f) != VPCI_FUNCTIONS) {
		return -EEXIST;
	}
	if (i == VPCI_FUNCTIONS) {
		return -ENOSPC;
	}
	vpci_caps_off(vf);
	write_real_command(vf);
	vp->slot[i] = vf;
	if (vf->f->has_id) {
		__atomic_store_n(&vp->id[i], HAS_ID | vf->f->device_id,
				 __ATOMIC_RELEASE);
	}
	return 0;
}

__cold int vpci_add(struct domain *d, struct pci_function *f)
{
	struct vpci *vp = d->vpci;
	struct vpci_function *vf;
	int rc = vp ? vpci_bars_check(f) : -ENODEV;

	if (rc == 0 && (pci_config_read(f, PCI_HEADER_TYPE, 1) & 0x7f) != 0) {
		rc = -EINVAL; /* a bridge, or it does not answer */
	}
	if (rc) {
		return rc;
	}
	vf = heap_alloc(d, sizeof(*vf));
	if (!vf) {
		return -ENOMEM;
	}
	vf->f = f;
	read_identity(vf);
	spin_lock(&vp->lock);
	rc = publish_locked(vp, vf);
	spin_unlock(&vp->lock);
	if (rc) {
		heap_free(d, vf);
	}
	return rc;
}

/* -EAGAIN: goes on in another step. */
static int remove_locked(struct domain *d, struct vpci *vp, uint32_t i)
	REQUIRES(vp->lock)
{
	struct vpci_function *vf = vp->slot[i];

	if (!vf->is_leaving) {
		vf->is_leaving = true;
		__atomic_store_n(&vp->id[i], 0, __ATOMIC_RELEASE);
		silence(vf);
	}
	if (vpci_bars_drop(d, vf)) {
		return -EAGAIN;
	}
	vp->slot[i] = NULL;
	return 0;
}

__cold int vpci_remove(struct domain *d, struct pci_function *f)
{
	struct vpci *vp = d->vpci;
	struct vpci_function *vf = NULL;
	int rc = -ENOENT;
	uint32_t i;

	if (!vp || !f) {
		return -ENOENT;
	}
	spin_lock(&vp->lock);
	i = number_of(vp, f);
	if (i != VPCI_FUNCTIONS) {
		vf = vp->slot[i];
		rc = remove_locked(d, vp, i);
	}
	spin_unlock(&vp->lock);
	if (rc == 0) {
		heap_free(d, vf);
	}
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities of a guest's PCI functions: a list of our own, made from the
 * real one when the function is given.
 *
 * Shown   what rows[] has; of each kind but vendor specific ones the first.
 *         Identity, pointers and sizes are fixed when the list is made,
 *         whatever the device says later; the rest is read from it.
 * Written only the bits in write_mask(): messages on, off and masked, their
 *         address and data. A message is a write of the device's, so where it
 *         goes is up to the IOMMU.
 * Not     MSI-X tables, which are in BARs; extended configuration space.
 * Bounds  WALK_MAX capabilities of the real list, which may be a loop.
 * Spec    [PCI] "Capabilities List", "MSI Capability and MSI-X"; [PCIE]
 *         "PCI Express Capability Structure"; [VIRTIO] "Virtio Structure PCI
 *         Capabilities".
 */
#include "vpci_priv.h"

#define WALK_MAX 48u

#define CAP_PM 0x01u
#define CAP_MSI 0x05u
#define CAP_VENDOR 0x09u
#define CAP_PCIE 0x10u
#define CAP_MSIX 0x11u

#define MSI_ENABLE BIT32(0)
#define MSI_CAPABLE 0xeu
#define MSI_MULTIPLE 0x70u
#define MSI_64 BIT32(7)
#define MSI_MASKING BIT32(8)
#define MSIX_SIZE 0x7ffu
#define MSIX_MASK_ALL BIT32(14)
#define MSIX_ENABLE BIT32(15)
#define PM_VERSION 0x7u
#define PM_INIT BIT32(5)
#define PM_NO_SOFT_RESET BIT32(3)
#define PCIE_VERSION 0xfu
#define PCIE_ROOT_ENDPOINT (9u << 4) /* of the host's own bus: no link */
#define PCIE_CAN_FLR BIT32(28)
#define PCIE_WORDS 3u /* without link, slot and what version 2 has */
#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_CAP_WINDOW 5u /* reads and writes any BAR */

/* What stays of the 16 bits behind the pointer, and what is set in them. */
static const struct row {
	uint8_t id;
	uint8_t words; /* 0: as words_of() finds */
	uint16_t keep;
	uint16_t set;
} rows[] = {
	/*  id  words  keep  set  */
	{ CAP_PM, 2, PM_VERSION | PM_INIT, 0 }, /* no D1, D2, events */
	{ CAP_MSI, 0, MSI_CAPABLE | MSI_64 | MSI_MASKING, 0 },
	{ CAP_VENDOR, 0, UINT16_MAX, 0 },
	{ CAP_PCIE, PCIE_WORDS, PCIE_VERSION, PCIE_ROOT_ENDPOINT },
	{ CAP_MSIX, 3, MSIX_SIZE, 0 },
};

static const struct row *row_of(uint32_t id)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].id == id) {
			return &rows[i];
		}
	}
	return NULL;
}

static uint32_t words_of(const struct row *r, uint16_t info)
{
	if (r->id == CAP_MSI) {
		return 3u + (info & MSI_64 ? 1u : 0u) +
		       (info & MSI_MASKING ? 2u : 0u);
	}
	if (r->id == CAP_VENDOR) { /* the first byte is the length */
		return 1 + ((info & 0xffu) > 4 ? ((info & 0xffu) - 1) / 4 : 0);
	}
	return r->words;
}

/* ---- the list ------------------------------------------------------------ */

/* A real one at register @reg that begins with @head is not for guests. */
static bool is_hidden(const struct vpci_function *vf, uint32_t head)
{
	uint32_t id = head & 0xff;

	if (id == CAP_VENDOR) {
		return (vf->id & 0xffff) == VIRTIO_VENDOR &&
		       head >> 24 == VIRTIO_CAP_WINDOW;
	}
	for (uint32_t i = 0; i < vf->nr_caps; i++) {
		if (vf->cap[i].id == id) {
			return true; /* a second one */
		}
	}
	return row_of(id) == NULL;
}

/* Words [at, at + words) are there, and in no other's. */
static bool is_free(const struct vpci_function *vf, uint32_t at,
		    uint32_t words)
{
	if (words > VPCI_WORDS - at) {
		return false;
	}
	for (uint32_t i = 0; i < words; i++) { /* bound: VPCI_WORDS */
		if (vf->cap_of[at + i] != 0) {
			return false;
		}
	}
	return true;
}

static void add(struct vpci_function *vf, uint32_t at, uint32_t head)
{
	const struct row *r = row_of(head & 0xff);
	uint16_t info = (uint16_t)(((head >> 16) & r->keep) | r->set);
	uint32_t words = words_of(r, info);
	uint32_t n = vf->nr_caps;

	if (n == VPCI_CAPS || !is_free(vf, at, words)) {
		return;
	}
	vf->cap[n] = (struct vpci_cap){
		.id = r->id, .at = (uint8_t)at, .words = (uint8_t)words,
		.info = info,
	};
	if (n > 0) {
		vf->cap[n - 1].next = (uint8_t)(at * 4);
	}
	for (uint32_t i = 0; i < words; i++) {
		vf->cap_of[at + i] = (uint8_t)(n + 1);
	}
	vf->nr_caps++;
}

__cold void vpci_caps_make(struct vpci_function *vf)
{
	uint32_t at;

	if (!(pci_config_read(vf->f, PCI_STATUS, 2) & PCI_STATUS_CAPS)) {
		return;
	}
	at = pci_config_read(vf->f, PCI_CAP_POINTER, 1) / 4;
	for (uint32_t i = 0; i < WALK_MAX; i++) {
		uint32_t head;

		if (at < PCI_FIRST_CAP / 4) {
			return; /* the end */
		}
		head = pci_config_read(vf->f, at * 4, 4);
		if (!is_hidden(vf, head)) {
			add(vf, at, head);
		}
		at = ((head >> 8) & 0xff) / 4;
	}
}

/* ---- accesses ------------------------------------------------------------ */

static const struct vpci_cap *cap_at(const struct vpci_function *vf,
				     uint32_t word)
{
	uint32_t n = vf->cap_of[word];

	return n != 0 ? &vf->cap[n - 1] : NULL;
}

/* Bits of the real word @i of @c that the guest sees. */
static uint32_t read_mask(const struct vpci_cap *c, uint32_t i)
{
	switch (c->id) {
	case CAP_MSI:
		return i == 0 ? (MSI_ENABLE | MSI_MULTIPLE) << 16 : UINT32_MAX;
	case CAP_MSIX:
		return i == 0 ? (MSIX_ENABLE | MSIX_MASK_ALL) << 16
			      : UINT32_MAX;
	case CAP_PCIE:
		return i == 0 ? 0 : i == 1 ? ~PCIE_CAN_FLR : UINT32_MAX;
	case CAP_VENDOR:
		return i == 0 ? 0 : UINT32_MAX;
	default:
		return 0;
	}
}

uint32_t vpci_caps_read(const struct vpci_function *vf, uint32_t word)
{
	const struct vpci_cap *c = cap_at(vf, word);
	uint32_t i;
	uint32_t mask;
	uint32_t val = 0;

	if (!c) {
		return 0;
	}
	i = word - c->at;
	mask = read_mask(c, i);
	if (mask != 0) {
		val = pci_config_read(vf->f, word * 4, 4) & mask;
	}
	if (i == 0) {
		val |= c->id | (uint32_t)c->next << 8 | (uint32_t)c->info << 16;
	} else if (c->id == CAP_PM) {
		val = PM_NO_SOFT_RESET; /* in D0 */
	}
	return val;
}

/* Bits of the real word @i of @c that are the guest's. */
static uint32_t write_mask(const struct vpci_cap *c, uint32_t i)
{
	uint32_t data = c->info & MSI_64 ? 3 : 2; /* the mask follows it */

	if (c->id == CAP_MSIX) {
		return i == 0 ? (MSIX_ENABLE | MSIX_MASK_ALL) << 16 : 0;
	}
	if (c->id != CAP_MSI || i > data + 1) {
		return 0;
	}
	if (i == 0) {
		return (MSI_ENABLE | MSI_MULTIPLE) << 16;
	}
	if (i == 1) {
		return ~UINT32_C(3);
	}
	return i == data ? UINT16_MAX : UINT32_MAX;
}

/* The bytes in which @mask has bits become @val; the width is one it has. */
static void write_real(const struct pci_function *f, uint32_t reg,
		       uint32_t val, uint32_t mask)
{
	unsigned int bytes = 4;

	val &= mask;
	while (bytes > 1) { /* bound: two rounds */
		unsigned int half = bytes * 4; /* bits */
		uint32_t low = (UINT32_C(1) << half) - 1;

		if ((mask & low) == 0) {
			mask >>= half;
			val >>= half;
			reg += bytes / 2;
		} else if ((mask & ~low) != 0) {
			break;
		}
		bytes /= 2;
	}
	pci_config_write(f, reg, bytes, val);
}

void vpci_caps_write(const struct vpci_function *vf, uint32_t word,
		     uint32_t val, uint32_t lanes)
{
	const struct vpci_cap *c = cap_at(vf, word);
	uint32_t mask = c ? write_mask(c, word - c->at) & lanes : 0;

	if (mask != 0) {
		write_real(vf->f, word * 4, val, mask);
	}
}

__cold void vpci_caps_off(const struct vpci_function *vf)
{
	for (uint32_t i = 0; i < vf->nr_caps; i++) {
		const struct vpci_cap *c = &vf->cap[i];

		if (c->id == CAP_MSI || c->id == CAP_MSIX) {
			pci_config_write(vf->f, c->at * 4u + 2, 2, 0);
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PCI function forgets its guest: the reset that it has, and then what dom0
 * had set up in its configuration.
 *
 * Owns    .saved, .reset and .phase of a function.
 * Not     whose it is meanwhile: nobody's (pci_assign.c). Its DMA is over and
 *         its stream reaches nothing when this begins.
 * Kinds   function level reset of PCI Express, then the one of Advanced
 *         Features, then power off and on (D3hot to D0) where that resets. A
 *         function with none of them keeps what is in its BARs.
 * Trust   where its parts are is looked up when dom0 has it; after that the
 *         function is believed nothing but its identity, which must be what
 *         it was.
 * Locks   control_lock, held by the caller.
 * Bounds  no waiting here: who gets -EAGAIN calls again. DRAIN_NS, then the
 *         time of the reset, then GIVE_UP_NS at most.
 * Spec    [PCIE] 6.6.2 "Function Level Reset": no access for 100 ms; 7.5.3;
 *         [PCIPM] 3.2.4, 5.6.1: 10 ms; [PCI] "Advanced Capabilities".
 */
#include <hv/pci.h>

#include <hv/arch.h>
#include <lib/errno.h>
#include "pci_priv.h"

#define MS UINT64_C(1000000)
#define DRAIN_NS (100 * MS)
#define RESET_NS (100 * MS)
#define POWER_NS (10 * MS)
#define GIVE_UP_NS (1000 * MS)

#define PART_POWER 0x01u
#define POWER_STATUS 0x4u
#define POWER_STATE 0x3u
#define POWER_OFF 0x3u /* D3hot; 0 is D0 */
#define POWER_KEEPS 0x8u /* no reset on the way from D3hot to D0 */
#define POWER_EVENT 0x8000u /* a one clears it */
#define PART_ADVANCED 0x13u
#define ADVANCED_CAN 0x3u
#define ADVANCED_CAN_RESET 0x3u /* reset, and tells what is under way */
#define ADVANCED_CONTROL 0x4u
#define ADVANCED_STATUS 0x5u
#define ADVANCED_PENDING 0x1u
#define EXPRESS_STATUS 0xau
#define EXPRESS_PENDING 0x20u
#define EXPRESS_VERSION 0xfu
#define MESSAGES_64 0x80u
#define MESSAGES_MASK 0x100u

enum { DRAIN, OFF, SETTLE };

/* ---- what is kept -------------------------------------------------------- */

static void keep(struct pci_function *f, uint32_t reg, uint32_t bytes)
{
	struct pci_saved *s = &f->saved[f->nr_saved];

	if (f->nr_saved < PCI_SAVED && reg + bytes <= 256) {
		s->reg = (uint8_t)reg;
		s->bytes = (uint8_t)bytes;
		s->value = pci_config_read(f, reg, bytes);
		f->nr_saved++;
	}
}

static void keep_header(struct pci_function *f)
{
	keep(f, 0x0c, 1); /* cache line size */
	keep(f, 0x0d, 1); /* latency */
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		keep(f, PCI_BAR(n), 4);
	}
	keep(f, 0x30, 4); /* ROM */
	keep(f, 0x3c, 1); /* interrupt line */
	keep(f, PCI_COMMAND, 2);
}

/* Device control, and the second one. */
static void keep_express(struct pci_function *f)
{
	uint32_t at = f->express;

	if (at != 0) {
		keep(f, at + PCI_EXPRESS_CONTROL, 2);
		if ((pci_config_read(f, at + 2, 2) & EXPRESS_VERSION) > 1) {
			keep(f, at + 0x28, 2);
		}
	}
}

/* Address, data, masks; then control, in which they are off. */
static void keep_messages(struct pci_function *f)
{
	uint32_t at = pci_part(f, PCI_PART_MESSAGES);

	if (at != 0) {
		uint32_t is = pci_config_read(f, at + 2, 2);
		uint32_t words = 2u + ((is & MESSAGES_64) ? 1u : 0u) +
				 ((is & MESSAGES_MASK) ? 1u : 0u);

		for (uint32_t i = 1; i <= words; i++) {
			keep(f, at + 4 * i, 4);
		}
		keep(f, at + 2, 2);
	}
	at = pci_part(f, PCI_PART_TABLE);
	if (at != 0) {
		keep(f, at + 2, 2);
	}
}

/* One of @bytes that ends where it may. */
static uint8_t part(const struct pci_function *f, uint32_t id, uint32_t bytes)
{
	uint32_t at = pci_part(f, id);

	return at + bytes <= 256 ? (uint8_t)at : 0;
}

static enum pci_reset find_reset(struct pci_function *f)
{
	f->express = part(f, PCI_PART_EXPRESS, 12);
	f->advanced = part(f, PART_ADVANCED, 6);
	f->power = part(f, PART_POWER, 8);
	if (f->express && (pci_config_read(f, f->express + PCI_EXPRESS_CAN, 4) &
			   PCI_EXPRESS_CAN_RESET)) {
		return PCI_RESET_EXPRESS;
	}
	if (f->advanced &&
	    (pci_config_read(f, f->advanced + ADVANCED_CAN, 1) &
	     ADVANCED_CAN_RESET) == ADVANCED_CAN_RESET) {
		return PCI_RESET_ADVANCED;
	}
	if (f->power && !(pci_config_read(f, f->power + POWER_STATUS, 2) &
			  POWER_KEEPS)) {
		return PCI_RESET_POWER;
	}
	return PCI_RESET_NONE;
}

__cold int pci_save(struct pci_function *f)
{
	f->id = pci_config_read(f, PCI_VENDOR, 4);
	if (f->id == PCI_NOTHING) {
		return pci_refuse(f, "it does not answer");
	}
	f->reset = (uint8_t)find_reset(f);
	f->nr_saved = 0;
	keep_header(f);
	keep_express(f);
	keep_messages(f);
	return 0;
}

/* ---- the way through a reset --------------------------------------------- */

static bool is_pending(const struct pci_function *f)
{
	if (f->express) {
		return pci_config_read(f, f->express + EXPRESS_STATUS, 2) &
		       EXPRESS_PENDING;
	}
	return f->reset == PCI_RESET_ADVANCED &&
	       (pci_config_read(f, f->advanced + ADVANCED_STATUS, 1) &
		ADVANCED_PENDING);
}

/* True: it was in another state. */
static bool set_power(const struct pci_function *f, uint32_t state)
{
	uint32_t at = f->power + POWER_STATUS;
	uint32_t was = pci_config_read(f, at, 2);

	if ((was & POWER_STATE) == state) {
		return false;
	}
	was &= ~(POWER_STATE | POWER_EVENT);
	pci_config_write(f, at, 2, was | state);
	return true;
}

static void next(struct pci_function *f, uint8_t phase, uint64_t wait_ns)
{
	f->phase = phase;
	f->since_ns = arch_time_ns();
	f->wait_ns = wait_ns;
}

static void start(struct pci_function *f)
{
	uint32_t at = f->express + PCI_EXPRESS_CONTROL;

	switch (f->reset) {
	case PCI_RESET_EXPRESS:
		pci_config_write(f, at, 2,
				 pci_config_read(f, at, 2) |
					 PCI_EXPRESS_RESET);
		next(f, SETTLE, RESET_NS);
		break;
	case PCI_RESET_ADVANCED:
		pci_config_write(f, f->advanced + ADVANCED_CONTROL, 1, 1);
		next(f, SETTLE, RESET_NS);
		break;
	case PCI_RESET_POWER:
		(void)set_power(f, POWER_OFF);
		next(f, OFF, POWER_NS);
		break;
	default:
		next(f, SETTLE, f->power && set_power(f, 0) ? POWER_NS : 0);
		break;
	}
}

static void restore(const struct pci_function *f)
{
	for (uint32_t i = 0; i < f->nr_saved; i++) {
		const struct pci_saved *s = &f->saved[i];

		pci_config_write(f, s->reg, s->bytes, s->value);
	}
	pci_quiet(f);
}

__cold void pci_reset_begin(struct pci_function *f)
{
	next(f, DRAIN, DRAIN_NS);
}

__cold int pci_reset_step(struct pci_function *f)
{
	uint64_t passed = arch_time_ns() - f->since_ns;

	if (passed < f->wait_ns && (f->phase != DRAIN || is_pending(f))) {
		return -EAGAIN;
	}
	if (f->phase == DRAIN) {
		start(f);
		return -EAGAIN;
	}
	if (f->phase == OFF) {
		(void)set_power(f, 0);
		next(f, SETTLE, POWER_NS);
		return -EAGAIN;
	}
	if (pci_config_read(f, PCI_VENDOR, 4) != f->id) {
		return passed < GIVE_UP_NS ? -EAGAIN : -EIO;
	}
	restore(f);
	return 0;
}

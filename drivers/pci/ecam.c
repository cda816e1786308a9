/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration space of PCI functions.
 *
 * Not     which there are (core/pci.c).
 * Spec    [PCIE] 7.2.2 "Enhanced Configuration Access Mechanism": accesses do
 *         not cross a word, and are of the size that is asked for.
 */
#include <hv/ecam.h>

#include <arch/mmio_access.h>

uint32_t ecam_read(const volatile void *at, unsigned int bytes)
{
	if (bytes == 4) {
		return mmio_read32(at);
	}
	return bytes == 2 ? mmio_read16(at) : mmio_read8(at);
}

void ecam_write(volatile void *at, unsigned int bytes, uint32_t value)
{
	if (bytes == 4) {
		mmio_write32(at, value);
	} else if (bytes == 2) {
		mmio_write16(at, (uint16_t)value);
	} else {
		mmio_write8(at, (uint8_t)value);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host stand-in for <arch/mmio_access.h>, for tests of the UART drivers;
 * included before everything (see the CFLAGS line of the test, which defines
 * the functions as models of registers).
 */
#ifndef FAKE_UART_PORT_H
#define FAKE_UART_PORT_H

#define ARCH_MMIO_ACCESS_H

#include <stdint.h>

uint8_t mmio_read8(const volatile void *p);
void mmio_write8(volatile void *p, uint8_t v);
uint32_t mmio_read32(const volatile void *p);
void mmio_write32(volatile void *p, uint32_t v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device register access. One instruction each, of the simple addressing
 * form, so that a hypervisor below us could emulate it too. No ordering
 * beyond what device memory gives.
 */
#ifndef ARCH_MMIO_ACCESS_H
#define ARCH_MMIO_ACCESS_H

#include <stdint.h>

static inline uint8_t mmio_read8(const volatile void *p)
{
	uint32_t v;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return (uint8_t)v;
}

static inline uint16_t mmio_read16(const volatile void *p)
{
	uint32_t v;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return (uint16_t)v;
}

static inline uint32_t mmio_read32(const volatile void *p)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static inline uint64_t mmio_read64(const volatile void *p)
{
	uint64_t v;

	__asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static inline void mmio_write8(volatile void *p, uint8_t v)
{
	__asm__ volatile("strb %w0, [%1]" : : "rZ"(v), "r"(p) : "memory");
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
	__asm__ volatile("strh %w0, [%1]" : : "rZ"(v), "r"(p) : "memory");
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
	__asm__ volatile("str %w0, [%1]" : : "rZ"(v), "r"(p) : "memory");
}

static inline void mmio_write64(volatile void *p, uint64_t v)
{
	__asm__ volatile("str %x0, [%1]" : : "rZ"(v), "r"(p) : "memory");
}

#endif

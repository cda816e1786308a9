/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers; the place of use says what is ordered and with whom. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb(scope) __asm__ volatile("dsb " #scope : : : "memory")
#define dmb(scope) __asm__ volatile("dmb " #scope : : : "memory")
#define wfi() __asm__ volatile("wfi" : : : "memory")
#define wfe() __asm__ volatile("wfe" : : : "memory")
#define sev() __asm__ volatile("sev" : : : "memory")

#endif

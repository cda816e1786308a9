/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host stand-ins for <arch/mmio_access.h>, <arch/sysreg.h> and
 * <arch/barrier.h>, for tests of the GIC drivers; included before everything
 * (see the CFLAGS line of the tests). Frames are memory; set and clear
 * registers of a distributor frame behave as such; all writes are logged.
 */
#ifndef FAKE_GIC_PORT_H
#define FAKE_GIC_PORT_H

#define ARCH_MMIO_ACCESS_H
#define ARCH_SYSREG_H
#define ARCH_BARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lib/bits.h>

#define MPIDR_AFF FIELD64(23, 0)
#define MPIDR_AFF3 FIELD64(39, 32)
#define MPIDR_HWID (MPIDR_AFF | MPIDR_AFF3)

uint32_t mmio_read32(const volatile void *p);
uint64_t mmio_read64(const volatile void *p);
void mmio_write8(volatile void *p, uint8_t v);
void mmio_write32(volatile void *p, uint32_t v);
void mmio_write64(volatile void *p, uint64_t v);

uint64_t fake_sysreg_read(const char *name);
void fake_sysreg_write(const char *name, uint64_t v);
#define read_sysreg(r) fake_sysreg_read(#r)
#define write_sysreg(v, r) fake_sysreg_write(#r, v)
#define isb() fake_event("isb", 0)
#define dsb(scope) fake_event("dsb " #scope, 0)
#define dmb(scope) fake_event("dmb " #scope, 0)

/* ---- for the tests ------------------------------------------------------- */
#define FAKE_FRAME 0x20000u
extern uint8_t fake_gicd[FAKE_FRAME], fake_gicc[FAKE_FRAME];
extern uint8_t fake_gich[FAKE_FRAME];
extern uint8_t fake_gicr[8][FAKE_FRAME];
extern uint32_t fake_stuck;         /* GICD_CTLR bits that never clear */
extern uint64_t fake_reads;

void fake_gic_port_reset(void);
void fake_event(const char *what, uint64_t v);
/* Position of the first event @what with value @v from @from on; -1: none. */
int fake_event_find(const char *what, uint64_t v, int from);
int fake_event_count(const char *what);
void fake_event_clear(void);
uint32_t fake_get32(const uint8_t *frame, uint32_t offset);
void fake_set32(uint8_t *frame, uint32_t offset, uint32_t v);
uint64_t fake_get64(const uint8_t *frame, uint32_t offset);
void fake_set64(uint8_t *frame, uint32_t offset, uint64_t v);
/* The value a register reads as from now on. */
void fake_sysreg_set(const char *name, uint64_t v);
uint64_t fake_sysreg_get(const char *name);

#endif

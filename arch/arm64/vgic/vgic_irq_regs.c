/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register fields per interrupt that GICv2 and GICv3 have alike.
 *
 * Owns    nothing: each function reads or changes the interrupts a->q[0] to
 *         a->q[a->nr - 1] through the state machine.
 * Locks   the domain's vGIC lock is held by the engine (vgic_mmio.c).
 * Bounds  32 interrupts an access.
 * Spec    [GIC] "GICD_ISENABLER<n>" and the other registers of that form.
 */
#include "vgic_mmio.h"

/* Each set bit of @val; bound: 32 bits. */
#define for_each_irq(a, val, bits, q)                                         \
	for (uint64_t bits = (val);                                           \
	     bits && (((q) = &(a)->q[ffs64(bits)]), true); bits &= bits - 1)

uint64_t vgic_rd_enable(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)a->q[i].enabled << i;
	}
	return val;
}

void vgic_wr_set_enable(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_set_enable(a->op, q, true);
	}
}

void vgic_wr_clear_enable(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_set_enable(a->op, q, false);
	}
}

uint64_t vgic_rd_pending(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)virq_read_pending(a->op, &a->q[i]) << i;
	}
	return val;
}

void vgic_wr_set_pending(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_set_pending(a->op, q);
	}
}

void vgic_wr_clear_pending(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_clear_pending(a->op, q);
	}
}

uint64_t vgic_rd_active(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)virq_read_active(a->op, &a->q[i]) << i;
	}
	return val;
}

void vgic_wr_set_active(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_set_active(a->op, q, true);
	}
}

void vgic_wr_clear_active(const struct vgic_access *a, uint64_t val)
{
	struct virq *q;

	for_each_irq(a, val, bits, q) {
		virq_set_active(a->op, q, false);
	}
}

uint64_t vgic_rd_priority(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)a->q[i].priority << i * 8;
	}
	return val;
}

void vgic_wr_priority(const struct vgic_access *a, uint64_t val)
{
	for (uint32_t i = 0; i < a->nr; i++) {
		virq_set_priority(a->op, &a->q[i], (uint8_t)(val >> i * 8));
	}
}

/* Two bits each, of which the upper one says edge-triggered. */
uint64_t vgic_rd_config(const struct vgic_access *a)
{
	uint64_t val = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		val |= (uint64_t)a->q[i].edge << (i * 2 + 1);
	}
	return val;
}

void vgic_wr_config(const struct vgic_access *a, uint64_t val)
{
	for (uint32_t i = 0; i < a->nr; i++) {
		virq_set_edge(a->op, &a->q[i], (val >> (i * 2 + 1)) & 1);
	}
}

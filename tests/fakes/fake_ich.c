/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model of list registers and of a guest's CPU interface.
 *
 * Stops the test on: an index beyond what exists; two valid list registers
 * with one INTID; pending-and-active with HW=1; HW=1 for a physical line that
 * is not active; access while the interface of the CPU is off.
 * Spec  [GIC] "ICH_LR<n>_EL2", "ICH_EISR_EL2", "ICH_MISR_EL2".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/bits.h>
#include <hv/percpu.h>
#include "fake_ich.h"

struct fake_ich fake_ich[FAKE_CPUS];
bool fake_spi_active[1020];
bool fake_spi_line[1020];
bool fake_first_lr;
static uint8_t version_now;

#define STOP(...)                                                             \
	do {                                                                  \
		fprintf(stderr, "fake_ich: " __VA_ARGS__);                    \
		fprintf(stderr, "\n");                                        \
		abort();                                                      \
	} while (0)

static struct fake_ich *own(void)
{
	return &fake_ich[this_cpu()];
}

static uint64_t state_of(uint64_t lr)
{
	return field_get(ICH_LR_STATE, lr);
}

static bool is_eoi(uint64_t lr)
{
	return !state_of(lr) && !(lr & ICH_LR_HW) && (lr & ICH_LR_EOI);
}

static bool *active_flag(struct fake_ich *f, uint32_t pintid)
{
	return pintid < 32 ? &f->ppi_active[pintid] : &fake_spi_active[pintid];
}

static void check_index(unsigned int n)
{
	if (n >= vgic_hw_caps.nr_lrs) {
		STOP("list register %u does not exist", n);
	}
}

static uint64_t fake_read_lr(unsigned int n)
{
	check_index(n);
	own()->lr_reads++;
	return own()->lr[n];
}

static void fake_write_lr(unsigned int n, uint64_t lr)
{
	struct fake_ich *f = own();
	uint32_t pintid = (uint32_t)field_get(ICH_LR_PINTID, lr);

	check_index(n);
	f->lr_writes++;
	f->lr[n] = lr;
	if (!state_of(lr)) {
		return;
	}
	for (unsigned int i = 0; i < vgic_hw_caps.nr_lrs; i++) {
		if (i != n && state_of(f->lr[i]) &&
		    (f->lr[i] & ICH_LR_VINTID) == (lr & ICH_LR_VINTID)) {
			STOP("INTID %u in two list registers",
			     (unsigned int)(lr & ICH_LR_VINTID));
		}
	}
	if (lr & ICH_LR_HW) {
		if (state_of(lr) == LR_BOTH) {
			STOP("HW=1 pending and active");
		}
		if (!*active_flag(f, pintid)) {
			STOP("HW=1 and physical %u is not active", pintid);
		}
	}
	if (!!(lr & ICH_LR_GROUP) != (version_now == 3)) {
		STOP("group of INTID %u", (unsigned int)(lr & ICH_LR_VINTID));
	}
}

static uint64_t fake_empty_lrs(void)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < vgic_hw_caps.nr_lrs; i++) {
		if (!state_of(own()->lr[i]) && !is_eoi(own()->lr[i])) {
			v |= BIT64(i);
		}
	}
	return v;
}

static uint64_t fake_eoi_lrs(void)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < vgic_hw_caps.nr_lrs; i++) {
		if (is_eoi(own()->lr[i])) {
			v |= BIT64(i);
		}
	}
	return v;
}

static void fake_refill_irq(bool few, bool no_pending)
{
	own()->few = few;
	own()->no_pending = no_pending;
}

/* The nest of priorities goes with the vCPU, as the APRs do. */
static struct {
	uint64_t key;
	struct fake_ich f;
} saved[64];
static uint64_t next_key = 1;

static void fake_save_cpuif(struct vgic_cpuif *c)
{
	struct fake_ich *f = own();

	if (!f->on) {
		STOP("save of an interface that is off");
	}
	for (unsigned int i = 0; i < VGIC_MAX_LRS; i++) {
		if (state_of(f->lr[i])) {
			STOP("list register %u is left behind", i);
		}
	}
	for (unsigned int i = 0; i < 32; i++) {
		if (f->ppi_active[i]) {
			STOP("PPI %u is left active", i);
		}
	}
	if (!c->vmcr) {
		c->vmcr = next_key++;
	}
	saved[c->vmcr % 64].f = *f;
	f->on = false;
	f->few = false;
	f->no_pending = false;
	f->nest = 0;
}

static void fake_load_cpuif(const struct vgic_cpuif *c)
{
	struct fake_ich *f = own();

	if (f->on) {
		STOP("load over another vCPU");
	}
	if (c->vmcr) {
		const struct fake_ich *s = &saved[c->vmcr % 64].f;

		memcpy(f->nest_intid, s->nest_intid, sizeof(f->nest_intid));
		memcpy(f->nest_prio, s->nest_prio, sizeof(f->nest_prio));
		f->nest = s->nest;
		f->few = s->few;
		f->no_pending = s->no_pending;
	}
	f->on = true;
}

static void fake_reset_cpuif(struct vgic_cpuif *c)
{
	memset(c, 0, sizeof(*c));
}

static void fake_set_phys_active(uint32_t pintid, bool active)
{
	if (pintid < 16 || pintid >= 1020) {
		STOP("physical INTID %u", pintid);
	}
	*active_flag(own(), pintid) = active;
}

static bool fake_is_phys_pending(uint32_t pintid)
{
	return pintid < 32 ? own()->ppi_line[pintid] : fake_spi_line[pintid];
}

static struct vgic_hw hw = {
	.read_lr = fake_read_lr,
	.write_lr = fake_write_lr,
	.empty_lrs = fake_empty_lrs,
	.eoi_lrs = fake_eoi_lrs,
	.refill_irq = fake_refill_irq,
	.save_cpuif = fake_save_cpuif,
	.load_cpuif = fake_load_cpuif,
	.reset_cpuif = fake_reset_cpuif,
	.set_phys_active = fake_set_phys_active,
	.is_phys_pending = fake_is_phys_pending,
};

void fake_ich_reset(uint8_t version, uint8_t nr_lrs)
{
	memset(fake_ich, 0, sizeof(fake_ich));
	memset(fake_spi_active, 0, sizeof(fake_spi_active));
	memset(fake_spi_line, 0, sizeof(fake_spi_line));
	fake_first_lr = false;
	version_now = version;
	hw.version = version;
	vgic_hw_caps.nr_lrs = nr_lrs;
	vgic_hw_caps.nr_prio_bits = 5;
	vgic_hw = &hw;
}

/* ---- the guest's side ---------------------------------------------------- */

static int best_lr(const struct fake_ich *f)
{
	uint32_t running = f->nest ? f->nest_prio[f->nest - 1] : 0x100;
	uint32_t best_key = UINT32_MAX;
	int best = -1;

	for (unsigned int i = 0; f->on && i < VGIC_MAX_LRS; i++) {
		uint64_t lr = f->lr[i];
		uint32_t prio = (uint32_t)field_get(ICH_LR_PRIORITY, lr);
		uint32_t tie = fake_first_lr ? i :
					       (uint32_t)(lr & ICH_LR_VINTID);
		uint32_t key = prio << 16 | tie;

		if (state_of(lr) == LR_PENDING && prio < running &&
		    key < best_key) {
			best = (int)i;
			best_key = key;
		}
	}
	return best;
}

static uint32_t iar_of(uint64_t lr)
{
	uint32_t intid = (uint32_t)(lr & ICH_LR_VINTID);

	if (version_now == 2 && intid < 16) {
		intid |= (uint32_t)field_get(ICH_LR_V2_SOURCE, lr) << 10;
	}
	return intid;
}

uint32_t fake_highest(unsigned int cpu)
{
	int n = best_lr(&fake_ich[cpu]);

	return n < 0 ? FAKE_NONE : iar_of(fake_ich[cpu].lr[n]);
}

uint32_t fake_ack(unsigned int cpu)
{
	struct fake_ich *f = &fake_ich[cpu];
	int n = best_lr(f);

	if (n < 0) {
		return FAKE_NONE;
	}
	f->lr[n] &= ~ICH_LR_STATE;
	f->lr[n] |= field_prep(ICH_LR_STATE, LR_ACTIVE);
	if (f->nest == FAKE_NEST) {
		STOP("the guest nests too deep");
	}
	f->nest_intid[f->nest] = iar_of(f->lr[n]);
	f->nest_prio[f->nest++] =
		(uint8_t)field_get(ICH_LR_PRIORITY, f->lr[n]);
	return iar_of(f->lr[n]);
}

void fake_drop(unsigned int cpu)
{
	if (fake_ich[cpu].nest) {
		fake_ich[cpu].nest--;
	}
}

void fake_deactivate(unsigned int cpu, uint32_t iar)
{
	struct fake_ich *f = &fake_ich[cpu];

	for (unsigned int i = 0; i < VGIC_MAX_LRS; i++) {
		uint64_t lr = f->lr[i];

		if (!(state_of(lr) & LR_ACTIVE) || iar_of(lr) != iar) {
			continue;
		}
		f->lr[i] &= ~field_prep(ICH_LR_STATE, LR_ACTIVE);
		if (lr & ICH_LR_HW) {
			uint32_t p = (uint32_t)field_get(ICH_LR_PINTID, lr);

			*active_flag(f, p) = false;
		}
		return;
	}
	f->eoi_count++;
}

void fake_eoi(unsigned int cpu, uint32_t iar)
{
	fake_drop(cpu);
	fake_deactivate(cpu, iar);
}

bool fake_maintenance(unsigned int cpu)
{
	const struct fake_ich *f = &fake_ich[cpu];
	unsigned int valid = 0;
	bool pending = false;
	bool eoi = false;

	for (unsigned int i = 0; i < VGIC_MAX_LRS; i++) {
		valid += state_of(f->lr[i]) != 0;
		pending |= state_of(f->lr[i]) == LR_PENDING;
		eoi |= is_eoi(f->lr[i]);
	}
	return f->on && (eoi || (f->few && valid <= 1) ||
			 (f->no_pending && !pending));
}

uint64_t fake_lr(unsigned int cpu, uint32_t intid)
{
	for (unsigned int i = 0; i < VGIC_MAX_LRS; i++) {
		uint64_t lr = fake_ich[cpu].lr[i];

		if (state_of(lr) && (lr & ICH_LR_VINTID) == intid) {
			return lr;
		}
	}
	return 0;
}

enum vgic_lr_state fake_lr_state(unsigned int cpu, uint32_t intid)
{
	return (enum vgic_lr_state)state_of(fake_lr(cpu, intid));
}

unsigned int fake_lrs_in_use(unsigned int cpu)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < VGIC_MAX_LRS; i++) {
		n += state_of(fake_ich[cpu].lr[i]) != 0;
	}
	return n;
}

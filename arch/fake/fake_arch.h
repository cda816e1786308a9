/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host port: what a test sets and looks at. Everything is single-threaded
 * unless a test says otherwise.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

#include <hv/arch.h>
#include <hv/p2m.h>

/* ---- memory ---------------------------------------------------------- */
/* RAM of @size bytes at FAKE_RAM_BASE, filled with a pattern. Frees the old. */
void fake_ram_init(uint64_t size);
void fake_ram_fini(void);
extern uint64_t fake_nr_clears;        /* arch_clear_page() */
extern uint64_t fake_nr_cache_cleans;  /* pages cleaned */

/* ---- second stage ---------------------------------------------------- */
struct fake_p2m_event {
	enum { FAKE_P2M_MAP, FAKE_P2M_UNMAP, FAKE_P2M_SHARE } what;
	uint64_t g;
	uint64_t m;
	unsigned int order;
	uint8_t type;
};

struct fake_p2m_block {
	uint64_t g;
	uint64_t m;
	uint8_t order;
	uint8_t type;
	bool is_unsound;   /* arch_p2m_inspect() says so */
	bool is_bad_table;
};

struct fake_p2m {
	struct fake_p2m_block *block; /* sorted by g */
	size_t nr, room;
	struct fake_p2m_event *event;
	size_t nr_events, events_room;
};

/* Fail the n-th next map or split (1: the next one); 0: none. */
extern uint32_t fake_p2m_fail_in;
/* Called in arch_p2m_unmap() after the entry is gone (TLB maintenance). */
extern void (*fake_p2m_on_tlbi)(struct domain *d, uint64_t g);
/* Called at each look-up, for races. */
extern void (*fake_p2m_on_lookup)(struct domain *d, uint64_t g);
extern unsigned int fake_ipa_bits;

/* ---- interrupts: shared registers, and what virqs are linked to ------- */
extern uint64_t fake_shared_mmio; /* frame */
extern uint64_t fake_doorbell;    /* frame: shared, mapped as such */
extern struct fake_link {
	struct domain *d;
	uint32_t virq, line;
} fake_links[8]; /* d is NULL: none */

/* ---- guest addresses: VA == IPA -------------------------------------- */
extern uint64_t fake_nr_translations;
/* Called after a translation, before its result is used: for races. */
extern void (*fake_on_translate)(struct vcpu *v, uint64_t va, bool write);
/* When not NULL, called in every turn of a spin loop. */
extern void (*fake_on_relax)(void);

/* ---- time, machine --------------------------------------------------- */
extern uint64_t fake_time_ns;
extern uint64_t fake_timer_deadline_ns;
extern bool fake_traps_traced;
extern uint32_t fake_nr_restarts;
extern uint32_t fake_nr_vcpu_dumps;
extern uint32_t fake_nr_machine_off;
extern uint32_t fake_nr_machine_restart;

#endif

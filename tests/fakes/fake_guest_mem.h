/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests for tests of hypercalls: domains with memory mapped where a test
 * says (VA == IPA), and memory that turns against who reads it twice.
 */
#ifndef FAKE_GUEST_MEM_H
#define FAKE_GUEST_MEM_H

#include <stddef.h>
#include <stdint.h>

#include <hv/domain.h>

/*
 * A test that compiles with -Dmemcpy=fake_guest_memcpy sees every copy from
 * RAM counted; while hostile, each byte served is inverted afterwards.
 */
void *fake_guest_memcpy(void *dst, const void *src, size_t n);
void fake_guest_hostile(bool on);
/* How often byte @va of @d was served since fake_guest_hostile(true). */
unsigned int guest_reads(struct domain *d, uint64_t va);

/* Behind the guest's back: neither counted nor inverted. Pages are mapped. */
void guest_put(struct domain *d, uint64_t va, const void *src, size_t n);
void guest_get(struct domain *d, uint64_t va, void *dst, size_t n);
uint64_t guest_get_u64(struct domain *d, uint64_t va);

/* ---- the world: RAM of @mib MiB, domains made by hand ---------------- */
void world_init(uint64_t mib);
struct domain *world_domain(domid_t id, bool is_control, uint32_t nr_vcpus);
/* Allocate and map @nr pages of RAM at frame @g. */
void world_ram(struct domain *d, uint64_t g, uint64_t nr);
/* Tear down all domains and require every frame back. Returns frames lost. */
uint64_t world_fini(void);

/* ---- what stubs of other modules saw --------------------------------- */
struct world_log {
	unsigned int shutdowns;
	domid_t shutdown_domain;
	uint8_t shutdown_code;
	uint8_t shutdown_code_set;
	unsigned int blocks, yields, wakes, posts;
	uint64_t timer_set_ns;
	unsigned int timer_cancels;
	unsigned int info_moved;
	uint64_t affinity;
	char console[2048];
	uint32_t console_len;
	const char *input;
	uint64_t wall_sec, wall_system_ns;
	uint32_t wall_nsec;
	unsigned int wall_sets;
	uint64_t pending_port;
	long refs; /* domain references taken and not dropped */
};
extern struct world_log world_log;
/* The world's own grant frames, for stubs of the grant table. */
#define WORLD_GRANT_FRAMES 40u

#endif

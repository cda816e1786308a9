/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static event channels and signs of life by HVC #0xEA1. Own data: where the
 * shared page is, and which watchdog of Xen's is ours.
 */
#include "bh_event.h"

#include <stdatomic.h>

#define HYPERCALL_MEMORY 12u
#define HYPERCALL_SCHED 29u
#define HYPERCALL_EVENT_CHANNEL 32u
#define MEMORY_ADD_TO_PHYSMAP 7u
#define SCHED_SHUTDOWN 2u
#define SCHED_WATCHDOG 6u
#define SHUTDOWN_REASON_CRASH 3u
#define NEVER_S 1000000u /* the hypervisor's own heartbeat is the one */
#define EVENT_SEND 4u
#define EVENT_UNMASK 9u
#define SPACE_SHARED_INFO 0u
#define DOMAIN_SELF 0x7ff0u
#define PORT_WORDS 64u

/* The beginning of struct shared_info on arm64. */
struct shared_page {
	_Atomic uint8_t upcall_pending; /* vCPU 0 */
	uint8_t unused[7];
	_Atomic uint64_t selector; /* words of pending[] to look at */
	uint8_t time[32];
	_Atomic uint64_t pending[PORT_WORDS];
	_Atomic uint64_t masked[PORT_WORDS];
};

_Static_assert(sizeof(struct shared_page) == 1072, "Xen's layout");

struct add_to_physmap {
	uint16_t domain;
	uint16_t size;
	uint32_t space;
	uint64_t index;
	uint64_t frame;
};

static struct shared_page *shared;

static long hypercall(uint64_t number, uint64_t op, void *argument)
{
	register uint64_t x16 asm("x16") = number;
	register uint64_t x0 asm("x0") = op;
	register void *x1 asm("x1") = argument;

	asm volatile("hvc #0xea1"
		     : "+r"(x0), "+r"(x1), "+r"(x16)
		     :
		     : "x2", "x3", "x4", "memory");
	return (long)x0;
}

long bh_events_open(void *page)
{
	struct add_to_physmap add = {
		.domain = DOMAIN_SELF,
		.space = SPACE_SHARED_INFO,
		.frame = (uintptr_t)page / BH_PAGE_BYTES,
	};

	shared = page;
	return hypercall(HYPERCALL_MEMORY, MEMORY_ADD_TO_PHYSMAP, &add);
}

static void take_word(uint32_t word, void (*each)(uint32_t port))
{
	uint64_t bits = atomic_load(&shared->pending[word]) &
			~atomic_load(&shared->masked[word]);

	while (bits) {
		uint32_t bit = (uint32_t)__builtin_ctzll(bits);

		bits &= bits - 1;
		atomic_fetch_and(&shared->pending[word],
				 ~(UINT64_C(1) << bit));
		if (each) {
			each(word * 64 + bit);
		}
	}
}

void bh_events_take(void (*each)(uint32_t port))
{
	uint64_t words;

	/* First this: whatever is set from now on interrupts again. */
	atomic_store(&shared->upcall_pending, 0);
	words = atomic_exchange(&shared->selector, 0);
	while (words) {
		take_word((uint32_t)__builtin_ctzll(words), each);
		words &= words - 1;
	}
}

long bh_event_send(uint32_t port)
{
	return hypercall(HYPERCALL_EVENT_CHANNEL, EVENT_SEND, &port);
}

void bh_event_mask(uint32_t port)
{
	atomic_fetch_or(&shared->masked[port / 64 % PORT_WORDS],
			UINT64_C(1) << port % 64);
}

long bh_event_unmask(uint32_t port)
{
	return hypercall(HYPERCALL_EVENT_CHANNEL, EVENT_UNMASK, &port);
}

long bh_alive(void)
{
	static uint32_t dog; /* 0: the call gives one */
	struct {
		uint32_t id;
		uint32_t seconds;
	} sign = { dog, NEVER_S };
	long rc = hypercall(HYPERCALL_SCHED, SCHED_WATCHDOG, &sign);

	if (rc > 0) {
		dog = (uint32_t)rc;
	}
	return rc < 0 ? rc : 0;
}

void bh_crash(void)
{
	uint32_t reason = SHUTDOWN_REASON_CRASH;

	for (;;) {
		hypercall(HYPERCALL_SCHED, SCHED_SHUTDOWN, &reason);
	}
}

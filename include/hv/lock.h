/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranked spinlocks. EL2 runs with interrupts masked, so there is no _irqsave
 * form. The checking build compares ranks on every acquire
 * (debug/lock_check.c); the release build has no trace of it.
 *
 * Who waits is served in the order of arrival, and nobody overtakes; see
 * core/lock.c for the machine on which that is given up.
 */
#ifndef HV_LOCK_H
#define HV_LOCK_H

#include <lib/types.h>
#include <hv/lock_ranks.h>

#ifdef __clang__
#define CAPABILITY(x) __attribute__((capability(x)))
#define ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(x)
#define ACQUIRE(...)
#define RELEASE(...)
#define REQUIRES(...)
#define EXCLUDES(...)
#define NO_LOCK_ANALYSIS
#endif

struct CAPABILITY("spinlock") spinlock {
	union {
		uint16_t word; /* 0: free, and nobody waits */
		struct {
			uint8_t held;	 /* 0 or 1; low byte of word */
			uint8_t waiters; /* that are in the order */
		};
	};
	uint8_t head; /* ticket of the first who waits */
	uint8_t next; /* next ticket to hand out */
	uint8_t rank; /* enum lock_rank */
};

#define SPINLOCK_INIT(r)                                                      \
	{                                                                     \
		.rank = LOCK_RANK_##r                                         \
	}

static inline void spin_lock_init(struct spinlock *l, enum lock_rank rank)
{
	l->word = 0;
	l->head = 0;
	l->next = 0;
	l->rank = (uint8_t)rank;
}

#ifdef CONFIG_DEBUG
void lock_check_acquire(const struct spinlock *l);
void lock_check_release(const struct spinlock *l);
/* Allows one second lock of the same rank; used by lock_pair() only. */
void lock_check_pair(const struct spinlock *l);
#else
static inline void lock_check_acquire(const struct spinlock *l)
{
	(void)l;
}
static inline void lock_check_release(const struct spinlock *l)
{
	(void)l;
}
static inline void lock_check_pair(const struct spinlock *l)
{
	(void)l;
}
#endif

/* The slow half of spin_lock(): wait, politely, and take it. */
void spin_lock_wait(struct spinlock *l);

static inline void spin_lock_raw(struct spinlock *l) NO_LOCK_ANALYSIS;
static inline void spin_lock_raw(struct spinlock *l)
{
	uint16_t is_free = 0;

	if (unlikely(!__atomic_compare_exchange_n(&l->word, &is_free, 1, false,
						  __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED))) {
		spin_lock_wait(l);
	}
}

static inline void spin_lock(struct spinlock *l) ACQUIRE(*l) NO_LOCK_ANALYSIS;
static inline void spin_lock(struct spinlock *l)
{
	lock_check_acquire(l);
	spin_lock_raw(l);
}

static inline void spin_unlock(struct spinlock *l) RELEASE(*l) NO_LOCK_ANALYSIS;
static inline void spin_unlock(struct spinlock *l)
{
	lock_check_release(l);
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/*
 * Two locks of one rank. The caller passes them in the order of the ids of
 * domains or CPUs (a first); a == b takes it once.
 */
static inline void lock_pair(struct spinlock *a, struct spinlock *b)
	NO_LOCK_ANALYSIS;
static inline void lock_pair(struct spinlock *a, struct spinlock *b)
{
	spin_lock(a);
	if (a != b) {
		lock_check_pair(b);
		spin_lock_raw(b);
	}
}

static inline void unlock_pair(struct spinlock *a, struct spinlock *b)
	NO_LOCK_ANALYSIS;
static inline void unlock_pair(struct spinlock *a, struct spinlock *b)
{
	if (a != b) {
		spin_unlock(b);
	}
	spin_unlock(a);
}

#endif

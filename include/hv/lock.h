/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranked ticket spinlocks. EL2 runs with interrupts masked, so there is no
 * _irqsave form. The checking build compares ranks on every acquire
 * (debug/lock_check.c); the release build has no trace of it.
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
	uint16_t owner; /* ticket being served */
	uint16_t next;  /* next ticket to hand out */
	uint8_t rank;   /* enum lock_rank */
};

#define SPINLOCK_INIT(r)                                                      \
	{                                                                     \
		.rank = LOCK_RANK_##r                                         \
	}

static inline void spin_lock_init(struct spinlock *l, enum lock_rank rank)
{
	l->owner = 0;
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

/* The slow half of spin_lock(): wait for @ticket, politely. */
void spin_lock_wait(struct spinlock *l, uint16_t ticket);

static inline void spin_lock_raw(struct spinlock *l) NO_LOCK_ANALYSIS;
static inline void spin_lock_raw(struct spinlock *l)
{
	uint16_t t = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != t)) {
		spin_lock_wait(l, t);
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
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
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

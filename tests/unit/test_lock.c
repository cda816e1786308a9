/* SPDX-License-Identifier: Apache-2.0 */
/* Spinlocks with threads for CPUs: exclusion, order, and the order given up. */
// LINK: core/lock.c
// LIBS: -lpthread
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <hv/arch.h>
#include <hv/lock.h>

#define NR     6u
#define ROUNDS 20000u
#define LONG   1200000u /* more than a turn of others takes */

static struct spinlock lock = SPINLOCK_INIT(RUNQ);
static uint32_t shared;	 /* the lock's */
static uint32_t came[NR]; /* the lock's: in which order */
static uint32_t nr_came;
static uint32_t polls; /* atomic */

void lock_check_acquire(const struct spinlock *l)
{
	(void)l;
}

void lock_check_release(const struct spinlock *l)
{
	(void)l;
}

void lock_check_pair(const struct spinlock *l)
{
	(void)l;
}

void arch_cpu_relax(void)
{
	__atomic_fetch_add(&polls, 1, __ATOMIC_RELAXED);
	sched_yield();
}

static void *count(void *arg)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		spin_lock(&lock);
		shared++;
		spin_unlock(&lock);
	}
	return arg;
}

static void *come(void *arg)
{
	spin_lock(&lock);
	came[nr_came++] = (uint32_t)(uintptr_t)arg;
	spin_unlock(&lock);
	return NULL;
}

static void count_all(void)
{
	pthread_t t[NR];

	shared = 0;
	for (uint32_t i = 0; i < NR; i++) {
		cr_assert_eq(pthread_create(&t[i], NULL, count, NULL), 0);
	}
	for (uint32_t i = 0; i < NR; i++) {
		cr_assert_eq(pthread_join(t[i], NULL), 0);
	}
	cr_assert_eq(shared, NR * ROUNDS);
	cr_assert_eq(lock.word, 0);
	cr_assert_eq(lock.head, lock.next);
}

Test(lock, alone)
{
	for (uint32_t i = 0; i < 1000; i++) {
		spin_lock(&lock);
		cr_assert_eq(lock.word, 1);
		spin_unlock(&lock);
		cr_assert_eq(lock.word, 0);
	}
	cr_assert_eq(lock.next, 0); /* nobody waited */
}

Test(lock, excludes)
{
	count_all();
}

/* Each draws its ticket before the next one comes. */
Test(lock, order_of_arrival)
{
	pthread_t t[NR];

	lock.head = lock.next = 253; /* tickets wrap */
	spin_lock(&lock);
	for (uint32_t i = 0; i < NR; i++) {
		cr_assert_eq(pthread_create(&t[i], NULL, come,
					    (void *)(uintptr_t)i), 0);
		while (__atomic_load_n(&lock.next, __ATOMIC_RELAXED) !=
		       (uint8_t)(254 + i)) {
			sched_yield();
		}
	}
	cr_assert_eq(lock.waiters, NR);
	spin_unlock(&lock);
	for (uint32_t i = 0; i < NR; i++) {
		cr_assert_eq(pthread_join(t[i], NULL), 0);
		cr_assert_eq(came[i], i);
	}
	cr_assert_eq(lock.word, 0);
}

/* It is free, and the first in the order does not run: nobody overtakes. */
Test(lock, nobody_overtakes)
{
	pthread_t t;

	lock.waiters = 1;
	lock.next = 1; /* that one's ticket was 0 */
	cr_assert_eq(pthread_create(&t, NULL, come, NULL), 0);
	while (__atomic_load_n(&lock.waiters, __ATOMIC_RELAXED) != 2) {
		sched_yield();
	}
	usleep(1000);
	cr_assert_eq(lock.held, 0);
	__atomic_store_n(&lock.head, 1, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(t, NULL), 0);
	cr_assert_eq(lock.waiters, 1);
}

/* ... until it has not run for long: then those that come do. */
Test(lock, the_order_is_given_up)
{
	pthread_t t[2];

	lock.waiters = 1;
	lock.next = 1;
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(pthread_create(&t[i], NULL, come, NULL), 0);
		while (__atomic_load_n(&polls, __ATOMIC_RELAXED) < LONG) {
			sched_yield();
		}
	}
	cr_assert_eq(pthread_join(t[1], NULL), 0);
	cr_assert_eq(nr_came, 1);
	__atomic_store_n(&lock.head, 1, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(t[0], NULL), 0);
	cr_assert_eq(nr_came, 2);
	lock.word = 0;
	lock.head = lock.next;
	count_all();
}

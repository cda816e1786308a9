/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow half of a ticket lock.
 *
 * Bounds  a waiter waits for at most NR_CPUS - 1 holders, each of which holds
 *         the lock for a bounded time; tickets make the order that of arrival.
 */
#include <hv/lock.h>
#include <hv/arch.h>

void spin_lock_wait(struct spinlock *l, uint16_t ticket)
{
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket) {
		arch_cpu_relax();
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For `// CFLAGS: -include tests/fakes/fake_atomics.h`: a hook before each
 * explicit atomic load and store of what is linked, so that a race is a place
 * that a test chooses. The order that the code asks for is not looked at.
 */
#ifndef FAKE_ATOMICS_H
#define FAKE_ATOMICS_H

#include <stdatomic.h>

/* The test's own; NULL: no hook. */
extern void (*on_access)(const volatile void *at);

#define FAKE_TOUCH(at) (on_access ? on_access(at) : (void)0)
#undef atomic_load_explicit
#undef atomic_store_explicit
#define atomic_load_explicit(at, order)                                       \
	(FAKE_TOUCH(at), __atomic_load_n(at, __ATOMIC_ACQUIRE))
#define atomic_store_explicit(at, value, order)                               \
	(FAKE_TOUCH(at), __atomic_store_n(at, value, __ATOMIC_RELEASE))

#endif

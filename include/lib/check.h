/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three claims about our own code, never about what a guest controls.
 *
 * ASSERT(x)  proved: compiled only in the checking build (make DEBUG=1).
 * ALWAYS(x)  believed: evaluates to x; the checking build panics when it is
 * NEVER(x)   false (true for NEVER), the release path handles it.
 * CHECK(x)   always on: going on would be unsafe.
 */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include <lib/types.h>

__noreturn void check_failed(const char *what, const char *file, int line);

#define CHECK(x)                                                              \
	do {                                                                  \
		if (unlikely(!(x))) {                                         \
			check_failed(#x, __FILE__, __LINE__);                 \
		}                                                             \
	} while (0)

#ifdef CONFIG_DEBUG
#define ASSERT(x) CHECK(x)
#define ALWAYS(x) (likely(x) ? 1 : (check_failed(#x, __FILE__, __LINE__), 0))
#define NEVER(x)                                                              \
	(unlikely(x) ? (check_failed("!" #x, __FILE__, __LINE__), 1) : 0)
#else
#define ASSERT(x) ((void)sizeof(!(x)))
#define ALWAYS(x) (x)
#define NEVER(x) (x)
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the golden lists of this folder are written with. */
#ifndef TESTS_ABI_LAYOUT_H
#define TESTS_ABI_LAYOUT_H

#define SIZE(type, bytes)                                                     \
	_Static_assert(sizeof(type) == (bytes), "size of " #type);
#define OFFSET(type, member, at)                                              \
	_Static_assert(__builtin_offsetof(type, member) == (at),              \
		       "offset of " #type "." #member);
#define NUMBER(name, value)                                                   \
	_Static_assert((name) == (value), "number of " #name);

#endif

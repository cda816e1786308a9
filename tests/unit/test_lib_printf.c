/* SPDX-License-Identifier: Apache-2.0 */
// LINK: lib/printf.c
// CFLAGS: -Wno-format
#include <criterion/criterion.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lib/printf.h>

#define SAME(...)                                                             \
	do {                                                                  \
		char x[300], y[300];                                          \
		int m = hv_snprintf(x, sizeof(x), __VA_ARGS__);               \
		int n = snprintf(y, sizeof(y), __VA_ARGS__);                  \
		cr_assert_str_eq(x, y);                                       \
		cr_assert_eq(m, n);                                           \
	} while (0)

Test(lib_printf, integers_as_the_libc_prints_them)
{
	static const long long v[] = { 0, 1, -1, 9, 10, -10, 127, 128, 255,
				       256, INT_MAX, INT_MIN, UINT_MAX,
				       LLONG_MAX, LLONG_MIN };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		SAME("%d|%i|%u|%x|%X", (int)v[i], (int)v[i], (unsigned)v[i],
		     (unsigned)v[i], (unsigned)v[i]);
		SAME("%ld %lu %lx %lld %llu %llX", (long)v[i],
		     (unsigned long)v[i], (unsigned long)v[i], v[i],
		     (unsigned long long)v[i], (unsigned long long)v[i]);
		SAME("%zu %zx %hd %hu %hhd %hhx", (size_t)v[i], (size_t)v[i],
		     (int)v[i], (unsigned)v[i], (int)v[i], (unsigned)v[i]);
		SAME("[%5d] [%-5d] [%05d] [%20llx] [%-20llx] [%020llx]",
		     (int)v[i], (int)v[i], (int)v[i], v[i], v[i], v[i]);
		SAME("[%*d] [%-*d] [%*d]", 7, (int)v[i], 7, (int)v[i], -7,
		     (int)v[i]);
		SAME("%#x %#llx %#010x %.3d %8.3d %-8.5x", (int)v[i], v[i],
		     (int)v[i], (int)v[i], (int)v[i], (int)v[i]);
	}
	SAME("%.0d|%.0u", 0, 0);
}

Test(lib_printf, text)
{
	SAME("plain");
	SAME("%s|%10s|%-10s|%.2s|%10.2s|%.*s", "abc", "abc", "abc", "abc",
	     "abc", 1, "abc");
	SAME("%c%5c%-5c|%%", 'x', 'y', 'z');
	SAME("%p", (void *)0x1234);
	SAME("%.*s", 5000, "long precision");
	SAME("%.*s", -1, "no precision");
	SAME("%s", (char *)NULL);
}

Test(lib_printf, never_writes_beyond_the_buffer)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	cr_assert_eq(hv_snprintf(buf, 4, "abcdefg"), 7);
	cr_assert_eq(memcmp(buf, "abc\0xxxx", 8), 0);
	cr_assert_eq(hv_snprintf(buf, 1, "%d", 12), 2);
	cr_assert_eq(buf[0], '\0');
	buf[0] = 'x';
	cr_assert_eq(hv_snprintf(buf, 0, "%d", 12), 2);
	cr_assert_eq(buf[0], 'x');
	cr_assert_eq(hv_snprintf(NULL, 0, "%100d", 1), 100);
}

Test(lib_printf, odd_formats_stay_harmless)
{
	char buf[64];

	hv_snprintf(buf, sizeof(buf), "%q %n");
	cr_assert_str_eq(buf, "%q %n");
	hv_snprintf(buf, sizeof(buf), "end %");
	cr_assert_str_eq(buf, "end ");
	hv_snprintf(buf, sizeof(buf), "end %-05ll");
	cr_assert_str_eq(buf, "end ");
	cr_assert_eq(hv_snprintf(buf, sizeof(buf), "%99999999999d", 1), 1024);
}

/* SPDX-License-Identifier: Apache-2.0 */
// LINK: lib/string.c
// CFLAGS: -fno-builtin
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/string.h>

#define N 160

static unsigned char src[N], a[N], b[N];

static void fill(void)
{
	unsigned int i;

	for (i = 0; i < N; i++) {
		src[i] = (unsigned char)(i * 7 + 3);
		a[i] = b[i] = (unsigned char)(255 - i);
	}
}

Test(lib_string, memcpy_any_offset_and_length)
{
	size_t so, d, n;

	for (so = 0; so < 9; so++) {
		for (d = 0; d < 9; d++) {
			for (n = 0; n <= 140; n++) {
				fill();
				cr_assert_eq(lib_memcpy(a + d, src + so, n),
					     a + d);
				memcpy(b + d, src + so, n);
				cr_assert_eq(memcmp(a, b, N), 0);
			}
		}
	}
}

Test(lib_string, copy_small_any_offset_and_length)
{
	size_t so, d, n;

	for (so = 0; so < 9; so++) {
		for (d = 0; d < 9; d++) {
			for (n = 0; n <= 100; n++) {
				fill();
				copy_small(a + d, src + so, n);
				memcpy(b + d, src + so, n);
				cr_assert_eq(memcmp(a, b, N), 0);
			}
		}
	}
}

Test(lib_string, memmove_overlaps_both_ways)
{
	size_t from, to, n;

	for (from = 0; from < 40; from += 3) {
		for (to = 0; to < 40; to++) {
			for (n = 0; n <= 110; n += 5) {
				fill();
				cr_assert_eq(lib_memmove(a + to, a + from, n),
					     a + to);
				memmove(b + to, b + from, n);
				cr_assert_eq(memcmp(a, b, N), 0);
			}
		}
	}
}

Test(lib_string, memset_any_offset_and_length)
{
	size_t d, n;

	for (d = 0; d < 9; d++) {
		for (n = 0; n <= 140; n++) {
			fill();
			cr_assert_eq(lib_memset(a + d, 0x1c3, n), a + d);
			memset(b + d, 0x1c3, n);
			cr_assert_eq(memcmp(a, b, N), 0);
		}
	}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

Test(lib_string, memcmp_and_memchr)
{
	size_t n, at;

	for (n = 0; n <= 40; n++) {
		for (at = 0; at < n; at++) {
			fill();
			memcpy(a, src, N);
			a[at] ^= 0x80;
			cr_assert_eq(sign(lib_memcmp(a, src, n)),
				     sign(memcmp(a, src, n)));
			cr_assert_eq(sign(lib_memcmp(src, a, n)),
				     sign(memcmp(src, a, n)));
			cr_assert_eq(lib_memcmp(a, src, at), 0);
			cr_assert_eq(lib_memchr(src, src[at], n),
				     memchr(src, src[at], n));
		}
		cr_assert_eq(lib_memchr(src, 1, n), memchr(src, 1, n));
	}
}

static const char *const words[] = {
	"", "a", "ab", "abc", "abcabcabd", "abd", "b", "\xff", "\x7f",
	"console=hvc0 root=/dev/vda", "root", "hvc", "zz", "abcabd",
};
#define NR_WORDS (sizeof(words) / sizeof(words[0]))

Test(lib_string, comparisons_and_searches)
{
	size_t i, j, n;
	int c;

	for (i = 0; i < NR_WORDS; i++) {
		const char *x = words[i];

		cr_assert_eq(lib_strlen(x), strlen(x));
		for (c = 0; c < 256; c++) {
			cr_assert_eq(lib_strchr(x, c), strchr(x, c));
			cr_assert_eq(lib_strrchr(x, c), strrchr(x, c));
		}
		for (j = 0; j < NR_WORDS; j++) {
			const char *y = words[j];

			cr_assert_eq(sign(lib_strcmp(x, y)),
				     sign(strcmp(x, y)));
			for (n = 0; n < 12; n++) {
				cr_assert_eq(sign(lib_strncmp(x, y, n)),
					     sign(strncmp(x, y, n)));
				cr_assert_eq(lib_strnlen(x, n),
					     strnlen(x, n));
			}
		}
	}
}

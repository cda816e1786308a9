/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the standard's examples and against sha256sum. */
// LINK: lib/sha256.c
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lib/sha256.h>

#define HEX (2 * SHA256_SIZE + 1)
#define EDGES 200u /* lengths tried: three blocks and more */

static uint64_t nr_blocks;

static void counted(uint32_t h[8], const uint8_t *data, uint64_t nr)
{
	nr_blocks += nr;
	sha256_blocks(h, data, nr);
}

/* In pieces of @step bytes. */
static const char *hash(const void *data, size_t size, size_t step)
{
	static char text[HEX];
	uint8_t out[SHA256_SIZE];
	struct sha256 s;

	sha256_begin(&s, counted);
	for (size_t at = 0; at < size; at += step) {
		sha256_add(&s, (const char *)data + at,
			   size - at < step ? size - at : step);
	}
	sha256_end(&s, out);
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		snprintf(text + 2 * i, 3, "%02x", out[i]);
	}
	return text;
}

static void expect(const char *message, const char *text)
{
	cr_assert_str_eq(hash(message, strlen(message), 1000), text, "%s",
			 message);
	cr_assert_str_eq(hash(message, strlen(message), 1), text);
}

/* FIPS 180-4's examples (NIST's "SHA256.pdf"), and of no bytes at all. */
Test(sha256, of_the_standard)
{
	expect("", "e3b0c44298fc1c149afbf4c8996fb924"
		   "27ae41e4649b934ca495991b7852b855");
	expect("abc", "ba7816bf8f01cfea414140de5dae2223"
		      "b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	       "248d6a61d20638b8e5c026930c3e6039"
	       "a33ce45964ff2167f6ecedd419db06c1");
	expect("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	       "cf5b16a778af8380036ce59e7b049237"
	       "0b249b11e8f07a51afac45037afee9d1");
}

Test(sha256, a_million_times_a)
{
	static char a[1000000];

	memset(a, 'a', sizeof(a));
	cr_assert_str_eq(hash(a, sizeof(a), sizeof(a)),
			 "cdc76e5c9914fb9281a1c7e284d73e67"
			 "f1809a48a497200e046d39ccc7112cd0");
	cr_assert_str_eq(hash(a, sizeof(a), 997),
			 "cdc76e5c9914fb9281a1c7e284d73e67"
			 "f1809a48a497200e046d39ccc7112cd0");
}

/* Every length up to three blocks, at every alignment, in every division. */
Test(sha256, lengths_around_the_edges)
{
	char dir[] = "/tmp/test_sha256.XXXXXX";
	char command[80];
	char line[256];
	uint8_t data[EDGES + 8];
	unsigned int n = 0;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 37 + 200);
	}
	for (unsigned int len = 0; len < EDGES; len++) {
		snprintf(line, sizeof(line), "%s/%03u", dir, len);
		f = fopen(line, "wb");
		cr_assert_eq(fwrite(data + len % 8, 1, len, f), len);
		cr_assert_eq(fclose(f), 0);
	}
	snprintf(command, sizeof(command), "sha256sum %s/*", dir);
	f = popen(command, "r");
	for (; fgets(line, sizeof(line), f); n++) {
		line[HEX - 1] = 0;
		for (size_t step = 1; step < 130; step++) {
			cr_assert_str_eq(hash(data + n % 8, n, step), line,
					 "%u bytes, %zu at a time", n, step);
		}
	}
	cr_assert_eq(pclose(f), 0);
	cr_assert_eq(n, EDGES);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

/* The function is the caller's: it gets every block once. */
Test(sha256, whole_blocks)
{
	uint8_t data[1000] = { 0 };

	for (size_t step = 1; step < 200; step += 7) {
		nr_blocks = 0;
		hash(data, sizeof(data), step);
		cr_assert_eq(nr_blocks, 16);
	}
}

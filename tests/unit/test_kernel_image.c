/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel images of every wrapping, and gunzip against the real gzip. The real
 * kernel of build/peer is used when it is there.
 */
// LINK: boot/gunzip.c boot/inflate.c boot/kernel_image.c
// LINK: tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/kernel_image.h"
#include "fake_log.h"

#define SIZE 300000u

static uint8_t plain[SIZE];
static uint8_t packed[SIZE + 4096];
static uint8_t out[SIZE];
static struct gunzip_work work;

static void put_le(uint8_t *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++, v >>= 8) {
		p[i] = (uint8_t)v;
	}
}

/* Data with runs, text and noise, so that every kind of block appears. */
static void fill(uint8_t *p, size_t n, uint32_t noise)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (seed >> 24) < noise ? (uint8_t)(seed >> 16) :
		       (uint8_t)("the quick brown fox "[i % 20] + i / 5000);
	}
}

static void make_image(void)
{
	fill(plain, SIZE, 20);
	memset(plain, 0, 64);
	put_le(plain + 8, 0, 8);
	put_le(plain + 16, SIZE + 0x10000, 8);
	put_le(plain + 24, 0xa, 8);
	put_le(plain + 56, 0x644d5241, 4);
}

/* @n bytes of plain through gzip into packed; its size. */
static size_t gzip(size_t n, const char *level)
{
	char name[] = "/tmp/test_kernel_image.XXXXXX";
	char cmd[128];
	int fd = mkstemp(name);
	size_t len;
	FILE *f;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, plain, n), (ssize_t)n);
	close(fd);
	snprintf(cmd, sizeof(cmd), "gzip -c %s < %s", level, name);
	f = popen(cmd, "r");
	cr_assert_not_null(f);
	len = fread(packed, 1, sizeof(packed), f);
	pclose(f);
	unlink(name);
	cr_assert_gt(len, 18);
	return len;
}

static void refused(const void *data, uint64_t size, const char *why)
{
	struct kernel_image k;

	fake_log_reset();
	cr_assert_eq(kernel_image_probe(data, size, &k), -EINVAL, "%s", why);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], why), "%s",
			   fake_log_last[LOG_ERR]);
}

/* Probes and loads to the plain Image. */
static void loads(const void *data, uint64_t size)
{
	struct kernel_image k;

	fake_log_reset();
	cr_assert_eq(kernel_image_probe(data, size, &k), 0, "%s",
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(k.file_size, SIZE);
	cr_assert_eq(k.image_size, SIZE + 0x10000);
	cr_assert_eq(k.page_size, 4096);
	cr_assert(k.place_anywhere);
	memset(out, 0, sizeof(out));
	cr_assert_eq(kernel_image_load(&k, data, out, sizeof(out)), 0);
	cr_assert_eq(memcmp(out, plain, SIZE), 0);
	cr_assert_eq(kernel_image_load(&k, data, out, SIZE - 1), -ENOSPC);
}

Test(image, plain)
{
	make_image();
	loads(plain, SIZE);
}

Test(image, gzip)
{
	make_image();
	loads(packed, gzip(SIZE, "-9"));
	loads(packed, gzip(SIZE, "-1"));
}

Test(image, uimage_and_zboot)
{
	static uint8_t file[SIZE + 4096];
	size_t n;

	make_image();
	put_le(file, 0x56190527, 4);
	file[29] = 22;
	file[12] = (uint8_t)(SIZE >> 24);
	file[13] = (uint8_t)(SIZE >> 16);
	file[14] = (uint8_t)(SIZE >> 8);
	file[15] = (uint8_t)SIZE;
	memcpy(file + 64, plain, SIZE);
	loads(file, SIZE + 64);
	refused(file, SIZE, "cut off");
	file[31] = 3;
	refused(file, SIZE + 64, "gzip");
	file[29] = 2;
	refused(file, SIZE + 64, "architecture");

	n = gzip(SIZE, "-6");
	memset(file, 0, 64);
	memcpy(file, "MZ\0\0zimg", 8);
	put_le(file + 8, 512, 4);
	put_le(file + 12, n, 4);
	memcpy(file + 24, "gzip", 5);
	memcpy(file + 512, packed, n);
	loads(file, n + 512);
	refused(file, n + 511, "cut off");
	memcpy(file + 24, "zstd22", 7);
	refused(file, n + 512, "gzip");
}

Test(image, header_fields)
{
	struct kernel_image k;

	make_image();
	put_le(plain + 24, 0xb, 8);
	refused(plain, SIZE, "big-endian");
	put_le(plain + 24, 6, 8);
	cr_assert_eq(kernel_image_probe(plain, SIZE, &k), 0);
	cr_assert_eq(k.page_size, 65536);
	cr_assert_not(k.place_anywhere);
	put_le(plain + 8, 0x80000, 8);
	cr_assert_eq(kernel_image_probe(plain, SIZE, &k), 0);
	cr_assert_eq(k.text_offset, 0x80000);
	put_le(plain + 8, 0x200000, 8);
	refused(plain, SIZE, "impossible");
	put_le(plain + 8, 0, 8);
	put_le(plain + 16, UINT64_MAX, 8);
	refused(plain, SIZE, "impossible");
	put_le(plain + 16, 0, 8);
	cr_assert_eq(kernel_image_probe(plain, SIZE, &k), 0);
	cr_assert_eq(k.text_offset, 0x80000, "as before Linux 3.17");
	cr_assert_eq(k.image_size, SIZE);
}

Test(image, other_files)
{
	uint8_t *tiny = malloc(63);

	make_image();
	memcpy(tiny, plain, 63);
	for (uint32_t n = 0; n < 64; n++) {
		uint8_t *cut = malloc(n ? n : 1);

		memcpy(cut, plain, n);
		refused(cut, n, "shorter");
		free(cut);
	}
	free(tiny);
	put_le(plain + 56, 0, 4);
	refused(plain, SIZE, "no arm64 Image");
	put_le(plain + 36, 0x016f2818, 4);
	refused(plain, SIZE, "32-bit zImage");
	memcpy(plain, "\x7f" "ELF", 4);
	refused(plain, SIZE, "ELF");
}

Test(image, cut_off_behind_its_efi_sections)
{
	struct kernel_image k;

	make_image();
	put_le(plain + 60, 64, 4);
	memcpy(plain + 64, "PE\0\0", 4);
	put_le(plain + 70, 1, 2);
	put_le(plain + 84, 160, 2);
	put_le(plain + 64 + 24 + 160 + 16, SIZE - 0x1000, 4);
	put_le(plain + 64 + 24 + 160 + 20, 0x1000, 4);
	cr_assert_eq(kernel_image_probe(plain, SIZE, &k), 0);
	refused(plain, SIZE - 1, "cut off");
	refused(plain, 200, "cut off");
	put_le(plain + 60, 0xffffffff, 4);
	cr_assert_eq(kernel_image_probe(plain, SIZE, &k), 0, "no PE at all");
}

/* ---- gunzip -------------------------------------------------------------- */

Test(gunzip, unpacks_what_gzip_packs)
{
	static const uint32_t sizes[] = { 1, 2, 100, 4096, 70000, SIZE };
	uint64_t got;

	for (uint32_t noise = 0; noise <= 256; noise += 64) {
		fill(plain, SIZE, noise);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			const char *level = i % 2 ? "-1" : "-9";
			size_t n = gzip(sizes[i], level);

			cr_assert_eq(gunzip(&work, out, SIZE, packed, n, &got),
				     0, "noise %u size %u", noise, sizes[i]);
			cr_assert_eq(got, sizes[i]);
			cr_assert_eq(memcmp(out, plain, got), 0);
			cr_assert_eq(gunzip_size(packed, n), sizes[i]);
		}
	}
}

Test(gunzip, never_passes_the_limit)
{
	uint64_t got;
	size_t n;

	fill(plain, SIZE, 40);
	n = gzip(SIZE, "-6");
	for (uint32_t limit = 0; limit < SIZE; limit += 9973) {
		uint8_t *room = malloc(limit ? limit : 1);

		cr_assert_eq(gunzip(&work, room, limit, packed, n, &got),
			     -ENOSPC);
		cr_assert_eq(got, limit);
		cr_assert_eq(memcmp(room, plain, limit), 0);
		free(room);
	}
}

Test(gunzip, every_cut_and_every_flip_is_noticed)
{
	uint64_t got;
	size_t n;

	fill(plain, SIZE, 40);
	n = gzip(3000, "-9");
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, packed, cut);
		cr_assert_neq(gunzip(&work, out, SIZE, part, cut, &got), 0,
			      "%zu", cut);
		free(part);
	}
	for (size_t at = 0; at < n; at++) {
		int rc;

		if (at >= 4 && at < 10) {
			continue; /* time, flags of the packer */
		}
		packed[at] ^= 0x10;
		rc = gunzip(&work, out, SIZE, packed, n, &got);
		packed[at] ^= 0x10;
		/* Bits between the data and its CRC say nothing. */
		cr_assert(rc != 0 || at == n - 9 ||
			  memcmp(out, plain, 3000) == 0, "%zu", at);
		cr_assert(rc != 0 || at == 3 || at >= n - 9, "%zu", at);
	}
}

Test(gunzip, headers_with_everything)
{
	uint8_t h[4200] = { 0x1f, 0x8b, 8, 2 | 4 | 8 | 16 };
	uint64_t got;
	size_t n;
	size_t pos = 10;

	fill(plain, SIZE, 0);
	n = gzip(1000, "-n");
	h[pos++] = 5;
	pos += 1 + 5;
	pos += (size_t)sprintf((char *)h + pos, "name") + 1;
	pos += (size_t)sprintf((char *)h + pos, "comment") + 1;
	pos += 2;
	memcpy(h + pos, packed + 10, n - 10);
	cr_assert_eq(gunzip(&work, out, SIZE, h, pos + n - 10, &got), 0);
	cr_assert_eq(got, 1000);
	h[10] = 0xff;
	h[11] = 0xff;
	cr_assert_eq(gunzip(&work, out, SIZE, h, pos + n - 10, &got), -EINVAL);
	h[3] = 0x20;
	cr_assert_eq(gunzip(&work, out, SIZE, h, pos + n - 10, &got), -EINVAL);
}

Test(image, the_real_kernel_of_the_peer)
{
	FILE *f = fopen("build/peer/vmlinuz", "rb");
	size_t size = 64u << 20;
	struct kernel_image k;
	uint8_t *data;

	if (!f) {
		cr_skip("build/peer/vmlinuz is not there");
	}
	data = malloc(size);
	size = fread(data, 1, size, f);
	fclose(f);
	cr_assert_eq(kernel_image_probe(data, size, &k), 0, "%s",
		     fake_log_last[LOG_ERR]);
	cr_assert_eq(k.file_size, size);
	cr_assert_geq(k.image_size, size);
	refused(data, size - 4096, "cut off");
	free(data);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file that is read under EFI: good ones, and any bytes. */
// LINK: boot/efi_cfg.c
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/efi_cfg.h"

static const char good[] =
	"# first lines belong to no section\r\n"
	"kernel=none\r\n"
	"[global]\r\n"
	"default = debian \r\n"
	"\r\n"
	"[other]\n"
	"kernel=wrong\n"
	"  [debian]\n"
	";kernel=comment\n"
	" # kernel=comment\n"
	"kernels=wrong\n"
	"kernel=vmlinuz  root=/dev/vda a=b \n"
	"kernel=second\n"
	"ramdisk=\n"
	"options";

static struct efi_text text(const char *s)
{
	return (struct efi_text){ s, strlen(s) };
}

/* The value, NULL when there is none. */
static const char *find(const char *cfg, const char *section, const char *key)
{
	static char value[256];
	struct efi_text v;

	if (!efi_cfg_find(text(cfg), text(section), key, &v)) {
		return NULL;
	}
	(void)snprintf(value, sizeof(value), "%.*s", (int)v.len, v.s);
	return value;
}

Test(efi_cfg, values_are_those_of_their_section)
{
	cr_assert_str_eq(find(good, "global", "default"), "debian");
	cr_assert_str_eq(find(good, "debian", "kernel"),
			 "vmlinuz  root=/dev/vda a=b");
	cr_assert_str_eq(find(good, "other", "kernel"), "wrong");
	cr_assert_str_eq(find(good, "debian", "ramdisk"), "");
	cr_assert_null(find(good, "debian", "options"), "no = behind it");
	cr_assert_null(find(good, "debian", "dtb"));
	cr_assert_null(find(good, "debia", "kernel"));
	cr_assert_null(find(good, "", "kernel"), "lines of no section");
	cr_assert_null(find("", "global", "default"));
	cr_assert_null(find("[global\ndefault=x\n", "global", "default"));
	cr_assert_str_eq(find("[]\nk=v", "", "k"), "v");
}

Test(efi_cfg, first_word_and_rest)
{
	struct efi_text first;
	struct efi_text rest;

	efi_cfg_split(text("vmlinuz\t a b"), &first, &rest);
	cr_assert(first.len == 7 && memcmp(first.s, "vmlinuz", 7) == 0);
	cr_assert(rest.len == 3 && memcmp(rest.s, "a b", 3) == 0);
	efi_cfg_split(text("vmlinuz"), &first, &rest);
	cr_assert(first.len == 7 && rest.len == 0);
	efi_cfg_split(text(""), &first, &rest);
	cr_assert(first.len == 0 && rest.len == 0);
}

/* Each cut-off file in memory of exactly its size: nothing behind is read. */
Test(efi_cfg, reads_no_byte_behind_its_end)
{
	struct efi_text v;

	for (size_t len = 0; len < sizeof(good); len++) {
		char *copy = malloc(len ? len : 1);
		struct efi_text cfg = { copy, len };
		bool whole = len > (size_t)(strstr(good, "vmlinuz") - good);

		memcpy(copy, good, len);
		cr_assert_eq(efi_cfg_find(cfg, text("debian"), "kernel", &v) &&
				     v.len > 0, whole, "%zu", len);
		free(copy);
	}
}

Test(efi_cfg, any_bytes_end_and_stay_inside)
{
	static const char some[] = "[]=#; \t\r\nglobaldefault\0\xff";
	char cfg[64];
	struct efi_text v;
	uint32_t seed = 1;

	for (uint32_t round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(cfg); i++) {
			seed = seed * 1664525 + 1013904223;
			cfg[i] = some[(seed >> 16) % (sizeof(some) - 1)];
		}
		if (efi_cfg_find((struct efi_text){ cfg, sizeof(cfg) },
				 text("g"), "d", &v)) {
			cr_assert(v.s >= cfg &&
				  v.s + v.len <= cfg + sizeof(cfg));
		}
	}
}

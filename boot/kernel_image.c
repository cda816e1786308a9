/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel images: recognised by their headers, unpacked when needed.
 *
 * Owns    one gunzip work area (boot only, one CPU).
 * Not     where the kernel goes (dom0_plan.c).
 * Spec    Linux Documentation/arch/arm64/booting "Call the kernel image"; the
 *         uImage header of U-Boot; the zboot header of Linux's EFI stub.
 */
#include "kernel_image.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define IMAGE_HEADER 64u
#define PE_HEADER 24u            /* signature and file header */
#define PE_SECTION 40u
#define IMAGE_MAGIC 0x644d5241u  /* "ARM\x64" */
#define ZIMAGE32_MAGIC 0x016f2818u
#define UIMAGE_MAGIC 0x27051956u /* big endian, as all of that header */
#define UIMAGE_ARM64 22u
#define ZBOOT_MAGIC 0x676d697au  /* "zimg" */
#define GZIP_MAX_RATIO 1032u     /* deflate cannot pack better */
#define IMAGE_MAX BIT64(32)

enum { IMAGE_TEXT_OFFSET = 8, IMAGE_SIZE = 16, IMAGE_FLAGS = 24,
       IMAGE_MAGIC_AT = 56, IMAGE_PE_AT = 60, ZIMAGE32_MAGIC_AT = 36 };
enum { UIMAGE_DATA_SIZE = 12, UIMAGE_ARCH = 29, UIMAGE_COMP = 31 };
enum { ZBOOT_MAGIC_AT = 4, ZBOOT_OFFSET = 8, ZBOOT_SIZE = 12,
       ZBOOT_TYPE = 24 };

#define FLAGS_BIG_ENDIAN BIT64(0)
#define FLAGS_PAGE_SIZE FIELD64(2, 1)
#define FLAGS_ANYWHERE BIT64(3)

static struct gunzip_work work;

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint32_t be32(const uint8_t *p)
{
	return __builtin_bswap32(le32(p));
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static int image_error(const char *what)
{
	log_err("kernel: %s\n", what);
	return -EINVAL;
}

/* ---- wrappers ------------------------------------------------------------ */

static int unwrap_uimage(const uint8_t *h, struct kernel_image *k)
{
	uint32_t size = be32(h + UIMAGE_DATA_SIZE);

	if (h[UIMAGE_ARCH] != UIMAGE_ARM64) {
		return image_error("a uImage of another architecture; give an "
				   "arm64 one");
	}
	if (h[UIMAGE_COMP] > 1) {
		return image_error("a uImage packed with something else than "
				   "gzip; pack it with gzip");
	}
	if (size > k->payload_size - IMAGE_HEADER) {
		return image_error("a uImage that is cut off; load all of it");
	}
	k->payload_offset += IMAGE_HEADER;
	k->payload_size = size;
	return 0;
}

static int unwrap_zboot(const uint8_t *h, struct kernel_image *k)
{
	uint32_t offset = le32(h + ZBOOT_OFFSET);
	uint32_t size = le32(h + ZBOOT_SIZE);

	if (memcmp(h + ZBOOT_TYPE, "gzip", 5) != 0) {
		return image_error("an EFI zboot file packed with something "
				   "else than gzip; give the plain Image");
	}
	if (offset > k->payload_size || size > k->payload_size - offset) {
		return image_error("an EFI zboot file that is cut off; load "
				   "all of it");
	}
	k->payload_offset += offset;
	k->payload_size = size;
	return 0;
}

static int unwrap(const uint8_t *data, struct kernel_image *k)
{
	if (k->payload_size < IMAGE_HEADER) {
		return 0;
	}
	if (be32(data) == UIMAGE_MAGIC) {
		return unwrap_uimage(data, k);
	}
	if (data[0] == 'M' && data[1] == 'Z' &&
	    le32(data + ZBOOT_MAGIC_AT) == ZBOOT_MAGIC) {
		return unwrap_zboot(data, k);
	}
	return 0;
}

/*
 * The Image's header says nothing about the file's length, the PE header that
 * EFI kernels have behind it does: every section must be there.
 */
static bool is_cut_off(const uint8_t *h, uint64_t size)
{
	uint64_t pe = le32(h + IMAGE_PE_AT);
	uint64_t section;
	uint32_t nr;

	if (pe < IMAGE_HEADER || size < PE_HEADER || pe > size - PE_HEADER ||
	    memcmp(h + pe, "PE\0", 4) != 0) {
		return false;
	}
	nr = le32(h + pe + 6) & 0xffff;
	section = pe + PE_HEADER + (le32(h + pe + 20) & 0xffff);
	for (uint32_t i = 0; i < nr; i++, section += PE_SECTION) {
		if (section + PE_SECTION > size ||
		    (uint64_t)le32(h + section + 16) +
		    le32(h + section + 20) > size) {
			return true;
		}
	}
	return false;
}

/* ---- the Image ----------------------------------------------------------- */

static int wrong_magic(const uint8_t *h)
{
	if (memcmp(h, "\x7f" "ELF", 4) == 0) {
		return image_error("an ELF file; give arch/arm64/boot/Image");
	}
	if (le32(h + ZIMAGE32_MAGIC_AT) == ZIMAGE32_MAGIC) {
		return image_error("a 32-bit zImage; give an arm64 Image");
	}
	return image_error("no arm64 Image (no ARM\\x64 at byte 56); give "
			   "arch/arm64/boot/Image or Image.gz");
}

static int image_header(const uint8_t *h, struct kernel_image *k)
{
	uint64_t flags;
	uint32_t page;

	if (le32(h + IMAGE_MAGIC_AT) != IMAGE_MAGIC) {
		return wrong_magic(h);
	}
	flags = le64(h + IMAGE_FLAGS);
	k->text_offset = le64(h + IMAGE_TEXT_OFFSET);
	k->image_size = le64(h + IMAGE_SIZE);
	if (flags & FLAGS_BIG_ENDIAN) {
		return image_error("a big-endian Image; build it "
				   "little-endian");
	}
	/* Before Linux 3.17 the size was not said and the offset fixed. */
	if (k->image_size == 0) {
		k->text_offset = 0x80000;
		k->image_size = k->file_size;
	}
	if (k->image_size > IMAGE_MAX || k->text_offset >= 0x200000 ||
	    (k->text_offset & (PAGE_SIZE - 1)) != 0) {
		return image_error("an Image whose header has an impossible "
				   "size or offset; load it again");
	}
	if (k->image_size < k->file_size) {
		k->image_size = k->file_size;
	}
	page = (uint32_t)field_get(FLAGS_PAGE_SIZE, flags);
	k->page_size = page == 0 ? 0 : 1024u << (2 * page);
	k->place_anywhere = (flags & FLAGS_ANYWHERE) != 0;
	return 0;
}

/* The header of a packed Image: unpack as much as that. */
static int gzip_header(const uint8_t *data, struct kernel_image *k,
		       uint8_t header[IMAGE_HEADER])
{
	uint64_t got;
	int rc;

	k->gzip = true;
	k->file_size = gunzip_size(data, k->payload_size);
	if (k->file_size < IMAGE_HEADER ||
	    k->file_size / GZIP_MAX_RATIO > k->payload_size) {
		return image_error("gzip data with an impossible length at its "
				   "end; it is cut off, load all of it");
	}
	rc = gunzip(&work, header, IMAGE_HEADER, data, k->payload_size, &got);
	if ((rc && rc != -ENOSPC) || got < IMAGE_HEADER) {
		return image_error("gzip data that is damaged; load it again");
	}
	return 0;
}

int kernel_image_probe(const void *data, uint64_t size,
		       struct kernel_image *out)
{
	uint8_t header[IMAGE_HEADER];
	const uint8_t *d = data;
	int rc;

	*out = (struct kernel_image){ .payload_size = size };
	rc = unwrap(d, out);
	if (rc) {
		return rc;
	}
	d += out->payload_offset;
	if (is_gzip(d, out->payload_size)) {
		rc = gzip_header(d, out, header);
		return rc ? rc : image_header(header, out);
	}
	if (out->payload_size < IMAGE_HEADER) {
		return image_error("shorter than an Image's header; load all "
				   "of it");
	}
	out->file_size = out->payload_size;
	if (le32(d + IMAGE_MAGIC_AT) == IMAGE_MAGIC &&
	    is_cut_off(d, out->payload_size)) {
		return image_error("an Image that is cut off; load all of it");
	}
	return image_header(d, out);
}

int kernel_image_load(const struct kernel_image *k, const void *data,
		      void *dst, uint64_t dst_size)
{
	const uint8_t *d = (const uint8_t *)data + k->payload_offset;
	uint64_t got;
	int rc;

	if (k->file_size > dst_size) {
		log_err("kernel: %llu bytes do not fit its place of %llu; give "
			"dom0 more memory\n", (unsigned long long)k->file_size,
			(unsigned long long)dst_size);
		return -ENOSPC;
	}
	if (!k->gzip) {
		memmove(dst, d, k->file_size);
		return 0;
	}
	rc = gunzip(&work, dst, k->file_size, d, k->payload_size, &got);
	if (rc || got != k->file_size) {
		return image_error("gzip data that is damaged; load it again");
	}
	return 0;
}

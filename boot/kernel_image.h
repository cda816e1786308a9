/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of kernel image is this, and what does it want? */
#ifndef BOOT_KERNEL_IMAGE_H
#define BOOT_KERNEL_IMAGE_H

#include <lib/types.h>
#include "gunzip.h"

struct kernel_image {
	/* Where the Image (or its gzip data) starts in what was probed. */
	uint64_t payload_offset;
	uint64_t payload_size;
	bool gzip;
	uint64_t file_size;     /* of the Image, unpacked */
	uint64_t image_size;    /* what it occupies, BSS included */
	uint64_t text_offset;   /* from a 2 MiB boundary */
	bool place_anywhere;    /* else as near to the start of RAM as can be */
	uint32_t page_size;     /* 0: not said */
};

/*
 * Look at @size bytes of @data: an arm64 Image, one packed with gzip, either
 * inside a U-Boot uImage or an EFI zboot file. -EINVAL: nothing we can start;
 * logged with the reason.
 */
__must_check int kernel_image_probe(const void *data, uint64_t size,
				    struct kernel_image *out);
/*
 * Put the Image itself at @dst, at most @dst_size bytes: copied or unpacked.
 * -EINVAL: damaged, -ENOSPC; logged. BSS is the caller's.
 */
__must_check int kernel_image_load(const struct kernel_image *k,
				   const void *data, void *dst,
				   uint64_t dst_size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain needs to begin again when boot is long over. */
#ifndef BOOT_DOM_RESTART_H
#define BOOT_DOM_RESTART_H

#include <hv/platform.h>
#include <hv/restart.h>

/* Bytes at a guest address, as boot has loaded them. */
struct dom_image {
	uint64_t ipa;  /* of its first byte */
	uint64_t size; /* 0: none */
};
#define DOM_NR_IMAGES 3u /* kernel, ramdisk, device tree */

/*
 * Give @d, which is built and not published, what @policy asks for; with
 * @images a copy of them in frames of ours, charged to @d. NULL: none, as it
 * never restarts. -ENOMEM, logged; what is there then goes with @d.
 */
__must_check int dom_restart_make(struct domain *d,
				  const struct restart_policy *policy,
				  const struct dom_image *images);
/*
 * One more range of the guest's RAM, to be scrubbed: what is in no range is
 * not the guest's after a restart. -ENOSPC.
 */
__must_check int dom_restart_add_ram(struct domain *d, uint64_t ipa,
				     uint64_t size);
/*
 * A region that it shares with other domains, @host: mapped again where its
 * guest has unmapped it. -ENOSPC.
 */
__must_check int dom_restart_add_shared(struct domain *d, uint64_t ipa,
					const struct mem_range *host);

#endif

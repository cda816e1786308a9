/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured boot: what a boot module is, beside what it shall be.
 *
 * Not     where the tree says so (fdt_chosen.c).
 * Rule    a listed hash is always checked; measure= is about those without.
 * CPU     the boot CPU; no guest has run, so nobody can write the module
 *         between here and its use but a device (adr/0018).
 * Bounds  the size of the modules: 2 instructions a byte on a CPU with
 *         FEAT_SHA256, else 60; none for a module whose hash nobody wants.
 */
#include "measure.h"

#include <arch/directmap.h>
#include <arch/sha256.h>
#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_dom.h"
#include "fdt_util.h"
#include "modules.h"

#define HEX_SIZE (2 * SHA256_SIZE + 1)

static bool mode_is(const char *mode)
{
	return strcmp(options.measure, mode) == 0;
}

static void hash(const void *data, uint64_t size, uint8_t out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_begin(&s, sha256_in_cpu() ? sha256_blocks_cpu : sha256_blocks);
	sha256_add(&s, data, size);
	sha256_end(&s, out);
}

static const char *hex(const uint8_t hash[SHA256_SIZE], char out[HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < SHA256_SIZE; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[HEX_SIZE - 1] = 0;
	return out;
}

void measure_tree(const struct dt *t)
{
	uint8_t is[SHA256_SIZE];
	char text[HEX_SIZE];

	if (!mode_is("listed")) {
		hash(t->fdt, platform.fdt_size, is);
		log_info("SHA-256 %s device tree\n", hex(is, text));
	}
}

static int measure(const struct module_place *m, const uint8_t *listed)
{
	const char *kind = module_kind_name(m->kind);
	const char *of = m->domain ? m->domain : "dom0";
	uint8_t is[SHA256_SIZE];
	char text[HEX_SIZE];
	char wanted[HEX_SIZE];

	if (m->r.size == 0 || (!listed && mode_is("listed"))) {
		return 0;
	}
	hash(hv_va(paddr(m->r.start)), m->r.size, is);
	hex(is, text);
	if (listed && memcmp(is, listed, SHA256_SIZE) != 0) {
		log_err("%s of %s: SHA-256 is %s, the device tree lists %s; "
			"load that file\n", kind, of, text,
			hex(listed, wanted));
		return -EACCES;
	}
	log_info("SHA-256 %s %s of %s%s\n", text, kind, of,
		 listed ? ", as listed" : "");
	if (!listed && mode_is("require")) {
		return module_error(m, "has no \"bulkhead,sha256\", which "
				    "measure=require wants; add it", -EACCES);
	}
	return 0;
}

int measure_dom0(void)
{
	int rc = 0;

	for (uint32_t i = 0; i < platform.nr_modules && rc == 0; i++) {
		const struct boot_module *b = &platform.module[i];
		const struct module_place m = {
			.kind = b->kind, .r = { b->start, b->size },
		};

		rc = measure(&m, b->sha256);
	}
	return rc;
}

int measure_domain(const struct boot_domain *b)
{
	const struct module_place m[] = {
		{ b->name, MODULE_KERNEL, b->kernel },
		{ b->name, MODULE_RAMDISK, b->ramdisk },
		{ b->name, MODULE_DTB, b->dtb },
	};
	int rc = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(m) && rc == 0; i++) {
		rc = measure(&m[i], b->sha256[m[i].kind]);
	}
	return rc;
}

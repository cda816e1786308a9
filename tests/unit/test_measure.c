/* SPDX-License-Identifier: Apache-2.0 */
/* Which boot modules may be started, from the tree to the verdict. */
// LINK: boot/fdt_addr.c boot/fdt_chosen.c boot/fdt_console.c $(FDT_DOM)
// LINK: boot/fdt_gic.c boot/fdt_irq.c boot/fdt_lookup.c boot/fdt_platform.c
// LINK: boot/fdt_util.c boot/measure.c boot/modules.c lib/printf.c
// LINK: lib/sha256.c tests/fakes/fake_domains.c tests/fakes/fake_log.c
// LINK: tests/fakes/fake_tree.c
// LIBS: -lfdt
#include <criterion/criterion.h>
#include <string.h>

#include <arch/sha256.h>
#include <hv/console.h>
#include <lib/errno.h>

#include "boot/fdt_dom.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_util.h"
#include "boot/measure.h"
#include "fake_domains.h"
#include "fake_log.h"
#include "fake_tree.h"

#define PROP "bulkhead,sha256"
#define KERNEL0 "/chosen/module@48000000" /* dom0's */
#define RAMDISK0 "/chosen/module@4c000000"
#define KERNEL BAD "/module@1"
#define RAMDISK BAD "/module@2"
#define DEVICES BAD "/module@3"

struct options options;

static uint8_t ram[0x201000];
static bool cpu_has;
static uint64_t by_cpu;

/* What is at an address depends on its upper half: modules differ. */
void *hv_va(paddr_t pa)
{
	return ram + (pa.v >> 24);
}

uint32_t sha256_in_cpu(void)
{
	return cpu_has;
}

void sha256_blocks_cpu(uint32_t h[8], const uint8_t *data, uint64_t nr)
{
	by_cpu += nr;
	sha256_blocks(h, data, nr);
}

static void *setup(void)
{
	void *fdt = fake_domains(3);

	for (size_t i = 0; i < sizeof(ram); i++) {
		ram[i] = (uint8_t)(i * i >> 3);
	}
	fake_module(fdt, BAD, "module@2", "multiboot,ramdisk", 0x64000000);
	fake_module(fdt, BAD, "module@3", "multiboot,device-tree", 0x65000000);
	strcpy(options.measure, "listed");
	return fdt;
}

static void hash(uint64_t at, uint64_t size, uint8_t out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_begin(&s, sha256_blocks);
	sha256_add(&s, hv_va(paddr(at)), size);
	sha256_end(&s, out);
}

/* The hash of what is there, but for bits @flip of byte @byte. */
static void list(void *fdt, const char *path, uint64_t at, int byte, int flip)
{
	bool of_dom0 = strncmp(path, BAD, strlen(BAD)) != 0;
	uint8_t h[SHA256_SIZE];

	hash(at, !of_dom0 ? 0x100000 : at == 0x48000000 ? 0x200000 : 0x1234,
	     h);
	h[byte] ^= (uint8_t)flip;
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, path), PROP, h,
				 sizeof(h)), 0);
}

static void list_all(void *fdt)
{
	list(fdt, KERNEL0, 0x48000000, 0, 0);
	list(fdt, RAMDISK0, 0x4c000000, 0, 0);
	list(fdt, KERNEL, KERNEL_AT, 0, 0);
	list(fdt, RAMDISK, 0x64000000, 0, 0);
	list(fdt, DEVICES, 0x65000000, 0, 0);
}

static int parse(void *fdt)
{
	int rc;

	fake_log_reset();
	rc = fdt_platform_parse(fdt, 0, &platform);
	if (rc == 0) {
		fdt_dom_parse(&host_dt, &platform);
		cr_assert_str_eq(boot_domains[1].name, "bad");
	}
	return rc;
}

static void said(const char *word)
{
	cr_assert_eq(fake_log_count[LOG_ERR], 1, "%s: %u messages", word,
		     fake_log_count[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], word), "%s: %s",
			   word, fake_log_last[LOG_ERR]);
}

Test(measure, nothing_listed_nothing_done)
{
	cpu_has = true;
	cr_assert_eq(parse(setup()), 0);
	cr_assert_eq(measure_dom0(), 0);
	cr_assert_eq(measure_domain(&boot_domains[1]), 0);
	measure_tree(&host_dt);
	cr_assert_eq(by_cpu, 0);
	cr_assert_eq(fake_log_count[LOG_INFO], 0);
}

Test(measure, what_is_listed)
{
	void *fdt = setup();

	list_all(fdt);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(measure_dom0(), 0);
	cr_assert_eq(fake_log_count[LOG_INFO], 2);
	cr_assert_eq(measure_domain(&boot_domains[1]), 0);
	cr_assert_eq(fake_log_count[LOG_INFO], 5);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO],
				  " device tree of bad, as listed"));
	cr_assert_eq(measure_domain(&boot_domains[0]), 0);
	cr_assert_eq(measure_domain(&boot_domains[2]), 0);
	cr_assert_eq(fake_log_count[LOG_INFO], 5);
	cr_assert_eq(fake_log_count[LOG_ERR], 0);
	cr_assert_eq(by_cpu, 0, "it has no such instructions");
}

Test(measure, by_the_cpu)
{
	void *fdt = setup();

	cpu_has = true;
	list_all(fdt);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(measure_dom0(), 0);
	cr_assert_geq(by_cpu, (0x200000 + 0x1234) / SHA256_BLOCK);
}

/* Each module, and each bit of a hash in which it may differ. */
Test(measure, one_bit)
{
	static const struct {
		const char *path;
		uint32_t at;
		const char *name;
	} modules[] = {
		{ KERNEL0, 0x48000000, "kernel of dom0" },
		{ RAMDISK0, 0x4c000000, "ramdisk of dom0" },
		{ KERNEL, KERNEL_AT, "kernel of bad" },
		{ RAMDISK, 0x64000000, "ramdisk of bad" },
		{ DEVICES, 0x65000000, "device tree of bad" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(modules); i++) {
		void *fdt = setup();

		list_all(fdt);
		list(fdt, modules[i].path, modules[i].at, 7 * (int)i, 1 << i);
		cr_assert_eq(parse(fdt), 0);
		cr_assert_eq(measure_dom0(), i < 2 ? -EACCES : 0);
		cr_assert_eq(measure_domain(&boot_domains[1]),
			     i < 2 ? 0 : -EACCES);
		said(modules[i].name);
		cr_assert_not_null(strstr(fake_log_last[LOG_ERR],
					  "the device tree lists"));
	}
}

/* Both hashes, as sha256sum writes them; the machine's first is of zeros. */
Test(measure, message)
{
	void *fdt = setup();

	memset(ram, 0, sizeof(ram));
	list(fdt, RAMDISK0, 0x4c000000, 31, 0xff);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(measure_dom0(), -EACCES);
	cr_assert_str_eq(
		fake_log_last[LOG_ERR],
		"ramdisk of dom0: SHA-256 is "
		"789531afd46a6d9244e83cadf9f4408d"
		"131dff7e660150a749796a8d369ac96e"
		", the device tree lists "
		"789531afd46a6d9244e83cadf9f4408d"
		"131dff7e660150a749796a8d369ac991; load that file\n");
}

Test(measure, all_of_them)
{
	void *fdt = setup();

	strcpy(options.measure, "log");
	list(fdt, RAMDISK, 0x64000000, 0, 0);
	cr_assert_eq(parse(fdt), 0);
	measure_tree(&host_dt);
	cr_assert_not_null(strstr(fake_log_last[LOG_INFO], "device tree\n"));
	cr_assert_eq(measure_dom0(), 0);
	cr_assert_eq(measure_domain(&boot_domains[0]), 0);
	cr_assert_eq(measure_domain(&boot_domains[1]), 0);
	cr_assert_eq(fake_log_count[LOG_INFO], 7);
	cr_assert_eq(fake_log_count[LOG_ERR], 0);
}

Test(measure, required)
{
	void *fdt = setup();

	strcpy(options.measure, "require");
	list_all(fdt);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(measure_dom0(), 0);
	cr_assert_eq(measure_domain(&boot_domains[1]), 0);
	cr_assert_eq(measure_domain(&boot_domains[0]), -EACCES);
	said("kernel of first at 0x61000000, 0x100000 bytes: has no");

	fake_tree_drop(fdt, DEVICES, PROP);
	fake_tree_drop(fdt, RAMDISK0, PROP);
	cr_assert_eq(parse(fdt), 0);
	cr_assert_eq(measure_domain(&boot_domains[1]), -EACCES);
	said("device tree of bad");
	fake_log_reset();
	cr_assert_eq(measure_dom0(), -EACCES);
	said("ramdisk at 0x4c000000");
}

/* ---- hostile nodes ------------------------------------------------------- */

static const uint8_t some[100] = { 1, 2, 3 };

static void put(void *fdt, const char *path, int len)
{
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, path), PROP, some,
				 len), 0);
}

static void refuses_bad(void *fdt, const char *word)
{
	cr_assert_eq(parse(fdt), 0);
	said(word);
	cr_assert(boot_domains[1].refused);
	cr_assert(!boot_domains[0].refused && !boot_domains[2].refused);
}

Test(measure, wrong_lengths)
{
	static const int lengths[] = { 0, 1, 31, 33, 64, 100 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		void *fdt = setup();

		put(fdt, RAMDISK, lengths[i]);
		refuses_bad(fdt, "module@2: \"" PROP "\" is not one hash");
		fake_tree_drop(fdt, RAMDISK, PROP);
		put(fdt, KERNEL0, lengths[i]);
		cr_assert_eq(parse(fdt), -EINVAL);
		said("module@48000000: \"" PROP "\" is not one hash");
	}
}

/* libfdt does not write the same name twice; a hand can. */
Test(measure, twice)
{
	static const char other[] = "bulkhead,sha25X";
	void *fdt = setup();
	char *strings;

	list(fdt, KERNEL, KERNEL_AT, 0, 0);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, KERNEL), other,
				 some, SHA256_SIZE), 0);
	strings = (char *)fdt + fdt_off_dt_strings(fdt);
	for (uint32_t i = 0; i < fdt_size_dt_strings(fdt); i++) {
		if (strcmp(strings + i, other) == 0) {
			strings[i + strlen(other) - 1] = '6';
		}
	}
	refuses_bad(fdt, "is not one hash");
}

/* Where it would check nothing. */
Test(measure, wrong_node)
{
	static const char *const of_bad[] = { BAD, BAD "/thing",
					      KERNEL "/deeper" };
	static const char *const of_all[] = { "/chosen", "/chosen/thing",
					      KERNEL0 "/a" };
	void *fdt;

	for (size_t i = 0; i < ARRAY_SIZE(of_bad); i++) {
		fdt = setup();
		fake_tree_add(fdt, BAD, "thing", "vendor,thing");
		fake_tree_add(fdt, KERNEL, "deeper", "multiboot,module");
		put(fdt, of_bad[i], SHA256_SIZE);
		refuses_bad(fdt, "is not in a boot module's node");
	}
	for (size_t i = 0; i < ARRAY_SIZE(of_all); i++) {
		fdt = setup();
		fake_tree_add(fdt, "/chosen", "thing", "vendor,thing");
		fake_tree_add(fdt, KERNEL0, "a", "vendor,thing");
		put(fdt, of_all[i], SHA256_SIZE);
		cr_assert_eq(parse(fdt), -EINVAL);
		said("is not in a boot module's node");
	}
}

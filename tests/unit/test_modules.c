/* SPDX-License-Identifier: Apache-2.0 */
/* Boot modules against memory, the hypervisor, reserved memory, each other. */
// LINK: boot/modules.c tests/fakes/fake_log.c
#include <criterion/criterion.h>
#include <string.h>

#include <hv/console.h>
#include <lib/errno.h>

#include "boot/modules.h"
#include "fake_log.h"

static struct platform p;
static const struct mem_range image = { .start = 0x40200000,
					.size = 0x200000 };
static const struct mem_range dtb = { .start = 0x48000000, .size = 0x100000 };

static void setup(void)
{
	memset(&p, 0, sizeof(p));
	p.bank[0] = (struct mem_range){ .start = 0x40000000,
					.size = 0x20000000 };
	p.bank[1] = (struct mem_range){ .start = 0x80000000,
					.size = 0x10000000 };
	p.nr_banks = 2;
	p.module[0] = (struct boot_module){ .kind = MODULE_KERNEL,
		.start = 0x50000000, .size = 0x2000000 };
	p.module[1] = (struct boot_module){ .kind = MODULE_RAMDISK,
		.start = 0x52000000, .size = 0x123456 };
	p.nr_modules = 2;
	fake_log_reset();
}

static void refused(uint64_t start, uint64_t size, const char *why)
{
	p.module[1].start = start;
	p.module[1].size = size;
	fake_log_reset();
	cr_assert_eq(modules_check(&p, &image, &dtb), -EINVAL, "%s", why);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], why), "%s",
			   fake_log_last[LOG_ERR]);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "ramdisk"));
}

Test(modules, good_ones, .init = setup)
{
	cr_assert_eq(modules_check(&p, &image, &dtb), 0);
	cr_assert_eq(module_find(&p, MODULE_RAMDISK), &p.module[1]);
	cr_assert_null(module_find(&p, MODULE_DTB));
	p.module[1].start = 0x80000000;
	p.module[1].size = 0x10000000;
	cr_assert_eq(modules_check(&p, &image, &dtb), 0, "a whole bank");
}

Test(modules, bad_places, .init = setup)
{
	refused(0x52000000, 0, "empty");
	refused(0x5fff0000, 0x20000, "one bank");
	refused(0x70000000, 0x1000, "one bank");
	refused(0xfffffffffffff000, 0x2000, "one bank");
	refused(0x5ffff000, UINT64_MAX, "one bank");
	refused(0x40000000, 0x200001, "the hypervisor");
	refused(0x403fffff, 0x10, "the hypervisor");
	refused(0x480fffff, 1, "the device tree");
	refused(0x4fffffff, 2, "another boot module");
	refused(0x50000000, 0x2000000, "another boot module");
	refused(0x51ffffff, 0x2000000, "another boot module");
}

Test(modules, reserved_memory, .init = setup)
{
	p.nr_reserved = 1;
	p.reserved[0] = (struct mem_range){ .start = 0x55000000,
					    .size = 0x1000000 };
	p.reserved_flags[0] = RESERVED_NODE;
	refused(0x55000000, 0x100, "reserved");
	/* A boot loader's own note about what it loaded. */
	p.reserved_flags[0] = 0;
	cr_assert_eq(modules_check(&p, &image, &dtb), 0);
	refused(0x54fff000, 0x2000, "reserved");
}

Test(modules, no_kernel, .init = setup)
{
	cr_assert_eq(modules_need_kernel(&p), 0);
	p.module[0].kind = MODULE_OTHER;
	cr_assert_eq(modules_check(&p, &image, &dtb), 0);
	cr_assert_eq(modules_need_kernel(&p), -ENOENT);
	cr_assert_eq(fake_log_count[LOG_ERR], 1);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "multiboot,kernel"));
	p.nr_modules = 0;
	cr_assert_eq(modules_need_kernel(&p), -ENOENT);
}

Test(modules, of_another_domain, .init = setup)
{
	struct module_place m = {
		.domain = "domU1", .kind = MODULE_RAMDISK,
		.r = { 0x55000000, 0x1000 },
	};

	cr_assert_eq(modules_check_domain(&p, &image, &dtb, &m), 0);
	m.r.start = 0x52100000;
	cr_assert_eq(modules_check_domain(&p, &image, &dtb, &m), -EINVAL);
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR],
				  "ramdisk of domU1 at 0x52100000"));
	cr_assert_not_null(strstr(fake_log_last[LOG_ERR], "another"));
}

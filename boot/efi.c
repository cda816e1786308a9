/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image as an EFI application: from GRUB's xen_hypervisor, which has put
 * the modules into the device tree, or from the firmware itself.
 *
 * Does    finds the tree, writes memory (and modules) into a copy of it, puts
 *         a copy of the image at 2 MiB, ends the firmware's services, and
 *         goes to the first instruction as any loader would.
 * CPU     the boot CPU under the firmware, MMU and caches on, at the address
 *         the firmware chose: code is position independent as compiled (adrp),
 *         but no pointer stored in data may be used, and nothing in data or
 *         bss is written. So not libfdt.
 * Bounds  MAP_MAX of memory map, EXIT_TRIES.
 * Spec    [UEFI] 2.3.6 "AArch64 Platforms", 7.4.6 "ExitBootServices".
 */
#include "efi.h"
#include "efi_load.h"
#include "efi_tree.h"
#include "fdt_util.h"
#include <arch/sysreg.h>
#include <hv/arch.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

#define IMAGE_ALIGN UINT64_C(0x200000)
#define MAP_MAX	    0x10000u /* bytes: 1300 descriptors */
#define EXIT_TRIES  8u
#define CURRENT_EL2 (2u << 2)

extern char image_start[], file_end[], image_end[];
/* arch/arm64/entry/efi.S */
extern char efi_leave_start[], efi_leave_end[];
void efi_leave(uint64_t image, const void *fdt) __noreturn;
/* start.S names it in the PE header. */
uint64_t efi_main(void *image, struct efi_system_table *system);

/* All that is needed until the end, allocated at once. */
struct efi_work {
	struct efi_memory memory;
	uint8_t map[MAP_MAX] __aligned(8);
};

struct efi_target {
	struct efi_work *work;
	uint64_t image; /* where it will run */
	void *fdt;
	uint64_t fdt_size;
};

static void put_text(const struct efi *e, const char *text)
{
	struct efi_text_output *out = e->system->out;
	uint16_t wide[3] = {0};

	for (; *text; text++) {
		uint16_t *w = wide;

		if (*text == '\n') {
			*w++ = '\r';
		}
		*w++ = (uint8_t)*text;
		*w = 0;
		(void)out->output_string(out, wide);
	}
}

void efi_say(const struct efi *e, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	(void)hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(e, "Bulkhead: ");
	put_text(e, text);
	put_text(e, "\n");
}

void *efi_alloc(const struct efi *e, uint64_t size)
{
	uint64_t pages = align_up(size, EFI_PAGE_SIZE) / EFI_PAGE_SIZE;
	uint64_t at = 0;

	if (e->boot->allocate_pages(EFI_ALLOCATE_ANY_PAGES, EFI_LOADER_DATA,
				    pages, &at)) {
		efi_say(e,
			"the firmware has no %llu KiB of memory left; give "
			"the machine more",
			(unsigned long long)(pages * 4));
		return NULL;
	}
	return (void *)(uintptr_t)at;
}

static const void *find_tree(const struct efi *e)
{
	static const struct efi_guid id = {
		0xb1b621d5,
		0xf19c,
		0x41a5,
		{0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0},
	};

	for (uint64_t i = 0; i < e->system->nr_tables; i++) {
		const struct efi_config_table *t = &e->system->tables[i];

		if (memcmp(&t->id, &id, sizeof(id)) == 0) {
			return t->table;
		}
	}
	return NULL;
}

static int read_tree(const void *fdt, uint64_t max, struct efi_tree *t)
{
	if (!fdt || !is_aligned((uintptr_t)fdt, 4)) {
		return -ENODEV;
	}
	return efi_tree_read(t, fdt, max < DT_MAX_SIZE ? max : DT_MAX_SIZE);
}

/*
 * The tree of whoever loaded dom0: GRUB has put its own in the firmware's
 * place; else that is us.
 */
static int get_tree(const struct efi *e, struct efi_loaded *loaded,
		    struct efi_tree *t)
{
	int rc = read_tree(find_tree(e), DT_MAX_SIZE, t);

	if (rc || !t->has_modules) {
		if (efi_load(e, loaded)) {
			return -ENOENT;
		}
		if (loaded->dtb.size) {
			rc = read_tree(
				(const void *)(uintptr_t)loaded->dtb.start,
				loaded->dtb.size, t);
		}
	}
	if (rc == -EINVAL) {
		efi_say(e, "the device tree is broken; load another (GRUB: "
			   "devicetree FILE)");
	} else if (rc || !t->has_cpus) {
		/* GRUB makes a tree with /chosen alone where there is none. */
		efi_say(e,
			"the firmware has no device tree of this machine, "
			"perhaps ACPI only; turn ACPI off in its set-up (QEMU: "
			"-M virt,acpi=off) or load a tree (GRUB: devicetree "
			"FILE)");
		rc = -ENODEV;
	}
	return rc;
}

static int allocate(const struct efi *e, struct efi_target *to,
		    uint64_t fdt_size)
{
	uint64_t size = (uint64_t)(image_end - image_start);
	char *image = efi_alloc(e, size + IMAGE_ALIGN);

	to->fdt_size = fdt_size;
	to->fdt = image ? efi_alloc(e, fdt_size) : NULL;
	to->work = to->fdt ? efi_alloc(e, sizeof(*to->work)) : NULL;
	if (!to->work) {
		return -ENOMEM;
	}
	to->image = align_up((uintptr_t)image, IMAGE_ALIGN);
	memcpy((void *)(uintptr_t)to->image, image_start,
	       (size_t)(file_end - image_start));
	return 0;
}

/* The map as it is now, into the new tree. */
static int describe(const struct efi *e, const struct efi_tree *t,
		    const struct efi_loaded *loaded, struct efi_target *to,
		    uint64_t *key)
{
	struct efi_memory *m = &to->work->memory;
	uint64_t size = MAP_MAX;
	uint64_t stride = 0;
	uint32_t version;
	int rc = -E2BIG;

	if (e->boot->get_memory_map(&size, to->work->map, key, &stride,
				    &version) == 0) {
		rc = efi_memory_read(m, to->work->map, size, stride);
	}
	return rc ? rc
		  : efi_tree_write(t, m,
				   loaded->is_here ? &loaded->chosen : NULL,
				   to->fdt, to->fdt_size);
}

/* Does not return when all is well. */
static uint64_t leave(const struct efi *e, const struct efi_tree *t,
		      const struct efi_loaded *loaded, struct efi_target *to)
{
	for (uint32_t i = 0; i < EXIT_TRIES; i++) {
		uint64_t key;
		int rc = describe(e, t, loaded, to, &key);

		if (rc) {
			/* Later it could no longer be said. */
			if (i == 0) {
				efi_say(e,
					"the firmware's map of memory does "
					"not fit the device tree (error %d); "
					"report this",
					-rc);
			}
			return EFI_LOAD_ERROR;
		}
		/* The map may change under a first try. */
		if (e->boot->exit_boot_services(e->image, key) == 0) {
			break;
		}
		if (i == EXIT_TRIES - 1) {
			return EFI_LOAD_ERROR;
		}
	}
	arch_clean_dcache((const void *)(uintptr_t)to->image,
			  (size_t)(image_end - image_start));
	arch_clean_dcache(to->fdt, to->fdt_size);
	arch_clean_dcache(efi_leave_start,
			  (size_t)(efi_leave_end - efi_leave_start));
	efi_leave(to->image, to->fdt);
}

uint64_t efi_main(void *image, struct efi_system_table *system)
{
	const struct efi e = {
		.image = image, .system = system, .boot = system->boot};
	struct efi_loaded loaded = {.is_here = false};
	struct efi_target to;
	struct efi_tree tree;

	if (read_sysreg(CurrentEL) != CURRENT_EL2) {
		efi_say(&e,
			"started at EL%u, but it needs EL2; let the "
			"firmware run there (QEMU: -M virt,virtualization=on, "
			"and without secure=on)",
			(unsigned int)read_sysreg(CurrentEL) >> 2);
		return EFI_UNSUPPORTED;
	}
	if (get_tree(&e, &loaded, &tree) ||
	    allocate(&e, &to,
		     efi_tree_size(&tree,
				   loaded.is_here ? &loaded.chosen : NULL))) {
		return EFI_LOAD_ERROR;
	}
	return leave(&e, &tree, &loaded, &to);
}

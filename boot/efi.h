/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the EFI stub uses of the firmware's interface, written down from the
 * UEFI specification, and what is left out as void pointers.
 *
 * Spec    [UEFI] 4.3 "EFI System Table", 4.4 "EFI Boot Services Table", 7.2
 *         "Memory Allocation Services", 9.1 "EFI Loaded Image Protocol", 10.3
 *         "Device Path Nodes", 12.4 "Simple Text Output Protocol", 13.4
 *         "Simple File System Protocol", 13.5 "File Protocol".
 */
#ifndef BOOT_EFI_H
#define BOOT_EFI_H

#include <lib/types.h>

#define EFI_ERROR(n)	      (UINT64_C(1) << 63 | (n))
#define EFI_LOAD_ERROR	      EFI_ERROR(1)
#define EFI_UNSUPPORTED	      EFI_ERROR(3)

#define EFI_PAGE_SIZE UINT64_C(4096)

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

enum efi_memory_type {
	EFI_LOADER_CODE = 1,
	EFI_LOADER_DATA = 2,
	EFI_BOOT_SERVICES_CODE = 3,
	EFI_BOOT_SERVICES_DATA = 4,
	EFI_RUNTIME_SERVICES_CODE = 5,
	EFI_RUNTIME_SERVICES_DATA = 6,
	EFI_CONVENTIONAL = 7,
	EFI_ACPI_RECLAIM = 9,
	EFI_ACPI_NVS = 10,
};

#define EFI_MEMORY_WB 8u /* attribute: can be cached */

struct efi_memory_descriptor {
	uint32_t type; /* enum efi_memory_type, and more */
	uint32_t pad;
	uint64_t physical, reserved, nr_pages, attribute;
};

struct efi_text_output {
	void *reserved1; /* Reset */
	uint64_t (*output_string)(struct efi_text_output *self,
				  const uint16_t *text);
};

enum { EFI_ALLOCATE_ANY_PAGES = 0 };

/* "reserved" here and below: what the stub does not use. */
struct efi_boot_services {
	void *reserved1[3 + 2]; /* the head, then from RaiseTPL() */
	uint64_t (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages,
				   uint64_t *address);
	void *reserved2; /* FreePages() */
	uint64_t (*get_memory_map)(uint64_t *size, void *map, uint64_t *key,
				   uint64_t *stride, uint32_t *version);
	void *reserved3[8 + 3]; /* from AllocatePool() */
	uint64_t (*handle_protocol)(void *handle, const struct efi_guid *id,
				    void **interface);
	void *reserved4[9]; /* from Reserved */
	uint64_t (*exit_boot_services)(void *image, uint64_t key);
};

struct efi_config_table {
	struct efi_guid id;
	void *table;
};

struct efi_system_table {
	void *reserved1[3 + 5]; /* the head, then from FirmwareVendor */
	struct efi_text_output *out;
	void *reserved2[3]; /* from StandardErrorHandle */
	struct efi_boot_services *boot;
	uint64_t nr_tables;
	struct efi_config_table *tables;
};

STATIC_ASSERT(__builtin_offsetof(struct efi_boot_services, get_memory_map) ==
		      24 + 4 * 8,
	      "[UEFI] 4.4");
STATIC_ASSERT(__builtin_offsetof(struct efi_boot_services, handle_protocol) ==
		      24 + 16 * 8,
	      "[UEFI] 4.4");
STATIC_ASSERT(__builtin_offsetof(struct efi_boot_services,
				 exit_boot_services) == 24 + 26 * 8,
	      "[UEFI] 4.4");
STATIC_ASSERT(__builtin_offsetof(struct efi_system_table, boot) == 96,
	      "[UEFI] 4.3");

struct efi_path_node {
	uint8_t type, subtype;
	uint8_t length[2]; /* with this head; little endian, not aligned */
};

struct efi_loaded_image {
	void *reserved1[3]; /* from Revision */
	void *device;
	struct efi_path_node *path;
};

struct efi_file {
	uint64_t reserved0; /* Revision */
	uint64_t (*open)(struct efi_file *self, struct efi_file **file,
			 const uint16_t *name, uint64_t mode, uint64_t attr);
	uint64_t (*close)(struct efi_file *self);
	void *reserved1; /* Delete() */
	uint64_t (*read)(struct efi_file *self, uint64_t *size, void *to);
	void *reserved2; /* Write() */
	uint64_t (*get_position)(struct efi_file *self, uint64_t *position);
	uint64_t (*set_position)(struct efi_file *self, uint64_t position);
};

struct efi_file_system {
	uint64_t reserved0; /* Revision */
	uint64_t (*open_volume)(struct efi_file_system *self,
				struct efi_file **root);
};

/* The stub's own: who we are, whom to ask. */
struct efi {
	void *image;
	struct efi_system_table *system;
	struct efi_boot_services *boot;
};

/* Say it on the firmware's console, behind our name. */
void efi_say(const struct efi *e, const char *fmt, ...) __printf(2, 3);
/* Pages of ours that outlive the firmware; NULL: said. */
void *efi_alloc(const struct efi *e, uint64_t size);

#endif

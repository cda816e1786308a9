/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory layout of the image. Linked at HV_BASE, loaded anywhere that is
 * 2 MiB aligned; start.S maps one onto the other before any C runs, so there
 * are no dynamic relocations. Each kind of access right starts on a page of
 * its own. What only boot/ uses is kept together and given back by seal().
 */
#include <arch/layout.h>

OUTPUT_FORMAT("elf64-littleaarch64")
OUTPUT_ARCH(aarch64)
ENTRY(_start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = HV_BASE;
	image_start = .;
	.text : {
		*(.head.text)
		*(.vectors)
		*(.text .text.*)
	} :text
	. = ALIGN(4096);
	boot_text_start = .;
	.boot.text : { *(.boot.text .boot.text.*) } :text
	. = ALIGN(4096);
	text_end = .;

	.rodata : {
		*(.rodata .rodata.*)
		. = ALIGN(8);
		*(.symtab_table)
	} :rodata
	. = ALIGN(4096);
	boot_rodata_start = .;
	.boot.rodata : { *(.boot.rodata .boot.rodata.*) } :rodata
	. = ALIGN(4096);
	rodata_end = .;

	ro_after_boot_start = .;
	/* .got: Debian's libfdt is compiled as for a shared object. */
	.data.ro_after_boot : {
		*(.data.ro_after_boot)
		. = ALIGN(8);
		*(.got .got.plt)
	} :data
	. = ALIGN(4096);
	ro_after_boot_end = .;
	.data : { *(.data .data.*) } :data
	. = ALIGN(16);
	.boot.data : {
		*(.boot.data .boot.data.*)
		. = ALIGN(512); /* as start.S says in the PE header */
	} :data
	file_end = .;

	.bss (NOLOAD) : {
		. = ALIGN(4096);
		tables_start = .;
		*(.bss.tables)
		tables_end = .;
		*(.boot_stack)
		. = ALIGN(4096);
		bss_start = .;
		*(.bss.sealed .boot.bss.sealed)
		. = ALIGN(4096);
		sealed_end = .;
		*(.bss .bss.*)
		. = ALIGN(4096);
		boot_bss_start = .;
		*(.boot.bss.noinit)
		. = ALIGN(4096);
		noinit_end = .;
		*(.boot.bss .boot.bss.*)
		. = ALIGN(4096);
		bss_end = .;
	} :data
	image_end = .;

	/DISCARD/ : {
		*(.comment .note* .eh_frame* .boot.eh_frame* .boot.note*
		  .gnu* .interp .dynamic* .dynsym .dynstr .hash)
	}
}

image_size = image_end - image_start;
pe_image_size = tables_start - image_start;
pe_data_size = tables_start - text_end;
pe_data_file_size = file_end - text_end;
ASSERT(image_end - image_start <= 0x200000, "image and bss fit in 2 MiB")
ASSERT((vectors & 0x7ff) == 0, "vector table alignment")
ASSERT(vectors + 0x800 >= image_start + 0x1000,
       "what runs under EFI is behind the PE headers")

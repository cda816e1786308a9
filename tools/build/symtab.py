#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""nm -n on stdin -> assembly of the symbol table that back traces print: distances in instructions, then names.

A name is the number of characters it shares with the one before, + 1, and what follows them.

The table goes to the end of .rodata, after all code, so that adding it moves
no function. Boot code is left out: its addresses are gone after boot.
"""
import os
import sys

HV_BASE = 0x7F8000000000


def main():
    syms, boot = [], None
    for line in sys.stdin:
        parts = line.split()
        if len(parts) != 3 or parts[1] not in "tT":
            continue
        addr = int(parts[0], 16) - HV_BASE
        if parts[2] == "boot_text_start":
            boot = addr
        if addr < 0 or parts[2].startswith("$") or boot is not None:
            continue
        name = parts[2].split(".")[0]  # not the compiler's .isra.0 and such
        if syms and syms[-1][0] == addr:
            continue
        syms.append((addr, name))
    syms.append((boot, "(boot code)"))
    print('\t.section .symtab_table, "a"\n\t.balign 4')
    print("\t.globl symtab_gaps, symtab_count, symtab_names")
    print(f"symtab_count:\n\t.long {len(syms)}\nsymtab_gaps:")
    last = 0
    for addr, _ in syms:
        print(f"\t.short {(addr - last) // 4}")
        last = addr
    print("symtab_names:")
    last = ""
    for _, name in syms:
        name = name[:63]
        shared = len(os.path.commonprefix([last, name]))
        print(f'\t.byte {shared + 1}\n\t.asciz "{name[shared:]}"')
        last = name


main()

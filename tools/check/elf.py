#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The linked image: nothing writable and executable, nothing for a dynamic
linker, nothing undefined, no constructors, no function pointer in writable
memory, no FP/SIMD instruction outside the functions that may, and its size.
"""
import os
import re
import subprocess
import sys

import common
import elffile

IMAGE_MAX = 381_440     # docs/adr/0013
BAD_SECTIONS = re.compile(r"\.(dynamic|dynsym|interp|got\.plt|plt|init_array|"
                          r"fini_array|preinit_array|ctors|dtors|"
                          r"(rela?|relr)(\..*)?)$")
FP_REGISTER = re.compile(r"\b(?:[vq](?:[12]?\d|3[01])(?:\.\d*[bhsdq])?"
                         r"|[dsh](?:[12]?\d|3[01]))\b")


def check_segments(elf, name, rep):
    for segment in elf.segments:
        if segment.flags & elffile.PF_W and segment.flags & elffile.PF_X:
            rep.fault(f"{name}:{segment.vaddr:#x}",
                      "segment is writable and executable",
                      "separate PHDRS in the linker script")
        if segment.type in (elffile.PT_DYNAMIC, elffile.PT_INTERP):
            rep.fault(f"{name}:{segment.vaddr:#x}",
                      "segment for a dynamic linker", "link with -static")


def check_sections(elf, name, rep):
    for section in elf.sections:
        if BAD_SECTIONS.match(section.name) and section.size:
            rep.fault(f"{name}:{section.name}", "section must not exist",
                      "no relocations, constructors or shared objects: "
                      "see the linker script and compiler flags")
        both = elffile.SHF_WRITE | elffile.SHF_EXEC
        if section.flags & both == both:
            rep.fault(f"{name}:{section.name}",
                      "section is writable and executable", "separate it")


def check_undefined(elf, name, rep):
    for symbol in elf.symbols:
        if symbol.shndx == 0 and symbol.name:
            rep.fault(f"{name}:{symbol.name}", "undefined symbol",
                      "define it, or drop the weak reference")


def listed_pointers(root):
    """Objects that docs/layers.md lets hold function pointers, writable."""
    rows = common.table(common.read(root, "docs/layers.md"),
                        "writable object")
    return {w for _, row in rows or [] for w in common.code_words(row[0])}


def check_pointers(elf, name, allowed, rep):
    functions = {s.value: s.name for s in elf.symbols
                 if s.type == elffile.STT_FUNC}
    for section in elf.writable():
        for address, value in elf.words(section):
            if value not in functions:
                continue
            holder = elf.object_at(address)
            if holder not in allowed:
                rep.fault(f"{name}:{holder}", f"writable memory points to "
                          f"{functions[value]}()", "make the table const, or "
                          "list the object in docs/layers.md")


def fp_allowed(root):
    rows = common.table(common.read(root, "docs/layers.md"),
                        "function with fp/simd")
    words = [w for _, row in rows or [] for w in common.code_words(row[0])]
    return re.compile("|".join(re.escape(w).replace(r"\*", r"\w*")
                               for w in words) + r"|(?!)")


def disassembly(path):
    cross = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")
    run = subprocess.run([f"{cross}objdump", "-d", "--no-show-raw-insn",
                          path], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def fp_use(lines):
    """(function, instruction) for each instruction with an FP register."""
    function = "?"
    for line in lines:
        head = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if head:
            function = head.group(1)
            continue
        parts = line.split("\t")
        if len(parts) < 3:
            continue
        operands = re.sub(r"<[^>]*>|//.*", "", parts[2])
        if FP_REGISTER.search(operands):
            yield function, f"{parts[1]} {operands}".strip()


def check_fp(lines, name, allowed, rep):
    seen = set()
    for function, text in fp_use(lines):
        bare = re.sub(r"\.(part|constprop|isra|cold)\..*", "", function)
        if function not in seen and not allowed.fullmatch(bare):
            seen.add(function)
            rep.fault(f"{name}:{function}", f"FP/SIMD instruction: {text}",
                      "compile with -mgeneral-regs-only, or list the "
                      "function in docs/layers.md")


def check_size(path, name, rep):
    if not os.path.exists(path):
        rep.fault(f"{name}:1", "no such file", "run make first")
        return
    size = os.path.getsize(path)
    rep.note(f"{name}: {size} bytes of {IMAGE_MAX}")
    if size > IMAGE_MAX:
        rep.fault(f"{name}:1", f"{size} bytes, budget {IMAGE_MAX}",
                  "find what grew, or argue with the budget in an ADR")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("elf")
    path = common.image_elf(args.root)
    name = os.path.relpath(path, args.root)
    if not os.path.exists(path):
        rep.fault(f"{name}:1", "no such file", "run make first")
        return rep.done()
    elf = elffile.Elf(path)
    check_segments(elf, name, rep)
    check_sections(elf, name, rep)
    check_undefined(elf, name, rep)
    check_pointers(elf, name, listed_pointers(args.root), rep)
    check_fp(disassembly(path), name, fp_allowed(args.root), rep)
    check_size(path[:-len(".elf")], name[:-len(".elf")], rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

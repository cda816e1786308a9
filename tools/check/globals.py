#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Every writable global of the image is listed in docs/data.md with its owner or
lock, and nothing is listed that does not exist. --print writes rows for what
is missing.
"""
import os
import re
import sys

import common
import elffile

DOC = "docs/data.md"


def writable_globals(elf):
    """{name: (size, section)} of variables in writable sections."""
    found = {}
    indexes = {n: s for n, s in enumerate(elf.sections)
               if s in elf.writable()}
    for symbol in elf.symbols:
        section = indexes.get(symbol.shndx)
        if not section or not symbol.name or symbol.name.startswith("$"):
            continue
        if symbol.type == elffile.STT_OBJECT and symbol.size or (
                symbol.type == elffile.STT_NOTYPE
                and not symbol.name.startswith("_")):
            # what LTO and statics of functions add is not of the source
            name = re.sub(r"(\.lto_priv|\.\d+)+$", "", symbol.name)
            size = found.get(name, (0, ""))[0] + symbol.size
            found[name] = (size, section.name)
    return found


def listed(root):
    rows = common.table(common.read(root, DOC), "global", "file")
    return {word: (number, row) for number, row in rows or []
            for word in common.code_words(row[0])}


def places(root, names):
    """{name: file} of the C files that define them."""
    paths = common.walk(root, ("lib", "core", "arch/arm64", "drivers", "boot",
                               "debug", "release"), (".c", ".S"))
    code = [p for p in paths if p.endswith(".c")]
    found = {t["name"]: t["path"] for t in common.ctags(root, code, "v")}
    for name in names - set(found):   # locals of a function, assembly
        word = re.compile(rf"\b{re.escape(name)}\b")
        for path in paths:
            if word.search(common.strip_c(common.read(root, path))):
                found[name] = path
                break
    return found


def print_rows(root, found, known):
    where = places(root, set(found))
    missing = set(found) - set(known)
    for name in sorted(missing, key=lambda n: (where.get(n, "?"), n)):
        boot = "ro_after_boot" in found[name][1] or "boot" in found[name][1]
        rule = "written during boot only" if boot else "?"
        print(f"| `{name}` | {where.get(name, '?')} | {found[name][0]} | "
              f"{rule} |")


def check_rows(root, found, known, rep):
    where = places(root, set(found) - set(known))
    for name in sorted(set(found) - set(known)):
        rep.fault(f"{where.get(name, '?')}:1",
                  f"global {name} ({found[name][0]} bytes) is not listed",
                  f"add it to {DOC} with its owner or lock "
                  "(tools/check/globals.py --print)")
    for name, (number, row) in known.items():
        if name not in found:
            rep.fault(f"{DOC}:{number}", f"{name} is not in the image",
                      "delete the row")
        elif len(row) < 4 or row[3] in ("", "?"):
            rep.fault(f"{DOC}:{number}", f"{name} has no owner or lock",
                      "say which CPU owns it or which lock protects it")


def main():
    par = common.parser(__doc__)
    par.add_argument("--print", action="store_true", dest="show")
    args = par.parse_args()
    rep = common.Report("globals")
    path = common.image_elf(args.root)
    if not os.path.exists(path):
        rep.fault(f"{os.path.relpath(path, args.root)}:1", "no such file",
                  "run make first")
        return rep.done()
    found = writable_globals(elffile.Elf(path))
    known = listed(args.root)
    if args.show:
        print_rows(args.root, found, known)
        return 0
    check_rows(args.root, found, known, rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

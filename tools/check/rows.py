#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Every row has a test that names it: hypercalls and sub-operations in core/ and
arch/, register rows of the vGIC, and every errno in tests/abi.
"""
import re
import sys

import common

OP = re.compile(r"\[((?:__HYPERVISOR|EVTCHNOP|GNTTABOP|XENMEM|SCHEDOP|VCPUOP|"
                r"HVMOP|XENVER|PHYSDEVOP|XENPF|XEN_DOMCTL|XEN_SYSCTL|"
                r"CONSOLEIO|VMASST|PSCI|SMCCC)_\w+)\]\s*=\s*"
                r"(\{[^}]*\}|\w+(?:\([^)]*\))?)?", re.S)
# A file may write its rows with a macro that pastes the name: ROW(name, ...).
PASTE = re.compile(r"#define\s+(\w+)\((\w+)\b[^)]*\)[\s\\]*\[(\w+_)##\2\]")
HANDLER = re.compile(r"\bhc_\w+")
REG_ROW = re.compile(r"^\s*(?:REG|ROW)\w*\((.*)$")
REG_NAME = re.compile(r"\b((?:GIC[DRCV]_)?[A-Z][A-Z0-9]{2,}R?\d?[A-Z]*)\b")
NOT_A_REG = {"REG", "ROW", "RAZ", "WI", "RO", "RW", "UINT64_C", "BIT", "BIT64",
             "FIELD64", "NULL", "W1S", "W1C"}


def tests_text(root):
    paths = common.walk(root, ("tests/unit", "tests/fakes"), (".c", ".h"))
    return "\n".join(common.read(root, p) for p in paths)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def rows_of(text):
    """(offset, name, the rest of the row) of each operation row of a file."""
    for match in OP.finditer(text):
        yield match.start(), match.group(1), match.group(2) or ""
    for macro, _, prefix in PASTE.findall(text):
        for match in re.finditer(rf"^\s*{macro}\((\w+),([^)]*)\)", text,
                                 re.M):
            yield match.start(1), prefix + match.group(1), match.group(2)


def check_ops(root, words, rep):
    count = 0
    for path in common.walk(root, ("core", "arch"), (".c",)):
        text = common.strip_c(common.read(root, path))
        for offset, name, rest in rows_of(text):
            count += 1
            known = {name}
            if name.startswith("__HYPERVISOR"):
                known |= set(HANDLER.findall(rest))
            if not known & words:
                rep.fault(f"{path}:{line_of(text, offset)}",
                          f"no test in tests/unit names {name}",
                          "write one: good, each error, hostile memory")
    return count


def register_of(line):
    """Name in a register row: GICx_NAME in it, or its /* NAME */ comment."""
    args = REG_ROW.match(line)
    if not args:
        return None
    comment = re.search(r"/\*\s*([A-Z][A-Z0-9_]+)", line)
    for name in REG_NAME.findall(re.sub(r"/\*.*", "", args.group(1))):
        if name.startswith("GIC"):
            return name
    return comment.group(1) if comment else None


def check_registers(root, words, rep):
    count = 0
    short = {re.sub(r"^(V?GIC[DRCV]_|V[23]_)+", "", w) for w in words}
    for path in common.walk(root, ("arch/arm64/vgic",), (".c",)):
        for number, line in enumerate(common.read(root, path).splitlines(), 1):
            name = register_of(line)
            if not name:
                continue
            count += 1
            bare = re.sub(r"^GIC[DRCV]_", "", name)
            if name not in words and bare not in short:
                rep.fault(f"{path}:{number}",
                          f"no test in tests/unit names {name}",
                          "write one: reset value, write, read back, width")
    return count


def check_errno(root, rep):
    path = "include/lib/errno.h"
    try:
        text = common.read(root, path)
        golden = common.read(root, "tests/abi/abi_asserts.c")
    except FileNotFoundError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*(E\w+) = \d+,", line)
        if match and not re.search(rf"\({match.group(1)}\b", golden):
            rep.fault(f"{path}:{number}", f"{match.group(1)} is not tied to "
                      "the ABI", "add it to tests/abi/abi_asserts.c")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("rows")
    words = set(re.findall(r"\w+", tests_text(args.root)))
    ops = check_ops(args.root, words, rep)
    regs = check_registers(args.root, words, rep)
    check_errno(args.root, rep)
    rep.note(f"{ops} operation rows, {regs} register rows")
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

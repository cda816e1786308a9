#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Every row has a test that names it: hypercalls and sub-operations in core/ and
arch/; registers of the vGIC, those of a file vgic*_vN.c in the tables rows_vN
of the unit tests; and every errno in tests/abi.
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
# [R_NAME] = REG_...(...), or REG_...(...), /* NAME, NAME: words */
REG_ROW = re.compile(r"^\s*(?:\[R_(\w+)\] = )?REG_(?!END)\w+\(.*$")
REG_NAMES = re.compile(r"/\*\s*([A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*)")
REG_TABLE = re.compile(r"\brows_v(\d)\[\] = \{(.*?)^\};", re.S | re.M)
REG_FILE = re.compile(r".*/vgic(d|r|its)_v(\d)\.c")
FRAMES = {"d": "GICD", "r": "GICR", "its": "GITS"}


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


def registers_of(line):
    """Names in a register row; [] when it has none, None when it is no row."""
    row = REG_ROW.match(line)
    if not row:
        return None
    if row.group(1):
        return [row.group(1)]
    names = REG_NAMES.search(line)
    return names.group(1).split(", ") if names else []


def tested_registers(root):
    """{version of the GIC: words in the tables rows_vN of the unit tests}"""
    words = {}
    for path in common.walk(root, ("tests/unit",), (".c",)):
        text = common.strip_c(common.read(root, path))
        for version, body in REG_TABLE.findall(text):
            words.setdefault(version, set()).update(re.findall(r"\w+", body))
    return words


def check_registers(root, rep):
    count = 0
    tested = tested_registers(root)
    for path in common.walk(root, ("arch/arm64/vgic",), (".c",)):
        file = REG_FILE.fullmatch(path)
        for number, line in enumerate(common.read(root, path).splitlines(), 1):
            names = registers_of(line)
            if names is None:
                continue
            count += 1
            if not file or not names:
                rep.fault(f"{path}:{number}", "a register row without a name",
                          "[R_NAME] = before it, in a file vgicd_vN.c, "
                          "vgicr_vN.c or vgicits_vN.c, or /* NAME */ behind it")
                continue
            frame, version = file.groups()
            for name in (f"{FRAMES[frame]}_{name}" for name in names):
                if name not in tested.get(version, ()):
                    rep.fault(f"{path}:{number}",
                              f"no rows_v{version}[] in tests/unit names {name}",
                              "write it: width; and a test: reset value, "
                              "write, read back")
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
    regs = check_registers(args.root, rep)
    check_errno(args.root, rep)
    rep.note(f"{ops} operation rows, {regs} register rows")
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

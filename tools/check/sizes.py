#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Sizes: lines wider than 80 columns, functions above 60 lines, files above 600.

What may be larger is listed in tools/check/sizes.allow with a reason:
    function PATH:NAME long|flat REASON     up to 80 lines; flat: any length,
                                            one flat table or list of calls
    file PATH REASON                        more than 600 lines
An entry that is not needed any more is a fault: the list only shrinks.
"""
import sys

import common

COLUMNS = 80
FUNCTION, FUNCTION_MAX = 60, 80
FILE_WARN, FILE_MAX = 450, 600
FLAT_DEPTH = 2   # the body's own braces and one level of blocks
TOPS = common.PRODUCT + ("guests", "tests")


def read_allow(root, rep):
    """{key: [line number, kind, used]}"""
    allow = {}
    path = "tools/check/sizes.allow"
    try:
        text = common.read(root, path)
    except FileNotFoundError:
        return allow
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "file" and len(words) >= 3:
            allow[words[1]] = [number, "file", False]
        elif (words[0] == "function" and len(words) >= 4
              and words[2] in ("long", "flat")):
            allow[words[1]] = [number, words[2], False]
        else:
            rep.fault(f"{path}:{number}", "entry not understood",
                      "see the head of tools/check/sizes.py")
    return allow


def check_lines(root, path, rep):
    lines = common.read(root, path).splitlines()
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            rep.fault(f"{path}:{number}", f"{width} columns",
                      f"break the line at {COLUMNS}")
    return lines


def is_flat(lines):
    depth = deepest = 0
    for char in common.strip_c("\n".join(lines)):
        depth += (char == "{") - (char == "}")
        deepest = max(deepest, depth)
    return deepest <= FLAT_DEPTH


def check_function(tag, lines, allow, rep):
    length = tag.get("end", tag["line"]) - tag["line"] + 1
    if length <= FUNCTION:
        return
    where = f"{tag['path']}:{tag['line']}"
    entry = allow.get(f"{tag['path']}:{tag['name']}")
    what = f"{tag['name']} has {length} lines"
    if not entry:
        rep.fault(where, what, f"split it (aim {FUNCTION}), or list it in "
                  "tools/check/sizes.allow with a reason")
        return
    entry[2] = True
    if length <= FUNCTION_MAX:
        return
    if entry[1] != "flat":
        rep.fault(where, what, f"more than {FUNCTION_MAX} lines only as one "
                  "flat table or list of calls (kind flat)")
    elif not is_flat(lines[tag["line"] - 1:tag["end"]]):
        rep.fault(where, f"{what} and is not flat",
                  "split it: a flat function nests one level at most")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("sizes")
    root = args.root
    allow = read_allow(root, rep)
    paths = common.walk(root, TOPS, (".c", ".h", ".S"))
    text = {p: check_lines(root, p, rep) for p in paths}
    for path, lines in text.items():
        if len(lines) > FILE_MAX and path in allow:
            allow[path][2] = True
        elif len(lines) > FILE_MAX:
            rep.fault(f"{path}:1", f"{len(lines)} lines",
                      "split the module, or list the file in "
                      "tools/check/sizes.allow with a reason")
        elif len(lines) > FILE_WARN:
            rep.note(f"{path}: {len(lines)} lines; above {FILE_WARN} look "
                     "for the second module inside")
    code = [p for p in paths if p.endswith((".c", ".h"))]
    for tag in common.ctags(root, code, "f"):
        check_function(tag, text[tag["path"]], allow, rep)
    for key, (number, _, used) in allow.items():
        if not used:
            rep.fault(f"tools/check/sizes.allow:{number}",
                      f"{key} needs no entry any more", "delete the line")
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

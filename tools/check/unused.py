#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Functions of the product that nothing of the product reaches, and members of
its structures that nothing names. Tests do not count: what only they call is
dead code with a test, unless docs/layers.md says why it is there.

Works on names: a function is reached when its name stands outside all
functions (in a table, a macro, assembly) or in one that is reached. Functions
of one name are one; so a dead one can hide behind a namesake, and nothing that
is alive is reported.
"""
import re
import sys

import common

SOURCE = (".c", ".h", ".S")
WORD = re.compile(r"[A-Za-z_]\w*")
HEAD = ("function that nothing calls", "why")
# Layouts of hardware, firmware and the interface: complete, used or not.
PADDING = re.compile(r"(reserved|pad)\d*$|^__anon")


def functions(tags):
    """By name: [(path, first line, last line)] of its definitions."""
    found = {}
    for tag in tags:
        if tag["kind"] == "function":
            place = (tag["path"], tag["line"], tag.get("end", tag["line"]))
            found.setdefault(tag["name"], []).append(place)
    return found


def prototypes(tags):
    return {(t["path"], t["line"], t["name"]) for t in tags
            if t["kind"] == "prototype"}


def uses(lines, found, declared):
    """Names outside functions, and by function the names inside it."""
    inside = {}
    for name, places in found.items():
        for path, first, last in places:
            for number in range(first, last + 1):
                inside[path, number] = name
    outer, calls = set(), {}
    for path, text in lines.items():
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("#include"):
                continue
            owner = inside.get((path, number))
            for word in WORD.findall(line):
                if owner:
                    calls.setdefault(owner, set()).add(word)
                elif (path, number, word) not in declared:
                    outer.add(word)
    return outer, calls


def reached(outer, calls, found):
    alive = set()
    todo = [name for name in found if name in outer]
    while todo:
        name = todo.pop()
        if name not in alive:
            alive.add(name)
            todo += [w for w in calls.get(name, ()) if w in found]
    return alive


def allowed(root, rep):
    rows = common.table(common.read(root, "docs/layers.md"), *HEAD) or []
    names = {w: number for number, cells in rows
             for w in common.code_words(cells[0])}
    for number, cells in rows:
        if len(cells) < 2 or not cells[1]:
            rep.fault(f"docs/layers.md:{number}", "no reason", "say why")
    return names


def check_functions(lines, tags, allow, rep):
    found = functions(tags)
    outer, calls = uses(lines, found, prototypes(tags))
    alive = reached(outer | set(allow), calls, found)
    bare = reached(outer, calls, found)
    for name in sorted(set(found) - alive):
        path, line, _ = found[name][0]
        rep.fault(f"{path}:{line}", f"nothing calls {name}()",
                  "remove it, or give it a row in docs/layers.md")
    for name in sorted(set(allow) & bare | set(allow) - set(found)):
        rep.fault(f"docs/layers.md:{allow[name]}",
                  f"{name}() needs no row", "remove the row")


def check_members(lines, tags, rep):
    count = {}
    for text in lines.values():
        for word in WORD.findall(text):
            count[word] = count.get(word, 0) + 1
    for tag in tags:
        name = tag["name"]
        if (tag["kind"] == "member" and count.get(name, 0) < 2
                and not PADDING.search(name)):
            rep.fault(f"{tag['path']}:{tag['line']}",
                      f"nothing names the member {name}", "remove it")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("unused")
    paths = common.walk(args.root, common.PRODUCT, SOURCE)
    paths = [p for p in paths if not p.startswith("arch/fake/")]
    lines = {p: common.strip_c(common.read(args.root, p)) for p in paths}
    tags = common.ctags(args.root,
                        [p for p in paths if not p.endswith(".S")], "fpm")
    check_functions(lines, tags, allowed(args.root, rep), rep)
    check_members(lines, tags, rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

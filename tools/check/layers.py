#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The rules of docs/layers.md: who may include what, words that must not occur,
no cycle among the files of core/ but through the listed doors, a .c file
includes its own header first, closure limits, no #if inside a .c file.
"""
import fnmatch
import os
import re
import sys

import common

DOC = "docs/layers.md"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
CLOSURE_HEADERS, CLOSURE_LINES = 40, 4000
CODE = (".c", ".h", ".S")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(root, path):
    """[(line, bracket, name)]; commented-out ones do not count."""
    text = common.strip_c(common.read(root, path), strings=False)
    return [(line_of(text, m.start(1)), m.group(1), m.group(2))
            for m in INCLUDE.finditer(text)]


# ---- who may include what ---------------------------------------------------

def include_rules(text):
    """{folder: [patterns]} from the first table of the document."""
    rows = common.table(text, "code in", "may include")
    return {folder: common.code_words(row[1]) for _, row in rows or []
            for folder in common.code_words(row[0])}


def rule_for(path, rules):
    folders = [f for f in rules if path.startswith(f)]
    return max(folders, key=len) if folders else None


def resolves_inside(root, path, name, folder):
    """Does a quoted include stay in its layer, as a private header?"""
    for base in (os.path.dirname(path), folder):
        full = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(root, full)):
            return full.startswith(folder)
    return False


def check_includes(root, rules, rep):
    for path in common.walk(root, common.PRODUCT, CODE):
        folder = rule_for(path, rules)
        if not folder:
            rep.fault(f"{path}:1", f"no layer in {DOC} covers this file",
                      "put it where a layer is, or add the row")
            continue
        for line, bracket, name in includes(root, path):
            allowed = any(fnmatch.fnmatchcase(name, p) for p in rules[folder])
            if bracket == '"':
                allowed = allowed or resolves_inside(root, path, name, folder)
            if not allowed:
                rep.fault(f"{path}:{line}", f"{folder} must not include "
                          f"{name}", f"see the row {folder} of {DOC}: use a "
                          "port header, or move the code")


def check_own_first(root, rep):
    pairs = (("core", "hv"), ("lib", "lib"))
    for top, space in pairs:
        for path in common.walk(root, (top,), (".c",)):
            own = f"{space}/{os.path.basename(path)[:-2]}.h"
            if not os.path.exists(os.path.join(root, "include", own)):
                continue
            found = includes(root, path)
            if not found or found[0][2] != own:
                line = found[0][0] if found else 1
                rep.fault(f"{path}:{line}", f"<{own}> is not the first "
                          "include", "include a file's own header first")


# ---- closures ---------------------------------------------------------------

def find_header(root, path, name):
    for base in (os.path.dirname(path), "include", "arch/arm64/include"):
        full = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(root, full)):
            return full
    return None


def closure(root, path, cache):
    if path not in cache:
        cache[path] = set()
        for _, _, name in includes(root, path):
            header = find_header(root, path, name)
            if header:
                cache[path] |= {header} | closure(root, header, cache)
    return cache[path]


def check_closures(root, rep):
    cache = {}
    for path in common.walk(root, ("core",), (".c",)):
        headers = closure(root, path, cache)
        lines = sum(common.read(root, h).count("\n") for h in headers)
        if len(headers) > CLOSURE_HEADERS or lines > CLOSURE_LINES:
            rep.fault(f"{path}:1", f"pulls in {len(headers)} headers, {lines} "
                      f"lines (limits {CLOSURE_HEADERS}, {CLOSURE_LINES})",
                      "include less, or split a header")


# ---- words ------------------------------------------------------------------

def check_words(root, text, rep):
    rows = common.table(text, "code in", "words refused")
    for _, row in rows or []:
        words = common.code_words(row[1])
        pattern = re.compile("|".join(
            r"(?<![A-Za-z0-9])" + re.escape(w).replace(r"\*", "[A-Za-z0-9]*")
            + r"(?![A-Za-z0-9])" for w in words), re.I)
        comments = len(row) > 2 and row[2].lower().startswith("yes")
        for path in common.walk(root, common.code_words(row[0]), CODE):
            body = common.read(root, path)
            if not comments:
                body = common.strip_c(body)
            for match in pattern.finditer(body):
                rep.fault(f"{path}:{line_of(body, match.start())}",
                          f"the word {match.group(0)!r} does not belong here",
                          f"say it without, or move it: see {DOC}")


# ---- cycles among the files of core/ ----------------------------------------

def core_edges(root):
    """{(from, to): (line, symbol)} by use of another file's functions."""
    paths = common.walk(root, ("core",), (".c",))
    owner = {}
    for tag in common.ctags(root, paths, "fv"):
        if not tag.get("file") and tag.get("scopeKind") != "function":
            owner.setdefault(tag["name"], tag["path"])
    edges = {}
    for path in paths:
        text = common.strip_c(common.read(root, path))
        for match in re.finditer(r"\b[A-Za-z_]\w*\b", text):
            target = owner.get(match.group(0))
            if target and target != path:
                edges.setdefault((path, target), (
                    line_of(text, match.start()), match.group(0)))
    return edges


def allowed_doors(text):
    """[(from pattern, to pattern, row line)]"""
    rows = common.table(text, "from", "to")
    return [(a, b, number) for number, row in rows or []
            for a in common.code_words(row[0])
            for b in common.code_words(row[1])]


def find_cycle(graph):
    """A cycle as a list of nodes, or None. Depth first, in sorted order."""
    state, path = {}, []

    def visit(node):
        state[node] = 1
        path.append(node)
        for nxt in sorted(graph.get(node, ())):
            if state.get(nxt) == 1:
                return path[path.index(nxt):] + [nxt]
            if nxt not in state:
                found = visit(nxt)
                if found:
                    return found
        state[node] = 2
        path.pop()
        return None

    for node in sorted(graph):
        if node not in state:
            found = visit(node)
            if found:
                return found
    return None


def check_cycles(root, text, rep):
    edges = core_edges(root)
    doors = allowed_doors(text)
    used = set()
    graph = {}
    for (a, b) in edges:
        hits = [n for pa, pb, n in doors if fnmatch.fnmatchcase(a, pa)
                and fnmatch.fnmatchcase(b, pb)]
        if hits:
            used |= set(hits)
        else:
            graph.setdefault(a, set()).add(b)
    while True:
        cycle = find_cycle(graph)
        if not cycle:
            break
        names = " -> ".join(os.path.basename(p) for p in cycle)
        uses = "; ".join(f"{a}:{edges[a, b][0]} uses {edges[a, b][1]}"
                         for a, b in zip(cycle, cycle[1:]))
        rep.fault(f"{cycle[-2]}:{edges[cycle[-2], cycle[-1]][0]}",
                  f"cycle {names} ({uses})", "turn one arrow round, or list "
                  f"it with its reason in {DOC}")
        graph[cycle[-2]].discard(cycle[-1])
    if edges:
        for _, _, number in doors:
            if number not in used:
                rep.fault(f"{DOC}:{number}", "this arrow is not used",
                          "delete the row")


# ---- conditional compilation ------------------------------------------------

def check_conditionals(root, rep):
    for path in common.walk(root, common.PRODUCT, (".c",)):
        text = common.strip_c(common.read(root, path))
        depth = 0
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*#\s*(if|ifdef|ifndef)\b", line) and depth > 0:
                rep.fault(f"{path}:{number}", "#if inside a function or table",
                          "a file list, a const table, an inline stub in a "
                          "header, or if (IS_ENABLED(X))")
            depth += line.count("{") - line.count("}")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("layers")
    root = args.root
    text = common.read(root, DOC)
    check_includes(root, include_rules(text), rep)
    check_own_first(root, rep)
    check_closures(root, rep)
    check_words(root, text, rep)
    check_cycles(root, text, rep)
    check_conditionals(root, rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

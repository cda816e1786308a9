#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Layout of C as .clang-format says: spacing, braces, indentation, one statement
a line. Left to the author, because hands do it better: where a long statement
is broken, columns of trailing comments and initialisers, macro bodies, and
what stands between clang-format off and on.
"""
import difflib
import re
import subprocess
import sys

import common

TOPS = common.PRODUCT + ("guests", "tests")
END = re.compile(r"[;{}]$|^#|\*/$|\\$|^(case\b[^?]*|default|\w+):$")
INIT = re.compile(r"(=|[=(,&]\s*\((struct|union) [^)]*\)"
                  r"|return\s*\([^)]*\)|\benum(\s+\w+)?)\s*\{")


def is_whole(text):
    """Is TEXT a statement or its head, and not the start of a longer one?"""
    if text.count("(") > text.count(")"):
        return False
    return not INIT.search(text) or text.count("{") <= text.count("}")


def normal(text):
    """One statement without what the author may choose."""
    text = re.sub(r"\s+", " ", text.strip())
    text = re.sub(r"\s*([:(){}\[\]])\s*", r"\1", text)
    text = re.sub(r"\*\s+", "*", text)
    text = re.sub(r'"\s*"', "", text)   # strings that the compiler joins
    return re.sub(r",\}", "}", text)


def statements(text):
    """[(line number, statement with its indentation, blanks normalised)]"""
    out, start, held, macro = [], 0, "", False
    for number, line in enumerate(text.splitlines(), 1):
        body = re.sub(r"/\*.*?\*/|//.*$", "", line).strip()
        if macro or re.match(r"\s*#\s*define", line):
            macro = line.rstrip().endswith("\\")
            continue
        if not body:
            continue
        if not held.strip():
            start = number
            held = re.match(r"\s*", line.expandtabs(8)).group(0) + body
        else:
            held = f"{held} {body}"
        if END.search(body) and is_whole(held):
            indent = re.match(r"\s*", held).group(0)
            if not re.match(r"(__)?asm\b|__asm__", held.strip()):
                out.append((start, indent + normal(held)))
            held = ""
    return out


def only_code(text):
    """Block comments out; lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", "", match.group(0))
    return re.sub(r"^\s*/\*.*?\*/\s*?$", blank, text, flags=re.S | re.M)


def formatted(root, path):
    run = subprocess.run(["clang-format", "--style=file", path], cwd=root,
                         capture_output=True, text=True, check=True)
    return run.stdout


def check(root, path, rep):
    have = statements(only_code(common.read(root, path)))
    want = statements(only_code(formatted(root, path)))
    match = difflib.SequenceMatcher(None, [s for _, s in have],
                                    [s for _, s in want], autojunk=False)
    for kind, a, b, c, d in match.get_opcodes():
        if kind != "equal":
            line = have[a][0] if a < len(have) else 1
            wanted = want[c][1].strip()[:60] if c < d else "nothing here"
            rep.fault(f"{path}:{line}", f"clang-format wants: {wanted}",
                      "write it so, or put a table between "
                      "/* clang-format off */ and on")


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("style")
    try:
        for path in common.walk(args.root, TOPS, (".c", ".h")):
            check(args.root, path, rep)
    except FileNotFoundError:
        rep.fault("tools/check/style.py:1", "clang-format is missing",
                  "tools/setup/host.sh")
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

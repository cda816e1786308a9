# SPDX-License-Identifier: Apache-2.0
"""What the checks of this folder share: the tree, C text, tables, reports."""
import argparse
import os
import re
import subprocess
import sys

PRODUCT = ("lib", "core", "arch", "drivers", "boot", "debug", "release",
           "include")
SKIP_DIRS = {".git", "build", "__pycache__", ".pytest_cache"}


class Report:
    """Collects faults; a fault names a place and its cure."""

    def __init__(self, name):
        self.name = name
        self.faults = 0

    def fault(self, where, what, cure):
        self.faults += 1
        print(f"{where}: {what}\n    cure: {cure}")

    @staticmethod
    def note(text):
        print(f"note: {text}")

    def done(self):
        state = "failed" if self.faults else "passed"
        extra = f" ({self.faults} faults)" if self.faults else ""
        print(f"{self.name}: {state}{extra}")
        return 1 if self.faults else 0


def parser(doc):
    p = argparse.ArgumentParser(description=doc)
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument("--root", default=os.path.dirname(os.path.dirname(here)),
                   help="the tree to look at (default: this one)")
    return p


def build_dir(root):
    return os.path.join(root, os.environ.get("BUILD", "build"))


def image_elf(root):
    return os.path.join(build_dir(root), "arm64", "bulkhead.elf")


def walk(root, tops=None, exts=None):
    """Paths below root, relative and sorted; only TOPS and EXTS if given."""
    found = []
    for top in tops or ("",):
        for path, dirs, files in os.walk(os.path.join(root, top)):
            dirs[:] = sorted(d for d in dirs if d not in SKIP_DIRS)
            for name in files:
                if exts and not name.endswith(exts):
                    continue
                full = os.path.join(path, name)
                if not os.path.islink(full):
                    found.append(os.path.relpath(full, root))
    return sorted(set(found))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8",
              errors="replace") as file:
        return file.read()


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


_COMMENT = r"/\*.*?\*/|//[^\n]*"
_STRING = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''


def strip_c(text, strings=True):
    """C text without comments (and strings), line structure kept."""
    def sub(match):
        if match.group(0)[0] == "/" or strings:
            return _blank(match)
        return match.group(0)
    return re.sub(f"{_COMMENT}|{_STRING}", sub, text, flags=re.S)


def table(text, *heads):
    """
    Rows of the markdown table whose first column heads are HEADS: a list of
    (line number, [cells]). None when there is no such table.
    """
    rows = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            if rows is not None:
                return rows
            continue
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if rows is None:
            if tuple(c.lower() for c in cells[:len(heads)]) == heads:
                rows = []
        elif not set("".join(cells)) <= set("-: "):
            rows.append((number, cells))
    return rows


def code_words(cell):
    """The `words` of a table cell."""
    return re.findall(r"`([^`]+)`", cell)


def ctags(root, paths, kinds):
    """Tags of C files: dicts with path, name, line, end, file (static)."""
    import json
    if not paths:
        return []
    cmd = ["ctags", "--quiet", "--fields=+neKfsZ", "--output-format=json",
           "--language-force=C", f"--kinds-C={kinds}",
           "-I", "__must_check,__noreturn,__cold,NO_LOCK_ANALYSIS,"
           "__ro_after_boot,__aligned+,__printf+,"
           "ACQUIRE+,RELEASE+,REQUIRES+,EXCLUDES+,CAPABILITY+",
           "-f", "-", "-L", "-"]
    try:
        out = subprocess.run(cmd, cwd=root, input="\n".join(paths), text=True,
                             capture_output=True, check=True).stdout
    except FileNotFoundError:
        sys.exit("universal-ctags is missing\n    cure: tools/setup/host.sh")
    return [json.loads(line) for line in out.splitlines()
            if line.startswith("{")]

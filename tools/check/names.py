#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Names and marks: no host names, no paths of one machine, no open TODO without
an issue number, no XXX, and the SPDX line at the head of every source file.
"""
import re
import sys

import common

SOURCE = (".c", ".h", ".S", ".py", ".sh", ".mk", ".lds", ".dts", ".conf")
BINARY = (".png", ".gz", ".xz", ".dtb", ".cpio", ".bin", ".pyc")
SPDX = "SPDX-License-Identifier: Apache-2.0"
# Documents whose text is not ours, and hosts that are names of standards.
FOREIGN = ("LICENSE",)
HOSTS = {"www.apache.org", "www.w3.org"}

BAD = (
    (re.compile(r"(?<![\w.])/(work|home|Users)(?![\w.-])"
                r"|(?<![\w.])/(work|home|Users)/(?!\.)\w"),
     "path of one machine", "use a path relative to the tree, or a variable"),
    (re.compile(r"\b[\w.-]+\.(internal|corp|localdomain)\b"),
     "host name", "leave it out"),
    (re.compile(r"\b(10\.\d+|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d+\.\d+\b"),
     "host address", "leave it out"),
    (re.compile(r"\b(TODO|FIXME)\b(?! ?\(?#\d+)"),
     "open mark without an issue number", "write TODO(#n) or do it"),
    (re.compile(r"(?<![\w/.-])XXX\b"), "XXX", "say what is wrong, or fix it"),
)
URL = re.compile(r"\b(?:https?|ftp|git|ssh)://([A-Za-z0-9][\w.-]*)")
# Addresses inside an emulated machine's own private network.
GUEST_NET = ("tools/image/", "tools/qemu/", "tests/sys/", "tools/bench/",
             "tools/ledger/")


def check_line(path, number, line, rep):
    where = f"{path}:{number}"
    for pattern, what, cure in BAD:
        match = pattern.search(line)
        if not match:
            continue
        if what == "host address" and path.startswith(GUEST_NET):
            continue
        rep.fault(where, f"{what}: {match.group(0)}", cure)
    for host in URL.findall(line):
        if host not in HOSTS and "." in host:
            rep.fault(where, f"host name in a URL: {host}",
                      "name the document or the package instead")


def is_source(path, text):
    name = path.rsplit("/", 1)[-1]
    return (path.endswith(SOURCE) or name == "Makefile"
            or path.endswith(".lds.S") or text.startswith("#!"))


def main():
    args = common.parser(__doc__).parse_args()
    rep = common.Report("names")
    for path in common.walk(args.root):
        if path.endswith(BINARY) or path in FOREIGN:
            continue
        text = common.read(args.root, path)
        head = text.splitlines()[:3]
        if is_source(path, text) and not any(SPDX in h for h in head):
            rep.fault(f"{path}:1", "no SPDX line", f"add: {SPDX}")
        if path in ("tools/check/names.py", "tools/check/selftest.py"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            check_line(path, number, line, rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""What Debian's manual pages name: the keys of xl.cfg(5) and the commands of xl(1)."""
import collections
import gzip
import os
import re

MANUALS = os.path.join("build", "peer", "dom0-root", "usr", "share", "man")

# form: what the manual page writes after the =; x86: of a section for guests that there are on x86 only.
Key = collections.namedtuple("Key", "name form section x86")
X86_SECTIONS = re.compile(r"Paravirtualised \(PV\)|Fully-virtualised \(HVM\)|PV guest options|HVM guest options|PVH guest"
                          r"|PVH Guest|Device-Model|^x86")


def page(root, path):
    with gzip.open(os.path.join(root, MANUALS, path), "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def keys(root):
    """One Key for each, the first time that the page explains it."""
    lines = page(root, "man5/xl.cfg.5.gz")
    found, depth, section, x86 = {}, 0, "", False
    for number, line in enumerate(lines):
        depth += line.startswith(".RS")
        depth -= line.startswith(".RE")
        head = re.match(r'\.IX Subsection "(.*)"', line)
        if head:
            section = head.group(1)
            if lines[number - 1].startswith(".SS") or X86_SECTIONS.search(section):
                x86 = bool(X86_SECTIONS.search(section))
            elif section in ("Other Options", "ARM"):
                x86 = False
        item = re.match(r'\.IX Item "(\w+)=\s*(.*?)"', line)
        if item and depth == 0 and item.group(1) not in found:
            found[item.group(1)] = Key(item.group(1), item.group(2), section, x86)
    return list(found.values())


def commands(root):
    """The names of the commands that the page explains, on whatever machine they are."""
    found, depth, inside = [], 0, False
    for line in page(root, "man1/xl.1.gz"):
        depth += line.startswith(".RS")
        depth -= line.startswith(".RE")
        if line.startswith(".SH"):
            inside = not re.search(r"NAME|SYNOPSIS|DESCRIPTION|NOTES|GLOBAL|IGNORED|VARIABLES|ALSO|BUGS", line)
        item = re.match(r'\.IX Item "([a-z][-a-z0-9]*)', line)
        if item and inside and depth == 0 and item.group(1) not in found:
            found.append(item.group(1))
    return found

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the control domain's ramdisk from Debian's arm64 packages: build/dom0/dom0.cpio.gz.

What goes in stands in dom0.files beside this file. The result depends on its inputs alone (no times, no owners,
sorted), so two builds of the same inputs are the same bytes. Needs tools/setup/fetch_arm64.sh to have run.
"""
import argparse
import fnmatch
import gzip
import os
import stat
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
PACKAGES = os.path.join(BUILD, "peer", "dom0-root")
MODULES = os.path.join(BUILD, "peer", "modules", "lib", "modules")
PROGS = os.path.join(ROOT, "tests", "sys", "progs")
FILES = os.path.join(ROOT, "tools", "image", "dom0.files")


def die(cause, cure):
    sys.exit(f"mkdom0: error: {cause}\nmkdom0: cure:  {cure}")


class Archive:
    """A ramdisk in the making: path -> (mode, data, device), written as a "newc" cpio archive."""

    def __init__(self):
        self.entries = {}

    def _parents(self, path):
        parent = os.path.dirname(path)
        while parent:
            self.entries.setdefault(parent, (stat.S_IFDIR | 0o755, b"", (0, 0)))
            parent = os.path.dirname(parent)

    def add(self, path, mode, data=b"", device=(0, 0)):
        path = path.strip("/")
        self._parents(path)
        self.entries[path] = (mode, data, device)

    def add_file(self, path, data):
        """Programs, known by their first bytes, become executable."""
        program = data[:2] == b"#!" or data[:4] == b"\x7fELF"
        self.add(path, stat.S_IFREG | (0o755 if program else 0o644), data)

    def add_host(self, path, source):
        """A file, link or directory of the host's file system."""
        if os.path.islink(source):
            self.add(path, stat.S_IFLNK | 0o777, os.readlink(source).encode())
        elif os.path.isdir(source):
            self.add(path, stat.S_IFDIR | 0o755)
        else:
            with open(source, "rb") as file:
                self.add_file(path, file.read())

    @staticmethod
    def _record(number, path, mode, data, device):
        name = path.encode() + b"\0"
        # magic, inode, mode, uid, gid, links, mtime, size, device of the file (2), device it names (2), name size, check
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1], len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        head += b"\0" * (-len(head) % 4)
        return head + data + b"\0" * (-len(data) % 4)

    def write(self, target):
        body = b"".join(self._record(number, path, *entry)
                        for number, (path, entry) in enumerate(sorted(self.entries.items()), 1))
        body += self._record(0, "TRAILER!!!", 0, b"", (0, 0))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target + ".new", "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed:
                packed.write(body)
        os.rename(target + ".new", target)


class Modules:
    """The stock kernel's modules: who needs whom, read from the modules themselves."""

    def __init__(self):
        versions = sorted(os.listdir(MODULES)) if os.path.isdir(MODULES) else []
        if not versions:
            die("the stock kernel's modules are not there", "tools/setup/fetch_arm64.sh")
        self.version = versions[-1]
        self.top = os.path.join(MODULES, self.version)
        self.paths = {}
        for folder, _, names in os.walk(self.top):
            for name in names:
                if name.endswith(".ko"):
                    self.paths[self.key(name[:-3])] = os.path.join(folder, name)

    @staticmethod
    def key(name):
        return name.replace("-", "_")

    def path(self, name):
        path = self.paths.get(self.key(name))
        if path is None:
            die(f"the stock kernel has no module {name}", f"correct its name in {os.path.relpath(FILES, ROOT)}")
        return path

    def needs(self, name):
        """Modules that this one names in its "depends=" line."""
        with open(self.path(name), "rb") as file:
            data = file.read()
        start = data.find(b"\0depends=")
        if start < 0:
            return []
        line = data[start + 9:data.index(b"\0", start + 9)].decode()
        return [need for need in line.split(",") if need]

    def closure(self, name):
        """The module and all it depends on, what must be loaded first coming first."""
        order = []
        for need in self.needs(name):
            order += [one for one in self.closure(need) if one not in order]
        return order + [self.key(name)]


def add_modules(archive, load, carry):
    modules = Modules()
    home = f"lib/modules/{modules.version}"
    lines = {}
    for name in load + carry:
        for one in modules.closure(name):
            path = modules.path(one)
            inside = os.path.relpath(path, modules.top)
            needs = [os.path.relpath(modules.path(need), modules.top)
                     for need in reversed(modules.closure(one)[:-1])]
            lines[inside] = " ".join([inside + ":"] + needs)
            archive.add_host(f"{home}/{inside}", path)
    archive.add_file(f"{home}/modules.dep", ("\n".join(sorted(lines.values())) + "\n").encode())
    archive.add_file("etc/modules", "".join(name + "\n" for name in load).encode())


def add_deb(archive, pattern):
    """Files of the unpacked packages by pattern; a directory brings all below it."""
    found = False
    for folder, folders, names in os.walk(PACKAGES):
        for name in folders + names:
            inside = os.path.relpath(os.path.join(folder, name), PACKAGES)
            if fnmatch.fnmatchcase(inside, pattern) or inside.startswith(pattern + "/"):
                archive.add_host(inside, os.path.join(folder, name))
                found = True
    if not found:
        die(f"no file '{pattern}' in the unpacked packages",
            "name its package in tools/image/dom0.packages and run tools/setup/fetch_arm64.sh")


def build_programs():
    """Compiles the test programs; NAME32.c is for 32-bit Arm. Gives their paths."""
    built = []
    out = os.path.join(BUILD, "dom0", "progs")
    os.makedirs(out, exist_ok=True)
    for name in sorted(os.listdir(PROGS)) if os.path.isdir(PROGS) else []:
        if not name.endswith(".c"):
            continue
        source, target = os.path.join(PROGS, name), os.path.join(out, name[:-2])
        cross = "arm-linux-gnueabihf-gcc" if name.endswith("32.c") else "aarch64-linux-gnu-gcc"
        if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
            command = [cross, "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-s", "-Wl,--build-id=none",
                       "-o", target, source]
            try:
                subprocess.run(command, check=True)
            except FileNotFoundError:
                die(f"no compiler {cross}", "tools/setup/host.sh")
            except subprocess.CalledProcessError:
                die(f"{os.path.relpath(source, ROOT)} does not compile", "see the compiler's messages above")
        built.append(target)
    return built


def add_listed(archive):
    """What dom0.files says, line by line."""
    load, carry = [], []
    with open(FILES, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            kind, rest = words[0], words[1:]
            if kind == "deb" and len(rest) == 1:
                add_deb(archive, rest[0])
            elif kind == "own" and len(rest) == 2:
                archive.add_host(rest[1], os.path.join(ROOT, rest[0]))
            elif kind == "module" and len(rest) == 1:
                load.append(rest[0])
            elif kind == "module?" and len(rest) == 1:
                carry.append(rest[0])
            elif kind == "dir" and len(rest) == 1:
                archive.add(rest[0], stat.S_IFDIR | 0o755)
            elif kind == "link" and len(rest) == 2:
                archive.add(rest[0], stat.S_IFLNK | 0o777, rest[1].encode())
            else:
                die(f"dom0.files, line {number}: cannot read '{line.strip()}'", "the head of that file shows the forms")
    add_modules(archive, load, carry)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", default=os.path.join(BUILD, "dom0", "dom0.cpio.gz"))
    parser.add_argument("--add", action="append", default=[], metavar="FILE:DEST", help="one more file")
    options = parser.parse_args()
    if not os.path.isdir(PACKAGES):
        die("the control domain's packages are not there", "tools/setup/fetch_arm64.sh")
    archive = Archive()
    add_listed(archive)
    for program in build_programs():
        archive.add_host("usr/bin/" + os.path.basename(program), program)
    for pair in options.add:
        source, dest = pair.rsplit(":", 1)
        archive.add_host(dest, source)
    # The kernel opens this before /init can mount anything.
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.write(options.output)
    print(f"mkdom0: {os.path.relpath(options.output)}: {len(archive.entries)} files, "
          f"{os.path.getsize(options.output) // 1024} KiB")


if __name__ == "__main__":
    main()

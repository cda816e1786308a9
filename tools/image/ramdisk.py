# SPDX-License-Identifier: Apache-2.0
"""Ramdisks from lists of files: class Ramdisk reads a .files list of this folder and writes the archive.

The result depends on its inputs alone (no times, no owners, sorted), so two builds of the same inputs are the same
bytes. Needs tools/setup/fetch_arm64.sh to have run.
"""
import fnmatch
import functools
import gzip
import hashlib
import lzma
import os
import re
import stat
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
PACKAGES = os.path.join(BUILD, "peer", "dom0-root")
PEER = os.path.join(BUILD, "peer")
LISTS = os.path.join(ROOT, "tools", "image")
READELF = "aarch64-linux-gnu-readelf"
LIBRARY_FOLDERS = ("lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu")


def die(cause, cure):
    sys.exit(f"mkdom0: error: {cause}\nmkdom0: cure:  {cure}")


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_stamp(target, stamp):
    """Whether TARGET is there, and was made of what STAMP stands for."""
    try:
        with open(target + ".stamp", encoding="utf-8") as file:
            return file.read() == stamp and os.path.exists(target)
    except OSError:
        return False


def write_stamp(target, stamp):
    """Replaced, not rewritten: trees that share what they have built by hard links keep theirs."""
    with open(target + ".stamp.new", "w", encoding="utf-8") as file:
        file.write(stamp)
    os.rename(target + ".stamp.new", target + ".stamp")


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

    def image(self):
        """The archive's bytes, not packed."""
        body = b"".join(self._record(number, path, *entry)
                        for number, (path, entry) in enumerate(sorted(self.entries.items()), 1))
        return body + self._record(0, "TRAILER!!!", 0, b"", (0, 0))

    def write(self, target):
        """Writes the archive, packed. One that holds the same already is left alone: packing takes longest."""
        body = self.image()
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        if same_stamp(target, hashlib.sha256(body).hexdigest()):
            return
        with open(target + ".new", "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed:
                packed.write(body)
        os.rename(target + ".new", target)
        write_stamp(target, hashlib.sha256(body).hexdigest())


class Modules:
    """A stock kernel's modules: who needs whom, read from the modules themselves. FOLDER is one of build/peer."""

    def __init__(self, folder):
        home = os.path.join(PEER, folder, "lib", "modules")
        versions = sorted(os.listdir(home)) if os.path.isdir(home) else []
        if not versions:
            die("the stock kernel's modules are not there", "tools/setup/fetch_arm64.sh")
        self.version = versions[-1]
        self.top = os.path.join(home, self.version)
        self.paths = {}
        for inside, _, names in os.walk(self.top):
            for name in names:
                stem, dot_ko, _ = name.partition(".ko")
                if dot_ko:
                    self.paths[self.key(stem)] = os.path.join(inside, name)
        with open(os.path.join(self.top, "modules.builtin"), encoding="utf-8") as file:
            self.built_in = {self.key(os.path.basename(line.strip()).removesuffix(".ko")) for line in file}

    @staticmethod
    def key(name):
        return name.replace("-", "_")

    def path(self, name):
        path = self.paths.get(self.key(name))
        if path is None:
            die(f"the stock kernel has no module {name}", "correct its name in tools/image/*.files")
        return path

    def separate(self, names):
        """Those that are modules of this kernel and not part of the kernel itself."""
        return [name for name in names if self.key(name) not in self.built_in]

    def inside(self, name):
        """Where it lies below the folder of its kernel, unpacked."""
        return os.path.relpath(self.path(name), self.top).removesuffix(".xz")

    @functools.lru_cache(maxsize=None)
    def data(self, name):
        """The module itself, unpacked: newer kernels' lie packed in their package."""
        path = self.path(name)
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
            return file.read()

    def needs(self, name):
        """Modules that this one names in its "depends=" line."""
        data = self.data(name)
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


@functools.lru_cache(maxsize=None)
def package_files():
    """Paths of all files and folders of the unpacked packages."""
    found = []
    for folder, folders, names in os.walk(PACKAGES):
        found += [os.path.relpath(os.path.join(folder, name), PACKAGES) for name in folders + names]
    return found


def link_target(inside):
    """Where a symbolic link of the packages leads to, inside them; None for what is no link."""
    path = os.path.join(PACKAGES, inside)
    if not os.path.islink(path):
        return None
    return os.path.normpath(os.path.join("/", os.path.dirname(inside), os.readlink(path)))[1:]


def needed_libraries(path):
    """Names of the shared libraries that a program or library of the packages names itself."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return []
    try:
        out = subprocess.run([READELF, "-dW", path], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        die(f"no {READELF}", "tools/setup/host.sh")
    return re.findall(r"\(NEEDED\).*\[(.*)\]", out)


class Ramdisk:
    """A list of files, read: what goes into one ramdisk. MODULES: the folder of build/peer with the kernel's."""

    def __init__(self, name, modules="modules"):
        self.archive = Archive()
        self.modules = Modules(modules)
        self.load = []          # modules to load at start, in this order
        self.carry = []         # modules to have at hand
        self._read(name)
        self.load, self.carry = self.modules.separate(self.load), self.modules.separate(self.carry)
        self._add_modules()
        # The kernel opens this before /init can mount anything.
        self.archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))

    def _read(self, name):
        """What a list says, line by line; dom0.files documents the forms."""
        forms = {
            "include": (1, self._read),
            "deb": (1, self._add_deb),
            "program": (1, self._add_program),
            "own": (2, lambda source, dest: self.archive.add_host(dest, os.path.join(ROOT, source))),
            "module": (1, self.load.append),
            "module?": (1, self.carry.append),
            "dir": (1, lambda path: self.archive.add(path, stat.S_IFDIR | 0o755)),
            "link": (2, lambda path, target: self.archive.add(path, stat.S_IFLNK | 0o777, target.encode())),
        }
        with open(os.path.join(LISTS, name), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                words = line.split("#")[0].split()
                if not words:
                    continue
                count, action = forms.get(words[0], (None, None))
                if count != len(words) - 1:
                    die(f"{name}, line {number}: cannot read '{line.strip()}'", "the head of dom0.files shows the forms")
                action(*words[1:])

    def _add_deb(self, pattern):
        """Files of the unpacked packages by pattern; a directory brings all below it."""
        found = False
        for inside in package_files():
            if fnmatch.fnmatchcase(inside, pattern) or inside.startswith(pattern + "/"):
                self.archive.add_host(inside, os.path.join(PACKAGES, inside))
                found = True
        if not found:
            die(f"no file '{pattern}' in the unpacked packages",
                "name its package in tools/image/dom0.packages and run tools/setup/fetch_arm64.sh")

    def _add_program(self, path):
        """A program and the shared libraries it needs, theirs too; links are followed and kept."""
        if path in self.archive.entries:
            return
        self._add_deb(path)
        target = link_target(path)
        if target is not None:
            self._add_program(target)
            return
        for name in needed_libraries(os.path.join(PACKAGES, path)):
            self._add_library(name)

    def _add_library(self, name):
        for folder in LIBRARY_FOLDERS:
            inside = f"{folder}/{name}"
            if os.path.exists(os.path.join(PACKAGES, inside)):
                self._add_program(inside)
                return
        die(f"no shared library {name} in the unpacked packages",
            "name its package in tools/image/dom0.packages and run tools/setup/fetch_arm64.sh")

    def _add_modules(self):
        home = f"lib/modules/{self.modules.version}"
        lines = {}
        for name in self.load + self.carry:
            for one in self.modules.closure(name):
                inside = self.modules.inside(one)
                needs = [self.modules.inside(need) for need in reversed(self.modules.closure(one)[:-1])]
                lines[inside] = " ".join([inside + ":"] + needs)
                self.archive.add_file(f"{home}/{inside}", self.modules.data(one))
        self.archive.add_file(f"{home}/modules.dep", ("\n".join(sorted(lines.values())) + "\n").encode())
        self.archive.add_file("etc/modules", "".join(name + "\n" for name in self.load).encode())

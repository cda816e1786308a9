# SPDX-License-Identifier: Apache-2.0
"""How deep the hypervisor's stack gets from each way in: the deepest chain of calls in the linked image.

Frames are what the compiler says (-fstack-usage, when it links the release image); those of boot/, assembly and libfdt
are read from their instructions, as are direct calls. Calls through pointers: tools/ledger/calls.txt.
"""
import bisect
import collections
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "check"))
import elffile  # noqa: E402  pylint: disable=wrong-import-position

CROSS = "aarch64-linux-gnu-"
CALLS = os.path.join("tools", "ledger", "calls.txt")
SAVED = 288             # bytes of registers that vectors.S puts on the stack of last words
# entry -> what was on its stack before
ENTRIES = {"trap_sync": 0, "trap_irq": 0, "trap_fiq": 0, "trap_serror": 0, "work_run": 0, "hv_main": 0,
           "hv_secondary": 0, "trap_own": SAVED}
LIMITS = {"trap_own": 8192}
LIMIT = 16384
PRIVATE = re.compile(r"(\.lto_priv\.\d+)+$")

SOURCE = re.compile(r"(?:^|/)((?:arch|boot|core|debug|drivers|lib|release)/.*|<artificial>)$")
INSN = re.compile(r"\s+([0-9a-f]+):\t(\S+)(?:\t(.*))?$")
HEAD = re.compile(r"([0-9a-f]+) <([^>]+)>:$")
TARGET = re.compile(r"([0-9a-f]+) <")
PUSH = re.compile(r"\[sp, #-(\d+)\]!$")
SUB = re.compile(r"sp, sp, #(0x[0-9a-f]+|\d+)")


class StackError(Exception):
    """The depth cannot be told; the text says why."""


def run(tool, *words):
    return subprocess.run([CROSS + tool, *words], capture_output=True, text=True, check=True).stdout


class Function:
    def __init__(self, name):
        self.name = name
        self.pushed = 0                 # bytes by its instructions
        self.calls = set()              # addresses
        self.jumps = set()              # addresses behind the end of its own frame
        self.pointers = []              # (address, is a call) of calls through pointers


def read_functions(elf):
    """{address: Function} of the image."""
    functions, now, before = {}, None, ("", "")
    for line in run("objdump", "-d", "--no-show-raw-insn", elf).splitlines():
        head, insn = HEAD.match(line), INSN.match(line)
        if head:
            now = functions[int(head.group(1), 16)] = Function(head.group(2))
        elif insn:
            address, op, words = int(insn.group(1), 16), insn.group(2), (insn.group(3) or "").split("//")[0].strip()
            read_insn(now, address, op, words, before)
            before = (op, words)
    return functions


def read_insn(function, address, op, words, before):
    target = TARGET.search(words)
    if op == "blr":
        function.pointers.append((address, True))
    elif op == "br" and not (before[0] == "add" and before[1].startswith(words + ",")):   # not the jump of a switch
        function.pointers.append((address, False))
    elif op == "bl" and target:
        function.calls.add(int(target.group(1), 16))
    elif op[0] in "bct" and target:     # b, b.cond, cbz, tbz ...
        function.jumps.add(int(target.group(1), 16))
    elif PUSH.search(words):
        function.pushed += int(PUSH.search(words).group(1))
    elif op == "sub" and SUB.match(words):
        function.pushed += int(SUB.match(words).group(1), 0)


def read_frames(folder):
    """{function: bytes} of the compiler's files; the larger one where two have a name."""
    frames = collections.defaultdict(int)
    for path in glob.glob(os.path.join(folder, "bulkhead.elf.ltrans*.su")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                place, size, kind = line.rstrip("\n").split("\t")
                if kind != "static":
                    raise StackError(f"{place}: a frame whose size is not fixed")
                name = place.split(":")[-1]
                frames[name] = max(frames[name], int(size))
    if not frames:
        raise StackError(f"no frames in {folder}\ncure: make, with gcc and without DEBUG=1")
    return frames


def read_calls():
    """([(folder or file, functions, targets)], {(caller, callee)} that do not recur)."""
    rows, cuts = [], set()
    with open(os.path.join(ROOT, CALLS), encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words[:1] == ["recursion"]:
                cuts.add((words[1], words[2]))
            elif words:
                path, *functions = words[0].split(":")
                rows.append((path, functions, words[1:]))
    return rows, cuts


class Graph:
    def __init__(self, folder):
        self.elf_path = os.path.join(folder, "bulkhead.elf")
        self.elf = elffile.Elf(self.elf_path)
        self.functions = read_functions(self.elf_path)
        self.addresses = sorted(self.functions)
        self.frames = read_frames(folder)
        self.rows, self.cuts = read_calls()
        self.used = set()
        self.places = self.read_places()
        self.all_tables = self.tables()
        self.depth = {}

    # ---- names and addresses

    def function_at(self, address):
        return self.addresses[bisect.bisect_right(self.addresses, address) - 1]

    def bare(self, address):
        return PRIVATE.sub("", self.functions[address].name)

    def named(self, name):
        found = [a for a in self.addresses if re.sub(r"\..*", "", self.functions[a].name) == name]
        if not found:
            raise StackError(f"{CALLS}: there is no function or table {name}\ncure: correct the row")
        return found

    def read_places(self):
        """{address of a call through a pointer: (file, function as written)}"""
        wanted = [address for f in self.functions.values() for address, _ in f.pointers]
        lines = run("addr2line", "-f", "-i", "-a", "-e", self.elf_path, *map(hex, wanted)).splitlines()
        places = {}
        for number, line in enumerate(lines):
            if line.startswith("0x"):
                places[int(line, 16)] = self.place(lines[number + 1:])
        return places

    @staticmethod
    def place(lines):
        """(file, function) of the innermost source line; the file can be what gcc made up, "<artificial>"."""
        function, where = lines[0], lines[1].split(":")[0]
        if where.endswith("<artificial>") and len(lines) > 3 and not lines[2].startswith("0x"):
            function, where = lines[2], lines[3].split(":")[0]
        inside = SOURCE.search(where)
        return inside.group(1) if inside else where, re.sub(r"\..*", "", function)

    # ---- calls through pointers

    def row_for(self, path, function):
        best = None
        for number, (where, functions, _) in enumerate(self.rows):
            fits = path == where or path.startswith(where + "/")
            if fits and (not functions or function in functions):
                rank = (len(where), bool(functions))
                best = max(best or (rank, number), (rank, number))
        if best is None:
            raise StackError(f"{path}: {function}() calls through a pointer\ncure: say what it can reach, in {CALLS}")
        self.used.add(best[1])
        return self.rows[best[1]][2]

    def tables(self):
        """{name of an object: functions it points to}, names made unique by their address."""
        found = collections.defaultdict(set)
        objects = sorted((s.value, s.value + s.size, s.name) for s in self.elf.symbols if s.type == elffile.STT_OBJECT and s.size)
        starts = [start for start, _, _ in objects]
        for section in self.elf.sections:
            for address, value in self.elf.words(section) if section.addr and section.type != elffile.SHT_NOBITS else ():
                at = bisect.bisect_right(starts, address) - 1
                if value in self.functions and at >= 0 and address < objects[at][1]:
                    found[objects[at]].add(value)
        return {(start, re.sub(r"\..*", "", name)): functions for (start, _, name), functions in found.items()}

    def table(self, target):
        """Functions of a table, by its name or by @FUNCTION, one that it has; empty when there is none."""
        found = set()
        for (_, name), functions in self.all_tables.items():
            if target[0] == "@":
                if any(self.functions[f].name.split(".")[0] == target[1:] for f in functions):
                    found |= functions
            elif name == target:
                found |= functions
        return found

    def reached_by(self, address):
        found = set()
        for target in self.row_for(*self.places[address]):
            found |= self.table(target) or set(self.named(target))
        return found

    # ---- depth

    def frame(self, at):
        name = self.bare(at)
        shorter = re.sub(r"\.\d+$", "", name)      # the compiler leaves out the number of a clone, mostly
        return self.frames.get(name, self.frames.get(shorter, self.functions[at].pushed))

    def next_of(self, at):
        """(called with the frame in place, reached without it)"""
        function = self.functions[at]
        calls = {self.function_at(a) for a in function.calls}
        jumps = {self.function_at(a) for a in function.jumps} - {at}
        for address, is_call in function.pointers:
            (calls if is_call else jumps).update(self.reached_by(address))
        cold = {a for a in jumps if ".cold" in self.functions[a].name}
        return calls | cold, jumps - cold

    def depth_of(self, at, chain=()):
        name = self.bare(at)
        if at in self.depth:
            return self.depth[at]
        if at in chain:
            names = [self.bare(a) for a in chain[chain.index(at):]] + [name]
            raise StackError("calls recur: " + " -> ".join(names) + f"\ncure: no recursion, or a row in {CALLS}")
        calls, jumps = self.next_of(at)
        keep = [a for a in calls | jumps if (name, self.bare(a)) not in self.cuts]
        below = {a: self.depth_of(a, chain + (at,)) for a in keep}
        inside = max((below[a] for a in keep if a in calls), default=(0, ()))
        behind = max((below[a] for a in keep if a in jumps), default=(0, ()))
        frame = self.frame(at)
        best = max((frame + inside[0], (name,) + inside[1]), (behind[0], (name,) + behind[1]))
        self.depth[at] = best
        return best


def depths(build):
    """{entry: bytes}; fails above the stack's size."""
    graph = Graph(os.path.dirname(build.elf))
    found = {}
    for entry, before in ENTRIES.items():
        depth, chain = max(graph.depth_of(a) for a in graph.named(entry))
        found[entry] = depth + before
        if found[entry] > LIMITS.get(entry, LIMIT):
            raise StackError(f"{entry}: {found[entry]} bytes of stack: " + " -> ".join(chain))
    return found


def main():
    """Prints the deepest chain of each entry."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "arm64")
    graph = Graph(folder)
    for entry, before in ENTRIES.items():
        depth, chain = max(graph.depth_of(a) for a in graph.named(entry))
        print(f"{entry}: {depth + before}: " + " -> ".join(chain))
    for number in set(range(len(graph.rows))) - graph.used:
        print(f"note: {CALLS}: no call uses the row of {graph.rows[number][0]}")


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(f"stack: {error}")

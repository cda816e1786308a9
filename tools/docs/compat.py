#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
docs/compat.md: every operation of Xen's public headers, every command of xl and every key of xl.cfg(5), and what
becomes of it here. Without an option: write it. With --check: fail when the file in the tree is not what would be
written. From the rows in core/, the tests, and the answers that tools/docs/probe.py collected.
"""
import collections
import fnmatch
import json
import os
import re
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check"))
import common               # noqa: E402  (found through the line above)
import rows                 # noqa: E402

TARGET = "docs/compat.md"
CURE = "make docs"
XEN_ARM = "tools/docs/compat_xen_arm.txt"
PROBE = "tools/docs/probe.json"
GUEST_ROWS = "guests/hypercalls.c"
NOT_TESTS = {"bench", "bench_domains", "bench_pair", "crash"}      # guests that judge nothing
XL_TESTS = ("tests/sys/test_xl.py", "tests/sys/test_xl_pools.py")

# A hypercall and its operations: title, header, prefix of the names, what is not an operation, answer to what has no
# row. With "file:struct" as the header, the numbers inside that structure.
Group = collections.namedtuple("Group", "title header prefix skip default")
GROUPS = (
    Group("Hypercalls", "xen.h", "__HYPERVISOR_", "arch_", "-ENOSYS"),
    Group("memory_op", "memory.h", "XENMEM_", "paging_op_|access_op_|sharing_op_|resource_", "-ENOSYS"),
    Group("event_channel_op", "event_channel.h", "EVTCHNOP_", None, "-ENOSYS"),
    Group("grant_table_op", "grant_table.h", "GNTTABOP_", None, "-ENOSYS"),
    Group("sched_op", "sched.h", "SCHEDOP_", None, "-ENOSYS"),
    Group("vcpu_op", "vcpu.h", "VCPUOP_", None, "-EINVAL"),
    Group("hvm_op", "hvm/hvm_op.h", "HVMOP_", "altp2m_", "-ENOSYS"),
    Group("xen_version", "version.h", "XENVER_", None, "-ENOSYS"),
    Group("console_io", "xen.h", "CONSOLEIO_", None, "-ENOSYS"),
    Group("vm_assist", "xen.h", "VMASST_CMD_", None, "-ENOSYS"),
    Group("vm_assist types", "xen.h", "VMASST_TYPE_", None, "-EINVAL"),
    Group("physdev_op", "physdev.h", "PHYSDEVOP_", None, "-ENOSYS"),
    Group("platform_op", "platform.h", "XENPF_", None, "-ENOSYS"),
    Group("domctl", "domctl.h:xen_domctl", "XEN_DOMCTL_", None, "-ENOSYS"),
    Group("domctl scheduler_op", "domctl.h", "XEN_DOMCTL_SCHEDOP_", None, "-EINVAL"),
    Group("sysctl", "sysctl.h:xen_sysctl", "XEN_SYSCTL_", None, "-ENOSYS"),
    Group("sysctl cpupool_op", "sysctl.h", "XEN_SYSCTL_CPUPOOL_OP_", None, "-ENOSYS"),
    Group("sysctl scheduler_op", "sysctl.h", "XEN_SYSCTL_SCHEDOP_", None, "-EINVAL"),
)
# A return of one error, or of either of two.
ONLY_ERRORS = r"return (?:[^;?]*\? )?(-E\w+)(?: : (-E\w+))?;"
# A line of a tool that says what went wrong, and how much of it a table holds.
ERROR = re.compile(r"[Ee]rror|[Ff]ail|[Uu]nknown|\bnot\b|[Ii]nvalid|[Ii]llegal|[Nn]o such")
WIDTH = 90
# Names that end in capitals are values, but for these groups, whose operations are written so.
CAPITALS = {"XEN_SYSCTL_CPUPOOL_OP_"}

HEAD = """# Compatibility

<!-- Made by tools/docs/compat.py (make docs). Do not edit. -->

Beside Debian's Xen 4.17 on arm64, whose interface this is. Sources: Xen's
public headers (libxen-dev), the rows in core/, the tests, and the answers that
tools/docs/probe.py collected from both hypervisors.

"""
OPS_WORDS = """
## Hypercalls and their operations

| word | meaning |
|---|---|
| works | there is code for it; what it does is the test's matter |
| -ERROR | refused, always, with this error |
| yes | Debian's Xen 4.17 on arm64 has it |
| ? | not tried on Debian's Xen |
| - | no test names it |

A test is a unit test (tests/unit), a guest (guests/), which runs on Debian's
Xen too, or both.
"""
XL_WORDS = f"""
## Commands of xl

| word | meaning |
|---|---|
| tested | {' or '.join(XL_TESTS)} compares its exit status and output with Debian's Xen 4.17, each time |
| same | tried once (tools/docs/probe.py): exit status and output are those on Debian's Xen, also where it fails |
| differs | tried once, and not as on Debian's Xen: both answers are there |
| not on Arm | xl(1) has it, Debian's xl for arm64 has not |

"""
KEY_WORDS = """
## Keys of xl.cfg(5)

Each was tried once on both (tools/docs/probe.py), in a guest that is made,
looked at and destroyed.

| word | meaning |
|---|---|
| works | guests of the tests run with it |
| accepted | the guest is made and `xl list` shows the same as on Debian's Xen; what the key does is not tested |
| read | xl takes it on both (create -n); by the manual page it is for guests that there are on x86 only |
| refused | with this error, as on Debian's Xen |
| differs | not as on Debian's Xen; both answers are there |
| not tested | no test made a guest with it |

"""


# ---- the headers

def header_text(root, where):
    """Of a header, or of one structure in it: the operations without what is commented out."""
    name, _, struct = where.partition(":")
    path = os.path.join(common.build_dir(root), "include", "xen", name)
    with open(path, encoding="utf-8") as file:
        text = common.strip_c(file.read())
    if struct:
        text = re.search(rf"struct {struct} \{{.*?interface_version;", text, re.S).group(0)
    return text


def operations(root, group):
    """[(number, name)] of the headers."""
    word = r"\w+" if group.prefix in CAPITALS else r"[a-z0-9]\w*"
    if group.skip:
        word = f"(?!{group.skip}){word}"
    found = re.findall(rf"^#\s*define\s+({group.prefix}{word})\s+(\d+)\b", header_text(root, group.header), re.M)
    return sorted((int(number), name) for name, number in found)


# ---- the code

def errors_of(found):
    """The errors that ONLY_ERRORS found, or None."""
    return " ".join(error for error in found.groups() if error) if found else None


class Code:
    """What core/ does with a name."""

    PASTE = re.compile(r"#define\s+(\w+)\((\w+)\b[^)]*\)[^#]*?\b([A-Z]\w+_)##\2")

    def __init__(self, root):
        texts = [common.strip_c(common.read(root, path)) for path in common.walk(root, ("core",), (".c",))]
        self.text = "\n".join(texts)
        self.handlers = {}
        for text in texts:
            for _, name, rest in list(rows.rows_of(text)) + list(self.pasted(text)):
                self.handlers[name] = [word for word in re.findall(r"\w+", rest) if not word.isupper()]

    def pasted(self, text):
        for macro, _, prefix in self.PASTE.findall(text):
            for match in re.finditer(rf"^\s*{macro}\((\w+),([^)]*)\)", text, re.M):
                yield match.start(), prefix + match.group(1), match.group(2)

    def refusal(self, function):
        """The error that a function always returns, or None."""
        body = re.search(rf"^(?:static )?int(?:64_t)? {function}\([^)]*\)\s*\{{(.*?)^\}}", self.text, re.S | re.M)
        only = body and re.fullmatch(rf"(?:\s*\(void\)\w+;)*\s*{ONLY_ERRORS}\s*", body.group(1))
        return errors_of(only)

    def answer(self, name, default):
        """`works`, or the error that the operation gets."""
        if name in self.handlers:
            refusals = [self.refusal(word) for word in self.handlers[name]]
            return next((error for error in refusals if error), "works")
        # A hypercall is its row; an operation can be a case or a comparison too.
        if name.startswith("__HYPERVISOR_") or not re.search(rf"\b{name}\b", self.text):
            return default
        alone = re.search(rf"(?:case {name}:(?:\s*case \w+:)*|== {name}\) \{{)\s*{ONLY_ERRORS}", self.text)
        return errors_of(alone) or "works"


# ---- the tests

def guest_rows(root):
    """{(hypercall, operation): what the rows of the guest expect}. A sysctl or domctl has its number in memory."""
    text = common.strip_c(common.read(root, GUEST_ROWS))
    calls = dict(re.findall(r"#define\s+(\w\w)\s+__HYPERVISOR_(\w+)", text))
    found = collections.defaultdict(list)
    for call, args, memory, good in re.findall(r"\{ (\w\w), \w+, \{ ([^}]*) \}, \{ ([^}]*) \},\s*([^,]+),", text):
        number = re.match(r"\d+", memory if calls[call] in ("sysctl", "domctl", "platform_op") else args)
        if number:
            found[calls[call], int(number.group(0))].append(re.sub(r"_$", "", good).replace("-", ""))
    return found


def words_of(root, top):
    """{word: the files that have it}, in order."""
    found = collections.defaultdict(list)
    for path in common.walk(root, (top,), (".c",)):
        file = os.path.splitext(os.path.basename(path))[0]
        for word in set(re.findall(r"\w+", common.read(root, path))) if file not in NOT_TESTS else ():
            found[word].append(file)
    return found


class Tests:
    def __init__(self, root):
        self.units = words_of(root, "tests/unit")
        self.guests = words_of(root, "guests")
        self.rows = guest_rows(root)
        self.calls = {call for call, _ in self.rows}

    def naming(self, call, number, name, handlers):
        """The tests of an operation, at most one of each kind."""
        units = next((self.units[word] for word in [name] + handlers if word in self.units), [])
        called = (call, number) in self.rows or name[len("__HYPERVISOR_"):] in self.calls
        guests = ["hypercalls"] if called else self.guests.get(name, [])
        said = units[:1] + ["guest " + guest for guest in guests[:1]]
        return ", ".join(said) or "-"


def xen_arm(root):
    """[(pattern, answer)]"""
    lines = [line.split() for line in common.read(root, XEN_ARM).splitlines()]
    return [(line[0], line[1]) for line in lines if line and line[0] != "#"]


def on_xen(name, seen, known):
    """What Debian's Xen 4.17 on arm64 answers. seen: the values that a guest's rows expect of it."""
    for pattern, answer in known:
        if pattern == name:
            return answer
    if seen:
        refused = set(seen) <= {"ENOSYS", "EOPNOTSUPP"}
        if refused or not all(value == "EINVAL" for value in seen):
            return "-" + seen[0] if refused else "yes"
    return next((answer for pattern, answer in known if fnmatch.fnmatchcase(name, pattern)), "?")


# ---- the tables

def table(heads, lines):
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    out += ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def ops_part(root, counts):
    code, tests, known = Code(root), Tests(root), xen_arm(root)
    out = [OPS_WORDS]
    for group in GROUPS:
        lines = []
        for number, name in operations(root, group):
            here = code.answer(name, group.default)
            seen = tests.rows.get((group.title, number), [])
            there = on_xen(name, seen, known)
            named = tests.naming(group.title, number, name, code.handlers.get(name, []))
            lines.append((number, name[len(group.prefix):], here, there, named))
            counts["here"][here if here == "works" else "refused"] += 1
            if here != "works":
                counts["refused"]["yes" if there == "yes" else "?" if there == "?" else "no"] += 1
        out.append(f"\n### {group.title}\n\n" + table(("n", "operation", "Bulkhead", "Xen", "tests"), lines))
    return "".join(out)


def words_in_cell(lines):
    """The error of an answer: the first line that looks like one, short and fit for a table."""
    lines = [line for line in lines if not line.startswith("k N")]
    if lines and lines[0] == "Terminated":
        return "waits for a backend that dom0 has not"
    line = next((line for line in lines if ERROR.search(line)), lines[0] if lines else "no message")
    line = re.sub(r"^(libxl|xc): \w+:\s*(\w+:\s*)?", "", line)
    line = re.sub(r"^\w+\.c:\d+: \w+: ", "", line)
    if len(line) > WIDTH:
        line = line[:WIDTH].rsplit(" ", 1)[0] + " ..."
    return "`" + line.replace("|", "\\|").replace("`", "'") + "`"


def said(answer):
    """What became of a probe on one hypervisor."""
    status, lines = answer
    fine = status == 0 and not any(ERROR.search(line) for line in lines)
    return "works" if fine else words_in_cell(lines)


def verdict(row):
    """(word, details) of what a probe got on both hypervisors."""
    if "xen" not in row or "bulkhead" not in row:
        return "not tested", ""
    if row["xen"] != row["bulkhead"]:
        return "differs", f"Xen: {said(row['xen'])}; here: {said(row['bulkhead'])}"
    if row["xen"][0] != 0:
        return "refused", words_in_cell(row["xen"][1])
    return "accepted", said(row["xen"]).replace("works", "")


def xl_part(root, commands, counts):
    # xl top only starts xentop.
    text = "\n".join(common.read(root, test) for test in XL_TESTS).replace("xentop", "xl top")
    tested = set(re.findall(r"\bxl ([a-z][-a-z0-9]+)", text))
    lines = []
    for name in sorted(commands):
        word, details = verdict(commands[name])
        if not commands[name]["listed"]:
            word, details = "not on Arm", ""
        elif name in tested:
            word, details = "tested", ""
        elif word in ("accepted", "refused"):
            word = "same"
        counts["xl"][word] += 1
        lines.append((name, word, details))
    return XL_WORDS + table(("command", "result", "error"), lines)


def configured(root):
    """The keys of the configurations that the tests' guests are made from."""
    paths = common.walk(root, ("tools/image", "tests/sys"), (".cfg",))
    return {key for path in paths for key in re.findall(r"^(\w+)\s*=", common.read(root, path), re.M)}


def keys_part(root, keys, counts):
    used = configured(root)
    sections = collections.defaultdict(list)
    for name, key in keys.items():
        word, details = verdict(key)
        if word == "accepted":
            word = "works" if name in used else "read" if key["x86"] else "accepted"
        counts["keys"][word] += 1
        value = key["value"].replace("|", "\\|")
        sections[key["x86"]].append((name, f"`{value}`", word, details))
    out = [KEY_WORDS]
    for x86, title in ((False, "For guests on Arm too"), (True, "For x86, by the manual page")):
        out.append(f"### {title}\n\n" + table(("key", "tried", "result", "error"), sorted(sections[x86])) + "\n")
    return "".join(out).rstrip("\n") + "\n"


def summary(counts):
    def listed(counter):
        return ", ".join(f"{number} {word}" for word, number in sorted(counter.items(), key=lambda item: -item[1]))
    of_refused = counts["refused"]
    lines = [("operations", sum(counts["here"].values()), listed(counts["here"])),
             ("of the refused", counts["here"]["refused"],
              f"{of_refused['no']} refused by Debian's Xen on Arm too, {of_refused['yes']} that it has, "
              f"{of_refused['?']} not tried on it"),
             ("commands of xl", sum(counts["xl"].values()), listed(counts["xl"])),
             ("keys of xl.cfg", sum(counts["keys"].values()), listed(counts["keys"]))]
    return table(("what", "number", "results"), lines)


def render(root):
    probe = json.loads(common.read(root, PROBE))
    counts = collections.defaultdict(collections.Counter)
    parts = (ops_part(root, counts) + xl_part(root, probe["commands"], counts)
             + keys_part(root, probe["keys"], counts))
    return HEAD + summary(counts) + parts


def main():
    par = common.parser(__doc__)
    par.add_argument("--check", action="store_true")
    args = par.parse_args()
    text = render(args.root)
    if not args.check:
        with open(os.path.join(args.root, TARGET), "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    rep = common.Report("compat")
    if not os.path.exists(os.path.join(args.root, TARGET)) or common.read(args.root, TARGET) != text:
        rep.fault(f"{TARGET}:1", "is not what the rows, tests and headers say", CURE)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

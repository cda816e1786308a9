#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The checks themselves: small trees with one fault each, made in a temporary
folder. Every check must pass the clean tree and report each fault.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import types

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import elf as elf_check   # noqa: E402  (found through the line above)
import elffile            # noqa: E402

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = """
| code in | may include | never |
|---|---|---|
| `core/` `include/hv/` | `hv/*` `lib/*` | |
| `lib/` `include/lib/` | `lib/*` | |
| `drivers/` `arch/` | `lib/*` | |

| code in | words refused | comments too |
|---|---|---|
| `core/` | `gic*` `stage-2` | yes |
| `drivers/` | `vcpu` | no |

| from | to | why |
|---|---|---|
| `core/a.c` | `core/work.c` | posting |

| writable object | why |
|---|---|

| function with fp/simd | why |
|---|---|
| `fpu_save` | |
"""
CORE_A = SPDX + """#include <hv/a.h>
#include <hv/work.h>

int a(int x)
{
	post();
	return x;
}
"""
CORE_WORK = SPDX + """#include <hv/work.h>
#include <hv/a.h>

void post(void)
{
	(void)a(1);
}
"""
CLEAN = {
    "docs/layers.md": LAYERS,
    "include/hv/a.h": SPDX + "#ifndef HV_A_H\n#define HV_A_H\n\nint a(int x);"
                             "\n\n#endif\n",
    "include/hv/work.h": SPDX + "#ifndef HV_WORK_H\n#define HV_WORK_H\n\n"
                                "void post(void);\n\n#endif\n",
    "core/a.c": CORE_A,
    "core/work.c": CORE_WORK,
    "core/hypercall_table.c": SPDX + "const struct r t[] = {\n"
                              "\t[__HYPERVISOR_sched_op] = { hc_sched_op },\n"
                              "\t[EVTCHNOP_send] = SUBOP(s, f, 1, 0),\n};\n",
    "arch/arm64/vgic/vgicd_v2.c": SPDX + "const struct g r[] = {\n\tREG_PER_"
                                  "IRQ(0x100, 1), /* ISENABLER */\n};\n",
    "tests/unit/test_a.c": SPDX + "int t = EVTCHNOP_send + hc_sched_op;\n"
                           "static const struct row rows_v2[] = {\n"
                           "\t{ GICD + GICD_ISENABLER, 4 },\n};\n",
    "drivers/uart/u.c": SPDX + "/* not a vcpu's */\nint u;\n",
    "arch/arm64/entry/e.S": SPDX + "\tbl\ta\n",
    "include/hv/lock_ranks.h": SPDX + "#define LOCK_RANKS(R) R(A, \"first\")"
                                      "\n",
    "include/lib/errno.h": SPDX + "#ifndef E_H\n#define E_H\n\nenum {\n"
                           "\tEPERM = 1,\n};\n\n#endif\n",
    "tests/abi/abi_asserts.c": SPDX + "#define ERRNO(n) _Static_assert(n "
                               "== n, #n);\nenum { EPERM = 1 };\n"
                               "ERRNO(EPERM)\n",
    "tools/ok.sh": "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n"
                   "echo \"$1\"\n",
    ".clang-format": None,   # the tree's own
}


def make_tree(base, changes):
    root = tempfile.mkdtemp(dir=base)
    for path, text in {**CLEAN, **changes}.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if text is None:
            shutil.copy(os.path.join(ROOT, path), full)
        else:
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
    return root


def run(check, root, *more):
    tool = os.path.join(HERE, check)
    where = [root] if check.endswith(".sh") else ["--root", root]
    env = {**os.environ, "BUILD": "build"}
    done = subprocess.run([tool] + where + list(more), capture_output=True,
                          text=True, env=env, check=False)
    return done.returncode, done.stdout + done.stderr


def func(name, lines, body="\tx();\n"):
    return f"void {name}(void)\n{{\n" + body * (lines - 3) + "}\n"


FORMAT = {".clang-format": None}
WIDE = SPDX + "/* " + "w" * 80 + " */\n"
# check, what is wrong, changed files, what the report must say
FAULTS = [
    ("layers.py", "core includes a driver",
     {"core/a.c": CORE_A + "#include <gic/gic.h>\n"},
     r"core/a\.c:\d+: core/ must not include gic/gic\.h"),
    ("layers.py", "quoted include leaves its layer",
     {"core/a.c": CORE_A + '#include "../drivers/uart/u.c"\n'},
     r"must not include \.\./drivers"),
    ("layers.py", "file outside all layers", {"boot/b.c": SPDX},
     r"boot/b\.c:1: no layer"),
    ("layers.py", "own header not first",
     {"core/a.c": CORE_A.replace("<hv/a.h>", "<hv/x.h>")},
     r"core/a\.c:2: <hv/a\.h> is not the first"),
    ("layers.py", "an architecture's word in core",
     {"core/a.c": CORE_A + "int gic_version;\n"}, r"core/a\.c:10: the word"),
    ("layers.py", "an architecture's word in a comment of core",
     {"core/a.c": CORE_A + "/* the stage-2 table */\n"},
     r"core/a\.c:10: the word"),
    ("layers.py", "a driver knows vCPUs",
     {"drivers/uart/u.c": SPDX + "struct vcpu *v;\n"}, r"u\.c:2: the word"),
    ("layers.py", "a cycle in core",
     {"core/b.c": SPDX + "void b(void)\n{\n\t(void)a(1);\n}\n",
      "core/a.c": CORE_A + "void c(void)\n{\n\tb();\n}\n"},
     r"cycle .*a\.c.*b\.c"),
    ("layers.py", "a door nobody uses",
     {"core/a.c": CORE_A.replace("\tpost();\n", "")}, r"arrow is not used"),
    ("layers.py", "#if inside a function",
     {"core/a.c": CORE_A.replace("\tpost", "#ifdef X\n#endif\n\tpost")},
     r"core/a\.c:7: #if inside"),
    ("layers.py", "closure too large",
     {"include/hv/a.h": SPDX + "#ifndef HV_A_H\n" + "int a(int x);\n" * 4100
      + "#endif\n"}, r"core/a\.c:1: pulls in"),
    ("headers.sh", "a header that needs another",
     {"include/hv/bad.h": SPDX + "struct s *f(uint64_t x);\n"},
     r"include/hv/bad\.h:1: does not compile alone \(fake\)"),
    ("headers.sh", "a header without a guard",
     {"include/hv/bad.h": SPDX + "struct s { int a; };\n"},
     r"bad\.h:1: does not compile alone \(arm64\)"),
    ("sizes.py", "a wide line", {"core/a.c": WIDE}, r"core/a\.c:2: \d+ colu"),
    ("sizes.py", "a long function", {"core/a.c": SPDX + func("f", 61)},
     r"core/a\.c:2: f has 61 lines|f has 6\d lines"),
    ("sizes.py", "listed as long, but far too long",
     {"core/a.c": SPDX + func("f", 99),
      "tools/check/sizes.allow": "function core/a.c:f long because\n"},
     r"only as one flat"),
    ("sizes.py", "listed as flat and not flat",
     {"core/a.c": SPDX + func("f", 99, "\tif (x) { if (y) { z(); } }\n"),
      "tools/check/sizes.allow": "function core/a.c:f flat because\n"},
     r"is not flat"),
    ("sizes.py", "an entry without a reason",
     {"tools/check/sizes.allow": "function core/a.c:f long\n"},
     r"sizes\.allow:1: entry not understood"),
    ("sizes.py", "an entry nobody needs",
     {"tools/check/sizes.allow": "file core/a.c because\n"},
     r"sizes\.allow:1: core/a\.c needs no entry"),
    ("sizes.py", "a large file", {"core/b.c": SPDX + "int x;\n" * 601},
     r"core/b\.c:1: 60\d lines"),
    ("rows.py", "a sub-operation without a test",
     {"core/hc.c": SPDX + "x t[] = {\n[XENMEM_exchange] = SUBOP(a, b),\n};\n"},
     r"core/hc\.c:3: no test .* XENMEM_exchange"),
    ("rows.py", "a hypercall without a test",
     {"core/hc.c": SPDX + "x t[] = {\n[__HYPERVISOR_hvm_op] = { f },\n};\n"},
     r"core/hc\.c:3: no test"),
    ("rows.py", "a row written by a macro, without a test",
     {"core/hc.c": SPDX + "#define ROW(n, f) \\\n\t[XEN_DOMCTL_##n] = (f)\n"
                          "x t[] = {\n\tROW(gdbsx, g),\n};\n"},
     r"core/hc\.c:5: no test .* XEN_DOMCTL_gdbsx"),
    ("rows.py", "a register without a test",
     {"arch/arm64/vgic/vgicd_v2.c": SPDX + "\t[R_ICFGR] = REG_PLAIN(4, rd),\n"},
     r"vgicd_v2\.c:2: no rows_v2.* GICD_ICFGR"),
    ("rows.py", "a register that only the other version's table has",
     {"arch/arm64/vgic/vgicd_v3.c": SPDX + "\tREG_PLAIN(4), /* ISENABLER */\n"},
     r"vgicd_v3\.c:2: no rows_v3.* GICD_ISENABLER"),
    ("rows.py", "the second register of a row without a test",
     {"arch/arm64/vgic/vgicd_v2.c": SPDX
      + "\tREG_PLAIN(4), /* ISENABLER, SGIR: both */\n"},
     r"vgicd_v2\.c:2: no rows_v2.* GICD_SGIR"),
    ("rows.py", "a register without a name",
     {"arch/arm64/vgic/vgicr_v3.c": SPDX + "\tREG_PLAIN(4, rd, wr),\n"},
     r"vgicr_v3\.c:2: a register row without a name"),
    ("rows.py", "an errno that nothing ties to the ABI",
     {"include/lib/errno.h": SPDX + "enum {\n\tEPERM = 1,\n\tEIO = 5,\n};\n"},
     r"errno\.h:4: EIO"),
    ("style.py", "layout of another house",
     {"core/b.c": SPDX + "int f(int x) {\n  if(x) return 1;\n  return 0;\n}\n"},
     r"core/b\.c:\d+: clang-format wants"),
    ("names.py", "a machine's path",
     {"core/b.c": SPDX + "/* see /" + "work/x */\n"}, r"b\.c:2: path of one"),
    ("names.py", "a home", {"docs/x.md": "in /" + "home/me/tree\n"},
     r"docs/x\.md:1: path of one machine"),
    ("names.py", "a host in a URL",
     {"docs/x.md": "http:/" + "/mirror.example.org/x\n"}, r"host name in a U"),
    ("names.py", "an address", {"docs/x.md": "at 10.1" + ".2.3\n"},
     r"host address"),
    ("names.py", "an open mark", {"core/b.c": SPDX + "/* TO" + "DO: x */\n"},
     r"b\.c:2: open mark"),
    ("names.py", "a mark of trouble",
     {"core/b.c": SPDX + "/* X" + "XX */\n"}, r"b\.c:2: X" "XX"),
    ("names.py", "no licence line", {"core/b.c": "int x;\n"},
     r"core/b\.c:1: no SPDX"),
    ("unused.py", "a function nobody calls",
     {"core/b.c": SPDX + "int b(void)\n{\n\treturn 0;\n}\n"},
     r"core/b\.c:2: nothing calls b\(\)"),
    ("unused.py", "two that call only each other",
     {"arch/arm64/entry/e.S": SPDX + "\tret\n"},
     r"core/work\.c:5: nothing calls post\(\)"),
    ("unused.py", "one that only a test calls",
     {"include/hv/b.h": SPDX + "static inline int b(void)\n{\n\treturn 0;\n}"
                        "\n", "tests/unit/test_b.c": SPDX + "int x = b();\n"},
     r"include/hv/b\.h:2: nothing calls b\(\)"),
    ("unused.py", "a member nobody names",
     {"core/b.c": SPDX + "struct s {\n\tint m_;\n};\n"},
     r"core/b\.c:3: nothing names the member m_"),
    ("unused.py", "a row for a function that is called",
     {"docs/layers.md": LAYERS + "\n| function that nothing calls | why |\n"
                        "|---|---|\n| `post` | because |\n"},
     r"layers\.md:\d+: post\(\) needs no row"),
    ("shell.sh", "a shell script that does not parse",
     {"tools/bad.sh": "#!/bin/bash\nif true; then\n"}, r"tools/bad\.sh:1"),
    ("shell.sh", "a Python script that does not compile",
     {"tools/bad.py": "#!/usr/bin/python3\ndef f(:\n"}, r"tools/bad\.py:1"),
    ("cppcheck.sh", "an index out of bounds",
     {"core/b.c": SPDX + "int f(void)\n{\n\tint a[2] = { 0, 0 };\n\n"
      "\treturn a[2];\n}\n"}, r"core/b\.c:6: error"),
    ("abi.sh", "a size that moved",
     {"tests/abi/b.c": "#define SIZE(t, n) _Static_assert(sizeof(t) == n, "
      "#t);\nSIZE(int, 5)\n"}, r"tests/abi/b\.c:1:\d+: error"),
    ("globals.py", "no image", {}, r"run make first"),
    ("elf.py", "no image", {}, r"run make first"),
]
CLEAN_PASS = ("layers.py", "headers.sh", "sizes.py", "rows.py", "style.py",
              "names.py", "unused.py", "shell.sh", "cppcheck.sh", "commits.py",
              "abi.sh")


class Tally:
    passed = failed = 0

    def note(self, good, text, said=""):
        self.passed += good
        self.failed += not good
        if not good:
            print(f"selftest: {text}\n{said}    cure: correct the check")


def test_trees(base, tally):
    clean = make_tree(base, {})
    for check in CLEAN_PASS:
        code, said = run(check, clean)
        tally.note(code == 0, f"{check} refuses the clean tree", said)
    for check, what, changes, wanted in FAULTS:
        code, said = run(check, make_tree(base, changes))
        tally.note(code == 1 and re.search(wanted, said) is not None,
                   f"{check} does not report: {what}", said)


def test_locking(base, tally):
    root = make_tree(base, {})
    code, _ = run("gen_locking.py", root, "--check")
    tally.note(code == 1, "gen_locking.py accepts a missing document")
    run("gen_locking.py", root)
    code, said = run("gen_locking.py", root, "--check")
    tally.note(code == 0, "gen_locking.py refuses its own output", said)
    with open(os.path.join(root, "include/hv/lock_ranks.h"), "a",
              encoding="utf-8") as file:
        file.write('/* */ R(B, "second")\n')
    code, _ = run("gen_locking.py", root, "--check")
    tally.note(code == 1, "gen_locking.py accepts a stale document")


def test_compat(base, tally):
    """docs/compat.md of a copy of what it is made from, then with a row less."""
    root = os.path.join(base, "compat")
    for part in ("core", "guests", "tests/unit", "tests/sys", "tools/docs",
                 "tools/image/dom0"):
        shutil.copytree(os.path.join(ROOT, part), os.path.join(root, part))
    os.makedirs(os.path.join(root, "docs"))
    build = os.path.join(ROOT, os.environ.get("BUILD", "build"), "include")
    os.makedirs(os.path.join(root, "build"))
    os.symlink(build, os.path.join(root, "build", "include"))
    tool = "../docs/compat.py"
    code, _ = run(tool, root, "--check")
    tally.note(code == 1, "compat.py accepts a missing document")
    run(tool, root)
    code, said = run(tool, root, "--check")
    tally.note(code == 0, "compat.py refuses its own output", said)
    path = os.path.join(root, "core/hypercall_table.c")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("\tROW(sysctl, hc_sysctl),\n", ""))
    code, _ = run(tool, root, "--check")
    tally.note(code == 1, "compat.py accepts a stale document")
    run(tool, root)
    with open(os.path.join(root, "docs/compat.md"), encoding="utf-8") as file:
        tally.note("| 35 | sysctl | -ENOSYS |" in file.read(),
                   "compat.py does not see that a hypercall has no row")


def test_pictures(base, tally):
    """Pictures of a description, then of one that says something else."""
    tool = "../docs/pictures.py"
    cfg = 'hypervisor = "h"\n[one]\nkernel = "k"\nmemory = 16\nvcpus = 1\n'
    root = make_tree(base, {"docs/examples.md": "![x](examples-a.svg)\n",
                            "examples/a/a.cfg": cfg})
    code, _ = run(tool, root, "--check")
    tally.note(code == 1, "pictures.py accepts a missing picture")
    run(tool, root)
    code, said = run(tool, root, "--check")
    tally.note(code == 0, "pictures.py refuses its own output", said)
    path = os.path.join(root, "examples/a/a.cfg")
    with open(path, "a", encoding="utf-8") as file:
        file.write('cpus = "1"\n')
    code, _ = run(tool, root, "--check")
    tally.note(code == 1, "pictures.py accepts a stale picture")
    run(tool, root)
    os.rename(os.path.join(root, "docs/examples-a.svg"),
              os.path.join(root, "docs/examples-b.svg"))
    code, said = run(tool, root, "--check")
    tally.note(code == 1 and "examples-b.svg:1: is not in" in said,
               "pictures.py accepts a picture that nobody shows", said)


def test_commits(base, tally):
    for subject, body, good in (
            ("core: say what changes", "", True),
            ("say what changes", "", False),
            ("nowhere: say what changes", "", False),
            ("core: " + "long " * 15, "", False),
            ("core: fine", "Co-" + "authored-by: A <a@b>", False)):
        root = make_tree(base, {})
        git = ["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@t",
               "-c", "commit.gpgsign=false", "-c", "core.hooksPath=none"]
        subprocess.run(git + ["init", "-q"], check=True)
        subprocess.run(git + ["commit", "-q", "--allow-empty", "-m", subject,
                              "-m", body], check=True)
        code, said = run("commits.py", root)
        tally.note((code == 0) == good, f"commits.py about {subject!r}", said)


BAD_IMAGE = """
.globl _start
.text
.type _start, %function
_start:	fadd v0.4s, v1.4s, v2.4s
	ret
.size _start, . - _start
.type fpu_save, %function
fpu_save: stp q0, q1, [x0]
	ret
.size fpu_save, . - fpu_save
.section .both, "awx"
	.quad 0
.data
.type table, %object
table:	.quad _start
.size table, 8
.section .init_array, "aw"
	.quad 0
"""
GOOD_IMAGE = """
.globl _start
.text
.type _start, %function
_start:	ret
.size _start, . - _start
.data
.type counter.lto_priv.0, %object
counter.lto_priv.0: .quad 5
.size counter.lto_priv.0, 8
.type spare.3, %object
spare.3: .quad 6
.size spare.3, 8
"""


def build_image(base, text, size):
    """A tree with TEXT assembled to build/arm64/bulkhead.elf."""
    root = make_tree(base, {"docs/data.md": ""})
    out = os.path.join(root, "build/arm64")
    os.makedirs(out)
    cross = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")
    elf = os.path.join(out, "bulkhead.elf")
    subprocess.run([f"{cross}as", "-o", f"{elf}.o", "-"], input=text,
                   text=True, check=True)
    subprocess.run([f"{cross}ld", "--no-warn-rwx-segments", "-o", elf,
                    f"{elf}.o"], check=True, capture_output=True)
    with open(elf[:-4], "wb") as file:
        file.write(bytes(size))
    return root


def test_elf(base, tally):
    code, said = run("elf.py", build_image(base, GOOD_IMAGE, 100))
    tally.note(code == 0, "elf.py refuses a clean image", said)
    code, said = run("elf.py", build_image(base, BAD_IMAGE, 381_441))
    for wanted in ("segment is writable and executable",
                   r"\.both: section is writable and executable",
                   r"\.init_array: section must not exist",
                   r"table: writable memory points to _start\(\)",
                   "_start: FP/SIMD instruction: fadd", "381441 bytes, bud"):
        tally.note(code == 1 and re.search(wanted, said) is not None,
                   f"elf.py does not report: {wanted}", said)
    tally.note("fpu_save: FP" not in said, "elf.py refuses fpu_save", said)
    fake = types.SimpleNamespace(
        segments=[elffile.Segment(elffile.PT_DYNAMIC, 0, 0, 8)],
        symbols=[elffile.Symbol("missing", 0, 0, 0, 2, 0)])
    seen = []
    rep = types.SimpleNamespace(fault=lambda *words: seen.append(words))
    elf_check.check_segments(fake, "x", rep)
    elf_check.check_undefined(fake, "x", rep)
    tally.note(len(seen) == 2, "elf.py accepts a dynamic segment or an "
               "undefined symbol")
    for text, wanted in (("x0, [x1, #8]", 0), ("w0, #0xd1", 0), ("d0, d1", 1),
                         ("{v0.16b}, [x0]", 1), ("x2, #0x20", 0),
                         ("q31, q30, [sp]", 1), ("s0, w1", 1)):
        found = bool(elf_check.FP_REGISTER.search(text))
        tally.note(found == bool(wanted), f"elf.py about operands {text}")


def test_globals(base, tally):
    root = build_image(base, GOOD_IMAGE, 100)
    head = "| global | file | bytes | owner or lock |\n|---|---|---|---|\n"
    good = head + ("| `counter` `spare` | a.c | 8 | boot CPU |\n")
    for rows, wanted in (
            (head, "global counter .* is not listed"),
            (good + "| `gone` | a.c | 8 | x |\n", "gone is not in the image"),
            (good.replace("boot CPU", "?"), "counter has no owner"),
            (good, None)):
        with open(os.path.join(root, "docs/data.md"), "w",
                  encoding="utf-8") as file:
            file.write(rows)
        code, said = run("globals.py", root)
        right = code == 0 if wanted is None else (
            code == 1 and re.search(wanted, said) is not None)
        tally.note(right, f"globals.py about: {wanted}", said)


def test_reader(tally):
    """The ELF reader refuses what is not ELF64 little-endian."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\x7fELF\x01\x01" + struct.pack("<58x"))
        file.flush()
        try:
            elffile.Elf(file.name)
            tally.note(False, "elffile.py reads a 32-bit file")
        except ValueError:
            tally.note(True, "")


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="bulkhead-lint-") as base:
        test_trees(base, tally)
        test_locking(base, tally)
        test_compat(base, tally)
        test_pictures(base, tally)
        test_commits(base, tally)
        test_elf(base, tally)
        test_globals(base, tally)
    test_reader(tally)
    print(f"note: {tally.passed + tally.failed} cases")
    print(f"selftest: {'failed' if tally.failed else 'passed'}")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())

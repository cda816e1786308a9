# SPDX-License-Identifier: Apache-2.0
"""docs/ledger.md from tests/perf/ledger.json."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.path.join("docs", "ledger.md")

LINUX = {"poll": "Linux idle, ticking, polling (nohlt)", "busy": "Linux busy, ticking",
         "wfi": "Linux idle, ticking, WFI traps", "native": "Linux idle, ticking, vwfi=native"}
RUNS_ALL_THE_TIME = ("poll", "busy")

HEAD = """# Ledger of EL2 instructions

<!-- Made by tools/ledger/ledger.py (make ledger-update). Do not edit. -->

What every path through EL2 costs: QEMU virt, GICv3 where no other is named,
cortex-a53, instruction clock, release image. A plugin of QEMU's (tools/ledger/el2count.c) counts each
stretch, from the first instruction of the vector to ERET, both included. The
figures are the same on every host. `make ledger` measures them again and fails
when a line costs 5 % more than here, or so much less (5 %) that 10 % more than
that would not be seen.

"""
SECTIONS = (
    ("linux", "A ticking Linux, and the stock toolstack",
     """Debian's kernel as dom0, 250 ticks a second. Instructions at EL2 by what they
are divided by; the field's figures are 38 to 46 a million for static
partitioning and 289 for Xen, and 188 to 226 and 1,420 for each exception.
With the instruction clock a CPU executes 1,000 million instructions a second,
and a tick is every 4 million. A guest that polls while idle, or works, executes
them all; one that waits in WFI executes next to none, so that for it the cost
of each interrupt is the figure that says something: where WFI traps it holds
the trap, the way into idleness and the way out of it, with the run state told
to Linux on both ways.
"""),
    ("masked", "Longest stretch with interrupts masked",
     """EL2 never unmasks (adr/0001): from the vector to ERET, or to the WFI of a CPU
that idles. Boot, before the first guest, is not in it. With xl it is a step of
a domain's tear-down: 512 frames of one 2 MiB block go back one by one, most of
it for the tree of free chunks (core/page_tree.c). Of bare-metal guests' it is a
command for the ITS that looks at all LPIs (guests/bench_its.c). Of the guest that
attacks (guests/domu_pci, from its first attack to its last one) it is the same
with all its LPIs waiting at a vCPU that takes none; each change of list registers
looks at all that wait then, 148,000 instructions for 1,024.
"""),
    ("boot", "Reset to the first instruction of a domain that starts at boot",
     """Bare-metal domains of 64 MiB with one CPU on a machine with one, without dom0;
none runs before all are made. Bao needs 345,152 for one.
"""),
    ("stack", "Depth of the stack, bytes, of 16,384",
     """By the frames of the compiler's -fstack-usage and the calls in the linked image
(tools/ledger/stack.py); calls through tables by tools/ledger/calls.txt. Last
words have a stack of their own, of 8,192.
"""),
    ("size", "Sizes", ""),
    ("paths", "Paths, by bare-metal guests",
     """Typical is the median of all that the guests of tools/ledger/runs.py made, good
calls and bad ones; worst may include a line on the serial console. "work: ..."
is the part of a path that empties those work bits. ", CPU idles": the path ends
at the WFI of the hypervisor. Of messages of a PCI card (LPIs) the worst is one
that comes while another waits, as in a storm. GITS_CWRITER: up to 8 commands of
the guest's queue in a trap, or one that is much work; the rest with another trap.
"""),
    ("paths, GICv2", "Paths that a GICv2 makes different",
     """The same of a machine with a GICv2: its registers, interrupts, timers, messages
between CPUs. Each list register, and the CPU interface, is a load or a store
here, which costs a real machine more than the one instruction that is counted.
"""),
    ("toolstack", "Control operations of xl create and xl destroy",
     """A stock Linux guest of 128 MiB with disk and network, made and destroyed by
Debian's xl.
"""),
)


def cell(number):
    return f"{number:,}"


def table(group, book):
    lines, goals = book["lines"][group], book["goals"].get(group, {})
    wide = any(len(value) > 1 for value in lines.values())
    head = ["line", "typical", "worst"] if wide else ["line", "figure"]
    if goals:
        head.append("goal")
    rows = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, value in sorted(lines.items()):
        cells = [name] + [cell(number) for number in value]
        if goals:
            cells.append(cell(goals[name]) if name in goals else "")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def text(book):
    parts = [HEAD]
    for group, title, words in SECTIONS:
        parts.append(f"## {title}\n\n{words}\n" if words else f"## {title}\n\n")
        parts.append(table(group, book) + "\n")
    return "".join(parts).rstrip("\n") + "\n"


def write(book):
    with open(os.path.join(ROOT, TARGET), "w", encoding="utf-8") as file:
        file.write(text(book))


def check(book):
    """0, or a message: the page in the tree is another one."""
    with open(os.path.join(ROOT, TARGET), encoding="utf-8") as file:
        if file.read() == text(book):
            return 0
    return f"{TARGET}:1: not what tests/perf/ledger.json says\n    cure: make ledger-update, or undo the change by hand"

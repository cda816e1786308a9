# SPDX-License-Identifier: Apache-2.0
"""Names of the paths through EL2: what el2count.c wrote as numbers, in the words of the manuals.

A path is a pair (key, title). Keys stand in tests/perf/ledger.json; operations that have no row in the headers or the
tables here share one name, so that a program that tries numbers at random does not make a line of each.
"""
import functools
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "check"))
sys.path.insert(0, os.path.join(ROOT, "tools", "docs"))
import compat  # noqa: E402  pylint: disable=wrong-import-position

EC_WFX, EC_HVC64, EC_SMC64, EC_SYS64, EC_IABT, EC_DABT = 0x01, 0x16, 0x17, 0x18, 0x20, 0x24
EC_NAMES = {0x00: "unknown", 0x07: "fp", 0x19: "sve", 0x20: "instruction abort", 0x3c: "brk"}
XEN_HVC = 1 << 63
NR_SGIS = 16
INTIDS = {25: "maintenance", 26: "hypervisor timer", 27: "virtual timer", 30: "physical timer", 33: "uart"}
SPURIOUS = 1020
LPI_FIRST = 8192

# Hypercalls whose first argument, or first word of the structure, is an operation: number -> group of compat.py.
WITH_OPERATION = {7: "platform_op", 12: "memory_op", 17: "xen_version", 18: "console_io", 20: "grant_table_op",
                  21: "vm_assist", 24: "vcpu_op", 29: "sched_op", 32: "event_channel_op", 34: "hvm_op", 35: "sysctl",
                  36: "domctl"}
WITHOUT_OPERATION = {13: "multicall", 33: "physdev_op"}
MEMORY_OP = 12
MEMORY_OP_MASK = 63     # above it: where a long operation goes on

SMCCC = {0x84000000: "PSCI_VERSION", 0x84000001: "CPU_SUSPEND", 0xc4000001: "CPU_SUSPEND", 0x84000002: "CPU_OFF",
         0x84000003: "CPU_ON", 0xc4000003: "CPU_ON", 0x84000004: "AFFINITY_INFO", 0xc4000004: "AFFINITY_INFO",
         0x84000006: "MIGRATE_INFO_TYPE", 0x84000008: "SYSTEM_OFF", 0x84000009: "SYSTEM_RESET",
         0x8400000a: "PSCI_FEATURES", 0x80000000: "SMCCC_VERSION", 0x80000001: "SMCCC_ARCH_FEATURES",
         0x80008000: "ARCH_WORKAROUND_1", 0x80007fff: "ARCH_WORKAROUND_2", 0x80003fff: "ARCH_WORKAROUND_3"}

# op0 op1 CRn CRm op2 -> name; what is not here goes by the group of its CRn.
SYSREGS = {(3, 0, 12, 11, 5): "ICC_SGI1R_EL1", (3, 0, 12, 11, 6): "ICC_ASGI1R_EL1", (3, 0, 12, 11, 7): "ICC_SGI0R_EL1",
           (3, 0, 12, 12, 5): "ICC_SRE_EL1", (3, 3, 14, 2, 0): "CNTP_TVAL_EL0", (3, 3, 14, 2, 1): "CNTP_CTL_EL0",
           (3, 3, 14, 2, 2): "CNTP_CVAL_EL0", (3, 0, 1, 0, 1): "ACTLR_EL1"}
SYSREG_GROUPS = (((3, 0, 0), "ID registers"), ((2,), "debug registers"), ((3, None, 9), "PMU registers"),
                 ((1,), "cache and TLB operations"))

# The machine's interrupt controller, as dom0 sees it at QEMU's addresses: base, size, name.
GICD, GICR = 0x8000000, 0x80a0000
GICR_STRIDE, GICR_SGI = 0x20000, 0x10000
GICR_END = GICR + 8 * GICR_STRIDE
BANKS = ((0x0, 0x4, "CTLR"), (0x4, 0x8, "TYPER"), (0x8, 0xc, "IIDR"), (0x80, 0x100, "IGROUPR"), (0x100, 0x180, "ISENABLER"),
         (0x180, 0x200, "ICENABLER"), (0x200, 0x280, "ISPENDR"), (0x280, 0x300, "ICPENDR"), (0x300, 0x380, "ISACTIVER"),
         (0x380, 0x400, "ICACTIVER"), (0x400, 0x800, "IPRIORITYR"), (0x800, 0xc00, "ITARGETSR"), (0xc00, 0xd00, "ICFGR"),
         (0xf00, 0xf04, "SGIR"), (0x6000, 0x8000, "IROUTER"), (0xffd0, 0x10000, "PIDR"))
RD_BANKS = ((0x0, 0x4, "CTLR"), (0x4, 0x8, "IIDR"), (0x8, 0x10, "TYPER"), (0x14, 0x18, "WAKER"), (0x70, 0x78, "PROPBASER"),
            (0x78, 0x80, "PENDBASER"), (0xffd0, 0x10000, "PIDR"))
GITS, GITS_END = 0x8080000, 0x80a0000
ITS_BANKS = ((0x0, 0x4, "CTLR"), (0x4, 0x8, "IIDR"), (0x8, 0x10, "TYPER"), (0x80, 0x88, "CBASER"), (0x88, 0x90, "CWRITER"),
             (0x90, 0x98, "CREADR"), (0x100, 0x140, "BASER"), (0xffd0, 0x10000, "PIDR"))

VCPU_WORK = ("upcall", "list registers", "stop", "timer")
PCPU_WORK = ("reschedule", "call", "halt", "console", "domain")
ENDS = {"ret": "", "switch": ", to another vCPU", "idle": ", CPU idles"}


@functools.cache
def operations(title):
    """{number: name without the prefix} of a group of compat.py."""
    group = next(g for g in compat.GROUPS if g.title == title)
    found = {}
    for number, name in compat.operations(ROOT, group):
        found.setdefault(number, name.removeprefix(group.prefix))
    return found


def hypercall(b):
    number, operation = b >> 32 & 0x7fffffff, b & 0xffffffff
    if number not in WITH_OPERATION:
        return "hypercall " + WITHOUT_OPERATION.get(number, "without a row")
    if number == MEMORY_OP:
        operation &= MEMORY_OP_MASK
    name = WITH_OPERATION[number]
    return f"hypercall {name} " + operations(name).get(operation, "unknown operation")


def sysreg(iss):
    """ISS of a trapped MSR or MRS."""
    op0, op2, op1, crn, crm = (iss >> 20 & 3, iss >> 17 & 7, iss >> 14 & 7, iss >> 10 & 15, iss >> 1 & 15)
    name = SYSREGS.get((op0, op1, crn, crm, op2))
    if name is None:
        for wanted, group in SYSREG_GROUPS:
            if all(w in (None, have) for w, have in zip(wanted, (op0, op1, crn))):
                name = group
                break
        else:
            name = "other registers"
    return f"{'read' if iss & 1 else 'write'} {name}"


def register(banks, offset):
    return next((name for first, end, name in banks if first <= offset < end), "reserved")


def mmio(b):
    address, verb = b >> 1, "write" if b & 1 else "read"
    if GICD <= address < GICD + 0x10000:
        return f"{verb} GICD_" + register(BANKS, address - GICD)
    if GITS <= address < GITS_END:
        return f"{verb} GITS_" + register(ITS_BANKS, address - GITS)
    if GICR <= address < GICR_END:
        offset = (address - GICR) % GICR_STRIDE
        banks = BANKS[3:] if offset >= GICR_SGI else RD_BANKS
        return f"{verb} GICR_" + register(banks, offset % GICR_SGI)
    return f"{verb} of memory that is not there"


def smccc(conduit, function):
    return f"{conduit} " + SMCCC.get(function, "unknown function")


def synchronous(a, b):
    if a == EC_WFX:
        return "WFE" if b & 1 else "WFI"
    if a == EC_HVC64:
        return hypercall(b) if b & XEN_HVC else smccc("HVC", b)
    if a == EC_SMC64:
        return smccc("SMC", b)
    if a == EC_SYS64:
        return sysreg(b)
    if a == EC_DABT:
        return mmio(b)
    return "trap: " + EC_NAMES.get(a, "other class")


def interrupt(intid):
    if intid < NR_SGIS:
        return "message of another CPU"
    if intid >= LPI_FIRST:
        return "a PCI card's (LPI)"
    if intid >= SPURIOUS:
        return "none"
    return INTIDS.get(intid, "a device's")


def bits(value, names):
    return [name for n, name in enumerate(names) if value >> n & 1]


def name_of(kind, a, b, end):
    """The key of a PATH line."""
    if kind == "sync":
        return synchronous(a, b) + ENDS[end]
    if kind == "work":
        posted = bits(a, VCPU_WORK) + bits(b, PCPU_WORK)
        return "work: " + (" + ".join(posted) or "nothing") + ENDS[end]
    if kind in ("irq", "wake"):
        return ("interrupt: " if kind == "irq" else "wake-up: ") + interrupt(a) + ENDS[end]
    return kind + ENDS[end]


PATH = re.compile(r"PATH (\w+) ([0-9a-f]+) ([0-9a-f]+) (\w+) (\d+) (\d+)")


def read(path):
    """
    What the plugin wrote, as one dict a mark: {"mark", "guest", "el2", "lost", "paths": {key: {instructions: times}}}.
    mark: the number of the mark that ended it; None for the rest of the run.
    """
    sections, now = [], None
    with open(path, encoding="ascii") as file:
        for line in file:
            now = now or {"mark": None, "paths": {}}
            found = PATH.match(line)
            if found:
                kind, a, b, end, insns, times = found.groups()
                spent = now["paths"].setdefault(name_of(kind, int(a, 16), int(b, 16), end), {})
                spent[int(insns)] = spent.get(int(insns), 0) + int(times)
                continue
            word, *rest = line.split()
            if rest and word != "MARK":
                now[word.lower()] = int(rest[0])
                continue
            now["mark"] = int(rest[0]) if rest else None
            sections.append(now)
            now = None
    if now is not None or not sections or sections[-1]["mark"] is not None:
        raise ValueError(f"{path}: cut short")
    return sections


def typical_and_worst(spent):
    """Median (the lower one) and maximum of {instructions: times}."""
    middle = (sum(spent.values()) + 1) // 2
    for insns in sorted(spent):
        middle -= spent[insns]
        if middle <= 0:
            return insns, max(spent)
    raise ValueError("nothing was counted")

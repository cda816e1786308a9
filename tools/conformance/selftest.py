#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conformance matrix itself: lines with one fault each. Each fault must be found, and lines without one pass."""
import sys

from conformance import FAULT, OPEN, PURPOSE, SAME, Config, Explanations, judge, lines_of, tables

CONFIG = Config("dom0", 3)
XEN = "= A | one | 0\n= A | two | -EINVAL\n= GICD | read32 0+8/4 | 0\nnoise\n= B | page 1 | 0 w1=5\n"
REASONS = "# words\n= Because.\nA | t* | -EINVAL | -ENOSYS\n\n= open: Who knows.\nB | page * | 0 w1=* | 0 w1=[67]\n"
OURS = XEN.replace("two | -EINVAL", "two | -ENOSYS").replace("w1=5", "w1=6")
ROWS = [("A", "a.h"), ("GICD_CTLR", "b.c"), ("GICD_TYPER", "b.c")]

# what is wrong, Xen's lines, ours, the explanations, the rows needed, what must be said
FAULTS = (
    ("a result that differs", XEN, OURS.replace("one | 0", "one | 1"), REASONS, ROWS, "A | one | Xen: 0 | here: 1"),
    ("an explained case with another result", XEN, OURS.replace("-ENOSYS", "-EPERM"), REASONS, ROWS, "here: -EPERM"),
    ("an explained case where Xen's result is another", XEN.replace("-EINVAL", "-E2BIG"), OURS, REASONS, ROWS, "Xen: -E2BIG"),
    ("a line of ours that is not there", XEN, OURS.replace("= A | one | 0\n", ""), REASONS, ROWS, "here: no line"),
    ("a line that Xen has not", XEN, OURS + "= C | one | 0\n", REASONS, ROWS, "Xen: no line"),
    ("one register of a series", XEN, OURS.replace("0+8/4 | 0", "0 | 0\n= GICD | read32 4 | 7"), REASONS, ROWS,
     "GICD_TYPER | read32 0004 | Xen: 0 | here: 7"),
    ("an explanation of nothing", XEN, OURS, REASONS + "A | three | * | *\n", ROWS, "explains nothing: A | three"),
    ("an explanation for the other role", XEN, OURS, REASONS.replace("A | t*", "domU: A | t*"), ROWS, "here: -ENOSYS"),
    ("an explanation for another CPU", XEN, OURS, REASONS.replace("A | t*", "max: A | t*"), ROWS, "here: -ENOSYS"),
    ("a row without a case", XEN, OURS, REASONS, ROWS + [("XENMEM_new", "memory.h")], "no case for XENMEM_new (memory.h)"),
    ("a guest that printed nothing", XEN, "", REASONS, [], "no lines"),
)


def judged(xen, ours, reasons, rows):
    results = {("xen", CONFIG): lines_of(xen), ("bulkhead", CONFIG): lines_of(ours)}
    return judge(results, Explanations(reasons), rows)


def main():
    failed = 0
    same, different, faults = judged(XEN, OURS, REASONS, ROWS)
    verdicts = sorted(one.verdict for one in different)
    if faults or sum(same.values()) != 3 or verdicts != sorted([PURPOSE, OPEN]):
        failed += 1
        print("lines without a fault:", faults, dict(same), verdicts, (SAME, FAULT))
    for what, xen, ours, reasons, rows, said in FAULTS:
        faults = judged(xen, ours, reasons, rows)[2]
        if not any(said in fault for fault in faults):
            failed += 1
            print(f"{what}: not found, only {faults}")
    needed = [row for row, _ in tables.rows_needed(sys.path[0] + "/../..")]
    for row in ("XENMEM_populate_physmap", "GICD_ISENABLER", "GICR_WAKER", "ID_AA64PFR0_EL1", "PSCI_CPU_ON", "SMCCC_VERSION",
                "SMCCC_STD_CALL_UID", "DC CISW"):
        if row not in needed:
            failed += 1
            print(f"{row} is not among the rows that need a case")
    print(f"{len(FAULTS) + 2 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md and its chart from the figures of xlbench.py: the same figures give the same bytes."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "performance.md")
CHART = os.path.join(ROOT, "docs", "performance.svg")

HEAD = """# Performance

<!-- Made by `make bench-xl-doc` (tools/bench/xlreport.py). Do not edit. -->

What a stock Linux guest costs under Debian's Xen 4.17 and under Bulkhead, in
instructions. The same control domain with the same stock toolstack creates the
same guest on both, on one emulated CPU (QEMU virt, cortex-a53, GICv3) that
counts instructions, so the figures are the same on every machine. They say
nothing about caches, and time on the wall means nothing under emulation.

`make bench-xl` measures again, prints the table, and fails when Bulkhead is not
below Xen in a row, or above the budget in tests/perf/budgets_xl.json.

"All" counts every instruction between two marks: guest, control domain and
hypervisor. "Hypervisor" counts those at EL2 alone. Both marks are instructions
that trap nowhere. Guest, kernel and disk image are in memory: no device of the
emulator takes part.

"""

TAIL = """
![Hypervisor's instructions, Xen = 100](performance.svg)

What a row covers:

| row | from, to |
|---|---|
| create | `xl create` is called; the guest's kernel executes its first instruction. A first `xl create` was not counted |
| boot | that instruction; the first of the guest's /init |
| ping | 500 `ping`s from the control domain, one each 10 ms. Round trip: what ping reports, 1 instruction is 1 ns |
| disk | dd in the guest, 32 MiB, 64 KiB each, past its page cache; blkback on a file in memory |
| network | 32 MiB by TCP between guest and control domain, over netback and a bridge |

Paths of single traps are measured by `make bench`; those figures are in
status.md.
"""

# A chart of bars: sizes in its own units.
ROW, BAR, LEFT, FULL, TOP = 34, 12, 330, 440, 34


def percent(ours, xen):
    return f"{100 * ours / xen:.1f} %"


def page(figures, columns):
    lines = ["| what | counted | Xen 4.17 | Bulkhead | of Xen's |", "|---|---|---:|---:|---:|"]
    for figure in figures:
        xen, ours = columns["xen"][figure["name"]], columns["bulkhead"][figure["name"]]
        lines.append(f"| {figure['title']} | {figure['counts']} | {xen:,} | {ours:,} | {percent(ours, xen)} |")
    return HEAD + "\n".join(lines) + "\n" + TAIL


def bar(y, share, colour, label):
    width = round(FULL * share)
    return (f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR}" fill="{colour}"/>'
            f'<text x="{LEFT + width + 6}" y="{y + BAR - 2}">{label}</text>')


def chart(figures, columns):
    """Two bars a row, Xen's always full."""
    rows = [figure for figure in figures if figure["counts"] == "hypervisor"]
    height = TOP + ROW * len(rows) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + FULL + 130}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{LEFT + FULL + 130}" height="{height}" fill="#ffffff"/>',
           f'<text x="10" y="20">Instructions of the hypervisor</text>'
           f'<text x="{LEFT}" y="20" fill="#9a9a9a">Xen 4.17</text>'
           f'<text x="{LEFT + 70}" y="20" fill="#1f6fb2">Bulkhead</text>']
    for number, figure in enumerate(rows):
        y = TOP + number * ROW
        xen, ours = columns["xen"][figure["name"]], columns["bulkhead"][figure["name"]]
        out.append(f'<text x="10" y="{y + BAR + 4}">{figure["title"]}</text>')
        out.append(bar(y, 1, "#c4c4c4", f"{xen:,}"))
        out.append(bar(y + BAR + 1, ours / xen, "#1f6fb2", f"{ours:,}"))
    return "\n".join(out + ["</svg>"]) + "\n"


def write(figures, columns):
    for path, text in ((PAGE, page(figures, columns)), (CHART, chart(figures, columns))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

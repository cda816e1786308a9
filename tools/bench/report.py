#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md and its charts from the figures that make bench, bench-xl and bench-sched left in build/bench.

The same figures give the same bytes. The charts are drawn by gnuplot.
"""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "bench"))
import bench  # noqa: E402  pylint: disable=wrong-import-position
import schedbench  # noqa: E402  pylint: disable=wrong-import-position
import xlbench  # noqa: E402  pylint: disable=wrong-import-position

DOCS = os.path.join(ROOT, "docs")
WORDS = os.path.join(ROOT, "tools", "bench", "performance.in")   # the page's text, with a line @NAME@ for each table
NAMES = {"native": "no hypervisor", "xen": "Xen 4.17", "bulkhead": "Bulkhead", "smmu": "Bulkhead, SMMUv3",
         "given": "Bulkhead, passed through", "bulkhead_pv": "Bulkhead, PV", "smmu_pv": "Bulkhead, SMMUv3, PV", "xen_pv": "Xen 4.17, PV"}
COLOURS = {"native": "#7fb069", "xen": "#b0b0b0", "bulkhead": "#1f6fb2", "smmu": "#c8553d", "given": "#8e5ea2", "bulkhead_pv": "#8fc1e8",
           "smmu_pv": "#e9b3a5", "xen_pv": "#d8d8d8"}
# Whose figures, and which of that name, stand in a column about disks and cards: the control domain's; a guest's.
DEVICE_COLUMNS = {"native": ("native", "dev_{}"), "xen": ("xen", "dev_{}"), "bulkhead": ("bulkhead", "dev_{}"),
                  "smmu": ("bulkhead", "dev_smmu_{}")}
CARD_COLUMNS = {"native": ("native", "dev_{}"), "smmu": ("bulkhead", "dev_smmu_{}"), "given": ("bulkhead", "pt_{}"),
                "bulkhead_pv": ("bulkhead", "pv_{}"), "smmu_pv": ("bulkhead", "pv_smmu_{}"), "xen_pv": ("xen", "pv_{}")}
DISK = (("disk read, each MiB", "disk_read"), ("disk write, each MiB", "disk_write"))
DEVICES = (*DISK, ("network, each MiB", "net"), ("ping, each", "ping"))
# The control domain sends to itself: that stands beside what the guest sends.
CARDS = (*DISK, ("network, guest sends, each MiB", "net_out"), ("network, guest gets, each MiB", "net_in"), ("ping, each", "ping"))
POLICIES = {"credit2": "#1f6fb2", "rtds": "#c8553d", "arinc653": "#7fb069", "null": "#b0b0b0"}
SCHED = {"decision": "decision", "block": "sleep, and the decision who is next", "wake": "wake-up"}
# Paths whose instructions are told by function.
SPENT = (("grant_map", "grant map and unmap of a page"), ("grant_copy", "grant copy of a page"),
         ("switch", "switch between two vCPUs"), ("ipi", "SGI to a running vCPU on another CPU"),
         ("evtchn_running", "event to a running vCPU on another CPU"),
         ("evtchn_blocked", "event to a blocked one, and its blocking again"),
         ("wfi_timer_wake", "WFI until the timer wakes it, and the timer's interrupt"), ("abort", "load where nothing is"),
         ("lpi_to_vector", "a PCI card's message"), ("its_mapti", "MAPTI, INV, INT with its message, DISCARD"))
STYLE = """set encoding utf8
set style fill solid noborder
set border 3 lc rgb '#808080'
set tics nomirror
set grid lc rgb '#e4e4e4'
"""


def load(name):
    path = os.path.join(bench.OUT, name + ".json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        sys.exit(f"report: error: {error}\ncure: make bench bench-xl bench-sched")


# ---- tables

def path_rows(figures, columns, wanted):
    """Rows of the figures of bench.py that WANTED says yes to."""
    lines = ["| path | no hypervisor | Xen 4.17 | Bulkhead | of Xen's | goal |", "|---|---:|---:|---:|---:|---:|"]
    for figure in figures:
        if not wanted(figure["name"]):
            continue
        cells = [columns[column].get(figure["name"]) for column in bench.COLUMNS]
        share = f"{100 * cells[2] / cells[1]:.1f} %" if cells[1] else "-"
        lines.append(f"| {figure['title']} | " + " | ".join(bench.show(cell) for cell in cells)
                     + f" | {share} | {bench.show(figure.get('goal'))} |")
    return "\n".join(lines)


def guest_rows(figures, columns):
    lines = ["| what | counted | no hypervisor | Xen 4.17 | Bulkhead | of Xen's |", "|---|---|---:|---:|---:|---:|"]
    for figure in figures:
        cells = [columns[column].get(figure["name"]) for column in bench.COLUMNS]
        if figure["counts"] == "hypervisor":
            cells[0] = None
        words = ["-" if cell is None else f"{cell:,}" for cell in cells]
        share = f"{100 * cells[2] / cells[1]:.1f} %"
        lines.append(f"| {figure['title']} | {figure['counts']} | " + " | ".join(words) + f" | {share} |")
    return "\n".join(lines)


def spent_rows(spent):
    lines = ["| one round of | at EL2 | most of it |", "|---|---:|---|"]
    for name, title in SPENT:
        most = ", ".join(f"{function} {insns:.0f}" for function, insns in spent[name]["most"])
        lines.append(f"| {title} | {spent[name]['all']:,.0f} | {most} |")
    return "\n".join(lines)


def sched_rows(sched):
    """Of each policy and kind: all numbers of vCPUs, and the growth."""
    numbers = sorted(int(vcpus) for vcpus in sched["null"]["wake"])
    lines = ["| policy | one | " + " | ".join(map(str, numbers)) + " | at most, of 2 vCPUs' |", "|---|---|" + "---:|" * (len(numbers) + 1)]
    for policy in POLICIES:
        for what, title in SCHED.items():
            by_vcpus = {int(vcpus): cost for vcpus, cost in sched[policy][what].items()}
            lines.append(f"| {policy} | {title} | " + " | ".join(f"{by_vcpus[vcpus]:.0f}" for vcpus in numbers)
                         + f" | {schedbench.growth(by_vcpus):.2f} |")
    return "\n".join(lines)


def device_figures(xl, wanted, columns):
    """[(title, counted, {column: figure})] of disks and cards."""
    def cell(column, name):
        of, form = columns[column]
        return xl[of].get(form.format(name.replace("net_out", "net") if form.startswith("dev_") else name))

    rows = []
    for title, name in wanted:
        for counts, suffix in (("all", ""), ("hypervisor", "_hyp")):
            rows.append((title, counts, {column: None if suffix and column == "native" else cell(column, name + suffix) for column in columns}))
    return rows + [("ping, round trip", "elapsed", {column: cell(column, "ping_round_trip") for column in columns})]


def message_row(xl, columns):
    """A message of a card's, for a row beside device_figures()."""
    return ("a card's message, write to vector", "elapsed", {**dict.fromkeys(CARD_COLUMNS), "native": round(columns["native"]["lpi_to_vector"]),
            "smmu": round(columns["bulkhead"]["lpi_smmu_to_vector"]), "given": xl["bulkhead"]["pt_message"]})


def device_rows(rows):
    columns = list(rows[0][2])
    lines = ["| what | counted | " + " | ".join(NAMES[column] for column in columns) + " |", "|---|---|" + "---:|" * len(columns)]
    for title, counts, cells in rows:
        words = ["-" if cell is None else f"{cell:,}" for cell in cells.values()]
        lines.append(f"| {title} | {counts} | " + " | ".join(words) + " |")
    return "\n".join(lines)


def is_scale(name):
    return name.startswith(("boot_", "domain"))


def is_message(name):
    return name.startswith(("lpi_", "its_"))


# ---- charts

def gnuplot(script, name, width, height):
    target = os.path.join(DOCS, f"performance-{name}.svg")
    head = f"set terminal svg size {width},{height} font 'sans-serif,12' noenhanced name '{name}' background '#ffffff'\n"
    subprocess.run(["gnuplot"], input=f"{head}set output '{target}'\n{STYLE}{script}", text=True, check=True)


def bars(rows, columns, low, unit, log=True, key="top left horizontal"):
    """Groups of horizontal bars: ROWS are (title, {column: value})."""
    pitch = len(columns) + 1
    blocks = []
    for number, column in enumerate(columns):
        lines = []
        for row, (_, values) in enumerate(rows):
            top = (len(rows) - row) * pitch - number
            if values.get(column) is not None:
                lines.append(f"{low} {max(values[column], low)} {top - 0.9} {top}")
        blocks.append(f"${column} << END\n" + "\n".join(lines) + "\nEND\n")
    tics = ", ".join(f'"{title}" {(len(rows) - row) * pitch - len(columns) / 2}' for row, (title, _) in enumerate(rows))
    plots = ", ".join(f"${column} using (0.5*($1+$2)):(0.5*($3+$4)):1:2:3:4 with boxxyerror lc rgb '{COLOURS[column]}' title '{NAMES[column]}'"
                      for column in columns)
    scale = "set logscale x\n" if log else ""
    return ("".join(blocks) + scale + f"set ytics ({tics}) scale 0\nset yrange [0:{len(rows) * pitch + 0.5}]\nset xrange [{low}:*]\n"
            f"set key outside {key}\nset xlabel '{unit}'\nset format x '%.0f'\nplot {plots}\n")


def lines_chart(title, xlabel, points, log):
    """One chart of a line for Xen and one for Bulkhead; POINTS are (x, {column: value})."""
    blocks = "".join(f"${column} << END\n" + "\n".join(f"{x} {values[column]}" for x, values in points) + "\nEND\n"
                     for column in ("xen", "bulkhead"))
    xtics = ", ".join(f"'{x}' {x}" for x, _ in points)
    plots = ", ".join(f"${column} with linespoints pt 7 ps 0.5 lw 2 lc rgb '{COLOURS[column]}' title '{NAMES[column]}'"
                      for column in ("xen", "bulkhead"))
    yscale = ("set logscale y\nset yrange [*:*]\nset format y '%.0s%c'\n" if log
              else "unset logscale y\nset yrange [0:*]\nset format y '%.0f'\n")
    return (f"{blocks}{yscale}set logscale x 2\nset title '{title}'\nset xlabel '{xlabel}'\nset xtics ({xtics})\n"
            f"set xrange [{points[0][0]}:{points[-1][0] * 1.1}]\nset key center right\nplot {plots}\n")


def scale_chart(columns):
    def points(names):
        return [(x, {column: columns[column][name] for column in ("xen", "bulkhead")}) for x, name in names]

    cpus = [(1, "boot")] + [(n, f"boot_smp{n}") for n in bench.SCALE_CPUS]
    memory = [(n // 1024 or 0.5, f"boot_mib{n}") for n in bench.SCALE_MIB]
    charts = [lines_chart("Reset to dom0, by number of CPUs", "CPUs", points(cpus), True),
              lines_chart("Reset to dom0, by memory", "GiB", points(memory), True)]
    for name, title in (("create", "To make one more domain"), ("switch", "Switch, all domains run and yield"),
                        ("timer", "Timer interrupt, others paused"), ("version", "Hypercall, others paused")):
        charts.append(lines_chart(title, "domains", points((n, f"domains_{name}_{n}") for n in bench.SCALE_DOMAINS), False))
    return "set multiplot layout 3,2\n" + "".join(charts) + "unset multiplot\n"


def sched_chart(sched):
    """One chart for each kind, a line for each policy."""
    charts = []
    for what, title in SCHED.items():
        blocks = "".join(f"${policy} << END\n" + "\n".join(f"{vcpus} {cost}" for vcpus, cost in sched[policy][what].items())
                         + "\nEND\n" for policy in POLICIES)
        plots = ", ".join(f"${policy} with linespoints pt 7 ps 0.5 lw 2 lc rgb '{colour}' title '{policy}'"
                          for policy, colour in POLICIES.items())
        charts.append(f"{blocks}set title '{title}'\nplot {plots}\n")
    return ("set multiplot layout 1,3\nset logscale x 2\nset xrange [2:256]\nset xtics (2, 8, 32, 128)\nset yrange [0:1700]\nset xlabel 'vCPUs'\n"
            "set key top left\n" + "".join(charts) + "unset multiplot\n")


def guest_chart(figures, columns):
    rows = [(figure["title"], {"xen": 100, "bulkhead": 100 * columns["bulkhead"][figure["name"]] / columns["xen"][figure["name"]]})
            for figure in figures if figure["counts"] == "hypervisor"]
    return bars(rows, ("xen", "bulkhead"), 0, "instructions of the hypervisor, Xen = 100", log=False)


def work_chart(figures, columns):
    """Loads that also run without a hypervisor, in per cent of that."""
    rows = []
    for figure in figures:
        base = columns["native"].get(figure["name"])
        if base and figure["counts"] == "all":
            rows.append((figure["title"], {column: 100 * columns[column][figure["name"]] / base for column in bench.COLUMNS}))
    return bars(rows, bench.COLUMNS, 0, "all instructions, no hypervisor = 100", log=False)


def device_chart(rows):
    titled = [(f"{title}, {counts}", cells) for title, counts, cells in rows]
    return bars(titled, list(rows[0][2]), 1000, "instructions (logarithmic)", key="right vertical")


def main():
    summary = load("summary")
    figures, columns = summary["figures"], summary["columns"]
    if set(columns) != set(bench.COLUMNS):
        sys.exit("report: error: make bench measured only " + ", ".join(columns) + "\ncure: make bench, without options")
    with open(xlbench.BUDGETS, encoding="utf-8") as file:
        guests = [figure for figure in json.load(file)["figures"] if not figure["name"].startswith(("dev_", "pv_", "pt_"))]
    with open(WORDS, encoding="utf-8") as file:
        page = file.read()
    xl = {column: load("xl-" + column) for column in bench.COLUMNS}
    sched = load("sched")
    devices, cards = device_figures(xl, DEVICES, DEVICE_COLUMNS), device_figures(xl, CARDS, CARD_COLUMNS)
    tables = {"PATHS": path_rows(figures, columns, lambda name: not is_scale(name) and not is_message(name)),
              "MESSAGES": path_rows(figures, columns, is_message), "DEVICES": device_rows(devices), "CARDS": device_rows([*cards, message_row(xl, columns)]),
              "SCALE": path_rows(figures, columns, is_scale), "GUESTS": guest_rows(guests, xl),
              "SPENT": spent_rows(load("profile")), "SCHED": sched_rows(sched)}
    for name, table in tables.items():
        page = page.replace(f"@{name}@", table)
    with open(os.path.join(DOCS, "performance.md"), "w", encoding="utf-8") as file:
        file.write(page)
    paths = [(figure["title"], {column: columns[column].get(figure["name"]) for column in bench.COLUMNS})
             for figure in figures if not is_scale(figure["name"]) and not is_message(figure["name"])
             and not figure["name"].endswith("_bytes") and figure["name"] not in ("boot", "loop")]
    gnuplot(bars(paths, bench.COLUMNS, 1, "instructions (logarithmic)"), "paths", 900, 1000)
    gnuplot(scale_chart(columns), "scale", 900, 900)
    gnuplot(sched_chart(sched), "sched", 900, 320)
    gnuplot(guest_chart(guests, xl), "guests", 900, 480)
    gnuplot(work_chart(guests, xl), "work", 900, 260)
    gnuplot(device_chart(devices), "devices", 1200, 480)
    gnuplot(device_chart(cards), "cards", 1200, 760)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Histograms for each domain, as SVG: from wake-up to run, and how long it ran at a stretch. Both axes of times are
logarithmic: six bars a power of ten."""
import html
import math

from records import IDLE

STEPS = 6
LOW, HIGH = 2, 10               # powers of ten, ns
WIDTH, HEIGHT, LEFT, TOP = 420, 130, 60, 60
BAR = (WIDTH - 50) / ((HIGH - LOW) * STEPS)
UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns"))
TITLES = ("wake-up to run", "length of runs")


def show(ns):
    for size, unit in UNITS:
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"


def bins(values):
    out = [0] * ((HIGH - LOW) * STEPS)
    for ns in values:
        step = int((math.log10(max(ns, 1)) - LOW) * STEPS)
        out[min(max(step, 0), len(out) - 1)] += 1
    return out


def quantile(ordered, share):
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def measured(line):
    """{domain: ([ns from wake-up to run], [ns of whole runs])}"""
    out = {}
    for one in line.waits:
        if one.woken:
            out.setdefault(one.who[0], ([], []))[0].append(one.end - one.begin)
    for one in line.slices:
        if one.whole and one.who[0] != IDLE:
            out.setdefault(one.who[0], ([], []))[1].append(one.end - one.begin)
    return dict(sorted(out.items()))


def summary(values):
    if not values:
        return "none"
    ordered = sorted(values)
    return (f"{len(ordered)}: median {show(quantile(ordered, 0.5))}, 99 % {show(quantile(ordered, 0.99))}, "
            f"most {show(ordered[-1])}")


def _text(x, y, what, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(what)}</text>'


def _panel(x, y, title, values):
    floor = y + HEIGHT - 40
    out = [_text(x, y - 6, f"{title}, {summary(values)}")]
    heights = bins(values)
    for number, count in enumerate(heights):
        if count:
            tall = (floor - y - 4) * count / max(heights)
            out.append(f'<rect x="{x + number * BAR:.1f}" y="{floor - tall:.1f}" width="{BAR - 1:.1f}" '
                       f'height="{tall:.1f}" fill="#1f6fb2"><title>{count}</title></rect>')
    out.append(f'<path d="M{x:.1f} {floor:.1f}h{BAR * len(heights):.1f}" stroke="#808080"/>')
    for power in range(LOW, HIGH + 1):
        out.append(_text(x + (power - LOW) * STEPS * BAR, floor + 14, show(10 ** power), "middle"))
    return out


def write(line, names, file):
    rows = measured(line)
    tall = TOP + HEIGHT * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + 2 * WIDTH + 20}" height="{tall}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="#fff"/>']
    for number, (domain, values) in enumerate(rows.items()):
        y = TOP - 20 + HEIGHT * number
        out.append(_text(4, y + 40, names.domain(domain)))
        for column, (title, one) in enumerate(zip(TITLES, values)):
            out += _panel(LEFT + WIDTH * column, y, title, one)
    file.write("\n".join(out + ["</svg>"]) + "\n")

# SPDX-License-Identifier: Apache-2.0
"""The schedule in the words of bulkhead-schedsim, and the comparison of what it predicted with what was seen."""
import re

from records import IDLE, TraceError

ROW = re.compile(r"^ *(\d+\.\d+) +(\d+\.\d+) +(\d+)  (\S+)$", re.MULTILINE)


def rows(line, names):
    """[(from us, to us, CPU, name)] of whole slices and cut ones, as schedsim has them: nothing of idle CPUs."""
    return [((one.begin - line.begin) / 1000, (one.end - line.begin) / 1000, one.cpu, names.vcpu(one.who))
            for one in line.slices if one.who[0] != IDLE and names.is_wanted(one.who)]


def write(line, names, file):
    file.write(f"{'from us':>14} {'to us':>14}  CPU  vCPU\n")
    for begin, end, cpu, name in rows(line, names):
        file.write(f"{begin:14.3f} {end:14.3f}  {cpu:3}  {name}\n")


def read(text, path):
    out = [(float(a), float(b), int(cpu), name) for a, b, cpu, name in ROW.findall(text)]
    if not out:
        raise TraceError(f"{path}: no schedule in it", "give the output of bulkhead-schedsim, without --quiet")
    return out


def _fits(want, got, shift, within):
    """Of two rows; the ends too, but for the last, which the end of a trace or of a simulation cuts."""
    return want[2:] == got[2:] and abs(got[0] - want[0] - shift) <= within


def align(predicted, seen, within):
    """(rows that fit one after the other, index in SEEN, shift in us) of the place where the prediction fits best."""
    best = (0, 0, 0.0)
    for first, row in enumerate(seen):
        if row[2:] != predicted[0][2:]:
            continue
        shift = row[0] - predicted[0][0]
        number = 0
        for want, got in zip(predicted, seen[first:]):
            if not _fits(want, got, shift, within):
                break
            number += 1
        if number > best[0]:
            best = (number, first, shift)
    return best


def compare(predicted, seen, within, file):
    """Side by side. True: what was predicted is what was seen, as far as both go; and that is at least two rows."""
    number, first, shift = align(predicted, seen, within)
    compared = min(len(predicted), len(seen) - first)
    file.write(f"{'predicted us':>14} {'seen us':>14} {'late us':>10}  CPU  vCPU\n")
    for want, got in zip(predicted, seen[first:]):
        late = got[0] - shift - want[0]
        note = "" if _fits(want, got, shift, within) else f"   but seen: {got[3]} on CPU {got[2]}"
        file.write(f"{want[0]:14.3f} {got[0]:14.3f} {late:10.3f}  {want[2]:3}  {want[3]}{note}\n")
    file.write(f"{number} of {compared} rows fit within {within:g} us\n")
    return compared > 1 and number == compared

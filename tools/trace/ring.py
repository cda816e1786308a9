# SPDX-License-Identifier: Apache-2.0
"""Reads the last events of each CPU from a log of Bulkhead, where the console key T puts them (core/trace.c).

A log may have them several times, and other lines between: each event counts once, what is no event is left out.
"""
import re

from records import NR_WORDS, Record, kind_of

LINE = re.compile(rb"\(BH\)   (\d+)\.(\d{9}) CPU (\d+) (\w+)((?: \w+=\w+)*)\r*\n")
RUNS = 0x21101                  # TRC_SCHED_RUNSTATE_CHANGE, from runnable to running
LOW = 0xffffffff


def _record(match):
    """(name, Record or None) of a line."""
    ns, cpu, what = int(match[1]) * 1000000000 + int(match[2]), int(match[3]), match[4].decode()
    try:
        values = {name.decode(): int(value, 0) for name, value in (pair.split(b"=") for pair in match[5].split())}
        if what == "XEN":
            words = tuple(half for name in ("w01", "w23") for half in (values[name] & LOW, values[name] >> 32))
            event = values["event"]
            return what, Record(cpu, ns, event, words[:NR_WORDS.get(kind_of(event), 4)])
        if what == "SCHED_RUN":
            return what, Record(cpu, ns, RUNS, (values["dom"] << 16 | values["vcpu"],))
    except (KeyError, ValueError):
        pass                    # cut off
    return what, None


def read(data):
    """Records in the order of time; none: this is no such log. Where all events are recorded, SCHED_RUN says nothing new."""
    found = [_record(match) for match in {match[0]: match for match in LINE.finditer(data)}.values()]
    wanted = "XEN" if any(what == "XEN" for what, _ in found) else "SCHED_RUN"
    return sorted((record for what, record in found if what == wanted and record), key=lambda record: record.ns)

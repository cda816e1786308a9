# SPDX-License-Identifier: Apache-2.0
"""The time line as JSON of the Trace Event Format, which ui.perfetto.dev opens."""
import json

from records import IDLE

CPUS = 1                # process of the physical CPUs; domains follow
INTERRUPTS = 10000      # threads of it with interrupts


def _name(pid, tid, process, thread):
    return [{"ph": "M", "pid": pid, "tid": tid, "name": "process_name", "args": {"name": process}},
            {"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": thread}}]


def _bar(pid, tid, begin, end, name, **args):
    return {"ph": "X", "pid": pid, "tid": tid, "ts": begin / 1000, "dur": (end - begin) / 1000, "name": name, "args": args}


def _point(pid, tid, ns, name):
    return {"ph": "i", "s": "t", "pid": pid, "tid": tid, "ts": ns / 1000, "name": name}


def pid_of(domain):
    return CPUS + 1 + domain


def events(line, names):
    """One track for each physical CPU, one for its interrupts, one for each vCPU."""
    out = []
    for cpu in line.cpus:
        out += _name(CPUS, cpu, "physical CPUs", f"CPU {cpu}")
        out += _name(CPUS, INTERRUPTS + cpu, "physical CPUs", f"CPU {cpu} interrupts")
    for who in line.who_ran():
        out += _name(pid_of(who[0]), who[1], names.domain(who[0]), names.vcpu(who))
    for one in line.slices:
        if one.who[0] != IDLE:
            out.append(_bar(CPUS, one.cpu, one.begin, one.end, names.vcpu(one.who)))
            out.append(_bar(pid_of(one.who[0]), one.who[1], one.begin, one.end, "runs", cpu=one.cpu))
    for one in line.waits:
        out.append(_bar(pid_of(one.who[0]), one.who[1], one.begin, one.end, "waits", woken=one.woken))
    for one in line.interrupts:
        out.append(_bar(CPUS, INTERRUPTS + one.cpu, one.begin, one.end, f"interrupt {one.number}"))
    for one in line.calls:
        if one.who and one.who[0] != IDLE:
            out.append(_point(pid_of(one.who[0]), one.who[1], one.ns, f"hypercall {one.what}"))
    for begin, end, cpu in line.gaps:
        out.append(_bar(CPUS, cpu, begin, end, "records lost"))
    return out


def write(line, names, file):
    json.dump({"displayTimeUnit": "ns", "traceEvents": events(line, names)}, file)
    file.write("\n")

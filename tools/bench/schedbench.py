#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scheduler's decisions cost as more and more vCPUs want one CPU: instructions of this machine.

Runs build/schedcost, the scheduler of the image compiled for this machine, under valgrind's instruction counter. Prints a
table, writes build/bench/sched.json and fails when the cost of 2 vCPUs grows by more, up to 256 of them, than
tests/perf/budgets_sched.json allows. What 2 cost themselves depends on this machine's compiler and has no budget.
"""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "schedcost")
OUT = os.path.join(ROOT, "build", "bench")
DUMPS = os.path.join(OUT, "sched")
BUDGETS = os.path.join(ROOT, "tests", "perf", "budgets_sched.json")
ROUNDS = 4096           # of tools/schedcost/main.c
NAME = re.compile(r"^desc: Trigger: Client Request: (\w+)-(\d+)-(\w+)$", re.MULTILINE)
TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class SchedBenchError(Exception):
    """The figures cannot be had; the text says why."""


def run():
    """The counter's dumps, as texts."""
    if not shutil.which("valgrind"):
        raise SchedBenchError("there is no valgrind\ncure: tools/setup/host.sh")
    shutil.rmtree(DUMPS, ignore_errors=True)
    os.makedirs(DUMPS)
    done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={DUMPS}/%p", PROGRAM],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SchedBenchError(f"{PROGRAM} did not finish:\n{done.stdout}")
    for path in glob.glob(os.path.join(DUMPS, "*.*")):
        with open(path, encoding="utf-8") as file:
            yield file.read()


def costs():
    """{policy: {what: {vCPUs: instructions of one}}}, the counter's own taken off."""
    totals = {}
    for text in run():
        name = NAME.search(text)
        if name:
            totals[name[1], int(name[2]), name[3]] = int(TOTAL.search(text)[1]) / ROUNDS
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for (policy, vcpus, what), total in sorted(totals.items()):
        if what != "nothing":
            found[policy][what][vcpus] = round(total - totals[policy, vcpus, "nothing"], 1)
    return found


def growth(by_vcpus):
    """The dearest, in times of what it costs with 2 vCPUs."""
    return max(by_vcpus.values()) / by_vcpus[2]


def check(found, budgets):
    """Prints the table; gives how many figures keep their budget, and how many do not."""
    good = bad = 0
    for one in budgets:
        by_vcpus = found.get(one["policy"], {}).get(one["what"])
        if not by_vcpus or sorted(by_vcpus) != [2 << i for i in range(8)]:
            raise SchedBenchError(f"{one['policy']} has no figures for {one['what']}")
        if not good + bad:
            print(f"{'':<20}" + "".join(f"{vcpus:>7}" for vcpus in by_vcpus) + "  growth  budget")
        kept = growth(by_vcpus) <= one["growth"]
        good, bad = good + kept, bad + (not kept)
        print(f"{one['policy']:<10}{one['what']:<10}" + "".join(f"{cost:>7.0f}" for cost in by_vcpus.values())
              + f"{growth(by_vcpus):>8.2f}{one['growth']:>8.2f}" + ("" if kept else "  over"))
    return good, bad


def main():
    with open(BUDGETS, encoding="utf-8") as file:
        budgets = json.load(file)["figures"]
    try:
        found = costs()
        good, bad = check(found, budgets)
    except SchedBenchError as error:
        sys.exit(f"schedbench: error: {error}")
    with open(os.path.join(OUT, "sched.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

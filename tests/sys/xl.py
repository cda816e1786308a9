# SPDX-License-Identifier: Apache-2.0
"""Runs lists of commands of the stock toolstack in the control domain, and makes two runs of them comparable.

A list runs as one script inside the machine, under the instruction clock and without a word from the host: two runs on
the same hypervisor are the same to the instruction, and idle time costs nothing.
"""
import base64
import collections
import hashlib
import json
import os
import re
import shlex

import pytest
from conftest import LOGS, ROOT, log_path
from console import Console, without_others
from run import GUESTS_DISK, HYPERVISORS, Machine, SetupError

# One command of a list. Its name is unique in the list; normalise: the functions, in order, that take away from the
# output what may differ between two hypervisors.
Step = collections.namedtuple("Step", "name command normalise")
Result = collections.namedtuple("Result", "status output")

# Virtual seconds for one command; one that takes longer ends with status 137. Nothing but a hang takes so long: while a machine
# has nothing to do but wait for the host's disk, its clock runs up to a thousand times as fast as the host's.
LIMIT = 20000
SECTOR = 512


def step(name, command, *normalise):
    return Step(name, command, normalise)


# ---- normalisers: each makes a function from text to text

def sub(pattern, replacement):
    """Lines: what matches becomes the replacement."""
    regex = re.compile(pattern, re.MULTILINE)
    return lambda text: regex.sub(replacement, text)


def drop(pattern):
    """Lines that match go."""
    return lambda text: "\n".join(line for line in text.split("\n") if not re.search(pattern, line))


def only(pattern):
    """Lines that match stay."""
    return lambda text: "\n".join(line for line in text.split("\n") if re.search(pattern, line))


def normalised(one, output):
    """The lines of a step's output without what may differ."""
    for function in one.normalise:
        output = function(output)
    return [line.rstrip() for line in output.split("\n")]


# ---- running

def script_of(steps, files=()):
    """The shell script that makes the files, pairs of path and bytes, and runs the steps, each framed by marks."""
    lines = ["dmesg -n 1"]
    for path, data in files:
        lines += [f"base64 -d >{path} <<END", base64.b64encode(data).decode(), "END"]
    for number, one in enumerate(steps):
        lines.append(f"echo '<{number}:begin>'")
        lines.append(f"timeout -s KILL {LIMIT} sh -c {shlex.quote(one.command)}")
        # The line break before the mark is ours, so that output without one at its end is told apart.
        lines.append(f"printf '\\n<{number}:end %d>\\n' $?")
    # init itself is still busy with the script that started us.
    return "\n".join(lines + ["echo '<script:end>'", "poweroff -f"]) + "\n"


def write_file(path, data):
    """Whole or not at all, also beside another process that writes or reads it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}"
    with open(new, "wb") as file:
        file.write(data)
    os.replace(new, path)


def write_script(script, path):
    """As a disk image: whole sectors, filled up with what a shell does not mind."""
    data = script.encode()
    write_file(path, data + b"\n" * (-len(data) % SECTOR))


def results_of(steps, data):
    """{name: Result} from what the console said; a step that did not end is not in it. Marks come in one piece, but what
    others write may stand before and behind them in their lines."""
    text = data.decode("utf-8", "replace").replace("\r", "")
    results = {}
    for number, one in enumerate(steps):
        found = re.search(r"<%d:begin>(.*?)<%d:end (\d+)>" % (number, number), text, re.DOTALL)
        if found:
            results[one.name] = Result(int(found.group(2)), without_others(found.group(1), data).strip("\n"))
    return results


def run_steps(hyp, name, steps, files=(), **parts):
    """Boots a machine that runs the steps; gives {name: Result}. The whole console is in build/test-logs/NAME.log."""
    script = os.path.join(LOGS, name + ".sh")
    write_script(script_of(steps, files), script)
    # A kernel at an address by chance keeps its tables apart from programs'; QEMU forgets all translations at each system call.
    parts = {"dom0_vcpus": 1, "icount": True, "xl": True, "script": script, "reboot": False, "dom0_args": "nokaslr", **parts}
    try:
        console = Console(Machine(hyp, **parts), log_path(name))
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
    with console:
        # A guest that panics spins for a virtual second before it restarts, and says nothing meanwhile.
        console.expect(rb"<script:end>", idle=600)
        assert console.expect_end() == 0
    return results_of(steps, console.data)


# ---- the reference: the same list on Debian's Xen

def _fingerprint(script, parts):
    """What the reference's results follow from."""
    inputs = [HYPERVISORS["xen"], GUESTS_DISK, Machine("xen", xl=True).initrd,
             os.path.join(ROOT, "tools", "qemu", "run.py"), __file__]
    digest = hashlib.sha256(script.encode() + repr(sorted(parts.items())).encode())
    for path in inputs:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def run_reference(name, steps, files=(), **parts):
    """run_steps() on Debian's Xen. Its results are kept and used again as long as all they follow from is the same."""
    path, fingerprint = os.path.join(LOGS, name + "-xen.json"), _fingerprint(script_of(steps, files), parts)
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        if kept["fingerprint"] == fingerprint:
            return {key: Result(*value) for key, value in kept["results"].items()}
    except (OSError, ValueError, KeyError):
        pass
    results = run_steps("xen", name + "-xen", steps, files, **parts)
    write_file(path, json.dumps({"fingerprint": fingerprint, "results": results}, indent=1).encode())
    return results

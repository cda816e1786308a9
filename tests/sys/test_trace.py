# SPDX-License-Identifier: Apache-2.0
"""The stock xentrace in the control domain while guests run: what it records is what Debian's Xen records, in kind, layout
and order; and bulkhead-trace's pictures of it.

Each machine runs once (tests/sys/xl.py); its traces leave it on the console, packed.
"""
import base64
import collections
import gzip
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest
from conftest import LOGS, ROOT
from test_arinc653 import CREATE, DOM0, ONE, PLAN, compiled
from xl import run_reference, run_steps, step
from xl_domu import PAGES, noted, output, settled

sys.path.insert(0, os.path.join(ROOT, "tools", "trace"))
import records  # noqa: E402  pylint: disable=wrong-import-position
from timeline import Timeline  # noqa: E402  pylint: disable=wrong-import-position

pytestmark = pytest.mark.xdist_group("trace")

TOOL = os.path.join(ROOT, "tools", "trace", "bulkhead-trace")
HZ = {"xen": 62500000}          # of QEMU's counter; ours count nanoseconds
XENTRACE = "/usr/lib/xen-4.17/bin/xentrace"
# Small buffers, and no look at them by the clock: only the hypervisor's word that they are half full wakes the reader.
# The masks stay as the last one set them.
OPTIONS = "-D -S 8 -s 60000 -c 0x3 -e all"
SCHED, IRQS, CALLS = 0x0002f000, 0x00802000, 0x00201000


def traced(name, options, load, look=None):
    """A step that runs the load while xentrace writes to /tmp/NAME, one that looks at it there; then it comes out."""
    return [step(name + "-load", f"{XENTRACE} {OPTIONS} {options} /tmp/{name} 2>/dev/null & p=$!; sleep 0.2; {load}; "
                 "kill -INT $p; wait $p"),
            *([step(name + "-look", look)] if look else []),
            step(name, f"gzip -c /tmp/{name} | base64; rm /tmp/{name}")]


PINGS = "guest one 'for i in 1 2 3 4 5 6; do ping -c 1 192.168.77.1 >/dev/null; done'; xl list >/dev/null"
# The guest is busy meanwhile; xentrace turns tracing off at its end.
ON_OFF = (f"for i in 20 25 30 35 40 45 50 55; do {XENTRACE} {OPTIONS} -e all /tmp/x & p=$!; sleep 0.$i; kill -INT $p; "
          "wait $p || echo failed $?; done 2>/dev/null; rm /tmp/x")

STEPS = [
    step("create", "xl create /etc/xen/one.cfg && guest one --wait"),
    *traced("all", "", PINGS, "xenalyze --cpu-hz 1G --summary /tmp/all"),
    *traced("cpu0", f"-e {SCHED:#x} -c 0x1", PINGS),
    *traced("irqs", f"-e {IRQS:#x}", PINGS),
    *traced("calls", f"-e {CALLS:#x}", PINGS),
    *traced("pause", f"-e {SCHED:#x}", "guest one 'while :; do :; done &'; xl pause one; sleep 0.1; xl unpause one; sleep 0.1; "
            "xl vcpu-pin one 0 0; sleep 0.1; xl vcpu-pin one 0 1; sleep 0.1; xl vcpu-pin one 0 all all"),
    # The reader stands still while much happens.
    step("full-load", f"{XENTRACE} {OPTIONS} /tmp/full 2>/dev/null & p=$!; sleep 0.2; kill -STOP $p; {PINGS}; sleep 1; "
         "kill -CONT $p; sleep 0.2; kill -INT $p; wait $p"),
    step("full", "gzip -c /tmp/full | base64; rm /tmp/full"),
    step("on-off", ON_OFF),
    step("one-less", "xl destroy one"),
    step("before", noted(PAGES)),
    *traced("end", "", "for i in 1 2; do xl create /etc/xen/one.cfg >/dev/null; sleep 0.1; xl destroy one; done"),
    step("after", settled(PAGES)),
    step("alone", "xl list | awk 'NR > 1 { print $1 }'"),
]


def unpacked(results, name):
    return gzip.decompress(base64.b64decode(output(results, name)))


def read(data, hyp):
    return records.Reader(data, HZ.get(hyp, 1000000000), False).streams


@pytest.fixture(scope="module", name="results")
def _results(request):
    results = run_steps(request.config.getoption("--hyp"), "trace", STEPS, smp=2, dom0_vcpus=2)
    for one in STEPS:
        assert one.name in results, f"did not end: {one.command}"
    return results


@pytest.fixture(name="path", scope="module")
def _path(results):
    path = os.path.join(LOGS, "trace-all.trc")
    with open(path, "wb") as file:
        file.write(unpacked(results, "all"))
    return path


def kinds(streams):
    """{event: {number of words}}"""
    out = collections.defaultdict(set)
    for stream in streams.values():
        for one in stream:
            out[one.event].add(len(one.words))
    return dict(out)


SHARED = (0x21, 0x28)           # what Xen for Arm records as well: run states, switches and what leads to them
SWITCH = [0x2800e, 0x2800f, 0x2800a]


def shared(streams):
    """Streams of the records that both have, and of holes; credit2's own notes are between them on Xen."""
    return [[one for one in stream if one.event >> 12 in SHARED or one.event == records.LOST] for stream in streams.values()]


def followers(streams):
    """{(event, event right after it, of the same domain and vCPU, within a switch or a wake-up)}"""
    out = set()
    for stream in shared(streams):
        for first, second in zip(stream, stream[1:]):
            if (first.event in SWITCH or first.event == 0x28004) and second.event != records.LOST:
                out.add((first.event, second.event))
    return out


def test_as_on_xen(results, hyp):
    """Kinds, numbers of words, and which follows which: ours of each trace are among Xen's of all, the long one of guests
    that come and go among them. What is rare in one trace, as that a slice ends and nobody else wants the CPU, or that a
    paused vCPU is woken, may not have happened in Xen's of it."""
    if hyp == "xen":
        pytest.skip("the reference itself")
    reference = run_reference("trace", STEPS, smp=2, dom0_vcpus=2)
    want, follow = collections.defaultdict(set), set()
    for name in ("all", "cpu0", "pause", "end"):
        theirs = read(unpacked(reference, name), "xen")
        for event, words in kinds(theirs).items():
            want[event] |= words
        follow |= followers(theirs)
    for name in ("all", "cpu0", "pause"):
        ours = read(unpacked(results, name), hyp)
        have = {event: words for event, words in kinds(ours).items() if event >> 12 in SHARED}
        assert {event: want.get(event) for event in have} == have
        # Xen's rarer ones of the second are of slices that credit2 ends differently.
        assert set(SWITCH + [0x28004, 0x28006, 0x21011, 0x21021, 0x21101, 0x21211]) <= set(have) & set(want)
        assert followers(ours) <= follow


def test_xenalyze(results, hyp):
    """The stock tool that reads such files understands all of it: domains, and each hypercall that bulkhead-trace sees."""
    text = results["all-look"].output
    assert results["all-look"].status == 0, text
    assert not re.search(r"(?i)error|unexpected|not implemented|bad|strange", text), text
    domains = {int(number): part for number, part in zip(*[iter(re.split(r"\|-- Domain (\d+) --\|", text)[1:])] * 2)}
    assert {0, 1} <= set(domains)
    if hyp == "xen":
        return
    seen = sum(map(int, re.findall(r"^  hypercall +(\d+)$", text, re.M)))
    calls = [one for stream in read(unpacked(results, "all"), hyp).values() for one in stream if one.event == 0x0020100d]
    assert seen == len(calls) > 50


def test_kinds(results, hyp):
    """Everything, and only what the masks ask for."""
    if hyp == "xen":
        pytest.skip("of Xen's there are fewer")
    every = read(unpacked(results, "all"), hyp)
    assert sorted(every) == [0, 1]
    assert {records.HYPERCALL, records.IRQ, 0x2800a} <= set(kinds(every))
    assert records.LOST not in kinds(every)
    one = read(unpacked(results, "cpu0"), hyp)
    assert list(one) == [0]
    assert {event >> 12 for event in kinds(one)} == set(SHARED)
    assert set(kinds(read(unpacked(results, "irqs"), hyp))) == {records.IRQ}
    assert set(kinds(read(unpacked(results, "calls"), hyp))) == {records.HYPERCALL}


def test_chain(results, hyp):
    """Each run state begins with the one that the record before it ended with; a CPU runs one vCPU at a time."""
    for name in ("all", "pause", "end"):
        states, seen = {}, 0
        reader = records.Reader(unpacked(results, name), HZ.get(hyp, 1000000000), False)
        all_on = max(stream[0].ns for stream in reader.streams.values())     # CPUs begin one after the other
        every = [one for one in reader.in_order() if one.ns >= all_on]
        # From the first record that found no room to the one that says so, nothing is known.
        holes = [(one.words[3] << 32 | one.words[2], one.ns) for one in every if one.event == records.LOST]
        for one in every:
            if any(begin <= one.ns <= end for begin, end in holes):
                states.clear()
                continue
            if records.kind_of(one.event) != records.RUNSTATE:
                continue
            was, now = one.event >> 8 & 3, one.event >> 4 & 3
            assert states.get(one.words[0], was) == was, (name, one)
            states[one.words[0]] = now
            seen += 1
        assert seen > 100
        line = Timeline(every, HZ.get(hyp, 1000000000))
        for cpu in line.cpus:
            ran = [one for one in line.slices if one.cpu == cpu]
            for first, second in zip(ran, ran[1:]):
                assert second.begin >= first.end, (name, first, second)


def test_pause(results, hyp):
    """Paused for 0.1 s: offline; sent to one CPU and to the other: it runs only there."""
    line = Timeline(records.Reader(unpacked(results, "pause"), HZ.get(hyp, 1000000000), False).in_order(),
                    HZ.get(hyp, 1000000000))
    ran = [one for one in line.slices if one.who == (1, 0)]
    offline = [second.begin - first.end for first, second in zip(ran, ran[1:])]
    assert 100e6 < max(offline) < 1000e6
    assert {one.cpu for one in ran} == {0, 1}


def test_full(results, hyp):
    """Lost records are counted, and time goes on after them."""
    streams = read(unpacked(results, "full"), hyp)
    lost = [one for stream in streams.values() for one in stream if one.event == records.LOST]
    assert lost and all(one.words[0] > 0 for one in lost)
    for one in lost:
        since = (one.words[2] | one.words[3] << 32) * 1000000000 // HZ.get(hyp, 1000000000)
        assert 100e6 < one.ns - since < 60e9
        assert [other for other in streams[one.cpu] if other.ns > one.ns]


def test_on_and_off(results):
    assert output(results, "on-off") == ""


def test_domains_end(results, hyp):
    """Domains that come and go while they are traced; nothing of them stays."""
    streams = read(unpacked(results, "end"), hyp)
    words = {one.words[0] >> 16 for stream in streams.values() for one in stream
             if records.kind_of(one.event) == records.RUNSTATE}
    assert {0, 2, 3} <= words
    assert output(results, "alone") == "Domain-0"
    if hyp != "xen":
        assert output(results, "after") == output(results, "before")


# ---- the tool

def tool(*words, status=0):
    done = subprocess.run([TOOL, *words], capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(name="hz", scope="module")
def _hz(request):
    return ["--hz", str(HZ.get(request.config.getoption("--hyp"), 1000000000))]


def test_time_line(path, hz, tmp_path):
    """Bars of a track never overlap, and each running vCPU is on both its tracks."""
    target = tmp_path / "line.json"
    tool(path, *hz, "--json", str(target), "--name", "1=web")
    tracks, names = collections.defaultdict(list), {}
    for one in json.loads(target.read_text())["traceEvents"]:
        key = (one["pid"], one["tid"])
        if one["ph"] == "X":
            tracks[key].append((one["ts"], one["ts"] + one["dur"], one["name"]))
        elif one["ph"] == "M" and one["name"] == "thread_name":
            names[key] = one["args"]["name"]
    assert {"CPU 0", "CPU 1", "d0.0", "d0.1", "web.0"} <= set(names.values())
    for bars in tracks.values():
        bars.sort()
        assert all(first[1] <= second[0] + 0.001 for first, second in zip(bars, bars[1:]))
    ran = {key: sorted(one[:2] for one in bars if one[2] == "runs") for key, bars in tracks.items()}
    for key, name in names.items():
        if "." in name:
            on_cpus = sorted(one[:2] for cpu in (0, 1) for one in tracks[1, cpu] if one[2] == name)
            assert ran[key] == on_cpus


def test_histograms(path, hz, tmp_path):
    target = tmp_path / "bars.svg"
    tool(path, *hz, "--svg", str(target))
    root = xml.etree.ElementTree.parse(target).getroot()
    texts = [one.text for one in root.findall("{http://www.w3.org/2000/svg}text")]
    said = tool(path, *hz).stdout
    for domain in ("d0", "d1"):
        assert domain in texts
        number = int(re.search(rf"^{domain}: wake-up to run (\d+): median", said, re.MULTILINE).group(1))
        assert number > 20 and any(text.startswith(f"wake-up to run, {number}: median") for text in texts)


def test_schedule(path, hz, tmp_path):
    """The form of bulkhead-schedsim; beside itself nothing differs, beside another schedule it does."""
    target = tmp_path / "seen.txt"
    tool(path, *hz, "--schedule", str(target))
    rows = target.read_text().splitlines()
    assert rows[0] == f"{'from us':>14} {'to us':>14}  CPU  vCPU"
    assert tool(path, *hz, "--against", str(target)).stdout.endswith(f"{len(rows) - 1} of {len(rows) - 1} rows fit within 10 us\n")
    other = tmp_path / "other.txt"
    other.write_text("\n".join(rows[:20] + [rows[20].replace(" d", " x")] + rows[21:]))
    assert "but seen:" in tool(path, *hz, "--against", str(other), status=1).stdout


# ---- predicted and seen

# On one CPU: of two, QEMU's instruction clock lets one stand still while the other runs.
PLANNED = [
    step("chmod", "chmod +x /bin/plan"),
    step("plan", f"plan set 10000000 {DOM0} 0 7000000 {ONE} 0 2000000"),
    step("create", f"{CREATE} && guest one --wait && guest one 'while :; do :; done &'"),
    *traced("planned", f"-e {SCHED:#x}", "sleep 0.5"),
]
FRAMES = 30
SIMULATOR = os.path.join(ROOT, "build", "bulkhead-schedsim")


def test_as_predicted(hyp, tmp_path):
    """What bulkhead-schedsim says of a busy guest in a window is what the trace shows, slice by slice."""
    if hyp == "xen":
        pytest.skip("Debian's Xen has no such scheduler")
    results = run_steps(hyp, "trace-planned", PLANNED, smp=1, hyp_args="sched=arinc653",
                        files=[("/bin/plan", compiled("plan", PLAN))])
    path = tmp_path / "seen.trc"
    path.write_bytes(unpacked(results, "planned"))
    load, predicted = tmp_path / "load.txt", tmp_path / "predicted.txt"
    load.write_text(f"cpus 1\npolicy arinc653\ntime {10 * FRAMES}ms\nvcpu one busy\nframe 10ms\nwindow 0 - 7ms\nwindow 0 one 2ms\n")
    predicted.write_text(subprocess.run([SIMULATOR, str(load)], check=True, capture_output=True, text=True).stdout)
    words = ["--name", "1.0=one", "--only", "one", "--within", "20", "--against", str(predicted)]
    assert tool(str(path), *words).stdout.endswith(f"\n{FRAMES} of {FRAMES} rows fit within 20 us\n")
    load.write_text(load.read_text().replace("one 2ms", "one 3ms").replace("frame 10ms", "frame 11ms"))
    predicted.write_text(subprocess.run([SIMULATOR, str(load)], check=True, capture_output=True, text=True).stdout)
    tool(str(path), *words, status=1)


def test_damaged(path, hz, tmp_path):
    """Cut anywhere, or with any byte changed: an answer or a message, never a traceback."""
    with open(path, "rb") as file:
        whole = file.read()
    target = tmp_path / "bad"

    def told(data, *words):
        target.write_bytes(data)
        done = subprocess.run([TOOL, str(target), *hz, *words], capture_output=True, text=True, check=False, timeout=3600)
        assert done.returncode in (0, 2) and "Traceback" not in done.stderr, done.stderr
        assert done.returncode == 0 or ("error: " in done.stderr and "\ncure: " in done.stderr)
        return done

    assert "no record in it" in told(b"").stderr
    assert "does not name a CPU" in told(b"\x7fELF" + bytes(100)).stderr
    assert "too early" in told(whole[:5000]).stderr
    assert told(whole[:5000], "--partial").returncode == 0
    assert "CPU that cannot be" in told(b"\x03\xf0\x01\x20" + b"\xff" * 8).stderr
    chance = random.Random(1)
    for _ in range(20):
        data = bytearray(whole[:chance.randrange(4000)])
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        told(bytes(data), *chance.choice(([], ["--partial"])))
    assert "No such file" in tool(str(tmp_path / "none"), status=2).stderr
    assert "write 1=nav" in tool(path, "--name", "x", status=2).stderr

# SPDX-License-Identifier: Apache-2.0
"""sched=arinc653: the plan of the device tree, seen from inside the windows, and the plan of the stock toolstack's library.

Debian's Xen for arm64 is built without this scheduler: there is no reference to run beside.
"""
import os
import re
import subprocess
import time

import pytest
from conftest import ROOT
from domains import Domain
from xl import run_steps, step

pytestmark = pytest.mark.xdist_group("arinc653")

WINDOWS = os.path.join(ROOT, "build", "guests", "windows.bin")




def require():
    if not os.path.exists(WINDOWS):
        pytest.fail(f"nothing at {WINDOWS}\ncure: make guests", pytrace=False)


def planned(name, windows, bootargs=""):
    return Domain(name, WINDOWS, vpl011=False, bootargs=bootargs, text=f"bulkhead,windows = <{windows}>;" if windows else "")


def start(boot, frame_us, domains, smp=1):
    """Without dom0, so that nothing runs but the domains."""
    require()
    return boot(wait=False, kernel=None, initrd=None, gic=3, smp=smp, mem=512, icount=True, reboot=False,
                hyp_args="sched=arinc653", chosen=f"bulkhead,frame-us = <{frame_us}>;", domains=domains)


def test_edges(boot):
    """10^5 frames of two domains on one CPU: each says how far its windows' edges are apart from exact, in ticks of 16
    instructions."""
    console = start(boot, 40, [planned("one", "0 0 0 20"), planned("two", "0 0 20 20")])
    for _ in range(2):
        console.expect(rb"\((one|two)\) GUEST (PASS|FAIL)", idle=120)
    text = console.data.decode(errors="replace")
    assert text.count("GUEST PASS") == 2, text


def test_two_cpus_and_gaps(boot):
    """A domain whose one vCPU goes to and fro between CPUs, with a gap before its window; one without a window."""
    console = start(boot, 40, [planned("one", "0 0 4 20", "short"), planned("two", "1 0 0 20 0 0 24 16"),
                               planned("three", "")], smp=2)
    console.expect(rb'three has no "bulkhead,windows"')
    assert console.expect(rb"\(one\) GUEST (PASS|FAIL)", idle=120).group(1) == b"PASS"
    console.expect(rb"\(BH\) one ended: reason 0")


WRONG = [
    ("overlap", 40, "0 0 0 20 0 0 16 20", "windows of CPU 0 overlap 16 us after the frame begins; move one"),
    ("frame", 40, "0 0 0 41", "plan refused: window 0 ends after the frame"),
    ("short", 40, "0 0 0 9", "plan refused: window 0 is shorter than 10 us"),
    ("cpu", 40, "1 0 0 20", "plan refused: window 0 names a CPU that is not in the pool"),
    ("cells", 40, "0 0 0", 'is not of four cells each; write <CPU vCPU begin-us length-us>'),
]


@pytest.mark.parametrize("frame_us, windows, line", [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_wrong_plans(boot, frame_us, windows, line):
    """The boot stops, and says why."""
    console = start(boot, frame_us, [planned("one", windows)])
    console.expect(re.escape(line).encode())
    console.expect(rb"Cannot boot: plan of windows")


# ---- the simulator's word

SIMULATOR = os.path.join(ROOT, "build", "bulkhead-schedsim")
FRAME_US = 400
# CPU 0's: domain and length; 0 is nobody.
TURNS = [(1, 100), (2, 60), (1, 40), (3, 80), (0, 50), (3, 30), (2, 40)]
IDLE = 32767
SWITCH_US = 1               # from a window's edge to the record of the switch: at most
KEYS = "\x01\x01\x01"


def predicted(tmp_path):
    """[[microsecond in the frame, domain, domain before]] of a frame, as the simulator has them."""
    lines = ["policy arinc653", f"time {4 * FRAME_US}us", f"frame {FRAME_US}us"]
    lines += [f"vcpu {number} busy" for number in (1, 2, 3)]
    lines += [f"window 0 {domain or '-'} {length}us" for domain, length in TURNS]
    path = tmp_path / "plan.txt"
    path.write_text("\n".join(lines) + "\n")
    done = subprocess.run([SIMULATOR, str(path)], check=True, capture_output=True, text=True).stdout
    slices = [(float(a), float(b), int(c)) for a, b, c in re.findall(r"^ +([\d.]+) +([\d.]+) +0  (\d)$", done, re.MULTILINE)]
    return [[begin - FRAME_US, domain, slices[i - 1][2] if slices[i - 1][1] == begin else IDLE]
            for i, (begin, _, domain) in enumerate(slices) if FRAME_US <= begin < 2 * FRAME_US]


def planned_turns():
    windows, at = {1: [], 2: [], 3: []}, 0
    for domain, length in TURNS:
        if domain:
            windows[domain].append(f"0 0 {at} {length}")
        at += length
    return [planned(f"dom{number}", " ".join(words), "busy") for number, words in windows.items()]


SHOWN = 16                  # switches that the key prints


def trace_of(console):
    """[[microsecond, domain, domain before]] of the last switches, by the hypervisor's key."""
    console.send("t")
    events = [console.expect(rb"(\d+)\.(\d{9}) CPU 0 SCHED_RUN dom=(\d+) vcpu=0 from=(\d+)\r?\n").groups() for _ in range(SHOWN)]
    return [[int(s) * 1e6 + int(ns) / 1e3, int(domain), int(before)] for s, ns, domain, before in events]


def wait_for_switches(console):
    """The key is there before the domains are."""
    while True:
        begin = len(console.data)
        console.send("tr")
        console.expect(rb"CPU 0: (?:busy|idle)")
        if console.data.count(b"SCHED_RUN", begin) == SHOWN:
            return


def late(want_at, at):
    return (at - want_at + FRAME_US / 2) % FRAME_US - FRAME_US / 2


def test_as_predicted(boot, tmp_path):
    """One CPU: what the trace says is what the simulator said, event by event."""
    frame = predicted(tmp_path)
    assert len(frame) == 6
    console = start(boot, FRAME_US, planned_turns())
    console.expect(rb"Input goes to dom1 now")
    console.send(3 * KEYS)
    console.expect(rb"Input goes to the hypervisor now")
    base = None
    compared = 0
    wait_for_switches(console)
    looked = trace_of(console)[-1][0]       # no later than its lines were printed: what is due then comes late
    while compared < 20:
        time.sleep(0.1)         # for some frames to pass: with fewer it looks again
        events = trace_of(console)
        is_whole = events[0][0] > looked + FRAME_US
        looked = events[-1][0]
        if not is_whole:
            continue
        if base is None:
            base = next(at for at, *who in events if who == frame[4][1:]) - frame[4][0]
        first = min(range(len(frame)), key=lambda i: abs(late(frame[i][0], events[0][0] - base)))
        for number, (at, *who) in enumerate(events):
            want_at, *want = frame[(first + number) % len(frame)]
            assert who == want, (number, events)
            assert abs(late(want_at, at - base)) < SWITCH_US, (number, events)
        compared += 1


# ---- the stock toolstack

PLAN = os.path.join(ROOT, "tests", "sys", "plan.c")
ONE = "00000000-0000-4000-8000-0000000000f1"
DOM0 = "00000000-0000-0000-0000-000000000000"
CREATE = f"""xl create /etc/xen/one.cfg 'uuid="{ONE}"'"""
TIME = "xl list one | awk 'END { print $6 }'"

# (name, command, exit status, lines; None: not looked at)
STEPS = [
    ("pool", "xl cpupool-list | tail -1", 0, ["Pool-0               2  arinc653       y          1"]),
    ("first", "plan get", 0, ["frame 10000000", f"{DOM0} 0 10000000"]),
    ("set", f"plan set 10000000 {DOM0} 0 9000000 {ONE} 0x10000 2000000 && plan get", 0,
     ["frame 10000000", f"{DOM0} 0 9000000", f"{ONE} 0x10000 2000000"]),
    ("create", f"{CREATE} && guest one --wait", 0, None),
    ("runs", "guest one 'echo runs'", 0, ["runs"]),
    ("where", "xl vcpu-list one | awk 'END { print $4 }'", 0, ["1"]),
    # 2 of 10 ms, of 5 s, though its CPU has nothing else to do.
    ("share", f"guest one 'while :; do :; done &'; sleep 1; a=$({TIME}); sleep 5; b=$({TIME}); "
     "echo $a $b | awk '{ d = $2 - $1; print (d > 0.85 && d < 1.15) ? \"1 s\" : d }'", 0, ["1 s"]),
    ("too-long", f"plan set 10000000 {DOM0} 0 5000000 {ONE} 0 5000001", 1, ["set: Invalid argument"]),
    ("no-time", f"plan set 10000000 {DOM0} 0 0", 1, ["set: Invalid argument"]),
    ("none", "plan set 10000000", 1, ["set: Invalid argument"]),
    ("no-frame", f"plan set 0 {DOM0} 0 5000000", 1, ["set: Invalid argument"]),
    ("twice", f"plan set 10000000 {DOM0} 0 5000000 {DOM0} 0x10000 20000", 1, ["set: Invalid argument"]),
    ("reasons", "xl dmesg | grep -o 'arinc653: .*'", 0,
     ["arinc653: plan refused: window 1 ends after the frame", "arinc653: plan refused: window 0 is shorter than 10 us",
      "arinc653: plan refused: window 0 is one of none, or of more than 64",
      "arinc653: plan refused: window 0 is in a frame that is not 10 us to 1000 s",
      "arinc653: plan refused: window 1 is of a vCPU that is on another CPU then"]),
    ("unchanged", "plan get", 0, ["frame 10000000", f"{DOM0} 0 9000000", f"{ONE} 0x10000 2000000"]),
    # It moves to the other CPU.
    ("change", f"plan set 8000000 {DOM0} 0 4000000 {ONE} 0 4000000; sleep 1; xl vcpu-list one | awk 'END {{ print $4 }}'",
     0, ["0"]),
    # The list shows it until its backends have given back what they map of it.
    ("destroy", "xl destroy one; for t in 0.1 1 3 9; do [ $(xl list | wc -l) = 2 ] && break; sleep $t; done; xl list | wc -l",
     0, ["2"]),
    ("again", f"{CREATE} && guest one --wait && xl destroy one", 0, None),
    ("other", "xl sched-credit2", 0, [""]),
]


def compiled(name, source):
    """The program, for the control domain's libraries: it asks the stock libxenctrl by dlopen()."""
    target = os.path.join(ROOT, "build", "test-logs", f"{name}.{os.getpid()}")     # others may make it at the same time
    os.makedirs(os.path.dirname(target), exist_ok=True)
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-s", "-Wl,--build-id=none",
                    "-isystem", os.path.join(ROOT, "build", "include"), "-o", target, source], check=True)
    with open(target, "rb") as file:
        program = file.read()
    os.unlink(target)
    return program


@pytest.fixture(scope="module")
def stock(request):
    steps = [step("chmod", "chmod +x /bin/plan")] + [step(name, command) for name, command, _, _ in STEPS]
    return run_steps(request.config.getoption("--hyp"), "xl-arinc653", steps, hyp_args="sched=arinc653",
                     files=[("/bin/plan", compiled("plan", PLAN))])


@pytest.mark.parametrize("name, command, status, lines", STEPS, ids=[one[0] for one in STEPS])
def test_stock_library(stock, name, command, status, lines):
    assert name in stock, f"did not end: {command}"
    got = stock[name]
    assert got.status == status, got.output
    if lines is not None:
        assert [line.rstrip() for line in got.output.split("\n")] == lines

# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/examples.md, on QEMU's own machine and on i.MX 8M Plus EVK: what each shows, the faults that it names,
and who goes on. From one description each, with an instruction as a nanosecond; and by ./demo as a user would.
"""
import os
import re
import subprocess

import pytest
from conftest import ROOT, log_path
from console import Console
from run import BUILD, NEWER_QEMU
from test_demo import Terminal
from test_examples import ICOUNT, said
from test_static import KEYS

NAMES = ("cluster", "infotainment", "canfw", "redundant")
BOARDS = pytest.mark.parametrize("board", ("virt", "imx8mp-evk"))
TREE = os.path.join(BUILD, "peer", "dtbs", "freescale", "imx8mp-evk.dtb")
LATE = 4_000            # instructions from a frame's time to its handler, whatever Linux does


@pytest.fixture(scope="module", autouse=True)
def built(request):
    """The guests, the tool, a ramdisk, a QEMU for the board."""
    if request.config.getoption("--hyp") == "xen":
        pytest.skip("descriptions of Bulkhead's own")
    here = os.path.relpath(BUILD, ROOT)
    for command in (["make", "-C", ROOT, f"BUILD={here}", f"{here}/bulkhead-image", "examples",
                     f"{here}/examples/infotainment.cpio.gz"], [os.path.join(ROOT, "tools", "setup", "fetch_qemu.sh")]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class Described:
    """A machine that the tool's script starts, for Console."""

    def __init__(self, script, board):
        self.script = str(script)
        self.newer = board != "virt" and os.path.exists(NEWER_QEMU)

    def command(self):
        return ["env", *([f"QEMU={NEWER_QEMU}"] if self.newer else []), self.script, *ICOUNT]


@pytest.fixture
def start(request, tmp_path):
    """start(name, board, text, other text): a Console of this example, its description changed so."""
    consoles = []

    def one(name, board, old="", new=""):
        with open(os.path.join(ROOT, "examples", name, name + ".cfg"), encoding="utf-8") as file:
            text = file.read().replace("../../build/", BUILD + "/")
        assert old in text, old
        (tmp_path / (name + ".cfg")).write_text(text.replace(old, new) if old else text)
        words = [] if board == "virt" else ["-m", f"{board}={TREE}"]
        done = subprocess.run([os.path.join(BUILD, "bulkhead-image"), *words, "-o", tmp_path, tmp_path / (name + ".cfg")],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        consoles.append(Console(Described(tmp_path / (name + ".qemu.sh"), board), log_path("field_" + request.node.name)))
        return consoles[-1]

    yield one
    for console in consoles:
        console.close()


def keyboard(console, *names):
    """Three times Ctrl-a for each of them."""
    for name in names:
        console.send(KEYS)
        console.expect(b"Input goes to %s now" % name)


def shell(console, name):
    """A Linux of this name is there, and works."""
    console.send("\recho $((6 * 7))\r")
    console.expect(rb"\(%s\) 42\r*\n" % name)


def panic(console, name):
    """A Linux that has the keyboard panics and is started again."""
    console.send("echo c >/proc/sysrq-trigger\r")
    console.expect(rb"Kernel panic - not syncing: sysrq triggered crash")
    console.expect(rb"\(BH\) %s ended: reason 1 \(reboot\), restart 1 in 100 ms" % name)
    console.expect(rb"\(%s\) guest %s is up" % (name, name))


# What is typed comes when the host has it: while all CPUs sleep QEMU's clock jumps, and a timer that is due then waits until
# the host looks, some milliseconds and more. So nothing is typed where it counts how late something is: this Linux panics by
# itself, three seconds after its init began, in each life.
def panics(name):
    """The change of a description for that."""
    return (f'extra = "console=ttyAMA0 rdinit=/init quiet panic=-1 guest={name}"',
            f"extra = 'console=ttyAMA0 rdinit=/bin/sh quiet panic=-1 guest={name} "
            "-- -c \"/bin/busybox mknod /dev/null c 1 3; (/bin/busybox sleep 3; echo c >/proc/sysrq-trigger) & exec /init\"'")


def two_panics(console, name):
    """... and is up again both times."""
    for life in (1, 2):
        console.expect(rb"\(%s\) guest %s is up" % (name, name))
        console.expect(rb"Kernel panic - not syncing: sysrq triggered crash")
        console.expect(rb"\(BH\) %s ended: reason 1 \(reboot\), restart %d in" % (name, life))
    console.expect(rb"\(%s\) guest %s is up" % (name, name))


FRAMES = r"\(cluster\) cluster: \[[# ]{22}\] +\d+ km/h, (\d+) frames, (\d+) missed, (\d+) wrong, at most (\d+) ns late"


@BOARDS
def test_cluster_beside_panics(start, board):
    """Not a frame is missed or late, whatever Linux does."""
    console = start("cluster", board, *panics("centre"))
    two_panics(console, b"centre")
    console.expect(FRAMES.encode() + rb"\r*\n")
    rows = [tuple(map(int, row)) for row in re.findall(FRAMES, said(console))]
    print(board, "at most", rows[-1][3], "ns late")
    assert [row[:3] for row in rows] == [(300 * number, 0, 0) for number in range(1, len(rows) + 1)]
    assert 0 < rows[-1][3] <= LATE
    assert "cluster ended" not in said(console)


@BOARDS
def test_cluster(start, board):
    """Frames go on through a panic of Linux; a cluster that hangs or crashes is back, and Linux does not notice."""
    console = start("cluster", board)
    console.expect(rb"guest centre is up")
    panic(console, b"centre")
    console.expect(FRAMES.encode())
    first = said(console)
    keyboard(console, b"cluster")
    for word, reason in ((b"hang", rb"4 \(watchdog\), restart 1 in 0"), (b"crash", rb"3 \(crash\), restart 2 in 0")):
        console.send(word.decode() + "\r")
        console.expect(rb"\(BH\) cluster ended: reason %s ms" % reason)
        console.expect(rb"cluster: begins")
        console.expect(rb"km/h, 300 frames, 0 missed")
    keyboard(console, b"the hypervisor", b"centre")
    shell(console, b"centre")
    rows = [tuple(map(int, row)) for row in re.findall(FRAMES, first)]
    assert [(frames, wrong) for frames, _, wrong, _ in rows] == [(300 * number, 0) for number in range(1, len(rows) + 1)]
    assert first.count("cluster: begins") == 1 and "cluster ended" not in first
    assert said(console).count("guest centre is up") == 2


SOUND = r"sound: (\d+) periods, (\d+) missed; (\d+) chimes, (\d+) not heard; volume of ivi (\d+), of apps (\d+)"


def check_sound(console):
    """No chime is lost; gives the periods missed at each report."""
    rows = [tuple(map(int, row)) for row in re.findall(SOUND, said(console))]
    assert len(rows) >= 2
    for number, (periods, _, chimes, unheard, _, _) in enumerate(rows, 1):
        assert (periods, unheard) == (500 * number, 0)
        assert chimes == (periods - 50 + 399) // 400
    assert said(console).count("sound: begins") == 1
    return [row[1] for row in rows]


@BOARDS
def test_infotainment_beside_panics(start, board):
    """No period is late."""
    console = start("infotainment", board, *panics("apps"))
    two_panics(console, b"apps")
    console.expect(SOUND.encode() + rb"\r*\n")
    assert not any(check_sound(console))
    assert said(console).count("guest ivi is up") == 1


@BOARDS
def test_infotainment(start, board):
    """Two Linux domains set their volumes, one panics; every chime is heard."""
    console = start("infotainment", board)
    for name in (b"ivi", b"apps"):
        console.seen = 0
        console.expect(rb"\(%s\) guest %s is up" % (name, name))
    for wanted, given in ((60, 60), (5000, 100)):
        console.send(f"volume {wanted}\r")
        console.expect(rb"sound: ivi wants volume %d and gets %d\r*\n" % (wanted, given))
    keyboard(console, b"apps")
    console.send("volume 70\r")
    console.expect(rb"sound: apps wants volume 70 and gets 70\r*\n")
    panic(console, b"apps")
    keyboard(console, b"sound", b"the hypervisor", b"ivi")
    shell(console, b"ivi")
    for _ in range(2):
        console.expect(rb"sound: \d+ periods[^\n]*ivi 100, of apps 70\r*\n")
    check_sound(console)
    assert said(console).count("guest ivi is up") == 1


CONTROL = r"control: speed (\d+), brake (\d+), door (\d+) frames in 5 s; wrong (\d+); cycles (\d+), missed (\d+)"
FILTER = r"filter: passed (\d+); dropped: id (\d+), length (\d+), rate (\d+), full (\d+); mended (\d+), floods (\d+)"
USUAL = (100, 50, 10)       # frames of each id in 5 s


@BOARDS
def test_canfw(start, board):
    """Each attack, and what the inner bus sees of it: the usual frames, of a flood what the rate allows, never a wrong one."""
    console = start("canfw", board)
    console.expect(rb"wrong 0; cycles 500,")
    for word in ("flood", "scan", "long", "ring"):
        console.send(word + "\r")
        console.expect(rb"\(telematics\) telematics: [^\n]*\n")
        console.expect(CONTROL.encode())
    console.expect(CONTROL.encode())
    console.send("crash\r")
    console.expect(rb"\(BH\) telematics ended: reason 3 \(crash\), restart 1 in 100 ms")
    console.expect(rb"telematics: begins")
    for _ in range(3):
        console.expect(CONTROL.encode())
    rows = [tuple(map(int, row)) for row in re.findall(CONTROL, said(console))]
    for number, row in enumerate(rows, 1):
        assert row[3:] == (0, 500 * number, 0), row
        # The 100 ms of the restart and two steps of 50 ms around it, and one in which QEMU lets its CPU stand still.
        assert row[0] <= 400 and all(got >= least - lost for got, least, lost in zip(row, USUAL, (6, 3, 3))), row
        assert all(got <= most + 1 for got, most in zip(row[1:3], USUAL[1:])), row
    # It may come when one report ends and the next begins.
    assert 220 <= max(one[0] + two[0] for one, two in zip(rows, rows[1:])) <= 280, "the flood"
    last = tuple(map(int, re.findall(FILTER, said(console))[-1]))
    assert last[1:3] == (2045, 100) and 1920 <= last[3] < 2000 and last[4:] == (0, 1, 0), last
    assert "firewall ended" not in said(console) and "control ended" not in said(console)


# Ticks of 10 ms: as the description says, and until it answers, with two times that QEMU lets its CPU stand still.
HEARTBEAT, BACKOFF, BEGINS = 50, 10, 12
REPORT = rb"arbiter: tick \d+: %s is in command, %s stands by; at most (\d+) off 10000; ticks held (\d+), differing (\d+), missed 0"


def fails(console, word, one, other):
    """The one in command is told to fail: the ticks until the other one is, and until it is back."""
    console.send(word + "\r")
    told = int(console.expect(rb"arbiter: tick (\d+): %s is told to %s\r*\n" % (one, word.encode())).group(1))
    change = console.expect(rb"arbiter: tick (\d+): %s is silent, %s is in command after 2 ticks" % (one, other))
    back = console.expect(rb"arbiter: tick (\d+): %s is back" % one)
    return int(change.group(1)) - told, int(back.group(1)) - told


@BOARDS
def test_redundant(start, board):
    """A crash, a hang, lies: who is in command, when, and that what is controlled stays where it should."""
    console = start("redundant", board)
    calm = int(console.expect(REPORT % (b"left", b"right")).group(1))
    change, back = fails(console, "crash", b"left", b"right")
    assert 0 < change <= 3 and BACKOFF <= back <= BACKOFF + BEGINS
    console.expect(REPORT % (b"right", b"left"))
    change, back = fails(console, "hang", b"right", b"left")
    assert 0 < change <= 3 and HEARTBEAT + BACKOFF - 2 <= back <= HEARTBEAT + BACKOFF + BEGINS
    held = int(console.expect(REPORT % (b"left", b"right")).group(2))
    console.send("lie\r")
    for _ in range(5):
        console.expect(rb"arbiter: tick \d+: they differ: the last command stays")
    off, after, differing = (int(text) for text in console.expect(REPORT % (b"left", b"right")).groups())
    print(board, "at most", off, "off, without faults", calm)
    assert (after, differing) == (held + 5, 5)
    assert calm <= off <= 1000
    text = said(console)
    assert re.findall(r"\(BH\) (\w+) ended: reason (\d)", text) == [("left", "3"), ("right", "4")]
    console.send("off\r")
    assert console.expect_end() == 0


# ---- by hand


@pytest.mark.parametrize("name", NAMES)
def test_demo(name):
    """It explains itself, and starts on the board."""
    with Terminal("demo-" + name, name, "--board", "imx8mp-evk") as user:
        assert "Ctrl-\\ x" in user.expect(r"\(BH\) 4 CPUs, \d+ MiB of RAM, GICv3, timer 8000000 Hz")
        user.expect("Input goes to")
        user.type("\x1cx")


def test_demo_list():
    told = subprocess.run([os.path.join(ROOT, "demo"), "--list"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  (\w+) ", told, re.MULTILINE) == ["messages", "rtos", "filter", *NAMES]
    done = subprocess.run([os.path.join(ROOT, "demo"), "canfw", "--board", "none"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "no board 'none' here" in done.stderr


def test_document():
    """docs/examples.md has each, with its picture; tools/docs/pictures.py compares those."""
    with open(os.path.join(ROOT, "docs", "examples.md"), encoding="utf-8") as file:
        page = file.read()
    assert [name for name in NAMES if f"(examples-{name}.svg)" in page and f"./demo {name} " in page] == list(NAMES)

# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/ipc.md: messages, a control loop beside Linux, a filter between two guests. Booted from their own
descriptions, on both interrupt controllers, with an instruction as a nanosecond; and by ./demo as a user would.
"""
import os
import re
import subprocess

import pexpect
import pytest
from conftest import ROOT, log_path
from console import Console
from run import BUILD
from test_demo import Terminal

ICOUNT = ("-no-reboot", "-icount", "shift=0,sleep=off", "-seed", "1")
GICS = pytest.mark.parametrize("gic", (2, 3))
ONE_WAY = 2_500         # instructions of both CPUs, from sending to the message in the other guest's hands
LATE = 4_000            # instructions from the timer's time to the loop's handler, whatever Linux does
RULES = (20 + 5 + 2, 20)   # frames of a round that pass: all good ones, and of the flood those still under the limit


@pytest.fixture(scope="module", autouse=True)
def built(request):
    """The examples, the tool, Linux's ramdisk."""
    if request.config.getoption("--hyp") == "xen":
        pytest.skip("descriptions of Bulkhead's own")
    here = os.path.relpath(BUILD, ROOT)
    done = subprocess.run(["make", "-C", ROOT, f"BUILD={here}", f"{here}/bulkhead-image", "examples",
                           f"{here}/examples/busy-linux.cpio.gz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Described:
    """A machine that the tool's script starts, for Console."""

    def __init__(self, script):
        self.script = str(script)

    def command(self):
        return [self.script, *ICOUNT]


@pytest.fixture
def start(request, tmp_path):
    """start(name, gic, text, other text, ...): a Console of this example, the description changed as the pairs say."""
    consoles = []

    def one(name, gic, *changes):
        with open(os.path.join(ROOT, "examples", name, name + ".cfg"), encoding="utf-8") as file:
            text = file.read().replace("../../build/", BUILD + "/").replace("virt-gicv3", f"virt-gicv{gic}")
        for old, new in zip(changes[0::2], changes[1::2]):
            assert old in text, old
            text = text.replace(old, new)
        (tmp_path / (name + ".cfg")).write_text(text)
        done = subprocess.run([os.path.join(BUILD, "bulkhead-image"), "-o", tmp_path, tmp_path / (name + ".cfg")],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        consoles.append(Console(Described(tmp_path / (name + ".qemu.sh")), log_path("examples_" + request.node.name)))
        return consoles[-1]

    yield one
    for console in consoles:
        console.close()


def said(console):
    return console.data.decode(errors="replace").replace("\r", "")


def written(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


# ---- messages


@GICS
def test_messages(start, gic):
    """Measured, typed, a crash noticed, and a new life that answers; what it costs is what docs/ipc.md says."""
    console = start("messages", gic)
    handler = int(console.expect(rb"interrupt handler: (\d+) ns").group(1))
    message = int(console.expect(rb"until it has the message: (\d+) ns").group(1))
    console.expect(rb"type a line")
    print(f"GICv{gic}: {handler} to the handler, {message} to the message")
    assert handler < message < ONE_WAY
    row = re.search(rf"^\| GICv{gic} \| ([\d,]+) \| ([\d,]+) \|", written("docs/ipc.md"), re.MULTILINE)
    for told, measured in zip(row.groups(), (handler, message)):
        assert abs(int(told.replace(",", "")) - measured) <= measured // 20, (row.group(0), handler, message)
    for life in range(1, 4):
        console.send(f"life {life}\r")
        console.expect(rb'\(asks\) asks: got "LIFE %d"' % life)
        console.send("crash\r")
        console.expect(rb"\(BH\) answers ended: reason 3 \(crash\), restart %d in" % life)
        console.expect(rb"\(asks\) asks: the other one has begun")
    console.send("x" * 62 + "\r")       # a line's most, and longer than a message
    console.expect(rb'asks: got "X{56}"')
    console.send("off\r")
    assert console.expect_end() == 0
    assert "broke the rules" not in said(console)


@GICS
def test_messages_without_the_other(start, gic):
    """It is never there: what is typed is refused, and nothing waits for ever."""
    console = start("messages", gic, "answers.bin", "loop.bin")
    console.expect(rb"loop: good bye")
    console.send("hello\r")
    console.expect(rb"asks: the other one does not listen now")
    console.send("off\r")
    assert console.expect_end() == 0


# ---- rtos


SECOND = rb"loop: second %d: 1000 ticks, late by \(ns\) min (\d+) avg (\d+) max (\d+) = (\d+) counts"


@GICS
def test_rtos(start, gic):
    """Six seconds beside a Linux that boots and then works; it answers; the loop is never later than the bound."""
    console = start("rtos", gic)
    worst = []
    for second in range(1, 7):
        least, average, most, counts = (int(text) for text in console.expect(SECOND % second).groups())
        assert 0 < least <= average <= most and most == counts * 16
        worst.append(most)
    print(f"GICv{gic}: at most {worst} instructions late")
    assert max(worst) <= LATE
    assert len(re.findall(r"rounds of work", said(console))) >= 2, "Linux did nothing"
    assert re.search(r"loop: below +1000 ns +\d{4} #+", said(console))
    console.send("\recho $((6*7))\r")
    console.expect(rb"\(linux\) 42\r*\n")
    console.send("poweroff\r")
    console.expect(rb"\(BH\) linux ended: reason 0 \(power-off\), and the machine with it")
    assert console.expect_end() == 0


def test_rtos_on_the_same_cpu(start):
    """The bound can be missed: with Linux on the loop's CPU it is."""
    console = start("rtos", 3, "cpus = 2", "cpus = 1", 'scheduler = "null"', 'scheduler = "credit2"', 'cpus = "1"\n', "")
    console.expect(rb"busy: this")
    worst = []
    for second in range(1, 4):
        console.seen = 0
        worst.append(int(console.expect(SECOND % second).group(3)))
    assert max(worst) > LATE, worst


# ---- filter


@GICS
def test_filter(start, gic):
    """Twelve rounds of good frames, bad ones and attacks: each adds what it should and nothing else."""
    console = start("filter", gic)
    assert console.expect_end() == 0
    text = said(console)
    # A round may take two lines; the last one counts.
    lines = re.findall(r"filter: passed (\d+); dropped: id (\d+), length (\d+), rate (\d+), full (\d+); mended (\d+), floods (\d+)", text)
    rounds = list({line[0]: tuple(map(int, line)) for line in lines}.values())
    wanted = [(n * sum(RULES), n * 7, n * 3, n * 30, 0) for n in range(1, 13)]
    assert [numbers[:5] for numbers in rounds] == wanted, rounds
    arrived = re.findall(r"trusted: (\d+) frames, (\d+) that should not have come", text)
    assert [(int(good), int(bad)) for good, bad in arrived] == [(n * sum(RULES), 0) for n in range(1, 13)]
    mended = [numbers[5] for numbers in rounds]
    attacks = re.findall(r"untrusted: (?!good bye)(.*)", text)
    assert len(attacks) == 12 and len(set(attacks)) == 6
    assert [numbers[6] for numbers in rounds] == [0] * 5 + [1] * 6 + [2]
    for kind in ("an index far ahead", "a message of 4 GiB", "an index that goes back"):
        for number, attack in enumerate(attacks):
            if attack == kind:
                assert mended[number] == (mended[number - 1] if number else 0) + 1, (number, attack)
    assert "fault" not in text


# ---- by hand


def test_document(tmp_path):
    """The program in docs/ipc.md is a whole one."""
    block = re.search(r"\n(    #include .*?\n)\n## ", written("docs/ipc.md"), re.DOTALL).group(1)
    (tmp_path / "main.c").write_text(re.sub(r"^    ", "", block, flags=re.MULTILINE))
    client = os.path.join(ROOT, "guests", "lib", "client")
    subprocess.run(["aarch64-linux-gnu-gcc", "-std=gnu11", "-O2", "-ffreestanding", "-mgeneral-regs-only", "-mno-outline-atomics",
                    "-Wall", "-Wextra", "-Wno-main", "-Werror", "-nostdlib", "-static", "-fno-pie", "-I", client,
                    "-T", os.path.join(client, "client.lds"), "-o", tmp_path / "a.elf", tmp_path / "main.c",
                    *(os.path.join(client, name) for name in os.listdir(client) if name.endswith((".c", ".S")))], check=True)


def test_demo_messages():
    with Terminal("demo-messages", "messages") as user:
        user.expect("1000 messages")
        user.expect(r"\(asks\) asks: type a line")
        user.type("to and fro\r")
        user.expect('got "TO AND FRO"')
        user.type("crash\r")
        user.expect("asks: the other one has begun")
        user.type("off\r")
        user.child.expect(pexpect.EOF)
        user.child.wait()
        assert user.child.exitstatus == 0


def test_demo_rtos():
    with Terminal("demo-rtos", "rtos") as user:
        user.expect("control\r*\nloop of 1 kHz")
        user.expect("rounds of work")
        user.expect("loop: second 5:")
        user.expect("loop: below +1000 ns")
        user.type("\r")
        user.expect("linux# ")
        user.type("\x1cx")
        user.child.expect(pexpect.EOF)


def test_demo_filter():
    with Terminal("demo-filter", "filter", "--quick") as user:
        assert "share nothing" not in user.expect("filter: begins")
        user.expect("trusted: 94 frames, 0 that")
        user.type("\x1cx")
        user.child.expect(pexpect.EOF)


@pytest.mark.parametrize("arguments, status, message", [
    (["messages", "--help"], 0, "usage: ./demo"),
    (["filter", "nonsense"], 2, "demo: error: ./demo filter knows no nonsense"),
    (["rtos", "--nonsense"], 1, "--nonsense: invalid option"),
])
def test_demo_wrong_use(arguments, status, message):
    output, ended = pexpect.run(" ".join([os.path.join(ROOT, "demo"), *arguments]), withexitstatus=True, timeout=900)
    assert ended == status and message in output.decode()

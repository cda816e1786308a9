# SPDX-License-Identifier: Apache-2.0
"""bulkhead-schedsim on this machine: schedules that can be worked out by hand, what it refuses, what it draws."""
import os
import re
import subprocess
import xml.etree.ElementTree

import pytest
from conftest import ROOT

SIMULATOR = os.path.join(ROOT, "build", "bulkhead-schedsim")
EXAMPLES = os.path.join(ROOT, "tools", "schedsim", "examples")


@pytest.fixture(autouse=True)
def is_built(hyp):
    if hyp == "xen":
        pytest.skip("no hypervisor runs here")
    if not os.path.exists(SIMULATOR):
        pytest.fail(f"nothing at {SIMULATOR}\ncure: make schedsim", pytrace=False)


def simulate(tmp_path, text, *options):
    path = tmp_path / "load.txt"
    path.write_text(text)
    return subprocess.run([SIMULATOR, *options, str(path)], capture_output=True, text=True, check=False, timeout=3600)


def slices(done):
    """[(from, to, CPU, vCPU)], in whole microseconds."""
    return [(int(float(a)), int(float(b)), int(cpu), name) for a, b, cpu, name in re.findall(
        r"^ +([\d.]+) +([\d.]+) +(\d+)  (\S+)$", done.stdout, re.MULTILINE)]


def row(done, name):
    """Numbers of a vCPU in the summary: ran, share, jobs, done, mean, worst, missed."""
    found = re.search(rf"^{name} +(.*)$", done.stdout, re.MULTILINE)
    return [float(word.rstrip("%")) for word in found.group(1).split() if word != "-"]


def test_earliest_deadline_first(tmp_path):
    """Liu and Layland's set of 2 of 5 and 4 of 7: 97 % of a CPU, no deadline missed under EDF."""
    done = simulate(tmp_path, "policy rtds\ntime 35ms\n"
                              "vcpu a every 5ms work 2ms period 5ms budget 2ms\n"
                              "vcpu b every 7ms work 4ms period 7ms budget 4ms\n")
    assert done.returncode == 0
    assert slices(done)[:6] == [(0, 2000, 0, "a"), (2000, 6000, 0, "b"), (6000, 8000, 0, "a"), (8000, 12000, 0, "b"),
                                (12000, 14000, 0, "a"), (14000, 15000, 0, "b")]
    assert row(done, "a") == [14000, 40, 7, 7, 2857.143, 4000, 0]
    assert row(done, "b")[:4] == [20000, 57.14, 5, 5]


def test_missed_deadlines(tmp_path):
    """A budget below the work: each job takes three periods' budgets, and more and more of them wait."""
    done = simulate(tmp_path, "policy rtds\ntime 100ms\nvcpu a every 10ms work 3ms period 10ms budget 1ms\n")
    assert done.returncode == 1
    assert row(done, "a") == [10000, 10, 10, 3, 41000, 61000, 9]


def test_windows(tmp_path):
    """Windows on two CPUs side by side; who is done early leaves the rest of its window to nobody."""
    done = simulate(tmp_path, "cpus 2\npolicy arinc653\ntime 2ms\nvcpu a busy\nvcpu b every 1ms work 100us from 50us\n"
                              "frame 1ms\nwindow 0 a 300us\nwindow 0 - 200us\nwindow 0 b 500us\nwindow 1 b 200us\n"
                              "window 1 - 300us\nwindow 1 a 100us\n")
    assert slices(done) == [(0, 300, 0, "a"), (50, 150, 1, "b"), (500, 600, 1, "a"), (1000, 1300, 0, "a"),
                            (1050, 1150, 1, "b"), (1500, 1600, 1, "a")]


def test_weights(tmp_path):
    """Two thirds and one third."""
    done = simulate(tmp_path, "time 9s\nvcpu a busy weight 512\nvcpu b busy\n", "--quiet")
    assert row(done, "a")[1] == pytest.approx(66.67, abs=0.5)
    assert slices(done) == []


WRONG = [
    ("vcpu a busy\nvcpu b idle\n", ':2: "idle" is nothing that a vCPU has; --help names what is'),
    ("vcpu a every 5\n", ':1: "5" is no time; write it like 20us, 1.5ms or 2s'),
    ("vcpu a every 5ms\n", ':1: "a": "work" belongs to "every" and "sporadic"; add it'),
    ("vcpu a busy cpus 3\n", ':1: "a" may run on CPUs that are not there; there are 1'),
    ("cpus 99\n", ':1: "99" is no number from 1 to 32; write one'),
    ("policy fifo\n", ':1: no policy is called "fifo"; write credit2, rtds, arinc653 or null'),
    ("vcpu a busy\nwindow 0 b 1ms\n", ':2: no vCPU is called "b"; describe it before its windows'),
    ("policy arinc653\nvcpu a busy\nframe 1ms\nwindow 0 a 2ms\n",
     ":3: the hypervisor refuses this plan: arinc653: plan refused: window 0 ends after the frame"),
    ("policy rtds\nvcpu a busy period 10ms budget 10ms\nvcpu b busy period 10ms budget 9ms\n",
     ":3: the hypervisor refuses these parameters: rtds: d0: 9000 us in 10000 us refused"),
    ("seed 1 2\n", ':1: "2" is too much; remove it'),
    ("\n", ':1: no vCPU is described; add a line "vcpu"'),
]


@pytest.mark.parametrize("text, line", WRONG)
def test_mistakes(tmp_path, text, line):
    """The line, and the cure."""
    done = simulate(tmp_path, text)
    assert done.returncode == 2
    assert line in done.stderr


@pytest.mark.parametrize("name", sorted(os.listdir(EXAMPLES)))
def test_examples(name, tmp_path):
    """They meet their deadlines, the same in each run, and the drawing has a bar for each slice twice."""
    drawing = tmp_path / "line.svg"
    runs = [subprocess.run([SIMULATOR, "--svg", str(drawing), os.path.join(EXAMPLES, name)], capture_output=True,
                           text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    rects = xml.etree.ElementTree.parse(drawing).getroot().findall("{http://www.w3.org/2000/svg}rect")
    assert len(rects) == 1 + 2 * len(slices(runs[0]))


def test_help():
    done = subprocess.run([SIMULATOR, "--help"], capture_output=True, text=True, check=True)
    assert "window CPU NAME T" in done.stdout

# SPDX-License-Identifier: Apache-2.0
"""The harness itself: what it takes for a command's output when others write on the same console."""
import pytest
from chaos import Chaos
from console import Console
from xl import Result, results_of, step

STREAM = r"""(BH) d2: heater, 1 vCPUs, 8 MiB\r\nserve\r\n<serve>\n<+3>\n<T1:begin>\n(d1) linux# [    2.0] late\r\n(heater) hot\r\n(null) one\r\ntw(BH) d1: a message\r\no\r\n(XEN) \nthree (d)\r\n\n<T1:end 0>\n"""


# Others write between a mark and its line breaks.
BETWEEN = (r"(BH) d2: heater, 1 vCPUs, 8 MiB\r\n<serve>\n<+3>\n(heater) no end<T1:begin>(BH) early\r\n\none\r\n"
           r"(heater) hot<T1:end 0>(BH) late\r\n\n")
STEPS = ("(BH) d2: heater, 1 vCPUs, 8 MiB\r\n(heater) warm<0:begin>(BH) early\r\n\r\none\r\n(heater) hot<0:end 3>(BH) late\r\n\r\n"
         "<1:begin>\r\ntwo\r\n\r\n<1:end 0>\r\n<2:begin>\r\nthree")


class Talker:
    """Not a machine: prints a stream, then waits."""

    def __init__(self, stream):
        self.stream = stream

    def command(self):
        return ["sh", "-c", f"printf '{self.stream}'; cat >/dev/null"]


def test_lines_of_others(tmp_path):
    """Lines of the hypervisor and of other domains are not part of a command's output, also in the middle of its lines."""
    with Console(Talker(STREAM), str(tmp_path / "log")) as console:
        assert console.check("any") == "(null) one\ntwo\nthree (d)"


def test_others_beside_marks(tmp_path):
    with Console(Talker(BETWEEN), str(tmp_path / "log")) as console:
        assert console.check("any") == "one"


def test_others_beside_marks_of_steps():
    steps = [step(name, "any") for name in ("first", "second", "third")]
    assert results_of(steps, STEPS.encode()) == {"first": Result(3, "one"), "second": Result(0, "two")}


class Echo:
    """Not a machine: says again what is typed."""

    def command(self):
        return ["cat"]


@pytest.mark.parametrize("seed", range(8))
def test_bad_day(tmp_path, monkeypatch, seed):
    """Whatever the lot is, all that was typed comes, once and in its order."""
    monkeypatch.setenv("BULKHEAD_CHAOS", str(seed))
    text = b"".join(b"line %d\n" % number for number in range(20))
    with Console(Echo(), str(tmp_path / "log")) as console:
        console.send(text)
        console.expect(rb"line 19\n")
        assert console.data == text


def test_bad_days_differ(tmp_path):
    """Each kind of trouble is some machine's; the same seed and machine have the same; who was stopped goes on."""
    with Console(Echo(), str(tmp_path / "log")) as console:
        days = {seed: Chaos(seed, console.process, "machine") for seed in range(20)}
        again = Chaos(7, console.process, "machine")
        for kind in ("stutters", "looks_late", "stops", "disfavoured"):
            assert len({getattr(day, kind) for day in days.values()}) > 1, kind
            assert getattr(again, kind) == getattr(days[7], kind)
        console.send("still here\n")
        console.expect(rb"still here")

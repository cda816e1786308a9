# SPDX-License-Identifier: Apache-2.0
"""The harness itself: what it takes for a command's output when others write on the same console."""
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

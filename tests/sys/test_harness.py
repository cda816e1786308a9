# SPDX-License-Identifier: Apache-2.0
"""The harness itself: what it takes for a command's output when others write on the same console."""
from console import Console

STREAM = r"""(BH) d2: heater, 1 vCPUs, 8 MiB\r\nserve\r\n<serve>\n<+3>\n<T1:begin>\n(d1) linux# [    2.0] late\r\n(heater) hot\r\n(null) one\r\ntw(BH) d1: a message\r\no\r\n(XEN) \nthree (d)\r\n\n<T1:end 0>\n"""


class Talker:
    """Not a machine: prints STREAM, then waits."""

    def command(self):
        return ["sh", "-c", f"printf '{STREAM}'; cat >/dev/null"]


def test_lines_of_others(tmp_path):
    """Lines of the hypervisor and of other domains are not part of a command's output, also in the middle of its lines."""
    with Console(Talker(), str(tmp_path / "log")) as console:
        assert console.check("any") == "(null) one\ntwo\nthree (d)"

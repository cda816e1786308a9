# SPDX-License-Identifier: Apache-2.0
"""./demo as a new user sees it: on a terminal, from the first line to the prompt, and each thing it then suggests."""
import os
import re

import pexpect
import pytest
from conftest import LOGS, ROOT

LIMIT = 900                 # seconds for one wait, a last resort: nothing here is timed
PROMPT = "dom0# "
FIGURES = r"[0-9a-f]{64}"


class Terminal:
    """A user at ./demo. Everything that was on the screen is in build/test-logs/NAME.log."""

    def __init__(self, name, *arguments):
        self.log = open(os.path.join(LOGS, name + ".log"), "w", encoding="utf-8")
        self.child = pexpect.spawn(os.path.join(ROOT, "demo"), list(arguments), timeout=LIMIT, encoding="utf-8",
                                   codec_errors="replace", dimensions=(40, 120), logfile=self.log, env={**os.environ, "TERM": "vt100"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)
        self.log.close()

    def expect(self, pattern):
        """Waits for it; gives all that was on the screen before it."""
        found = self.child.expect([pattern, r"demo: error|tour: error|run: error|BULKHEAD PANIC", pexpect.EOF, pexpect.TIMEOUT])
        assert found == 0, f"instead of {pattern!r}: {self.child.before[-2000:]}{self.child.after}"
        return self.child.before

    def type(self, text):
        self.child.send(text)

    def type_until(self, text, pattern):
        """Types it again and again until that comes: who reads it is not there yet."""
        for _ in range(LIMIT // 10):
            self.type(text)
            if self.child.expect([pattern, pexpect.TIMEOUT], timeout=10) == 0:
                return
        pytest.fail(f"no {pattern!r}: {self.child.before[-2000:]}")

    def power_off(self):
        self.type("poweroff\n")
        self.expect("reboot: Power down|Hardware Dom0 shutdown")
        self.child.expect(pexpect.EOF)
        self.child.wait()
        assert self.child.exitstatus == 0


def rows(text):
    """{domain: [ID, memory, vCPUs]} of xl list. What dom0's kernel says of their network cards may begin or end a line."""
    found = re.findall(r"(\S+) +(\d+) +(\d+) +(\d+) +[a-z-]{6} +\d+\.\d", text)
    return {re.sub(r".*(Domain-0|one|two)$", r"\1", name): figures for name, *figures in found}


def test_tour(hyp):
    with Terminal("demo-tour", "--hyp", hyp) as user:
        user.expect("Leave with `poweroff`")
        user.expect("Xen tools are up")
        user.expect("1. Two Linux guests")
        user.expect("xl list")
        first = rows(user.expect("2. They talk"))
        assert set(first) == {"Domain-0", "one", "two"}
        talk = user.expect("3. One crashes")
        sums = re.findall(FIGURES, talk)
        assert len(sums) == 2 and sums[0] == sums[1], talk
        crash = user.expect("4. One has said panic=1")
        assert "Kernel panic" in crash      # perhaps not the whole line yet: the daemon writes what is there
        assert "2 packets transmitted, 2 packets received" in crash
        last = rows(user.expect("It is yours now"))
        assert set(last) == set(first)
        assert last["two"][0] == first["two"][0], "the neighbour was started again"
        assert int(last["one"][0]) > int(first["two"][0]), "the guest that crashed is not a new domain"
        user.expect(PROMPT)
        user.type("grep 'Kernel panic' /var/log/xen/console/guest-one.log\n")
        user.expect("Kernel panic - not syncing: sysrq triggered crash")
        user.expect(PROMPT)

        user.type("xl console two\n")
        user.type_until("\n", "two# ")
        user.type("echo $((6 * 7)) from two\n")
        user.expect("\n42 from two")
        user.type("\x1d")
        user.expect(PROMPT)
        user.type("nano /etc/xen/one.cfg\n")
        user.expect("GNU nano")
        user.type("\x18")
        user.expect(PROMPT)
        user.type("xl destroy one; xl create -q /etc/xen/one.cfg && echo $((1 + 1)) guests\n")
        user.expect("2 guests")
        user.expect(PROMPT)
        user.type("xentop\n")
        user.expect("Domain-0")
        user.type("q")
        user.expect(PROMPT)
        user.power_off()


def test_quick(hyp):
    with Terminal("demo-quick", "--hyp", hyp, "--quick", "--gic", "2") as user:
        user.expect("Xen tools are up")
        assert "Two Linux guests" not in user.expect(PROMPT)
        user.power_off()


def test_static(hyp):
    """Two bare-metal partitions: what it explains is then done, key by key."""
    if hyp == "xen":
        pytest.skip("a description of Bulkhead's own")
    with Terminal("demo-static", "static") as user:
        assert "kernel of first, kernel of second" in user.expect("Ctrl-a three times moves the keyboard")
        for mark in (r"\(first\)", r"\(second\)"):
            user.expect(mark + r" (bare metal: type|\d+ second)")
        # What has the keyboard is seen at once, not line by line: the other one's line may come within.
        user.type_until("a real line\r", "you typed: a real line")
        user.type("\x01\x01\x01")
        user.expect("Input goes to second now")
        user.type("off\r")
        user.expect(r"\(BH\) second ended: reason 0")
        user.type("\x01\x01\x01")
        user.expect("Input goes to the hypervisor now")
        user.type("h")
        user.expect("key")
        user.type("\x1cx")
        user.child.expect(pexpect.EOF)


@pytest.mark.parametrize("arguments, message", [
    (["static", "/does/not/exist"], "demo: cure:  name a description"),
    (["static", "Makefile"], "Makefile:"),
    (["--nonsense"], "unrecognized arguments: --nonsense"),
    (["--script", "/does/not/exist"], "demo: cure:  name a file of shell commands, one a line"),
    (["--script"], "demo: cure:  ./demo --help"),
    (["--hyp", "/does/not/exist"], "cure: name an arm64 Image"),
])
def test_wrong_use(arguments, message):
    output, status = pexpect.run(" ".join([os.path.join(ROOT, "demo"), *arguments]), withexitstatus=True, timeout=LIMIT)
    assert status not in (0, None) and message in output.decode()

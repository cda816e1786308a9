# SPDX-License-Identifier: Apache-2.0
"""System tests: whole machines under QEMU, their consoles read and typed on.

  pytest-3 tests/sys                    Bulkhead (build/arm64/bulkhead)
  pytest-3 tests/sys --hyp xen          Debian's Xen: shows what is the tests' fault
  pytest-3 tests/sys -n 2 --dist loadgroup    two machines at a time

Every console byte is in build/test-logs/NAME.log. BULKHEAD_IDLE_LIMIT: seconds of silence that count as a hang (900).
"""
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "qemu"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from console import Console         # noqa: E402  pylint: disable=wrong-import-position
from run import Machine, SetupError  # noqa: E402  pylint: disable=wrong-import-position

LOGS = os.path.join(ROOT, "build", "test-logs")


def pytest_addoption(parser):
    parser.addoption("--hyp", default=os.environ.get("BULKHEAD_HYP", "bulkhead"), help="bulkhead, xen or an Image file")


def pytest_configure(config):
    config.addinivalue_line("markers", "xen_cannot(reason): real Xen 4.17 fails here, and that is known")
    config.addinivalue_line("markers", "xdist_group(name): tests that share a machine")
    # Under xdist only the first process prepares; the workers find it done.
    if hasattr(config, "workerinput"):
        return
    for tool in ("tools/setup/fetch_arm64.sh", "tools/image/mkdom0.py"):
        done = subprocess.run([os.path.join(ROOT, tool)], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise pytest.UsageError(f"{tool} failed; its message above says why")


# Fixtures of more than one test that start no machine and write nothing that two processes could both write.
WITHOUT_MACHINE = {"board", "built", "hz", "newer_qemu", "path", "source", "tool"}


def shared_machine(item):
    """The fixture by which the test shares a machine with others, or None."""
    # pylint: disable=protected-access     # pytest has no other way to ask
    for name, found in item._fixtureinfo.name2fixturedefs.items():
        if found[-1].scope in ("module", "session") and found[-1].baseid and name not in WITHOUT_MACHINE:
            return name
    return None


def pytest_collection_modifyitems(config, items):
    for item in items:
        name = shared_machine(item)
        if name and not item.get_closest_marker("xdist_group"):
            raise pytest.UsageError(f"{item.nodeid} shares a machine ({name}), and with -n 2 two processes would both start it\n"
                                    "cure: pytestmark = pytest.mark.xdist_group(...) in its file")
    if config.getoption("--hyp") != "xen":
        return
    for item in items:
        mark = item.get_closest_marker("xen_cannot")
        if mark:
            item.add_marker(pytest.mark.xfail(reason=mark.args[0], strict=True))


def log_path(name):
    return os.path.join(LOGS, re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_") + ".log")


class Booter:
    """Starts machines; ends them all in close()."""

    def __init__(self, hyp, name):
        self.hyp = hyp
        self.name = name
        self.consoles = []

    def __call__(self, wait=True, **parts):
        """A Console of a new machine, at the control domain's shell unless wait is False."""
        machine = Machine(parts.pop("hyp", self.hyp), **parts)
        name = self.name + (f"-{len(self.consoles) + 1}" if self.consoles else "")
        try:
            console = Console(machine, log_path(name))
        except SetupError as error:
            pytest.fail(str(error), pytrace=False)
        self.consoles.append(console)
        if wait:
            console.wait_ready()
        return console

    def close(self):
        for console in self.consoles:
            console.close()


@pytest.fixture
def hyp(request):
    """Name of the hypervisor under test."""
    return request.config.getoption("--hyp")


@pytest.fixture
def boot(request, hyp):     # pylint: disable=redefined-outer-name
    """boot(wait=True, hyp=..., gic=2, smp=4, ...): starts a machine for this test."""
    booter = Booter(hyp, request.node.name)
    yield booter
    booter.close()

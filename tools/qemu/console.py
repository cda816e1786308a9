# SPDX-License-Identifier: Apache-2.0
"""Talks to the console of a running Machine: waits for text, runs commands in the control domain's shell.

Time is never a verdict here. A wait fails when the console has been silent for IDLE_LIMIT seconds (a hang; who knows of
longer silences says so), when the hypervisor reports its own death, or when QEMU ends; a slow machine that still talks may
take as long as it likes, up to RUN_LIMIT.
"""
import ctypes
import os
import re
import selectors
import signal
import subprocess
import time

from chaos import chaos_for

IDLE_LIMIT = float(os.environ.get("BULKHEAD_IDLE_LIMIT", "900"))    # seconds of silence
RUN_LIMIT = float(os.environ.get("BULKHEAD_RUN_LIMIT", "14400"))     # seconds for one machine, a last resort
TAIL_LINES = 40
CHUNK = 96          # of a command: real Xen's console buffer drops what exceeds 128 bytes

# A hypervisor's last words: how they begin and end.
CRASH = re.compile(rb"BULKHEAD PANIC|\(XEN\) Panic on CPU")
CRASHED = re.compile(rb"The machine stops here[^\n]*\n|Manual reset required[^\n]*\n|Reboot in five seconds[^\n]*\n")
DRAIN_LIMIT = min(60, IDLE_LIMIT)    # seconds of silence after which nothing more is to come of them
# Lines of the hypervisor itself and of other domains, which may come anywhere in a command's output.
OTHERS_LINE = r"(?:\((?:XEN|BH|d[0-9]+%s)\) |^bulkhead:).*\n?"
# A domain of the device tree, whose lines have its name.
STARTED = re.compile(rb"\(BH\) d[0-9]+: ([^,\s]+), \d+ vCPUs")
PROMPT = rb"dom0# "
PR_SET_PDEATHSIG = 1
READY = rb"bulkhead-dom0: ready"


def end_with_parent():
    """In the child: no emulated machine outlives the tool that started it, however that ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def without_others(text, data):
    """The text without lines of the hypervisor and of domains that are named in the console's data."""
    names = "".join("|" + re.escape(name.decode()) for name in STARTED.findall(data))
    return re.sub(OTHERS_LINE % names, "", text, flags=re.MULTILINE)


class ConsoleError(Exception):
    """A wait that cannot end well; the text holds the reason and the last lines of the console."""


class Console:
    """A running machine and its console."""

    def __init__(self, machine, log):
        os.makedirs(os.path.dirname(log) or ".", exist_ok=True)
        self.log = open(log, "wb")            # every byte, as it came
        self.log_path = log
        self.data = b""                       # all that came
        self.seen = 0                         # how much of it earlier waits have consumed
        self.commands = 0
        self.serving = False
        self.broken = None                    # why nothing more is to be expected of this console
        self.started = time.monotonic()
        self.process = subprocess.Popen(machine.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent)
        self.chaos = chaos_for(self.process, log)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the machine if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._read()
        for file in (self.process.stdin, self.process.stdout, self.log):
            try:
                file.close()
            except OSError:
                pass

    # ---- reading

    def _read(self):
        """Takes in what is there. False at the end of the output."""
        if self.process.stdout.closed:
            return False
        try:
            got = os.read(self.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return True
        if not got:
            return False
        self.data += got
        self.log.write(got)
        self.log.flush()
        return True

    def tail(self):
        text = self.data.decode("utf-8", "replace").replace("\r", "")
        return "\n".join(text.split("\n")[-TAIL_LINES:])

    def fail(self, reason):
        __tracebackhide__ = True    # pylint: disable=unused-variable  # pytest: show the caller
        self.broken = self.broken or reason
        raise ConsoleError(f"{reason}\n--- last {TAIL_LINES} lines of {self.log_path}:\n{self.tail()}\n---")

    def expect(self, pattern, idle=None):
        """Waits for the regular expression (bytes) in what has not been consumed yet; gives its match."""
        __tracebackhide__ = True    # pylint: disable=unused-variable
        idle = max(IDLE_LIMIT, idle or 0)
        searched, last = self.seen, time.monotonic()
        regex = re.compile(pattern, re.DOTALL)
        while True:
            found = regex.search(self.data, self.seen)
            if found:
                self.seen = found.end()
                if self.chaos:
                    self.chaos.after_wait()
                return found
            crash = CRASH.search(self.data, max(self.seen, searched - 200))
            if crash:
                self._drain(crash.end())
                self.fail(f"the hypervisor crashed while waiting for {pattern!r}")
            searched = len(self.data)
            if not self.selector.select(timeout=1):
                if time.monotonic() - last > idle:
                    self.fail(f"no output for {idle:.0f} s while waiting for {pattern!r}")
            elif self._read():
                last = time.monotonic()
            else:
                self.process.wait()
                self.fail(f"QEMU ended (status {self.process.returncode}) while waiting for {pattern!r}")
            if time.monotonic() - self.started > RUN_LIMIT:
                self.fail(f"this machine has run for {RUN_LIMIT:.0f} s; waiting for {pattern!r}")

    def _drain(self, start):
        """After a crash: the report that follows what stands at START, to its last line."""
        while not CRASHED.search(self.data, start) and self.selector.select(timeout=DRAIN_LIMIT):
            if not self._read():
                break

    def expect_end(self, idle=None):
        """Waits until QEMU ends by itself; gives its exit status."""
        idle, last = max(IDLE_LIMIT, idle or 0), time.monotonic()
        while True:
            crash = CRASH.search(self.data, self.seen)
            if crash:
                self._drain(crash.end())
                self.fail("the hypervisor crashed at power-off")
            if not self.selector.select(timeout=1):
                if time.monotonic() - last > idle:
                    self.fail(f"no output for {idle:.0f} s while waiting for the machine to power off")
            elif self._read():
                last = time.monotonic()
            else:
                return self.process.wait()
            if time.monotonic() - self.started > RUN_LIMIT:
                self.fail(f"this machine has run for {RUN_LIMIT:.0f} s; waiting for it to power off")

    # ---- typing

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        try:
            for piece in self.chaos.pieces(data) if self.chaos else [data]:
                self.process.stdin.write(piece)
                self.process.stdin.flush()
        except BrokenPipeError:
            self._read()
            self.process.wait()
            self.fail(f"QEMU ended (status {self.process.returncode}) while typing {text!r}")

    def wait_ready(self):
        """Waits for the control domain's shell."""
        self.expect(READY)
        self.expect(PROMPT)
        self.serving = False

    def serve(self):
        """Has the shell take commands by tools/image/dom0/serve: no prompt, no echo, acknowledged lines."""
        if not self.serving:
            self.send("serve\n")
            self.expect(rb"<serve>")
            self.serving = True

    def leave(self):
        """Back to the interactive shell."""
        if self.serving:
            self.send(".\n")
            self.expect(PROMPT)
            self.serving = False

    def start_command(self, command):
        """Starts a command without waiting for its end; gives the tag its marks carry."""
        self.serve()
        if "\n" in command.strip("\n"):
            raise ValueError("one line at a time: " + command)
        command = command.strip("\n")
        self.commands += 1
        tag = f"T{self.commands}"
        done = 0
        while done < len(command):
            part = command[done:done + CHUNK]
            done += len(part)
            self.send(f"+{part}\n")
            self.expect(rb"<\+%d>" % done)
        self.send(f"!{tag}\n")
        self.expect(rb"<%s:begin>" % tag.encode())
        return tag

    def finish_command(self, tag, idle=None):
        """(status, output) of the command with this tag. Marks come in one piece, but between them and the line breaks
        around them others may write."""
        start = self.seen
        found = self.expect(rb"<%s:end (\d+)>" % tag.encode(), idle)
        output = self.data[start:found.start()].decode("utf-8", "replace").replace("\r", "")
        return int(found.group(1)), without_others(output, self.data).strip("\n")

    def sh(self, command, idle=None):
        """Runs a command in the control domain's shell; gives (status, output)."""
        return self.finish_command(self.start_command(command), idle)

    def check(self, command, idle=None):
        """Runs a command that must succeed; gives its output."""
        status, output = self.sh(command, idle)
        if status:
            raise ConsoleError(f"'{command}' ended with status {status}:\n{output}")
        return output

# SPDX-License-Identifier: Apache-2.0
"""A bad day of the host, on purpose: what a test must not depend on is decided by lot.

BULKHEAD_CHAOS=SEED in the environment makes every Console one of these. The machine stops for a moment now and then, one
of its threads gets less of the host than the others, what is typed comes in pieces, and the test looks later than it could.
"""
import os
import random
import signal
import threading
import time

STOP_EACH = 0.4             # seconds between stops of the machine, on average
STOPS = (0.005, 0.02, 0.1, 0.3, 0.8)
PIECE = 12                  # characters at most that come at a time when typing stutters
NICE = 15


class Chaos:
    """What happens to one machine."""

    def __init__(self, seed, process, words):
        self.rng = random.Random(f"{seed} {words}")
        self.process = process
        self.pidfd = os.pidfd_open(process.pid)
        self.disfavoured = self.rng.choice(("nobody", "main loop", "others"))
        self.stutters, self.looks_late, self.stops = (self.rng.random() < 0.5 for _ in range(3))
        if self.stops or self.disfavoured != "nobody":
            threading.Thread(target=self._run, args=(random.Random(self.rng.random()),), daemon=True).start()

    def _signal(self, number):
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass

    def _disfavour(self):
        """Threads come later than the machine does."""
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{self.process.pid}/task")]
            for thread in threads:
                if (thread == self.process.pid) == (self.disfavoured == "main loop"):
                    os.setpriority(os.PRIO_PROCESS, thread, NICE)
        except OSError:
            pass

    def _run(self, rng):
        # Popen.poll() is the test's to call: who reaps the process here would take its status from there.
        while self.process.returncode is None:
            time.sleep(min(5, rng.expovariate(1 / STOP_EACH)))
            if self.disfavoured != "nobody":
                self._disfavour()
            if self.stops and self.process.returncode is None:
                self._signal(signal.SIGSTOP)
                time.sleep(rng.choice(STOPS))
                self._signal(signal.SIGCONT)

    def after_wait(self):
        if self.looks_late and self.rng.random() < 0.3:
            time.sleep(self.rng.random() ** 3)

    def pieces(self, data):
        """DATA as it comes, with the time between."""
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() ** 3)
        while self.stutters and len(data) > 1 and self.rng.random() < 0.5:
            size = self.rng.randrange(1, PIECE)
            yield data[:size]
            data = data[size:]
            time.sleep(self.rng.random() / 20)
        yield data


def chaos_for(process, words):
    """A Chaos, or None on the usual day."""
    seed = os.environ.get("BULKHEAD_CHAOS")
    return Chaos(seed, process, os.path.basename(words)) if seed else None

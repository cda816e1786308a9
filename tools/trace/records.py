# SPDX-License-Identifier: Apache-2.0
"""Reads what the stock xentrace writes: records of 32-bit words, in windows of one CPU each, in the order of time there.

Layouts are those of Xen's public header trace.h; Bulkhead and Xen write the same.
"""
import collections
import heapq
import struct

# cpu, ns since boot, TRC_* without its flags, words
Record = collections.namedtuple("Record", "cpu ns event words")

CPU_CHANGE, LOST = 0x1f003, 0x1f001
RUNSTATE, RUNSTATE_MASK = 0x21001, 0xffff00f    # the two digits between are from and to
CONTINUE = 0x21002
HYPERCALL = 0x20100d
IRQ = 0x802008
RUNNING, RUNNABLE, BLOCKED, OFFLINE = range(4)
IDLE = 0x7fff

MAX_CPUS = 4096
MAX_CLASS = 0x0fff0000


class TraceError(Exception):
    """What is wrong with the file, and what helps."""

    def __init__(self, cause, cure):
        super().__init__(cause)
        self.cure = cure


NOT_ONE = "give a file that xentrace wrote, copied byte by byte"


class Reader:
    """Records of one file. PARTIAL: what comes after the first fault is left out, and self.fault says what it was."""

    def __init__(self, data, hz, partial):
        self.data, self.hz = data, hz
        self.at = self.window_end = 0
        self.cpu = None
        self.fault = None
        self.streams = collections.defaultdict(list)
        try:
            while self.at < len(data):
                self._next()
            if self.at < self.window_end:
                raise self._truncated(self.window_end - self.at)
        except TraceError as error:
            if not partial or not self.streams:
                raise
            self.fault = error
        if not self.streams:
            raise TraceError("no record in it: nothing that was asked for happened, or tracing was over at once",
                             "xentrace -e all -T 5 FILE")

    def in_order(self):
        return list(heapq.merge(*self.streams.values(), key=lambda one: one.ns))

    def _truncated(self, missing):
        return TraceError(f"it ends {missing} bytes too early: xentrace was killed, or copied while it wrote",
                          "end xentrace by its -T or SIGINT and copy then, or use what there is with --partial")

    def _garbage(self, what):
        return TraceError(f"byte {self.at}: {what}: no trace, or damaged", NOT_ONE + "; --partial uses what comes before")

    def _next(self):
        if len(self.data) - self.at < 4:
            raise self._truncated(4 - (len(self.data) - self.at))
        head, = struct.unpack_from("<I", self.data, self.at)
        event, nr, timed = head & 0xfffffff, head >> 28 & 7, head >> 31
        size = 4 + 8 * timed + 4 * nr
        if self.cpu is None and event != CPU_CHANGE:
            raise self._garbage("the first record does not name a CPU")
        if not event & MAX_CLASS:
            raise self._garbage(f"no event has the number {event:#x}")
        if len(self.data) - self.at < size:
            raise self._truncated(size - (len(self.data) - self.at))
        ticks = struct.unpack_from("<Q", self.data, self.at + 4)[0] if timed else None
        words = struct.unpack_from(f"<{nr}I", self.data, self.at + size - 4 * nr)
        if event == CPU_CHANGE:
            self._change_cpu(words)
        else:
            self._put(event, ticks, words, size)
        self.at += size

    def _change_cpu(self, words):
        if len(words) != 2 or words[0] >= MAX_CPUS:
            raise self._garbage("a change to a CPU that cannot be")
        if self.at < self.window_end:
            raise self._garbage("a CPU's records are fewer than announced")
        self.cpu = words[0]
        self.window_end = self.at + 12 + words[1]

    def _put(self, event, ticks, words, size):
        if self.at + size > self.window_end:
            raise self._garbage("a CPU's records are more than announced")
        if ticks is None:
            return                      # nothing of what we show has no time
        stream = self.streams[self.cpu]
        ns = ticks * 1000000000 // self.hz
        if stream and ns < stream[-1].ns:
            raise self._garbage("time runs backwards")
        if len(words) < NR_WORDS.get(kind_of(event), 0):
            raise self._garbage(f"event {event:#x} has {len(words)} words")
        stream.append(Record(self.cpu, ns, event, words))


def kind_of(event):
    """Events that carry something in their number become one."""
    return RUNSTATE if event & RUNSTATE_MASK == RUNSTATE else event


NR_WORDS = {RUNSTATE: 1, CONTINUE: 1, HYPERCALL: 1, IRQ: 3, LOST: 4}

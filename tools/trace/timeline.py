# SPDX-License-Identifier: Apache-2.0
"""From records to who ran where and when, how long each waited for that, and what came in meanwhile."""
import collections

from records import BLOCKED, CONTINUE, HYPERCALL, IDLE, IRQ, LOST, OFFLINE, RUNNABLE, RUNNING, RUNSTATE, kind_of

# who: (domain, vCPU). whole: begin and end were both seen.
Slice = collections.namedtuple("Slice", "begin end cpu who whole")
Wait = collections.namedtuple("Wait", "begin end who woken")
Point = collections.namedtuple("Point", "ns cpu who what")
Interrupt = collections.namedtuple("Interrupt", "begin end cpu number")


class Timeline:
    """Nothing is guessed over a gap: what a lost record could have changed is not measured."""

    def __init__(self, records, hz):
        self.hz = hz
        self.slices, self.waits, self.calls, self.interrupts, self.gaps = [], [], [], [], []
        self.begin, self.end = records[0].ns, records[-1].ns
        self.cpus = sorted({one.cpu for one in records})
        self._runs = {}                 # cpu: (who, since, whole)
        self._waits = {}                # who: (since, woken)
        handlers = {RUNSTATE: self._change, CONTINUE: self._continue, HYPERCALL: self._call, IRQ: self._irq, LOST: self._lost}
        for one in records:
            handler = handlers.get(kind_of(one.event))
            if handler:
                handler(one)
        for cpu in list(self._runs):
            self._stop(cpu, self.end, False)
        self.slices.sort()

    def who_ran(self):
        return sorted({one.who for one in self.slices if one.who[0] != IDLE} | {one.who for one in self.waits})

    def _start(self, one, who, whole):
        self._runs[one.cpu] = (who, one.ns, whole)

    def _stop(self, cpu, ns, whole):
        if cpu in self._runs:
            who, since, began = self._runs.pop(cpu)
            self.slices.append(Slice(since, max(ns, since), cpu, who, whole and began))

    def _change(self, one):
        who = (one.words[0] >> 16, one.words[0] & 0xffff)
        was, now = one.event >> 8 & 3, one.event >> 4 & 3
        if was == RUNNING:
            self._leaves(one, who)
        if now == RUNNABLE:
            self._waits[who] = (one.ns, was in (BLOCKED, OFFLINE))
        elif who in self._waits:
            since, woken = self._waits.pop(who)
            if now == RUNNING and who[0] != IDLE:
                self.waits.append(Wait(since, one.ns, who, woken))
        if now == RUNNING:
            self._stop(one.cpu, one.ns, False)
            self._start(one, who, True)

    def _leaves(self, one, who):
        """Its record can stand in another CPU's trace: a vCPU that is sent away is queued there first."""
        for cpu, (runs, _, _) in list(self._runs.items()):
            if runs == who:
                self._stop(cpu, one.ns, True)
                return
        if one.cpu not in self._runs and not self._gap_on(one.cpu):
            self.slices.append(Slice(self.begin, one.ns, one.cpu, who, False))

    def _gap_on(self, cpu):
        return any(c == cpu for _, _, c in self.gaps) or any(one.cpu == cpu for one in self.slices)

    def _continue(self, one):
        if one.cpu not in self._runs:
            self._start(one, (one.words[0] >> 16, one.words[0] & 0xffff), False)

    def _call(self, one):
        who = self._runs.get(one.cpu, (None,))[0]
        self.calls.append(Point(one.ns, one.cpu, who, one.words[0] & 0xfffff))

    def _irq(self, one):
        """The words are the low halves of clock readings, the record's own time comes after both."""
        now = one.ns * self.hz // 1000000000
        begin, end = (one.ns - ((now - word) % (1 << 32)) * 1000000000 // self.hz for word in one.words[1:3])
        if self.begin <= begin <= end <= one.ns:
            self.interrupts.append(Interrupt(begin, end, one.cpu, one.words[0]))

    def _lost(self, one):
        since = (one.words[2] | one.words[3] << 32) * 1000000000 // self.hz
        self._stop(one.cpu, max(min(since, one.ns), self._runs.get(one.cpu, (0, 0))[1]), False)
        self._waits.clear()
        self.gaps.append((since, one.ns, one.cpu))

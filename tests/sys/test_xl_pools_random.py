# SPDX-License-Identifier: Apache-2.0
"""64 domains on four CPUs, in pools of four policies: made, moved, pinned, promised more or less, paused and destroyed, and
the pools themselves made, changed and destroyed, in an order that a seed decides. Fewer of them on the checking build.

All commands are the stock xl's, as are the libraries that set plans of arinc653 and read how often the domains have beaten
(guests/pulse.c). pools_model.py says which commands must fail and what must be true after each batch. There is no peer to
run beside: Debian's Xen for arm64 is built without three of the policies.
"""
import os
import random
import re

import pytest
from conftest import ROOT
from pools_model import ALL, FRAME_US, NR_CPUS, POLICIES, POOL_0, Model
from test_arinc653 import PLAN, compiled
from xl import run_steps, step
from xl_domu import LEFT, noted, settled

PULSE = os.path.join(ROOT, "build", "guests", "pulse.bin")
PULSES = os.path.join(ROOT, "tests", "sys", "pulses.c")
CONFIG = b'kernel = "/tmp/pulse.bin"\nmemory = 4\n'
BATCH = 20                  # commands
CLEAR_MAX = 20              # domains
LOOK_MS = 300               # several times what QEMU lets a CPU stand still while others run
BEATS = 2                   # at least in this time; with nobody else, it is fifteen and more
HEAVY_MAX = 4               # vCPUs: few enough for nobody to be entitled to what there is not
CLEAR_LOG = "; xl dmesg -c >/dev/null"
CHECKS = {
    "log": "xl dmesg -c | sed 's/^(BH) //'",     # a line that begins so is taken for the hypervisor's own
    "pools": "xl cpupool-list",
    "cpus": "xl cpupool-list -c",
    "domains": "xl list -c",
    "vcpus": "xl vcpu-list",
    "credit2": "xl sched-credit2",
    "rtds": "xl sched-rtds -v all",
    "pulses": f"pulses {LOOK_MS} $(xl list | awk 'NR > 2 {{ print $2 }}')",
}


# ---- the commands

class Author:
    """Chooses commands; a few of each kind are wrong."""

    def __init__(self, seed, most):
        self.random = random.Random(seed)
        self.most = most        # domains at a time
        self.model = Model()
        self.next = []          # commands to come, as functions
        self.full = False       # there have been as many domains as there may be

    def some_pool(self):
        return self.random.choice(sorted(self.model.pools))

    def some_domain(self):
        """Of a pool that is chosen first: else those of most domains would have all commands."""
        there = [pool for pool in sorted(self.model.pools) if self.model.domains_of(pool)]
        return self.random.choice(self.model.domains_of(self.random.choice(there)))

    def create(self):
        vcpus = self.random.choice([1, 1, 1, 1, 2])
        heavy = sum(domain.vcpus for domain in self.model.domains.values() if domain.heavy) + vcpus <= HEAVY_MAX
        return self.model.create(self.some_pool(), vcpus, heavy and self.random.random() < 0.2)

    def destroy(self):
        return self.model.destroy(self.some_domain().name)

    def migrate(self):
        return self.model.migrate(self.some_domain().name, self.some_pool())

    def pin(self):
        domain = self.some_domain()
        cpus = self.random.choice([ALL, set(self.random.sample(sorted(ALL), self.random.randint(1, NR_CPUS - 1)))])
        # With the policy null, who is where is nobody's to say, so neither is who can be elsewhere.
        if self.model.pools[domain.pool].policy == "null":
            cpus = ALL
        return self.model.pin(domain.name, self.random.randrange(domain.vcpus), frozenset(cpus))

    def pause(self):
        paused = [domain.name for domain in self.model.domains.values() if domain.pauses]
        if paused and self.random.random() < 0.5:
            return self.model.unpause(self.random.choice(paused))
        return self.model.pause(self.some_domain().name)

    def promise(self):
        """What the pool's policy can promise; or once in a while what it cannot."""
        domain = self.some_domain()
        policy = self.model.pools[domain.pool].policy
        if self.random.random() < 0.1:
            policy = self.random.choice(["credit2", "rtds"])
        if policy == "credit2":
            return self.model.share(domain.name, self.random.choice([64, 100, 256, 512, 1000, 1000, 0, 65536]),
                                    self.random.choice([0, 0, 0, 20, 50, 100, 101, 200, 201]))
        if policy == "rtds":
            period = self.random.choice([5000, 10000, 20000, 30000])
            budget = period * self.random.choice([5, 10, 10, 10, 10, 30, 60, 90, 101]) // 100
            return self.model.budget(domain.name, period, budget, self.random.random() < 0.5)
        return self.plan()

    def plan(self):
        name = self.random.choice([name for name in sorted(self.model.pools) if name == "plan"] or [None])
        if not name:
            return self.migrate()
        there = [(domain.uuid(), vcpu) for domain in self.model.domains.values() for vcpu in range(domain.vcpus)
                 if domain.pool == name or self.random.random() < 0.05]
        cpus = sorted(self.model.pools[name].cpus) or [0]
        if self.random.random() < 0.1:
            cpus = sorted(ALL)
        longest = self.random.choice([400, 400, 400, 4000])
        chosen = self.random.sample(there, min(len(there), self.random.randint(0, 20)))
        return self.model.plan(name, [(self.random.choice(cpus), uuid, vcpu, self.random.randint(10, longest) * 2)
                                      for uuid, vcpu in chosen])

    def cpu(self):
        """Mostly one that can go from where it is, or to where there are few."""
        pool, cpu = self.some_pool(), self.random.randrange(NR_CPUS)
        free = sorted(self.model.free_cpus())
        spare = [(name, cpu) for name in sorted(self.model.pools) for cpu in sorted(ALL) if self.model.can_lose(name, cpu)]
        if spare and self.random.random() < 0.4:
            return self.model.remove_cpu(*self.random.choice(spare))
        if free and self.random.random() < 0.7:
            pool = min(sorted(self.model.pools), key=lambda name: (len(self.model.pools[name].cpus), self.random.random()))
            return self.model.add_cpu(pool, self.random.choice(free))
        if self.random.random() < 0.3:
            return self.model.add_cpu(pool, cpu)
        if self.model.pools[pool].cpus and self.random.random() < 0.7:
            cpu = self.random.choice(sorted(self.model.pools[pool].cpus))
        return self.model.remove_cpu(pool, cpu)

    def pool(self):
        missing = sorted(set(POLICIES) - set(self.model.pools))
        free = sorted(self.model.free_cpus())
        if missing and self.random.random() < 0.8:
            return self.model.create_pool(self.random.choice(missing), self.random.choice(free or sorted(ALL)))
        return self.model.destroy_pool(self.some_pool())

    def clear(self):
        """All leave a pool, which then ends, or gives its CPUs away."""
        name = self.some_pool()
        others = sorted(set(self.model.pools) - {name})
        there = self.model.domains_of(name)
        if not others or len(there) > CLEAR_MAX:
            return self.migrate()
        self.next = [lambda one=one: self.model.migrate(one.name, self.random.choice(others)) for one in there]
        if self.random.random() < 0.5:
            self.next += [lambda cpu=cpu: self.model.remove_cpu(name, cpu) for cpu in sorted(self.model.pools[name].cpus)]
        self.next.append(lambda: self.model.destroy_pool(name))
        return self.any()

    def any(self):
        if self.next:
            return self.next.pop(0)()
        alive = len(self.model.domains)
        self.full = self.full or alive == self.most
        if alive < self.most and self.random.random() < (0.3 if self.full else 0.7) or not alive:
            return self.create()
        kinds = [self.migrate] * 6 + [self.promise] * 6 + [self.cpu] * 5 + [self.pin] * 3 + [self.pause] * 3 + [self.pool, self.clear]
        kinds += [self.destroy] * (3 if alive == self.most else 1)
        return self.random.choice(kinds)()

    def begin(self):
        """A pool of each policy."""
        yield from (self.model.remove_cpu(POOL_0, cpu) for cpu in (1, 2, 3))
        yield from (self.model.create_pool(name, cpu) for cpu, name in enumerate(POLICIES, 1))

    def end(self):
        """All as it was at boot."""
        self.next, self.full = [], False
        yield from (self.model.destroy(name) for name in list(self.model.domains))
        yield from (self.model.destroy_pool(name) for name in list(self.model.pools) if name != POOL_0)
        yield from (self.model.add_cpu(POOL_0, cpu) for cpu in sorted(self.model.free_cpus()))


# ---- what must be true

def table(text, columns):
    """The rows below the heads, as lists of that many words."""
    rows = [line.split() for line in text.split("\n")]
    return [row for row in rows if len(row) == columns and row[0] not in ("Name", "Cpupool")]


def cpu_set(text):
    """As the toolstack writes it."""
    if text == "all":
        return ALL
    ends = [part.split("-") for part in text.split(",") if part]
    return frozenset(cpu for part in ends for cpu in range(int(part[0]), int(part[-1]) + 1))


class Truth:
    """What the machine should say, as the model has it at this point."""

    def __init__(self, model):
        self.pools = {name: (len(pool.cpus), pool.policy, len(model.domains_of(name)) + (name == POOL_0))
                      for name, pool in model.pools.items()}
        self.cpus = {name: frozenset(pool.cpus) for name, pool in model.pools.items()}
        self.plan = list(model.pools["plan"].plan) if "plan" in model.pools else None
        self.vcpus = {one.name: one.vcpus for one in model.domains.values()}
        self.domains = {one.name: (bool(one.pauses), one.pool) for one in model.domains.values()}
        self.affinity = {(one.name, vcpu): one.affinity[vcpu] for one in model.domains.values() for vcpu in range(one.vcpus)}
        self.shares = {one.name: (one.weight, one.cap) for one in model.domains.values()
                       if model.pools[one.pool].policy == "credit2"}
        self.budgets = {(one.name, vcpu): (server.period, server.budget, server.extratime) for one in model.domains.values()
                        for vcpu, server in enumerate(one.servers) if model.pools[one.pool].policy == "rtds"}
        self.runs = {(one.name, vcpu): model.runs(one, vcpu) for one in model.domains.values() for vcpu in range(one.vcpus)}
        self.log, model.log = model.log, []

    def check(self, said):
        """{name of the check: what came of it}; gives {domain: its number}."""
        assert [re.sub(r"\bd\d+(?=[:v])", "d?", line) for line in said["log"].split("\n")
                if line and not line.startswith("audit: PASS ")] == self.log
        assert {row[0]: (int(row[1]), row[2], int(row[4])) for row in table(said["pools"], 5)} == self.pools
        cpus = [line.split() for line in said["cpus"].split("\n")[1:]]
        assert {row[0]: cpu_set(row[1] if len(row) > 1 else "") for row in cpus} == self.cpus
        rows = [row for row in table(said["domains"], 7) if row[0] != "Domain-0"]
        assert {row[0]: ("p" in row[4], row[6]) for row in rows} == self.domains
        assert not any(set(row[4]) & set("scd") for row in rows)
        self.check_vcpus(said["vcpus"])
        assert {row[0]: (int(row[2]), int(row[3])) for row in table(said["credit2"], 4)
                if row[0] != "Domain-0"} == self.shares
        assert {(row[0], int(row[2])): (int(row[3]), int(row[4]), row[5] == "yes")
                for row in table(said["rtds"], 6)} == self.budgets
        if self.plan:
            assert said["plan"].split("\n") == [f"frame {FRAME_US}000"] + [
                f"{uuid} {cpu << 16 | vcpu:#x} {length}000" for cpu, uuid, vcpu, length in self.plan]
        return {row[0]: int(row[1]) for row in rows}

    def check_vcpus(self, text):
        rows = [row for row in table(text, 9) if row[0] != "Domain-0"]
        assert {(row[0], int(row[2])): cpu_set(row[6]) for row in rows} == self.affinity
        for name, _, vcpu, cpu, *_ in rows:
            assert cpu == "-" or int(cpu) in self.cpus[self.domains[name][1]] & self.affinity[name, int(vcpu)], (name, cpu)

    def check_progress(self, text, numbers, before):
        """Nobody who must run stands still, nobody who must not runs, nobody's count falls. @before: {number: counts}."""
        counts = {int(row[0]): [int(word) for word in row[1:]] for row in (line.split() for line in text.split("\n")) if row}
        assert set(counts) == set(numbers.values())
        last = {}
        crowd = dict.fromkeys(self.cpus, 0)
        for (name, vcpu), runs in self.runs.items():
            first, *then = counts[numbers[name]][vcpu::2]
            grew = then[0] - first
            assert first >= before.get((numbers[name], vcpu), 0) and grew >= 0, f"{name} v{vcpu} forgot its rounds"
            last[numbers[name], vcpu] = then[0]
            crowd[self.domains[name][1]] += grew > 0
            if runs is False:
                assert grew == 0, f"{name} v{vcpu} ran"
            if runs and (vcpu == 0 or self.runs[name, 0] or first):     # the first vCPU starts the other
                assert grew >= BEATS, f"{name} v{vcpu} in {self.domains[name]}: {first} and then {grew} rounds"
        self.check_crowd({name: nr for name, nr in crowd.items() if self.pools[name][1] == "null"})
        return last

    def check_crowd(self, pools):
        """Each CPU of such a pool is somebody's, who keeps it when paused."""
        for pool, nr in pools.items():
            there = [(name, is_paused) for name, (is_paused, where) in self.domains.items() if where == pool]
            kept = sum(self.vcpus[name] for name, is_paused in there if is_paused)
            awake = sum(not is_paused for _, is_paused in there)
            assert min(len(self.cpus[pool]) - kept, awake) <= nr <= len(self.cpus[pool]), f"{nr} run in {there}"


# ---- all of it

def checks(number, model):
    truth = Truth(model)
    commands = dict(CHECKS)
    if truth.plan:
        commands["plan"] = f"POOL={model.pools['plan'].number} plan get"
    return truth, [step(f"{number}-{name}", command) for name, command in commands.items()]


def history(seed, most, batches):
    """(steps, {name of a step: does it succeed}, [Truth after each batch])"""
    author = Author(seed, most)
    steps, succeeds, truths = [step("prepare", "chmod +x /bin/plan /bin/pulses" + CLEAR_LOG)], {}, []

    def batch(commands):
        for command, fine in commands:
            succeeds[f"c{len(succeeds)}"] = fine
            steps.append(step(f"c{len(succeeds) - 1}", command))
        truth, looks = checks(len(truths), author.model)
        truths.append(truth)
        steps.extend(looks)

    # First three domains in each pool, whose first goes: with the policy null, another gets its CPU. And what the control
    # domain keeps once it has made a guest is no loss.
    batch(author.begin())
    batch(author.model.create(pool, 1, False) for pool in 3 * list(author.model.pools))
    batch(author.model.destroy(author.model.domains_of(pool)[0].name) for pool in author.model.pools)
    batch(author.end())
    steps.append(step("before", noted(LEFT) + CLEAR_LOG))
    batch(author.begin())
    for _ in range(batches):
        batch(author.any() for _ in range(BATCH))
    batch(author.end())
    steps.append(step("after", settled(LEFT) + CLEAR_LOG))
    return steps, succeeds, truths


def check_all(results, steps, succeeds, truths):
    commands = {one.name: one.command for one in steps}
    for name, fine in succeeds.items():
        assert name in results, f"did not end: {commands[name]}"
        # xl only prints what came of CPUs that come and go.
        went = results[name].status == 0 and "error" not in results[name].output
        assert went == fine, f"{name}: {commands[name]}: {results[name]}"
    counts = {}
    for number, truth in enumerate(truths):
        said = {name: results[f"{number}-{name}"].output for name in [*CHECKS, "plan"] if f"{number}-{name}" in results}
        counts = truth.check_progress(said["pulses"], truth.check(said), counts)


@pytest.mark.xdist_group("xl_pools_random")
@pytest.mark.parametrize("build, seed, most, batches", [("release", 1, 64, 12), ("checking", 2, 24, 10)], ids=["release", "checking"])
def test_random(hyp, build, seed, most, batches):
    if hyp == "xen":
        pytest.skip("Debian's Xen has not these policies")
    if not os.path.exists(PULSE):
        pytest.fail(f"nothing at {PULSE}\ncure: make guests", pytrace=False)
    steps, succeeds, truths = history(seed, most, batches)
    assert max(len(truth.domains) for truth in truths) == most
    with open(PULSE, "rb") as file:
        files = [("/tmp/pulse.bin", file.read()), ("/tmp/pulse.cfg", CONFIG),
                 ("/bin/plan", compiled("plan", PLAN)), ("/bin/pulses", compiled("pulses", PULSES))]
    results = run_steps("bulkhead-debug" if build == "checking" else hyp, f"xl-pools-random-{build}", steps, files,
                        smp=NR_CPUS)
    check_all(results, steps, succeeds, truths)
    assert results["after"].output == results["before"].output

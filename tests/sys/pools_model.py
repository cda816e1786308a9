# SPDX-License-Identifier: Apache-2.0
"""What pools of CPUs, their domains and what these are promised should be after each command of the stock toolstack: the
model that tests/sys/test_xl_pools_random.py compares the machine with.

Every method that is a command gives (shell command, does it succeed), and changes the model if it does.
"""
import dataclasses

NR_CPUS = 4
BOOT_CPU = 0
POOL_0 = "Pool-0"
ALL = frozenset(range(NR_CPUS))
SHARE_ONE = 1 << 20         # of a CPU, as core/sched_rtds.c core/sched_rtds_params.c counts
FRAME_US = 10000
POLICIES = {"rt": "rtds", "plan": "arinc653", "null": "null"}
NS = 1000


@dataclasses.dataclass
class Server:
    """What rtds promises a vCPU, in microseconds."""
    period: int = 10000
    budget: int = 4000
    extratime: bool = True

    def share(self):
        return -(-self.budget * SHARE_ONE // self.period)


@dataclasses.dataclass
class Domain:
    """One that is alive."""
    name: str
    number: int
    vcpus: int
    pool: str
    heavy: bool
    pauses: int = 0

    def __post_init__(self):
        self.enter(self.pool)
        # Made in a pool of rtds, it gets the toolstack's defaults: these have no extra time.
        for server in self.servers:
            server.extratime = False

    def enter(self, pool):
        """A pool promises anew."""
        self.pool, self.weight, self.cap = pool, 256, 0
        self.servers = [Server() for _ in range(self.vcpus)]
        self.affinity = [ALL] * self.vcpus

    def uuid(self):
        return f"00000000-0000-4000-8000-{self.number:012x}"


@dataclasses.dataclass
class Pool:
    """One that there is."""
    number: int
    policy: str
    cpus: set
    plan: list = dataclasses.field(default_factory=list)    # (CPU, uuid, vCPU, us)


class Model:
    """All there is, beside the control domain, which stays where it is."""

    def __init__(self):
        self.pools = {POOL_0: Pool(0, "credit2", set(ALL))}
        self.domains = {}
        self.made = 0
        self.log = []               # what the hypervisor has to complain about, domains' numbers as "?"

    def free_cpus(self):
        return set(ALL) - set().union(*(pool.cpus for pool in self.pools.values()))

    def domains_of(self, pool):
        return [domain for domain in self.domains.values() if domain.pool == pool]

    # ---- domains

    def create(self, pool, vcpus, heavy):
        self.made += 1
        domain = Domain(f"p{self.made}", self.made, vcpus, pool, heavy)
        succeeds = bool(self.pools[pool].cpus)
        if succeeds:
            self.domains[domain.name] = domain
        settings = [f'name="{domain.name}"', f'uuid="{domain.uuid()}"', f'pool="{pool}"', f"vcpus={vcpus}"]
        settings += ['extra="heavy"'] * heavy
        return "xl create -qe /tmp/pulse.cfg " + " ".join(f"'{one}'" for one in settings), succeeds

    def destroy(self, name):
        del self.domains[name]
        return f"xl destroy {name}", True

    def migrate(self, name, pool):
        domain = self.domains[name]
        succeeds = bool(self.pools[pool].cpus)
        if succeeds and domain.pool != pool:
            domain.enter(pool)
        return f"xl cpupool-migrate {name} {pool}", succeeds

    def pin(self, name, vcpu, cpus):
        domain = self.domains[name]
        succeeds = bool(cpus & self.pools[domain.pool].cpus)
        if succeeds:
            domain.affinity[vcpu] = frozenset(cpus)
        return f"xl vcpu-pin {name} {vcpu} {','.join(map(str, sorted(cpus)))}", succeeds

    def pause(self, name):
        self.domains[name].pauses += 1
        return f"xl pause {name}", True

    def unpause(self, name):
        self.domains[name].pauses -= 1
        return f"xl unpause {name}", True

    # ---- what they are promised

    def share(self, name, weight, cap):
        domain = self.domains[name]
        succeeds = (self.pools[domain.pool].policy == "credit2" and 0 < weight <= 65535 and cap <= 100 * domain.vcpus)
        if succeeds:
            domain.weight, domain.cap = weight, cap
        return f"xl sched-credit2 -d {name} -w {weight} -c {cap}", succeeds

    def _admits(self, domain, server, wanted):
        pool = self.pools[domain.pool]
        total = sum(one.share() for other in self.domains_of(domain.pool) for one in other.servers)
        after = total - server.share() + wanted.share()
        if wanted.share() <= server.share() or after <= len(pool.cpus) * SHARE_ONE:
            return True
        self.log.append(f"rtds: d?: {wanted.budget} us in {wanted.period} us refused: all would ask for "
                        f"{after * 100 // SHARE_ONE}% of {len(pool.cpus) * 100}%")
        return False

    def budget(self, name, period, budget, extratime):
        domain, wanted = self.domains[name], Server(period, budget, extratime)
        succeeds = self.pools[domain.pool].policy == "rtds" and budget <= period
        # One after the other: those before the first that is refused stay changed.
        for number, server in enumerate(domain.servers):
            succeeds = succeeds and self._admits(domain, server, wanted)
            if succeeds:
                domain.servers[number] = wanted
        return f"xl sched-rtds -d {name} -v all -p {period} -b {budget} -e {int(extratime)}", succeeds

    def _wrong_window(self, pool, windows):
        used = dict.fromkeys(ALL, 0)
        if not windows:
            return "window 0 is one of none, or of more than 64"
        for number, (cpu, _, _, length) in enumerate(windows):
            if cpu not in pool.cpus:
                return f"window {number} names a CPU that is not in the pool"
            used[cpu] += length
            if used[cpu] > FRAME_US:
                return f"window {number} ends after the frame"
        return None

    def plan(self, name, windows):
        """(CPU, uuid, vCPU, us): no vCPU twice. Then until the plan before it has come to its end."""
        pool = self.pools[name]
        wrong = self._wrong_window(pool, windows)
        if wrong:
            self.log.append("arinc653: plan refused: " + wrong)
        else:
            pool.plan = windows
        words = [f"{uuid} {cpu << 16 | vcpu:#x} {length * NS}" for cpu, uuid, vcpu, length in windows]
        return f"POOL={pool.number} plan set {FRAME_US * NS} {' '.join(words)} && sleep 0.03", wrong is None

    def window_of(self, domain, vcpu):
        """Its CPU, or None."""
        for cpu, uuid, number, _ in self.pools[domain.pool].plan:
            if (uuid, number) == (domain.uuid(), vcpu):
                return cpu
        return None

    # ---- CPUs and pools

    def create_pool(self, name, cpu):
        succeeds = cpu in self.free_cpus() and name not in self.pools
        if succeeds:
            number = min(set(range(len(self.pools) + 1)) - {pool.number for pool in self.pools.values()})
            self.pools[name] = Pool(number, POLICIES[name], {cpu})
        return f"""xl cpupool-create 'name="{name}"' 'cpus="{cpu}"' 'sched="{POLICIES[name]}"'""", succeeds

    def destroy_pool(self, name):
        succeeds = name != POOL_0 and not self.domains_of(name)
        if succeeds:
            del self.pools[name]
        return f"xl cpupool-destroy {name}", succeeds

    def add_cpu(self, name, cpu):
        succeeds = cpu in self.free_cpus()
        if succeeds:
            self.pools[name].cpus.add(cpu)
        return f"xl cpupool-cpu-add {name} {cpu}", succeeds

    def can_lose(self, name, cpu):
        """A window of a domain that is there holds its CPU, as any domain does the last one of its pool."""
        pool, there = self.pools[name], self.domains_of(name)
        if cpu not in pool.cpus or cpu == BOOT_CPU or (there and pool.cpus == {cpu}):
            return False
        return cpu not in {self.window_of(domain, vcpu) for domain in there for vcpu in range(domain.vcpus)}

    def remove_cpu(self, name, cpu):
        succeeds = self.can_lose(name, cpu)
        if succeeds:
            self.pools[name].cpus.remove(cpu)
            for domain in self.domains_of(name):
                self._widen(domain)
        return f"xl cpupool-cpu-remove {name} {cpu}", succeeds

    def _widen(self, domain):
        for number, cpus in enumerate(domain.affinity):
            if not cpus & self.pools[domain.pool].cpus:
                domain.affinity[number] = ALL
                self.log.append(f"d?v{number}: none of its CPUs is left: it may use all")

    # ---- who gets CPU time

    def runs(self, domain, vcpu):
        """Surely or surely not; None: with the policy null, it depends on who came first."""
        pool = self.pools[domain.pool]
        if domain.pauses:
            return False
        if pool.policy == "null":
            return None
        if pool.policy == "arinc653":
            return self.window_of(domain, vcpu) in domain.affinity[vcpu] & pool.cpus
        return True

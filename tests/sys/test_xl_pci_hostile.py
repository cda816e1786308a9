# SPDX-License-Identifier: Apache-2.0
"""Guests of the stock xl that attack by the PCI functions they were given: by the device's DMA, its messages, its configuration
space, and the virtual ITS. Beside them a guest that looks after its memory and the time, and the control domain.

A machine, behind an SMMUv3, with two of QEMU's "edu" cards: they copy to and from any address that they are told. It has one CPU,
which all share, so that the guest beside is late when the hypervisor takes long (QEMU's instruction clock lets a CPU of several
wait for no reason); another one has two, on which the attacker and the control domain run at a time.
"""
import os
import re

import pytest
from conftest import ROOT
from domains import compile_tree
from run import BUILD
from test_xl_pci import AUDIT, INITRD, MACHINE, TOOL, TREE, held
from xl import run_steps, step
from xl_domu import LEFT, noted, output, settled

pytestmark = pytest.mark.xdist_group("xl-pci-hostile")

CARD, SECOND = "0000:00:03.0", "0000:00:04.0"
PHASES = {
    "dma": ("own_memory", "own_addresses", "devices", "memory", "far_away", "doorbell", "ballooned_out", "unmapped",
            "own_memory_still"),
    "pci": ("found", "every_register", "every_function", "bars_anywhere", "bars_in_the_way", "bars_as_memory", "its_registers",
            "redistributors", "queues_anywhere", "random_commands", "every_lpi", "page_goes", "spurious", "storm", "lines"),
}
IMAGES = {"dma": "domu_dma", "pci": "domu_pci", "witness": "domu_witness"}
LOG = "/var/log/xen/console/guest-{0}.log"
# Until that test of the guest is over, and then what came of it, with what the guest said before.
PHASE = "until grep -qE '^(PASS|FAIL) {1}\\b|^GUEST' {0}; do sleep 0.05; done; cat {0}"
BEATS = "cat " + LOG.format("witness")
START = "rm -f " + LOG + "; xl create -q /etc/xen/{0}.cfg"
END = "xl destroy {0}; while xl domid {0} >/dev/null 2>&1; do sleep 0.05; done"
WATCHED = "sha256sum /run/random; dmesg | grep -c 'nobody cared'"
FAULTS = "xl dmesg -c | sed 's/^(BH)/:/' | grep -E 'stream|left out|lost|answer'; true"
# Of guests/domu_dma.c: the first of each page that it tried.
DEVICES = (0, 0x04000000, 0x03001000, 0x03020000, 0x04020000, 0x04021000, 0x04031000, 0x0403f000, 0x04100000, 0x04108000,
           0x10000000, 0x08000000, 0x080a0000, 0x08080000, 0x08090000, 0x09000000, 0x09010000, 0x09050000, 0x0a000000,
           0x0efff000, 0x0f100000, 0x0ffff000, 0x10100000, 0x10200000, 0x38000000, 0x3eff0000, 0x3f000000, 0x4010000000,
           0x8000000000)
LATEST_US = 5000        # the guest beside; in 20 ms it wants the CPU for less than one


def config(name, vcpus, *functions):
    text = f'name = "{name}"\nkernel = "/root/{IMAGES[name]}"\nextra = "{name}"\nmemory = 16\nvcpus = {vcpus}\n'
    if functions:
        names = ", ".join(f'"{function}"' for function in functions)
        text += f'passthrough = "enabled"\ndevice_tree = "/root/guest.dtb"\npci = [ {names} ]\n'
    return f"/etc/xen/{name}.cfg", text.encode()


def files():
    with open(TREE, encoding="utf-8") as file:
        tree = compile_tree(file.read(), os.path.join(BUILD, "trees"))
    found = [config("witness", 1), config("dma", 1, CARD), config("pci", 2, CARD, SECOND)]
    for path, name in [(tree, "/root/guest.dtb"), (TOOL, "/run/bulkhead-audit")] + [
            (os.path.join(ROOT, "build", "guests", image + ".bin"), "/root/" + image) for image in IMAGES.values()]:
        if not os.path.exists(path):
            pytest.fail(f"there is no {path}\ncure: make guests", pytrace=False)
        with open(path, "rb") as file:
            found.append((name, file.read()))
    return found


def steps_of(name, *more):
    """What the hypervisor said is emptied each time: there is room in it for one phase."""
    steps = [step(f"{name}-create", "xl dmesg -c >/dev/null; " + START.format(name))]
    for phase in PHASES[name]:
        steps += [step(f"{name}-{phase}", PHASE.format(LOG.format(name), phase)), step(f"{name}-{phase}-faults", FAULTS)]
    return [*steps, *more, step(f"{name}-audit", AUDIT), step(f"{name}-end", END.format(name)), step(f"{name}-left", settled(LEFT)),
            step(f"{name}-watched", WATCHED), step(f"{name}-audit-end", AUDIT), step(f"{name}-beats", BEATS)]


def steps_of_hotplug():
    """Functions go and come while both vCPUs use them, and all else at a time."""
    both = " && ".join(f"xl pci-{what} pci {card}" for what in ("detach", "attach") for card in (CARD, SECOND))
    return [step(f"hotplug-{number}", both + " && xl pci-list pci | grep -c 0000:") for number in range(2)]


def run(request, smp, *names):
    hyp = request.config.getoption("--hyp")
    if hyp == "xen":
        pytest.skip("Debian's Xen gives no PCI functions away on Arm")
    steps = [step("hold", held(CARD, SECOND) + f"; head -c 4194304 /dev/urandom >/run/random; rm -f {LOG.format('witness')}; "
                  "xl create -q /etc/xen/witness.cfg; "
                  f"until grep -q ^beat {LOG.format('witness')}; do sleep 0.05; done"),
             # The first of a kind leaves pages of small objects behind, and of the ITS's tables, which the next ones use.
             *[step("warm-up-" + name, f"{START.format(name)}; {PHASE.format(LOG.format(name), 'found')}; {END.format(name)}")
               for name in names],
             step("left", "sleep 3; " + noted(LEFT)), step("watched", WATCHED)]
    for name in names:
        steps += steps_of(name, *(steps_of_hotplug() if name == "pci" else ()))
    steps.append(step("back", f"xl pci-assignable-remove {CARD} && xl pci-assignable-remove {SECOND}"))
    edu = "edu,dma_mask=0xffffffffffffffff,addr="
    return run_steps(hyp, f"xl-pci-hostile-{smp}", steps, files(), initrd=INITRD, smp=smp, board_options=MACHINE,
                     extra=["-global", "arm-smmuv3.stage=2", "-device", edu + "3", "-device", edu + "4"])


@pytest.fixture(scope="module", name="ran")
def fixture_ran(request):
    return run(request, 1, *PHASES)


@pytest.fixture(scope="module", name="ran_on_two")
def fixture_ran_on_two(request):
    return run(request, 2, "pci")


def attacked(results, name):
    output(results, f"{name}-create")
    for phase in PHASES[name]:
        said = output(results, f"{name}-{phase}")
        assert f"PASS {phase}\n" in said + "\n", said
    assert '"verdict": "PASS"' in output(results, f"{name}-audit")


def nothing_is_left(results, name):
    output(results, f"{name}-end")
    assert output(results, f"{name}-left") == output(results, "left")
    assert results[f"{name}-watched"].output == results["watched"].output
    assert '"verdict": "PASS"' in output(results, f"{name}-audit-end")
    output(results, "back")


def beats_of(results, name):
    """Of the guest beside: how late at most, and how many words changed, twice a second."""
    return re.findall(r"^beat \d+ late (\d+) changed (\d+)$", output(results, f"{name}-beats"), re.MULTILINE)


def came_and_went(results):
    for number in range(2):
        assert output(results, f"hotplug-{number}").split()[-1] == "2"


@pytest.mark.parametrize("name", PHASES)
def test_attacks(ran, name):
    """Each does nothing beyond the guest, which goes on itself."""
    attacked(ran, name)


@pytest.mark.parametrize("name", PHASES)
def test_beside(ran, name):
    """The guest beside it lives, in time, as it was."""
    beats = beats_of(ran, name)
    assert len(beats) > 1
    assert max(int(late) for late, _ in beats) < LATEST_US
    assert {changed for _, changed in beats} == {"0"}


REFUSED = r"d\d+: stream 0x18 \(" + CARD + r"\) %s %s: refused by SMMUv3: nothing is mapped there"


@pytest.mark.parametrize("phase, at", (("devices", DEVICES), ("memory", range(0x41000000, 0xc2000000, 0x3001000)),
                                       ("far_away", [1 << bit for bit in range(32, 44)])))
def test_told(ran, phase, at):
    """Each attempt to reach something else: who, where, reading or writing."""
    told = output(ran, f"dma-{phase}-faults")
    for address in at:
        for what in ("reads", "writes"):
            assert re.search(REFUSED % (what, hex(address) if address else "0"), told), f"{what} {address:#x} was not told"
    assert "lost" not in told and "left out" not in told


def test_stale(ran):
    told = output(ran, "dma-ballooned_out-faults")
    assert len(re.findall("refused by SMMUv3: nothing is mapped", told)) >= 3, told
    assert re.search(REFUSED % ("writes", "0x38000200"), output(ran, "dma-unmapped-faults"))
    assert "reads 0x4030000: refused by SMMUv3: it may not do that there" in output(ran, "dma-doorbell-faults")


def test_hotplug(ran):
    """Functions that come and go while they are attacked."""
    came_and_went(ran)


@pytest.mark.parametrize("name", PHASES)
def test_nothing_is_left(ran, name):
    """Destroyed at its work."""
    nothing_is_left(ran, name)


def test_two_cpus(ran_on_two):
    """The attacker, and who takes its functions away, at a time."""
    attacked(ran_on_two, "pci")
    came_and_went(ran_on_two)
    nothing_is_left(ran_on_two, "pci")
    assert {changed for _, changed in beats_of(ran_on_two, "pci")} == {"0"}

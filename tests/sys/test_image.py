# SPDX-License-Identifier: Apache-2.0
"""bulkhead-image: what it makes of good descriptions, what it says of bad ones, and that its trees boot.

The program runs with sanitizers here. Most tests need no machine; the board's tree comes from QEMU once.
"""
import os
import random
import re
import shutil
import struct
import subprocess
import xml.dom.minidom

import pytest
from conftest import ROOT, log_path
from console import Console
from image_cases import GOOD, HYPERVISOR, KERNEL, MISTAKES, STATIC
from run import BUILD

TOOL = os.path.join(BUILD, "bulkhead-image-checked")
RAMDISK = os.path.join(BUILD, "dom0", "domu.cpio.gz")
BARE = os.path.join(BUILD, "examples", "bare-metal.bin")
UBOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
RAM = 0x40000000
MIB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def tool(request):
    """The tool, built with sanitizers."""
    if request.config.getoption("--hyp") == "xen":
        pytest.skip("Bulkhead's own tool")
    done = subprocess.run(["make", "-C", ROOT, f"BUILD={os.path.relpath(BUILD, ROOT)}", os.path.relpath(TOOL, ROOT)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def dump_board(path, gic=3, cpus=2, mem=512):
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version={gic},virtualization=on,dumpdtb={path}", "-cpu", "cortex-a53",
                    "-smp", str(cpus), "-m", str(mem), "-display", "none", "-nodefaults"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("board") / "board.dtb")
    dump_board(path)
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def place(tmp_path, board):     # pylint: disable=redefined-outer-name
    """A folder with a board's tree."""
    (tmp_path / "board.dtb").write_bytes(board)
    return tmp_path


def partial(folder, *paths):
    """A partial tree, of these devices of the machine."""
    nodes = " ".join(f'device@{number} {{ xen,path = "{path}"; }};' for number, path in enumerate(paths))
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", folder / "part.dtb"], input=f"/dts-v1/; / {{ passthrough {{ {nodes} }}; }};",
                   text=True, check=True)


def run(*words, **more):
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True, check=False, timeout=3600, **more)
    assert "runtime error" not in done.stderr and "Sanitizer" not in done.stderr, done.stderr
    return done


def make(folder, text, *words):
    (folder / "it.cfg").write_text(text)
    return run("-o", folder, *words, folder / "it.cfg")


def good(folder, text):
    done = make(folder, text)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return folder / "it.dtb"


def prop(tree, path, name, kind="x"):
    """A property of a tree by dtc's fdtget, None when it is not there."""
    done = subprocess.run(["fdtget", "-t", kind, str(tree), path, name], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def children(tree, path):
    return subprocess.run(["fdtget", "-l", str(tree), path], capture_output=True, text=True, check=True).stdout.split()


def module(tree, path, kind):
    """(address, size) of the module of this kind in a node."""
    for name in children(tree, path):
        if f"multiboot,{kind}" in (prop(tree, f"{path}/{name}", "compatible", "s") or ""):
            reg = [int(cell, 16) for cell in prop(tree, f"{path}/{name}", "reg").split()]
            return reg[0] << 32 | reg[1], reg[2] << 32 | reg[3]
    return None


# ---- good descriptions


def test_two_domains(place):
    tree = good(place, GOOD)
    assert [name for name in children(tree, "/chosen") if "@" not in name] == ["first", "second"]
    assert prop(tree, "/chosen", "xen,xen-bootargs", "s") == "console=dtuart"
    assert prop(tree, "/chosen/first", "memory") == "0 10000" and prop(tree, "/chosen/second", "memory") == "0 8000"
    assert prop(tree, "/chosen/second", "cpus") == "2"
    assert prop(tree, "/chosen/first", "vpl011") == "" and prop(tree, "/chosen/second", "vpl011") is None
    # One file, loaded once.
    assert module(tree, "/chosen/first", "kernel") == module(tree, "/chosen/second", "kernel")
    assert module(tree, "/chosen/first", "kernel")[1] == os.path.getsize(STATIC)
    assert prop(tree, "/chosen", "rng-seed") is None and prop(tree, "/chosen", "kaslr-seed") is None
    assert not os.path.exists(place / "it.qemu.sh"), "a board of one's own is not QEMU's"


def test_same_tree_each_time(place):
    first = good(place, GOOD).read_bytes()
    assert good(place, GOOD).read_bytes() == first


def test_dom0_and_domains(place):
    ramdisk = place / "rd.gz"
    ramdisk.write_bytes(b"r" * 5000000)
    text = GOOD.replace("[second]", "[dom0]").replace("memory = 32", 'memory = 128\nramdisk = "rd.gz"')
    tree = good(place, text.replace('options = "console=dtuart"\n', 'options = "console=dtuart"\nscheduler = "null"\n'))
    assert prop(tree, "/chosen", "xen,xen-bootargs", "s") == "console=dtuart sched=null dom0_mem=128M dom0_max_vcpus=2"
    at, size = module(tree, "/chosen", "ramdisk")
    assert size == 5000000 and at % (2 * MIB) == 0
    kernel = module(tree, "/chosen", "kernel")
    assert kernel[0] + kernel[1] <= at or at + size <= kernel[0]
    assert prop(tree, f"/chosen/module@{kernel[0]:x}", "bootargs", "s") == "some words"


def test_board_without_memory(place):
    """A boot loader would fill it in; the description does here."""
    subprocess.run(["fdtput", "-r", str(place / "board.dtb"), f"/memory@{RAM:x}"], check=True)
    done = make(place, GOOD)
    assert done.returncode == 1 and 'device_type "memory"' in done.stderr
    tree = good(place, GOOD.replace("[first]", 'ram = [ "0x80000000+256M", "0x100000000+1G" ]\n[first]'))
    assert prop(tree, "/memory", "reg") == "0 80000000 0 10000000 1 0 0 40000000"
    assert module(tree, "/chosen/first", "kernel")[0] >= 0x80000000


def test_other_machine(place):
    """-m in the place of what is written: another of QEMU's own; a board with its vendor's tree and QEMU's memory."""
    text = GOOD.replace('dtb = "board.dtb"', 'machine = "virt-gicv3"\ncpus = 3\nmemory = 600')
    assert make(place, text, "-m", "virt-gicv2").returncode == 0
    assert "gic-version=2,virtualization=on -cpu 'cortex-a53' -smp 3 -m 600" in (place / "it.qemu.sh").read_text()
    subprocess.run(["fdtput", "-t", "x", place / "board.dtb", f"/memory@{RAM:x}", "reg", "0", "0"], check=True)
    done = make(place, text, "-m", f"imx8mp-evk={place / 'board.dtb'}")
    assert done.returncode == 0, done.stderr
    script = (place / "it.qemu.sh").read_text()
    assert " -M imx8mp-evk -smp 2 -m 600 " in script and "-serial null -serial mon:stdio" in script and "-cpu" not in script
    assert prop(place / "it.dtb", "/memory", "reg") == "0 40000000 0 25800000"
    done = make(place, text, "-m", "imx8mp-evk=none.dtb")
    assert done.returncode == 1 and "there is no none.dtb" in done.stderr and "name the board's .dtb" in done.stderr


def test_places_that_are_said(place):
    text = GOOD.replace("[first]", "hypervisor_at = 0x44000000\ntree_at = 0x43000000\nmodules_at = 0x50000001\n[first]")
    tree = good(place, text)
    assert module(tree, "/chosen/first", "kernel")[0] == 0x50200000
    script = (place / "it.boot.cmd").read_text()
    assert "booti 0x44000000 - 0x43000000" in script and "0x50200000 static_dom.bin" in script


def test_explain(place):
    tree = good(place, GOOD)
    layout = (place / "it.txt").read_text()
    assert re.search(r"0x0040200000-0x0040\w+ +\S+ [KM]iB +the hypervisor", layout)
    assert re.search(r"0x0048000000-0x00481fffff +2.0 MiB +the device tree", layout)
    told = run("--explain", tree, "-s", place / "again.svg")
    assert told.returncode == 0 and not told.stderr
    assert "GICv3, 2 CPUs, 512 MiB" in told.stdout and "the hypervisor's  /pl011@9000000" in told.stdout
    # Its words are a description's: with the files' names it makes the same tree again.
    words = re.sub(r'kernel = "\?"', f'kernel = "{STATIC}"', told.stdout)
    assert good(place, f'dtb = "board.dtb"\nhypervisor = "{HYPERVISOR}"\n{words}').read_bytes() == tree.read_bytes()
    for picture in ("it.svg", "again.svg"):
        text = (place / picture).read_text()
        assert text.startswith("<svg ") and text.endswith("</svg>\n") and "d2: second" in text and text.count("<rect ") >= 5
    subprocess.run(["/usr/bin/python3", "-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", place / "it.svg"], check=True)


def test_pci(place):
    text = GOOD.replace("vpl011 = 1", 'pci = [ "0000:00:03.0", "0000:00:04.1" ]')
    tree = good(place, text)
    assert prop(tree, "/chosen/first", "bulkhead,pci", "s") == "0000:00:03.0 0000:00:04.1"
    assert 'pci = [ "0000:00:03.0", "0000:00:04.1" ]\n' in run("--explain", tree, "-s", place / "again.svg").stdout
    # QEMU's board with an SMMU; a GICv2 has no messages for functions.
    text = text.replace('dtb = "board.dtb"', 'machine = "virt-smmu"\ncpus = 2\nmemory = 512')
    done = make(place, text)
    assert done.returncode == 0, done.stderr
    assert "iommu=smmuv3" in (place / "it.qemu.sh").read_text() and prop(place / "it.dtb", "/pcie@10000000", "iommu-map")
    done = make(place, text.replace("virt-smmu", "virt-gicv2"))
    assert done.returncode == 1 and '[first] pci: "bulkhead,pci" needs an ITS' in done.stderr


def test_partitions(place):
    """The picture of a description: a box for each domain, a bar for what connects them, with a foot under each that has it."""
    shared = 'shared_mem = [ "id=<box>,at=0x50000000,size=64K,guest=0x70000000" ]\n'
    text = GOOD.replace("[first]\n", f'channels = [ "from=first,port=1,to=second,remote=2" ]\n[first]\non_crash = "restart"\n{shared}')
    (place / "it.cfg").write_text(text.replace("[second]\n", f"[second]\ncpus = '1'\n{shared}"))
    done = run("--partitions", place / "it.cfg")
    assert done.returncode == 0, done.stderr
    assert re.findall(r">([^<>]+)</text>", done.stdout) == [
        "shared memory: &#60;box&#62;, 64 KiB", "event channel", "first", "static_dom.bin", "1 vCPU", "64 MiB",
        "begins again after a crash", "second", "static_dom.bin", "2 vCPUs on CPU 1", "32 MiB", "Bulkhead, sched=credit2"]
    assert done.stdout.count("<path ") == 4 and done.stdout.count("<rect ") == 6
    xml.dom.minidom.parseString(done.stdout)
    assert run("--partitions", place / "none.cfg").returncode == 1


def test_pools(place):
    """Nodes of Xen's binding, in the order of the description; they come back as they were."""
    pools = "pools = [ 'name=fast,cpus=1,sched=null', 'name=rest,cpus=0' ]\n"
    tree = good(place, GOOD.replace("[first]\n", pools + "[first]\npool = 'fast'\ncpus = '1'\n"))
    assert [name for name in children(tree, "/chosen") if prop(tree, f"/chosen/{name}", "compatible", "s") == "xen,cpupool"] == \
        ["fast", "rest"]
    cpus = children(tree, "/cpus")
    for name, cpu in (("fast", "cpu@1"), ("rest", "cpu@0")):
        assert cpu in cpus and prop(tree, f"/chosen/{name}", "cpupool-cpus") == prop(tree, f"/cpus/{cpu}", "phandle")
    assert prop(tree, "/chosen/fast", "cpupool-sched", "s") == "null" and prop(tree, "/chosen/rest", "cpupool-sched") is None
    assert prop(tree, "/chosen/first", "domain-cpupool") == prop(tree, "/chosen/fast", "phandle")
    assert prop(tree, "/chosen/second", "domain-cpupool") is None
    told = run("--explain", tree).stdout
    assert 'pools = [ "name=fast,cpus=1,sched=null", "name=rest,cpus=0" ]' in told and 'pool = "fast"' in told
    words = re.sub(r'kernel = "\?"', f'kernel = "{STATIC}"', told)
    assert good(place, f'dtb = "board.dtb"\nhypervisor = "{HYPERVISOR}"\n{words}').read_bytes() == tree.read_bytes()


def test_explain_of_another_hand(place):
    """A tree as Xen's documents write it, with what this hypervisor may refuse: said in a description's words."""
    tree = good(place, GOOD)
    put = lambda *words: subprocess.run(["fdtput", *words[:2], str(tree), *words[2:]], check=True)  # noqa: E731
    put("-t", "x", "/chosen/first", "xen,static-mem", "0", "50000000", "0", "4000000")
    put("-t", "x", "/chosen", "xen,static-heap", "0", "58000000", "0", "2000000")
    for domain, port, own, other in (("first", "a", "2001", "2002"), ("second", "b", "2002", "2001")):
        for node in ("vcpu0", "shared-mem@1", "evtchn@1"):
            put("-c", "-v", f"/chosen/{domain}/{node}")
        put("-t", "s", f"/chosen/{domain}/vcpu0", "hard-affinity", "0-1")
        put("-t", "s", f"/chosen/{domain}/shared-mem@1", "xen,shm-id", "box")
        put("-t", "x", f"/chosen/{domain}/shared-mem@1", "xen,shared-mem", "0", "5f000000", "0", "70000000", "0", "10000")
        put("-t", "s", f"/chosen/{domain}/evtchn@1", "compatible", "xen,evtchn-v1")
        put("-t", "x", f"/chosen/{domain}/evtchn@1", "xen,evtchn", port, other)
        put("-t", "x", f"/chosen/{domain}/evtchn@1", "phandle", own)
    said = run("--explain", tree).stdout
    for words in ('static_mem = [ "0x50000000+0x4000000", ]', 'static_heap = [ "0x58000000+0x2000000", ]', 'cpus = "0-1"',
                  'shared_mem = [ "id=box,at=0x5f000000,size=0x10000,guest=0x70000000" ]',
                  'channels = [ "from=first,port=10,to=second,remote=11" ]', "64.0 MiB  static_mem of first",
                  "64.0 KiB  shared_mem box", "32.0 MiB  static_heap"):
        assert words in said, said


def test_check_alone_writes_nothing(place):
    assert make(place, GOOD, "-n").returncode == 0
    assert sorted(os.listdir(place)) == ["board.dtb", "it.cfg"]


def test_help():
    text = run("--help").stdout
    assert "vpl011" in text and "--explain" in text and "nr_spis" in text


# ---- bad ones

@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(place, name):
    """One message that names line, cause and cure; nothing is written."""
    gone, new, cause, cure = MISTAKES[name]
    assert GOOD.count(gone) >= 1
    text = GOOD.replace(gone, new, 1)
    lines = text.split("\n")
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("#!")]
    done = make(place, text)
    said = done.stderr.splitlines()
    assert done.returncode == 1, said
    errors = [line for line in said if ": error: " in line]
    cures = [line for line in said if ": cure:  " in line]
    assert cause in errors[0] and cure in cures[0], said
    assert len(cures) == len(errors) and said[-1].endswith("nothing written")
    if marked:
        assert errors[0].startswith(f"{place}/it.cfg:{marked[0]}: "), said
    assert sorted(os.listdir(place)) == ["board.dtb", "it.cfg"]


@pytest.mark.parametrize("paths, cause, cure", [
    (["/pl031@9010000", "/pl061@9030000", "/pl031@9010000"], "device /pl031@9010000 is given to [first] already", "take it out of one"),
    (["/intc@8000000/its@8080000", "/intc@8000000"], "/intc@8000000 is the interrupt controller", "give [first] another"),
    (["/pl011@9000000"], "is the hypervisor's console and stays that", "give [first] another"),
    (["/memory@40000000"], "is memory and stays", "give [first] another"),
    (["/none@0"], "/none@0 is not in the machine's tree", "write the path of a node"),
    ([], "no node of part.dtb has xen,path", "say there which devices"),
])
def test_mistake_in_devices(place, paths, cause, cure):
    partial(place, *paths)
    done = make(place, GOOD.replace("vpl011 = 1", 'vpl011 = 1\npassthrough = "part.dtb"'))
    assert done.returncode == 1 and cause in done.stderr and cure in done.stderr, done.stderr
    assert f"{place}/it.cfg:11: error: " in done.stderr


def test_device_of_two_domains(place):
    partial(place, "/pl031@9010000")
    text = GOOD.replace("vpl011 = 1", 'passthrough = "part.dtb"').replace("vcpus = 2", 'vcpus = 2\npassthrough = "part.dtb"')
    said = make(place, text).stderr
    assert "it.cfg:17: error: device /pl031@9010000 is given to [first] already, by the file of line 10" in said


def test_each_mistake_has_its_words():
    """Mistakes that differ are told in different words."""
    assert len({(cause, cure) for _, _, cause, cure in MISTAKES.values()}) > 45


def test_all_mistakes_at_once(place):
    """Not one after the other: what does not depend on another is told together."""
    done = make(place, GOOD.replace("vcpus = 1", "vcpus = 0").replace("vcpus = 2", "vcpus = 500"))
    assert done.stderr.count(": error: ") == 2 and "2 mistakes" in done.stderr


def test_broken_trees(place):
    """--explain of trees with random damage ends by itself, whatever they say."""
    tree = good(place, GOOD).read_bytes()
    dice = random.Random(1)
    for _ in range(100):
        broken = bytearray(tree)
        for _ in range(dice.choice((1, 3, 30))):
            broken[dice.randrange(len(broken))] = dice.choice((0, 1, 0xff, dice.randrange(256)))
        (place / "broken.dtb").write_bytes(broken)
        done = run("--explain", place / "broken.dtb", "-s", place / "broken.svg", errors="replace")
        assert done.returncode in (0, 1)


# ---- machines


class Described:
    """A machine that QEMU's script of the tool starts, for Console."""

    def __init__(self, script, *words):
        self.words = [str(script), *words]

    def command(self):
        return self.words


ICOUNT = ("-icount", "shift=0,sleep=off", "-seed", "1")


@pytest.fixture
def start(request):
    """start(script, words...): a Console of that machine."""
    consoles = []

    def one(script, *words):
        name = request.node.name + (f"-{len(consoles) + 1}" if consoles else "")
        consoles.append(Console(Described(script, *words), log_path("image_" + name)))
        return consoles[-1]

    yield one
    for console in consoles:
        console.close()


def require(*paths):
    for path in paths:
        if not os.path.exists(path):
            pytest.fail(f"nothing at {path}\ncure: make guests examples, tools/image/mkdom0.py, tools/setup/host.sh", pytrace=False)


def example(folder, name, gic):
    """The script that starts an example, on this interrupt controller."""
    with open(os.path.join(ROOT, "examples", "static", name + ".cfg"), encoding="utf-8") as file:
        text = file.read().replace("../../build/", BUILD + "/").replace("virt-gicv3", f"virt-gicv{gic}")
    (folder / (name + ".cfg")).write_text(text)
    done = run("-o", folder, folder / (name + ".cfg"))
    assert done.returncode == 0 and not done.stderr, done.stderr
    return folder / (name + ".qemu.sh")


@pytest.mark.parametrize("gic", (2, 3))
def test_two_guests(tmp_path, start, gic):
    """The example of docs/guests.md, which knows its machine by heart: timer and UART by interrupt, power-off."""
    require(BARE)
    console = start(example(tmp_path, "two-guests", gic), *ICOUNT)
    for name in (b"first", b"second"):
        console.seen = 0
        console.expect(rb"\(%s\) bare metal: GICv%d at 0x3001000, memory at 0x40000000, UART at 0x22000000, PSCI 1.1" % (name, gic))
        console.expect(rb"\(%s\) 1 second\b" % name)
        console.expect(rb"\(%s\) 10 seconds\b" % name)
    console.send("hello\r")
    console.expect(rb"\(first\) you typed: hello")
    console.send("\x01\x01\x01")
    console.expect(rb"Input goes to second now")
    console.send("off\r")
    console.expect(rb"\(second\) good bye")
    console.expect(rb"\(BH\) second ended: reason 0")
    console.expect(rb"\(first\) \d+0 seconds")


def test_three_linux(tmp_path, start):
    require(KERNEL, RAMDISK)
    console = start(example(tmp_path, "three-linux", 3), *ICOUNT)
    for name in (b"one", b"two", b"three"):
        console.seen = 0
        console.expect(rb"\(%s\) guest %s is up" % (name, name))
    console.send("nproc; echo $((6*7))\r")
    for answer in (rb"\(one\) 2\r*\n", rb"\(one\) 42\r*\n"):     # with lines of the others between them
        console.expect(answer)


def test_uboot(tmp_path, start):
    """A real boot loader runs the script; it refuses a file that has changed since."""
    require(UBOOT, BARE)
    example(tmp_path, "two-guests", 3)
    disk = uboot_disk(tmp_path)
    words = ("-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a53", "-smp", "2", "-m", "512", "-display", "none",
             "-nodefaults", "-nic", "none", "-serial", "stdio", "-bios", UBOOT, "-drive", f"if=none,id=disk,format=raw,file={disk}",
             "-device", "virtio-blk-device,drive=disk")      # no ICOUNT: U-Boot polls through its countdown
    console = start("qemu-system-aarch64", *words)
    console.expect(rb"Found U-Boot script /boot.scr")
    console.expect(rb"\(second\) bare metal: GICv3")
    console.close()
    assert console.data.count(b", as listed") == 2
    # Of the same length, which is all that the script can see.
    image = bytearray((tmp_path / "disk" / "bare-metal.bin").read_bytes())
    image[-1] ^= 1
    (tmp_path / "disk" / "bare-metal.bin").write_bytes(image)
    uboot_disk(tmp_path)
    console = start("qemu-system-aarch64", *words)
    console.expect(rb"kernel of second: SHA-256 is \w+, the device tree lists \w+; load that file")
    console.expect(rb"Cannot boot: no domain could be started")
    console.close()
    (tmp_path / "disk" / "bare-metal.bin").write_bytes(b"newer")
    uboot_disk(tmp_path)
    console = start("qemu-system-aarch64", *words)
    console.expect(rb"bare-metal.bin is not there, or not the %d bytes it was" % os.path.getsize(BARE))
    console.expect(rb"No ethernet found")     # U-Boot goes on to its other ways


def uboot_disk(folder):
    """A disk with one partition: what the tool wrote, and what that names."""
    content, disk = folder / "disk", folder / "disk.img"
    if not content.exists():
        content.mkdir()
        for path in (HYPERVISOR, BARE, folder / "two-guests.dtb"):
            shutil.copy(path, content)
        subprocess.run(["mkimage", "-A", "arm64", "-T", "script", "-d", folder / "two-guests.boot.cmd", content / "boot.scr"],
                       check=True, capture_output=True)
    first, sectors = 2048, 16384
    with open(disk, "wb") as file:
        file.truncate((first + sectors) * 512)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-E", f"offset={first * 512}", "-d", content, disk, "8M"], check=True)
    with open(disk, "r+b") as file:
        file.seek(446)
        file.write(struct.pack("<B3sB3sII", 0x80, b"", 0x83, b"", first, sectors) + bytes(48) + b"\x55\xaa")
    return disk


# ---- broken trees at boot. {name: (fdtput's words; DOM is the domain's node, KERNEL its module, what the hypervisor says)}

REG = ("KERNEL", "reg")
AT_BOOT = {
    "memory-gone": (["-d", "DOM", "memory"], '"memory" is missing'),
    "memory-0": (["DOM", "memory", "0", "0"], '"memory" is not a 64-bit number of KiB that a guest can have'),
    "memory-cell": (["DOM", "memory", "10000"], '"memory" is not a 64-bit number'),
    "memory-odd": (["DOM", "memory", "0", "10002"], '"memory" is not whole pages'),
    "memory-2g": (["DOM", "memory", "0", "200000"], "2048 MiB wanted"),
    "memory-32k": (["DOM", "memory", "0", "20"], "kernel and ramdisk need"),
    "cpus-gone": (["-d", "DOM", "cpus"], '"cpus" is missing'),
    "cpus-0": (["DOM", "cpus", "0"], '"cpus" is not a number from 1 to 128'),
    "cpus-129": (["DOM", "cpus", "81"], '"cpus" is not a number from 1 to 128'),
    "cpus-two-cells": (["DOM", "cpus", "0", "1"], '"cpus" is not a number'),
    "spis-961": (["DOM", "nr_spis", "3c1"], '"nr_spis" is not a number up to 960'),
    "spis-none": (["DOM", "nr_spis", "0"], '"nr_spis" leaves vpl011 without its interrupt'),
    "enhanced": (["-t", "s", "DOM", "xen,enhanced", "sometimes"], '"xen,enhanced"'),
    "colours": (["DOM", "llc-colors", "1"], '"llc-colors" is not supported'),
    "kernel-gone": (["-r", "KERNEL"], 'no node in it is compatible with "multiboot,kernel"'),
    "args-no-end": (["KERNEL", "bootargs", "61626364"], '"bootargs" has no final NUL'),
    "args-long": (["-t", "s", "KERNEL", "bootargs", "w" * 1024], '"bootargs" is longer than 1023'),
    "args-kind": (["-t", "s", "KERNEL", "compatible", "xen,xsm-policy", "multiboot,module"], "is a module that is not supported"),
    "reg-gone": (["-d", *REG], '"reg" is not one address and size'),
    "reg-short": ([*REG, "0", "40400000", "10000"], '"reg" is not one address and size'),
    "reg-empty": ([*REG, "0", "40400000", "0", "0"], '"reg" is empty'),
    "reg-wraps": ([*REG, "ffffffff", "fffff000", "0", "2000"], '"reg" is not one address and size'),
    "reg-nowhere": ([*REG, "0", "90000000", "0", "10000"], "is not inside one bank of memory"),
    "reg-end": ([*REG, "0", "5ffff000", "0", "2000"], "is not inside one bank of memory"),
    "reg-hypervisor": ([*REG, "0", "40200000", "0", "10000"], "overlaps the hypervisor"),
    "reg-tree": ([*REG, "0", "48000000", "0", "10000"], "overlaps the device tree"),
    "reg-other": ([*REG, "0", "40401000", "0", "10000"], "overlaps one of"),
    "zeros": ([*REG, "0", "44000000", "0", "10000"], "no arm64 Image"),
    "ten-bytes": ([*REG, "0", "44100000", "0", "a"], "shorter than an Image's header"),
}
PER_BOOT = 15       # and a good one: a tree has 16 domains at most


def spoil(tree, name):
    words, _ = AT_BOOT[name]
    node = f"/chosen/{name}"
    kernel = f"{node}/{children(tree, node)[0]}"
    words = [{"DOM": node, "KERNEL": kernel}.get(word, word) for word in words]
    options = words[:2] if words[0] == "-t" else []
    if words[0] in ("-d", "-r"):
        command = ["fdtput", words[0], tree, *words[1:]]
    else:
        command = ["fdtput", *(options or ["-t", "x"]), tree, *words[len(options):]]
    subprocess.run(list(map(str, command)), check=True)


@pytest.mark.parametrize("part", (0, 1))
@pytest.mark.parametrize("gic", (2, 3))
def test_refused_at_boot(tmp_path, start, gic, part):
    """Each mistake has its message and costs its own domain only; the tool, asked about the tree, says the same."""
    require(STATIC)
    names = list(AT_BOOT)[part * PER_BOOT:(part + 1) * PER_BOOT]
    text = f'machine = "virt-gicv{gic}"\ncpus = 2\nmemory = 512\nhypervisor = "{HYPERVISOR}"\nhashes = 0\n'
    for name in ["good"] + names:
        text += f'[{name}]\nkernel = "{STATIC}"\nmemory = 16\nvcpus = 1\nvpl011 = 1\nenhanced = "no-xenstore"\n'
    tree = good(tmp_path, text)
    for name in names:
        spoil(tree, name)
    console = start(tmp_path / "it.qemu.sh", *ICOUNT)
    console.expect(rb"\(good\) GUEST PASS")
    console.expect(rb"\(BH\) good ended: reason 0")
    said = console.data.decode(errors="replace").replace("\r", "")
    assert "d1: good," in said
    told = run("--explain", tree).stderr
    for name in names:
        about = [line for line in said.splitlines() if re.search(rf"(/chosen/| of ){name}\b(?!-)", line)]
        message = AT_BOOT[name][1]
        assert message in said, (name, said)
        assert f"(BH) /chosen/{name}: this domain is not started" in "\n".join(about), (name, about)
        if "kernel:" not in message and name in told:
            assert message in told, (name, told)
    assert len(re.findall("this domain is not started", said)) == len(names)
    assert len(re.findall(r"\(BH\) d\d+: \S+, 1 vCPUs", said)) == 1


@pytest.mark.parametrize("gic", (2, 3))
def test_last_mebibyte(tmp_path, start, gic):
    """The most memory that the tool lets two domains have, they get; one MiB more, the hypervisor refuses as well."""
    require(STATIC)

    def described(mib):
        text = f'machine = "virt-gicv{gic}"\nmemory = 512\nhypervisor = "{HYPERVISOR}"\n'
        for name, mem in (("one", 200), ("two", mib)):
            text += f'[{name}]\nkernel = "{STATIC}"\nmemory = {mem}\nvcpus = 1\nvpl011 = 1\nenhanced = "no-xenstore"\n'
        return make(tmp_path, text).returncode == 0

    least, most = 16, 512
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if described(middle) else (least, middle)
    assert described(least) and 250 < least < 312
    for mib, words in ((least, rb"\(two\) GUEST PASS"), (most, rb"/chosen/two: this domain is not started")):
        subprocess.run(["fdtput", "-t", "x", tmp_path / "it.dtb", "/chosen/two", "memory", "0", f"{mib << 10:x}"], check=True)
        console = start(tmp_path / "it.qemu.sh", *ICOUNT)
        console.expect(words)
        console.seen = 0
        console.expect(rb"\(one\) GUEST PASS")
        console.close()


def test_as_many_at_boot():
    assert len(AT_BOOT) >= 25 and len({message for _, message in AT_BOOT.values()}) >= 20


# ---- documents


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def test_documents():
    """docs/image.md has every key of --help; docs/guests.md every address of the example that is checked by running."""
    keys = re.findall(r"^  (\w+) {2,}\S", run("--help").stdout.split("The machine, above")[1], re.MULTILINE)
    table = [word for row in re.findall(r"^\| ([\w, ]+) \|", read("docs/image.md"), re.MULTILINE) for word in row.split(", ")]
    assert len(keys) > 15 and set(keys) <= set(table), set(keys) - set(table)
    addresses = re.findall(r"^#define (?:UART|GIC\w|RAM) (0x\w+)u", read("guests/lib/client/board.h"), re.MULTILINE)
    assert len(addresses) == 5
    for value in addresses + ["interrupt 27", "interrupt 32", "0x84000008"]:
        assert value in read("docs/guests.md"), value

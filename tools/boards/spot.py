# SPDX-License-Identifier: Apache-2.0
"""Boards of every vendor whose CPUs, memory, GIC and console are read once more, by fdtget and without any code of ours."""
import subprocess

# tree: (its GIC, its console), found by reading the trees' sources; None: no console, by no node or by no driver.
SPOTS = {
    "allwinner/sun50i-a64-amarula-relic": ("/soc/interrupt-controller@1c81000", "/soc/serial@1c28000"),
    "allwinner/sun50i-h616-x96-mate": ("/soc/interrupt-controller@3021000", "/soc/serial@5000000"),
    "amd/amd-overdrive-rev-b1": ("/interrupt-controller@e1101000", "/smb/serial@e1010000"),
    "amlogic/meson-sm1-x96-air": ("/soc/interrupt-controller@ffc01000", None),
    "apm/apm-mustang": ("/interrupt-controller@78010000", None),
    "arm/juno": ("/interrupt-controller@2c010000", "/serial@7ff80000"),
    "arm/vexpress-v2f-1xv7-ca53x2": ("/interrupt-controller@2c001000",
                                     "/bus@8000000/motherboard-bus@8000000/iofpga-bus@300000000/serial@90000"),
    "broadcom/bcm2711-rpi-4-b": ("/soc/interrupt-controller@40041000", "/soc/serial@7e215040"),
    "cavium/thunder2-99xx": ("/interrupt-controller@400080000", "/soc/serial@402020000"),
    "freescale/fsl-ls1043a-rdb": ("/interrupt-controller@1400000", "/soc/serial@21c0500"),
    "freescale/imx8mp-evk": ("/soc@0/interrupt-controller@38800000", "/soc@0/bus@30800000/serial@30890000"),
    "freescale/imx8qm-mek": ("/interrupt-controller@51a00000", "/bus@5a000000/serial@5a060000"),
    "freescale/imx8qxp-mek": ("/interrupt-controller@51a00000", "/bus@5a000000/serial@5a060000"),
    "freescale/imx93-11x11-evk": ("/interrupt-controller@48000000", "/soc@0/bus@44000000/serial@44380000"),
    "hisilicon/hi3670-hikey970": ("/interrupt-controller@e82b0000", "/soc/serial@fff32000"),
    "hisilicon/hip07-d05": ("/interrupt-controller@4d000000", "/soc/uart@602b0000"),
    "marvell/armada-3720-db": ("/soc/internal-regs@d0000000/interrupt-controller@1d00000", None),
    "marvell/armada-8040-db": ("/ap806/config-space@f0000000/interrupt-controller@210000",
                               "/ap806/config-space@f0000000/serial@512000"),
    "nvidia/tegra210-p2371-0000": ("/interrupt-controller@50041000", "/serial@70006000"),
    "qcom/sdm845-db845c": ("/soc@0/interrupt-controller@17a00000", None),
    "renesas/r8a774a1-beacon-rzg2m-kit": ("/soc/interrupt-controller@f1010000", None),
    "rockchip/px30-engicam-px30-core-ctouch2": ("/interrupt-controller@ff131000", "/serial@ff160000"),
    "rockchip/rk3399-rockpro64": ("/interrupt-controller@fee00000", "/serial@ff1a0000"),
    "ti/k3-am654-base-board": ("/bus@100000/interrupt-controller@1800000", "/bus@100000/serial@2800000"),
    "ti/k3-j721s2-common-proc-board": ("/bus@100000/interrupt-controller@1800000", "/bus@100000/serial@2880000"),
    "xilinx/zynqmp-zcu102-rev1.0": ("/axi/interrupt-controller@f9010000", "/axi/serial@ff000000"),
}
VERSIONS = (("3", ("arm,gic-v3", "qcom,msm8996-gic-v3")), ("2", ("arm,gic-400", "arm,cortex-a15-gic", "qcom,msm-qgic2")))


def fdtget(*words):
    run = subprocess.run(["fdtget", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return run.stdout.split()


def cells(dtb, node, prop):
    return [int(word, 16) for word in fdtget("-t", "x", dtb, node, prop)]


def number(words):
    value = 0
    for word in words:
        value = value << 32 | word
    return value


def parent_of(node):
    return node.rpartition("/")[0] or "/"


def widths(dtb, node):
    """#address-cells and #size-cells of a node's children."""
    return (cells(dtb, node, "#address-cells") or [2])[0], (cells(dtb, node, "#size-cells") or [1])[0]


def address(dtb, node):
    """The CPU's address of a node's first register."""
    bus = parent_of(node)
    at = number(cells(dtb, node, "reg")[:widths(dtb, bus)[0]])
    while bus != "/":
        above = parent_of(bus)
        child, size = widths(dtb, bus)
        parent = widths(dtb, above)[0]
        ranges = cells(dtb, bus, "ranges")
        for i in range(0, len(ranges), child + parent + size):
            begin = number(ranges[i:i + child])
            if begin <= at < begin + number(ranges[i + child + parent:i + child + parent + size]):
                at += number(ranges[i + child:i + child + parent]) - begin
                break
        bus = above
    return at


def nr_cpus(dtb):
    nodes = ["/cpus/" + name for name in fdtget("-l", dtb, "/cpus")]
    return sum(fdtget("-t", "s", dtb, node, "device_type") == ["cpu"] and
               fdtget("-t", "s", dtb, node, "status") in ([], ["okay"]) for node in nodes)


def mib(dtb):
    width, size = widths(dtb, "/")
    total = 0
    for name in fdtget("-l", dtb, "/"):
        if fdtget("-t", "s", dtb, "/" + name, "device_type") == ["memory"]:
            reg = cells(dtb, "/" + name, "reg")
            total += sum(number(reg[i + width:i + width + size]) for i in range(0, len(reg), width + size))
    return total >> 20


def expected(dtb, name):
    """What `boards` must say of this tree, by column."""
    gic, console = SPOTS[name]
    kind = fdtget("-t", "s", dtb, gic, "compatible")
    version = next(version for version, words in VERSIONS if set(words) & set(kind))
    return {"cpus": str(nr_cpus(dtb)), "mib": str(mib(dtb)), "gic": f"{version}@{address(dtb, gic):x}",
            "port": f"{address(dtb, console):x}" if console else None}

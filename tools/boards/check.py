#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `boards` over device trees and hold dom0's trees against dtc.

A tree passes when it was read and when dtc has no warning about dom0's tree
that it has not about the host's, and its console has the driver that fdtget's
answers and CONSOLES say. Trees of machines that cannot run guests at
all (EXPECTED) pass when they are refused. Some of each vendor are read once
more without our code (spot.py). With --table FILE what was found is held
against that page (table.py), with --write it is written.
Ends with `N passed, N failed`.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

import spot
import table

# Reasons in the error message for which a board is rightly refused.
EXPECTED = (
    "names no GICH and GICV",
    "is compatible with a GICv2 or GICv3",
    'is compatible with "arm,armv8-timer"',
)
# Linux takes the node by exactly this name, so it cannot have a unit address.
ALLOWED = ("unit_address_vs_reg): /hypervisor: node has a reg",)
# By the first word of the port's "compatible" that is here.
CONSOLES = {
    "arm,pl011": "PL011", "arm,sbsa-uart": "PL011",
    "fsl,imx6q-uart": "i.MX UART", "cdns,uart-r1p12": "Cadence UART",
    "fsl,imx8qxp-lpuart": "LPUART", "fsl,imx7ulp-lpuart": "LPUART",
    "ns16550a": "16550", "snps,dw-apb-uart": "DesignWare UART",
    "brcm,bcm2835-aux-uart": "16550 of words",
    "nvidia,tegra20-uart": "16550 of words",
    "ti,am654-uart": "16550 of words",
}


def fdtget(dtb, node, prop):
    """Strings of a property, [] when it is not there."""
    run = subprocess.run(["fdtget", "-t", "s", dtb, node, prop], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False)
    return run.stdout.split()


def console_of(dtb):
    """What the console's column must begin with."""
    path = (fdtget(dtb, "/chosen", "stdout-path") or [""])[0].split(":")[0]
    if path and not path.startswith("/"):
        path = (fdtget(dtb, "/aliases", path) or [""])[0]
    words = fdtget(dtb, path, "compatible") if path else []
    return next((CONSOLES[w] for w in words if w in CONSOLES), "none (")


def scu_faults(args):
    """i.MX 8QM and 8QXP: dom0 has the system controller, and with dom0_scu=no neither it nor its message units."""
    trees = [t for t in args.trees if os.path.basename(t).startswith("imx8q") and
             fdtget(t, "/system-controller", "compatible") == ["fsl,imx-scu"]]
    out = os.path.join(args.out, "no-scu")
    os.makedirs(out, exist_ok=True)
    subprocess.run([args.boards, "-s", "-o", out] + trees, stdout=subprocess.DEVNULL, check=False)
    faults = [] if trees else ["no tree has a system controller"]
    for tree in trees:
        name = os.path.basename(tree)[:-4]
        for folder, seen in ((args.out, True), (out, False)):
            with open(os.path.join(folder, name + ".dom0.dtb"), "rb") as file:
                text = file.read()
            for word in (b"fsl,imx-scu\0", b"fsl,imx8-mu-scu\0"):
                if (word in text) != seen:
                    faults.append(f"{name}: {word[:-1].decode()} is {'missing' if seen else 'there'} in {folder}")
    return faults


def warnings(dtb):
    """dtc's warnings about a tree, without file name, as a counter."""
    run = subprocess.run(["dtc", "-I", "dtb", "-O", "dtb", "-o", os.devnull,
                          dtb], stderr=subprocess.PIPE, text=True,
                         check=False)
    lines = [re.sub(r"^.*?: (Warning|ERROR)", r"\1", line)
             for line in run.stderr.splitlines()]
    if run.returncode:
        lines.append(f"dtc exit status {run.returncode}")
    return collections.Counter(
        line for line in lines if not any(a in line for a in ALLOWED))


def tree_faults(line, path):
    """What is wrong with the tree whose line and files these are."""
    if " error " in line or "not a device tree" in line:
        return [] if any(e in line for e in EXPECTED) else ["not read"]
    faults = list((warnings(path + ".dom0.dtb") - warnings(path + ".host.dtb")).elements())
    console = console_of(path + ".host.dtb")
    if f" {console}" not in line:
        faults.append(f"its console is not {console}")
    return faults


def spot_faults(rows, out):
    """Boards that are not as fdtget says; rows: {tree: line}."""
    faults = []
    for name in spot.SPOTS:
        if name not in rows:
            faults.append(f"{name}: not among the trees")
            continue
        found = table.columns(rows[name])
        for column, want in spot.expected(os.path.join(out, os.path.basename(name) + ".host.dtb"), name).items():
            if found[column] != want:
                faults.append(f"{name}: {column} is {found[column]}, by fdtget {want}")
    return faults


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("trees", nargs="*")
    return parser.parse_args()


def main():
    args = parsed()
    os.makedirs(args.out, exist_ok=True)
    if not args.trees:
        print("no board trees: run tools/setup/fetch_arm64.sh",
              file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    run = subprocess.run([args.boards, "-o", args.out] + args.trees,
                         stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(run.stdout)
    faults, passed = [], 0
    if run.returncode not in (0, 1):
        faults.append(f"boards: exit status {run.returncode}")
    rows = {}
    for tree, line in zip(args.trees, run.stdout.splitlines()[1:-1]):
        new = tree_faults(line, os.path.join(args.out, line.split()[0]))
        passed += not new
        faults += [f"{line.split()[0]}: {text}" for text in new]
        rows[table.name_of(tree)] = line
    new = spot_faults(rows, args.out)
    passed += len(spot.SPOTS) - len({text.split(":")[0] for text in new})
    faults += new + scu_faults(args) + table.faults(args, rows)
    for text in faults:
        print(f"FAIL {text}")
    print(f"{passed} passed, {len(faults)} failed")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every command of xl, and a guest with every key of xl.cfg(5), once on Debian's Xen 4.17 and once on the
hypervisor of this tree, and keeps what they answered in tools/docs/probe.json, from which docs/compat.md is made.

Commands that tests/sys/test_xl.py compares are not repeated here. The guest is a kernel's head without a kernel: it is
made, looked at and destroyed, and never runs. Takes some minutes; needs make and tools/image/mkdom0.py before.
"""
import argparse
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[1:1] = [os.path.join(ROOT, "tests", "sys"), os.path.join(ROOT, "tools", "qemu")]
import xlcfg                            # noqa: E402  (found through the lines above)
from xl import run_steps, step          # noqa: E402

OUT = os.path.join(HERE, "probe.json")
BASE = "/tmp/base.cfg"
# An arm64 Image of two pages: its text offset, size, flags and magic are all that the toolstack looks at.
KERNEL = struct.pack("<2I6Q4sI", 0x14000000, 0, 0, 8192, 0xa, 0, 0, 0, b"ARMd", 0) + bytes(8192 - 64)
PATIENCE = 5        # seconds
GUEST = "kernel = '/tmp/Image'\nmemory = 16\nvcpus = 1\n"

# Arguments for each command that test_xl.py leaves out; the guest "probe" is there, paused.
COMMANDS = {
    "help": "xl help",
    "config-update": "xl config-update probe " + BASE,
    "pci-attach": "xl pci-attach probe 00:01.0",
    "pci-detach": "xl pci-detach probe 00:01.0",
    "pci-list": "xl pci-list probe",
    "pci-assignable-add": "xl pci-assignable-add 00:01.0",
    "pci-assignable-remove": "xl pci-assignable-remove 00:01.0",
    "pci-assignable-list": "xl pci-assignable-list",
    "vncviewer": "xl vncviewer probe",
    "cd-insert": "xl cd-insert probe xvdc /guests/two.img",
    "cd-eject": "xl cd-eject probe xvdc",
    "button-press": "xl button-press probe power",
    "set-parameters": "xl set-parameters nosuch=1",
    "channel-list": "xl channel-list probe",
    "vtpm-attach": "xl vtpm-attach probe",
    "vtpm-list": "xl vtpm-list probe",
    "vtpm-detach": "xl vtpm-detach probe 0",
    "vkb-attach": "xl vkb-attach probe",
    "vkb-list": "xl vkb-list probe",
    "vkb-detach": "xl vkb-detach probe 0",
    "vdispl-attach": "xl vdispl-attach probe",
    "vdispl-list": "xl vdispl-list probe",
    "vdispl-detach": "xl vdispl-detach probe 0",
    "vsnd-attach": "xl vsnd-attach probe",
    "vsnd-list": "xl vsnd-list probe",
    "vsnd-detach": "xl vsnd-detach probe 0",
    "usbctrl-attach": "xl usbctrl-attach probe version=2 ports=4",
    "usbctrl-detach": "xl usbctrl-detach probe 0",
    "usbdev-attach": "xl usbdev-attach probe hostbus=1 hostaddr=1",
    "usbdev-detach": "xl usbdev-detach probe 0 1",
    "usb-list": "xl usb-list probe",
    "qemu-monitor-command": "xl qemu-monitor-command probe info",
    "cpupool-cpu-remove": "xl cpupool-cpu-remove Pool-0 1",
    "cpupool-create": "xl cpupool-create 'name=\"p\"' 'sched=\"credit2\"' 'cpus=[\"1\"]'; xl cpupool-list",
    "cpupool-rename": "xl cpupool-rename p q",
    "cpupool-migrate": "xl cpupool-migrate probe q; xl cpupool-list; xl cpupool-migrate probe Pool-0",
    "cpupool-destroy": "xl cpupool-destroy q; xl cpupool-list",
    "cpupool-cpu-add": "xl cpupool-cpu-add Pool-0 1; xl cpupool-list",
    "cpupool-numa-split": "xl cpupool-numa-split; s=$?; xl cpupool-list; xl cpupool-rename Pool-node0 Pool-0; exit $s",
    "setenforce": "xl setenforce 1",
    "loadpolicy": f"xl loadpolicy {BASE}",
    "devd": "xl devd -p /tmp/devd.pid; s=$?; sleep 1; kill $(cat /tmp/devd.pid); exit $s",
    "sharing": "xl sharing",
}

# What to try for a key; a key that is not here gets a value by its form in the manual page.
VALUES = {
    "name": '"k"', "type": '"pvh"', "builder": '"generic"', "pool": '"Pool-0"', "vcpus": "2", "maxvcpus": "2",
    "cpus": '"1"', "cpus_soft": '"1"', "cpu_weight": "512", "cap": "50", "memory": "24", "maxmem": "32",
    "vnuma": '[ [ "pnode=0", "size=16", "vcpus=0", "vdistances=10" ] ]', "on_poweroff": '"preserve"',
    "on_reboot": '"preserve"', "on_watchdog": '"preserve"', "on_crash": '"preserve"', "on_soft_reset": '"soft-reset"',
    "kernel": '"/tmp/Image"', "ramdisk": '"/tmp/Image"', "uuid": '"11111111-2222-3333-4444-555555555555"',
    "max_grant_frames": "16", "max_maptrack_frames": "128", "max_grant_version": "1", "passthrough": '"disabled"',
    "disk": '[ "/guests/one.img,raw,xvda,rw" ]', "vif": '[ "bridge=xenbr0" ]', "vtpm": '[ "backend=0" ]',
    "p9": '[ "tag=t,path=/tmp,security_model=none" ]', "pvcalls": '[ "backend=0" ]', "vfb": '[ "vnc=1" ]',
    "channel": '[ "connection=pty,name=c" ]', "rdm": '"strategy=host,policy=relaxed"',
    "usbctrl": '[ "version=2,ports=4" ]', "usbdev": '[ "hostbus=1,hostaddr=1" ]', "pci": '[ "00:01.0" ]',
    "dtdev": '[ "/pl061@9030000" ]', "ioports": '[ "2f8" ]', "iomem": '[ "0x9030,1" ]', "irqs": "[ 39 ]",
    "max_event_channels": "128", "vdispl": '[ "backend=0,connectors=1:640x480" ]',
    "vsnd": '[ [ "card, backend=0, short-name=c", "pcm, name=p", "stream, type=p, unique-id=0" ] ]',
    "vkb": '[ "backend=0,backend-type=linux,unique-id=0" ]', "tee": '"optee"', "gic_version": '"v3"',
    "vuart": '"sbsa_uart"', "cpuid": '"host"', "viridian": "1", "serial": '[ "null" ]', "usbdevice": '[ "tablet" ]',
    "mca_caps": '[ "lmce" ]', "bootloader_args": '[ "x" ]', "device_model_args": '[ "-x" ]',
    "device_model_args_pv": '[ "-x" ]', "device_model_args_hvm": '[ "-x" ]', "bootloader": '"/bin/nosuch"',
    "device_model_version": '"qemu-xen"', "seclabel": '"system_u:system_r:domU_t"', "timer_mode": '"delay_for_missed_ticks"',
    "init_seclabel": '"system_u:system_r:domU_t"', "boot": '"c"', "hdtype": '"ahci"', "vga": '"none"', "altp2m": '"mixed"',
    "tsc_mode": '"native"', "firmware": '"uefi"', "device_tree": '"/tmp/nosuch"', "gfx_passthru": "1",
}
NUMBERS = ("N", "NUMBER", "MBYTES", "KBYTES", "SECONDS", "BOOLEAN")
# Numbers of domains and processes, and what is made anew each time: no two runs need to have it in common.
NOISE = (
    (re.compile(r"Domain \d+"), "Domain N"), (re.compile(r"\bdomid \d+"), "domid N"), (re.compile(r"pid=?\s*\d+"), "pid N"),
    (re.compile(r"^(libxl|xc): (\w+): \w+\.c:\d+:"), r"\1: \2:"), (re.compile(r"Domain N:"), ""),
    (re.compile(r"^(k +)\d+( .*) +\d+\.\d$"), r"\1N\2"), (re.compile(r"(device|domain|libxl|vtpm|qmp-libxl)([-/])\d+"), r"\1\2N"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
)


def value_of(key):
    return VALUES.get(key.name) or ("1" if key.form in NUMBERS else '"x"')


def key_command(key):
    """A shell command: a guest with the key, what xl list says of it, and its end. What is for x86 is only read."""
    config = f"cat >/tmp/k.cfg <<'END'\nname = 'k'\n{GUEST}{key.name} = {value_of(key)}\nEND\n"
    if key.x86:
        return config + "xl create -n /tmp/k.cfg >/dev/null"
    # A device for which there is no backend in dom0 would be waited for.
    return (f"{config}timeout {PATIENCE} xl create -p /tmp/k.cfg; s=$?; xl list k | tail -1; "
            "xl destroy k >/dev/null 2>&1; exit $s")


def steps_of(keys):
    """Everything that runs on one hypervisor, in order."""
    steps = [step("create-probe", f"xl create -p {BASE}")]
    steps += [step("command:" + name, command) for name, command in COMMANDS.items()]
    steps += [step("destroy-probe", "xl destroy probe")]
    steps += [step("key:" + key.name, key_command(key)) for key in keys]
    return steps + [step("list", "xl list | wc -l")]


def quiet(output):
    """The lines of an answer, without what differs from run to run."""
    lines = []
    for line in output.split("\n"):
        for regex, word in NOISE:
            line = regex.sub(word, line)
        if line.strip() and not line.startswith("Parsing config"):
            lines.append(" ".join(line.split()))
    return lines


def names_of(result):
    """The commands that `xl help` lists."""
    return re.findall(r"^ ([a-z][-a-z0-9]+) ", result.output, re.MULTILINE)


def lines_of(rows):
    """JSON with a row a line, so that a change shows as such."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(rows[name])}" for name in sorted(rows)) + "\n}"


def write(keys, results):
    """Keeps the answers of both, {hypervisor: {step: Result}}, and says which differ."""
    listed = ["help"] + names_of(results["xen"]["command:help"])
    commands = {name: {"listed": name in listed} for name in xlcfg.commands(ROOT) + listed}
    kept = {key.name: {"value": value_of(key), "x86": key.x86} for key in keys}
    for hyp, got in results.items():
        for kind, rows in (("command:", commands), ("key:", kept)):
            for name, row in rows.items():
                if kind + name in got:
                    row[hyp] = [got[kind + name].status, quiet(got[kind + name].output)]
    with open(OUT, "w", encoding="utf-8") as file:
        file.write(f'{{\n"commands": {lines_of(commands)},\n"keys": {lines_of(kept)}\n}}\n')
    unlike = [name for rows in (commands, kept) for name, row in rows.items() if row.get("xen") != row.get("bulkhead")]
    print("differ: " + (" ".join(unlike) or "none"))


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    keys, results = xlcfg.keys(ROOT), {}
    files = (("/tmp/Image", KERNEL), (BASE, f"name = 'probe'\n{GUEST}".encode()))
    for hyp in ("xen", "bulkhead"):
        results[hyp] = run_steps(hyp, "compat-" + hyp, steps_of(keys), files)
        print(f"{hyp}: {len(results[hyp])} answers; at the end xl list has {results[hyp]['list'].output.strip()} lines")
    write(keys, results)


if __name__ == "__main__":
    main()

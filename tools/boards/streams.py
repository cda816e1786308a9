#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Holds what the boot code makes of SMMUv1 and v2 (tools/boards/streams.c) against
the trees, read here on its own: of each device every stream it names and no
other, of each SMMU the bits of streams that say nothing. A device is refused
(bad) only where its streams are no numbers or are more than fits. Ends with
`N passed, N failed`; a tree with an SMMU counts as one.
"""
import argparse
import itertools
import struct
import subprocess
import sys

# Of versions 1 and 2, whose streams have masks.
SMMU = {"arm,smmu-v1", "arm,smmu-v2", "arm,mmu-400", "arm,mmu-401", "arm,mmu-500", "cavium,smmu-v2", "qcom,smmu-v2",
        "qcom,smmu-500", "qcom,adreno-smmu", "nvidia,smmu-500", "marvell,ap806-smmu-500"}
STREAM_BITS = 0x7fff
MAX_RANGES = 8   # IOMMU_DEV_STREAMS
MAX_IRQS = 24    # IOMMU_MAX_IRQS


class Tree:
    """Nodes by path, in the order of the blob: {property: bytes}."""

    def __init__(self, name):
        with open(name, "rb") as file:
            self.blob = file.read()
        _, _, pos, self.strings = struct.unpack_from(">4I", self.blob)
        self.nodes, stack = {}, []
        while True:
            token, = struct.unpack_from(">I", self.blob, pos)
            pos += 4
            if token == 1:
                text = self.text(pos)
                pos = (pos + len(text) + 4) & ~3
                stack.append(text)
                path = "/".join(stack) or "/"
                self.nodes[path] = {}
            elif token == 2:
                stack.pop()
                path = "/".join(stack) or "/"
            elif token == 3:
                size, at = struct.unpack_from(">2I", self.blob, pos)
                self.nodes[path][self.text(self.strings + at)] = self.blob[pos + 8:pos + 8 + size]
                pos = (pos + 8 + size + 3) & ~3
            elif token == 9:
                break
        self.handles = {cells(p["phandle"])[0]: path for path, p in self.nodes.items() if "phandle" in p}

    def text(self, pos):
        return self.blob[pos:self.blob.index(b"\0", pos)].decode("latin-1")

    def smmus(self):
        return [path for path, props in self.nodes.items()
                if SMMU & set(props.get("compatible", b"").decode("latin-1").split("\0"))]


def cells(data):
    return struct.unpack(f">{len(data) // 4}I", data)


def entries(tree, path, units):
    """(unit, id, mask) of "iommus", (unit, id, length) of "iommu-map", as two lists."""
    props, single, mapped = tree.nodes[path], [], []
    list_ = list(cells(props.get("iommus", b"")))
    while list_:
        unit = tree.handles[list_.pop(0)]
        count = cells(tree.nodes[unit]["#iommu-cells"])[0]
        args, list_ = list_[:count], list_[count:]
        if unit in units:
            single.append((unit, args[0], args[1] if count == 2 else 0))
    for pos in range(0, len(cells(props.get("iommu-map", b""))), 4):
        _, unit, first, count = cells(props["iommu-map"])[pos:pos + 4]
        if tree.handles.get(unit) in units:
            mapped.append((tree.handles[unit], first, count))
    return single, mapped


def masks(tree, units):
    """Of each SMMU the bits that say nothing."""
    found = {}
    for unit in units:
        own = cells(tree.nodes[unit].get("stream-match-mask", b"\0\0\0\0"))[0]
        all_ = [entries(tree, path, {unit}) for path in tree.nodes]
        given = [mask for single, _ in all_ for _, _, mask in single] or [0]
        given += [0 for _, mapped in all_ for _ in mapped]
        common = STREAM_BITS
        for mask in given:
            common &= mask
        top = 0
        for bit in itertools.takewhile(lambda b, c=common: c >> b & 1, range(14, -1, -1)):
            top |= 1 << bit
        found[unit] = own & STREAM_BITS or top
    return found


def values(mask):
    """All that the bits of a mask can be."""
    bits = [1 << b for b in range(32) if mask >> b & 1]
    return {sum(some) for n in range(len(bits) + 1) for some in itertools.combinations(bits, n)}


def expected(tree, path, units, ignored):
    """{(unit, stream)}; None where it may be refused."""
    single, mapped = entries(tree, path, units)
    streams, ranges = set(), 0
    for unit, number, mask in single:
        mask &= ~ignored[unit]
        if bin(mask).count("1") > 12:
            return None
        streams |= {(unit, (number & ~mask | v) & ~ignored[unit]) for v in values(mask)}
        low = (mask ^ mask + 1) >> 1
        ranges += 1 << bin(mask & ~low).count("1")
    for unit, first, count in mapped:
        if count == 0:
            return None
        streams |= {(unit, (first & ~ignored[unit]) + i) for i in range(count)}
        ranges += 1
    for unit in units:
        masters = list(cells(tree.nodes[unit].get("mmu-masters", b"")))
        while masters:
            dev = tree.handles[masters.pop(0)]
            count = cells(tree.nodes[dev]["#stream-id-cells"])[0]
            if dev == path:
                streams |= {(unit, s & ~ignored[unit]) for s in masters[:count]}
                ranges += count
            masters = masters[count:]
    return None if ranges > MAX_RANGES else streams


def check(name, lines):
    """(faults, SMMUs, devices, refused) of one tree."""
    tree = Tree(name)
    units = tree.smmus()
    ignored, faults, got, bad = masks(tree, units), [], {}, set()
    for line in lines:
        word = line.split()
        if word[0] == "dev" and word[2] in units:
            first, count = int(word[3], 0), int(word[4], 0)
            got.setdefault(word[1], set()).update((word[2], first + i) for i in range(count))
        elif word[0] == "bad":
            bad.add(word[1])
        elif word[0] == "dev" or word[1] not in units:
            continue
        elif int(word[2], 0) != ignored[word[1]]:
            faults.append(f"{word[1]}: bits {word[2]} say nothing, not {ignored[word[1]]:#x}")
        elif not 0 < int(word[3]) <= MAX_IRQS:
            faults.append(f"{word[1]}: {word[3]} interrupts")
    for path in tree.nodes:
        want = expected(tree, path, units, ignored)
        if want is None:
            if path not in bad:
                faults.append(f"{path}: not refused")
            bad.discard(path)
        elif path not in bad and want != got.get(path, set()):
            faults.append(f"{path}: streams {sorted(got.get(path, set()))}, not {sorted(want)}")
    faults += [f"{path}: refused" for path in bad if path in units or expected(tree, path, units, ignored)]
    refused = sum(1 for path in tree.nodes if expected(tree, path, units, ignored) is None)
    return faults, len(units), len(got), refused


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", required=True)
    parser.add_argument("trees", nargs="+")
    args = parser.parse_args()
    said = subprocess.run([args.streams] + args.trees, stdout=subprocess.PIPE, text=True, check=True).stdout
    passed = failed = nr_units = nr_devices = nr_refused = 0
    for part in said.split("tree ")[1:]:
        name, *lines = part.splitlines()
        faults, units, devices, refused = check(name, lines)
        nr_units += units
        nr_devices += devices
        nr_refused += refused
        passed += units > 0 and not faults
        failed += bool(faults)
        for text in faults:
            print(f"FAIL {name}: {text}")
    print(f"{nr_units} SMMUs, {nr_devices} devices whose streams are known, {nr_refused} refused")
    if nr_devices == 0:
        failed += 1
        print("FAIL no tree has a device behind an SMMU")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

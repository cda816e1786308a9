# SPDX-License-Identifier: Apache-2.0
"""A good description for bulkhead-image and every mistake in one: of test_image.py."""
import os

from run import BUILD

HYPERVISOR = os.path.join(BUILD, "arm64", "bulkhead")
STATIC = os.path.join(BUILD, "guests", "static_dom.bin")
KERNEL = os.path.join(BUILD, "peer", "vmlinuz")

GOOD = f"""
dtb = "board.dtb"
hypervisor = "{HYPERVISOR}"
options = "console=dtuart"

[first]
kernel = "{STATIC}"
memory = 64
vcpus = 1
vpl011 = 1

[second]
kernel = "{STATIC}"
extra = "some words"
memory = 32
vcpus = 2
"""

# Text that goes, text that comes, what is wrong, what cures it. "#!" marks the line at fault.
MISTAKES = {
    "no-value": ("memory = 64", "memory = #!", "no value here", "write a number"),
    "no-equals": ("memory = 64", "memory 64 #!", "no `key = value` here", "write it so"),
    "no-quote": ('extra = "some words"', 'extra = "some words #!', 'without its closing "', "add it"),
    "no-bracket": ("vcpus = 2\n", "vcpus = 2\nstatic_mem = [ '0x50000000+32M', #!", "list without its closing", "add it"),
    "no-comma": ("vcpus = 1", "vcpus = 1\nstatic_mem = [ '0x50000000+1M' '0x51000000+1M' ] #!", "without a comma", "add it"),
    "bad-number": ("memory = 64", "memory = 64MB #!", "64MB is no number", "write 12 or 0x"),
    "two-values": ("vcpus = 1", "vcpus = 1 memory = 3 #!", "after the value", "begin a new line"),
    "no-name": ("[second]", "[] #!", "[ without a name", "write [name]"),
    "long-name": ("[second]", f"[{'n' * 31}] #!", "longer than 30", "shorten it"),
    "domain-twice": ("[second]", "[first] #!", "is there already, in line", "different names"),
    "key-twice": ("vcpus = 1", "vcpus = 1\nmemory = 32 #!", "memory is given already, in line", "leave one out"),
    "unknown-key": ("memory = 64", "memory = 64\nmemmory = 32 #!", "nobody knows the key memmory", "--help lists"),
    "key-of-machine": ("vcpus = 1", "vcpus = 1\ntree_at = 0 #!", "key of the machine", "move it above"),
    "key-of-domain": ("[first]", "vpl011 = 1 #!\n[first]", "key of a domain", "move it below"),
    "text-for-number": ("vcpus = 1", "vcpus = '1' #!", "vcpus is not a number", "write vcpus = 1"),
    "number-for-text": ('extra = "some words"', "extra = 5 #!", "extra is not a text", "write extra ="),
    "too-large-number": ("vcpus = 1", "vcpus = 0x100000001 #!", "below 4294967296", "write vcpus = 1"),
    "flag-2": ("vpl011 = 1", "vpl011 = 2 #!", "not 0 or 1", "write vpl011 = 1"),
    "bad-range": ("[first]", "ram = [ '0x40000000' ] #!\n[first]", 'not a list of "START+SIZE"', "write ram ="),
    "no-kernel": ("[second]\nkernel", "[second] #!\n#", "[second] has no kernel", "add kernel ="),
    "no-memory": ("memory = 32\n", "", "[second] has no memory", "add memory = 64"),
    "no-vcpus": ("vcpus = 2", "", "[second] has no vcpus", "add vcpus = 1"),
    "dom0-uart": ("[first]", "[dom0]", "nothing that dom0 can have", "leave it out"),
    "no-hypervisor": (f'hypervisor = "{HYPERVISOR}"', "", "the machine has no hypervisor", "add hypervisor ="),
    "no-machine": ('dtb = "board.dtb"', "", "no machine", 'write machine = "virt-gicv3"'),
    "two-machines": ('dtb = "board.dtb"', 'machine = "virt-gicv3"\ndtb = "board.dtb" #!', "both machine and dtb", "leave one out"),
    "unknown-machine": ('dtb = "board.dtb"', 'machine = "virt" #!', "no board of QEMU", "write virt-gicv2"),
    "machine-without-tree": ('dtb = "board.dtb"', 'machine = "imx8mp-evk" #!', "QEMU has no device tree for imx8mp-evk",
                             "add dtb ="),
    "cpus-of-board": ('dtb = "board.dtb"', 'machine = "imx8mp-evk"\ndtb = "board.dtb"\ncpus = 2 #!', "cpus is said by the tree",
                      "leave it out"),
    "impossible-cpus": ('dtb = "board.dtb"', 'machine = "virt-gicv3" #!\ncpus = 0', "QEMU gives no device tree", "correct cpu"),
    "memory-of-board": ('dtb = "board.dtb"', 'dtb = "board.dtb"\nmemory = 512 #!', "said by the tree of dtb", "leave it out"),
    "missing-tree": ('dtb = "board.dtb"', 'dtb = "none.dtb" #!', "no file with something in it", "correct the name"),
    "no-tree": ('dtb = "board.dtb"', 'dtb = "it.cfg" #!', "is no device tree", "give the board's"),
    "missing-kernel": (f'[second]\nkernel = "{STATIC}"', '[second]\nkernel = "vmlinux" #!', "no file with something in it", "build it"),
    "missing-ramdisk": ("memory = 32", "memory = 32\nramdisk = 'rd' #!", "no file with something in it", "build it"),
    "folder-for-kernel": (f'[second]\nkernel = "{STATIC}"', '[second]\nkernel = "." #!', "no file with something in it", "build it"),
    "kernel-is-elf": (f'[second]\nkernel = "{STATIC}"', f'[second]\nkernel = "{STATIC[:-3]}elf" #!', "an ELF file",
                      "give arch/arm64/boot/Image"),
    "kernel-is-text": (f'[second]\nkernel = "{STATIC}"', '[second]\nkernel = "it.cfg" #!', "no arm64 Image", "give arch/arm64"),
    "hypervisor-is-text": (f'hypervisor = "{HYPERVISOR}"', 'hypervisor = "it.cfg" #!', "no arm64 Image", "give arch/arm64"),
    "vcpus-0": ("vcpus = 1", "vcpus = 0 #!", "vcpus: \"cpus\" is not a number from 1 to 128", "write <1> for one vCPU"),
    "vcpus-129": ("vcpus = 1", "vcpus = 129 #!", "is not a number from 1 to 128", "here: vcpus = 1"),
    "memory-0": ("memory = 64", "memory = 0 #!", "not a 64-bit number of KiB that a guest can have", "here: memory = 64"),
    "memory-too-small": (f'kernel = "{STATIC}"\nextra = "some words"\nmemory = 32', f'kernel = "{KERNEL}"\nmemory = 16 #!',
                         "its kernel and ramdisk need", "write memory ="),
    "memory-of-all": ("memory = 64", "memory = 600 #!", "are left of the", "make it smaller"),
    "memory-of-second": ("memory = 32", "memory = 440 #!", "[second] wants 440 MiB of memory", "make it smaller"),
    "nr-spis": ("vcpus = 1", "vcpus = 1\nnr_spis = 961 #!", "not a number up to 960", "leave it out"),
    "weight": ("vcpus = 1", "vcpus = 1\nweight = 65536 #!", "not a number from 1 to 65535", "write <512>"),
    "budget-alone": ("vcpus = 1", "vcpus = 1\nbudget_us = 4000 #!", "is alone", "go together"),
    "budget-above-period": ("vcpus = 1", "vcpus = 1\nperiod_us = 10\nbudget_us = 11 #!", "is more than", "write less"),
    "pci-text": ("vcpus = 1", "vcpus = 1\npci = [ '00:03.0' ] #!", "is no list of functions", 'write "0000:00:03.0"'),
    "pci-twice": ("vcpus = 1", "vcpus = 1\npci = [ '0000:00:03.0', '0000:00:03.0' ] #!", "is given already", "leave it out"),
    "pci-restart": ("vcpus = 1", "vcpus = 1\non_crash = 'restart'\npci = [ '0000:00:03.0' ] #!", 'does not go with "restart"',
                    "leave one out"),
    "uart-without-line": ("vpl011 = 1", "vpl011 = 1\nnr_spis = 0 #!", "leaves vpl011 without its interrupt", "make it 1"),
    "enhanced": ("vpl011 = 1", "enhanced = 'sometimes' #!", '"xen,enhanced" is', 'here: enhanced = "no-xenstore"'),
    "long-extra": ("some words", "w" * 1024, '"bootargs" is longer than 1023', "shorten it"),
    "bad-option": ('options = "console=dtuart"', 'options = "console=serial" #!', 'option console: "serial" is not allowed', "give console="),
    "bad-scheduler": ('options = "console=dtuart"', 'scheduler = "fast" #!', 'option sched: "fast" is not allowed', "give sched="),
    "no-console": ('options = "console=dtuart"', 'options = "dtuart=serial9" #!', "option dtuart=serial9", "give a path"),
    "cpu-9": ("vpl011 = 1", "cpus = '0,9' #!", "CPU 9 does not exist", "has CPUs 0 to 1"),
    "cpu-list": ("vpl011 = 1", "cpus = '1-' #!", "no list of CPUs", 'write cpus = "0"'),
    "pool-part": ("[first]", "pools = [ 'name=rt' ] #!\n[first]", 'pool "name=rt" is not whole', "write"),
    "pool-name": ("[first]", "pools = [ 'name=r/t,cpus=1' ] #!\n[first]", 'pool "name=r/t,cpus=1" is not whole', "write"),
    "pool-cpu-9": ("[first]", "pools = [ 'name=rt,cpus=1+9' ] #!\n[first]", "pool rt: CPU 9 does not exist", "has CPUs 0 to 1"),
    "pool-cpu-twice": ("[first]", "pools = [ 'name=rt,cpus=1', 'name=other,cpus=0-1' ] #!\n[first]",
                       "names a CPU that is in a pool already", "leave it out"),
    "pool-scheduler": ("[first]", "pools = [ 'name=rt,cpus=1,sched=fast' ] #!\n[first]", "is no scheduler we have", "correct it"),
    "pool-name-twice": ("[first]", "pools = [ 'name=rt,cpus=1', 'name=rt,cpus=0' ] #!\n[first]", "another node of /chosen",
                        "name it otherwise"),
    "pool-of-nobody": ("vcpus = 1", "vcpus = 1\npool = 'rt' #!", "there is no pool rt", "add it to pools"),
    "pool-without-cpu": ("[first]\n", "pools = [ 'name=rt,cpus=1' ]\n[first]\npool = 'rt'\ncpus = '0-1' #!\n",
                         "CPU 0 is not in pool rt", "take one"),
    "hypervisor-unaligned": ("[first]", "hypervisor_at = 0x40300000 #!\n[first]", "no multiple of 2 MiB", "hypervisor_at = 0x40400000"),
    "hypervisor-nowhere": ("[first]", "hypervisor_at = 0x400000000 #!\n[first]", "not in the machine's memory", "move it"),
    "tree-on-hypervisor": ("[first]", "tree_at = 0x40201000 #!\n[first]", "the device tree, at 0x40201000, overlaps the hypervisor", "move one"),
    "modules-too-high": ("[first]", "modules_at = 0x60000000 #!\n[first]", "in one piece from 0x60000000 up", "move what has"),
    "static-nowhere": ("memory = 64", "memory = 64\nstatic_mem = [ '0x90000000+64M' ] #!", "not in the machine's memory", "move it"),
    "static-on-tree": ("memory = 64", "memory = 64\nstatic_mem = [ '0x47000000+64M' ] #!", "overlaps the device tree", "move one"),
    "static-twice": ("memory = 32", "memory = 32\nstatic_mem = [ '0x50000000+16M',\n '0x50800000+16M' ] #!",
                     "overlaps static_mem of second", "move one"),
    "static-size": ("memory = 64", "memory = 64\nstatic_mem = [ '0x50000000+32M' ] #!", "static_mem has 32768 KiB", "the same"),
    "shared-part": ("memory = 64", "memory = 64\nshared_mem = [ 'id=a,at=0x50000000' ] #!", "is not whole", "write"),
    "shared-overlap": ("memory = 64", "memory = 64\nshared_mem = [ 'id=a,at=0x50000000,size=1M,guest=0',\n"
                       "'id=b,at=0x50080000,size=1M,guest=0' ] #!", "overlaps shared_mem a", "move one"),
    "device-no-tree": ("vpl011 = 1", "passthrough = 'it.cfg' #!", "is no device tree", "compile it with dtc"),
    "channel-part": ("[first]", "channels = [ 'from=first' ] #!\n[first]", "is not whole", "write"),
    "channel-to-nobody": ("[first]", "channels = [ 'from=first,port=3,to=third,remote=4' ] #!\n[first]", "an end at third", "name of one"),
}

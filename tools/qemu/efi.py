# SPDX-License-Identifier: Apache-2.0
"""A disk from which UEFI firmware starts the hypervisor: by Debian's GRUB, or as it is.

Made with mtools and grub-mkimage as anyone may run them; no root, nothing mounted.
"""
import os
import subprocess

FIRMWARE = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
BOOT_FILE = "EFI/BOOT/BOOTAA64.EFI"       # what firmware starts when nobody has told it more
GRUB_MODULES = "fat part_gpt normal configfile echo test boot fdt lsefimmap xen_boot".split()
MIB = 1 << 20


def run(*words, **more):
    """The tool's output; its own message when it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, **more)
    if done.returncode:
        raise OSError(f"{words[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def grub_image(modules_dir, to):
    """GRUB as an EFI application that reads /grub/grub.cfg of its own disk."""
    run("grub-mkimage", "-O", "arm64-efi", "-d", modules_dir, "-p", "/grub", "-o", to, *GRUB_MODULES)


def grub_cfg(hyp_args, kernel_args, ramdisk):
    """The configuration that docs/boot.md shows."""
    lines = ["set timeout=0", "menuentry 'Debian on Bulkhead' {", f"\txen_hypervisor /bulkhead {hyp_args}",
             f"\txen_module /vmlinuz {kernel_args}"]
    return "\n".join(lines + (["\txen_module --nounzip /initrd.gz"] if ramdisk else []) + ["}", ""])


def xen_cfg(hyp_args, kernel_args, ramdisk):
    """The same for no boot loader at all."""
    lines = ["[global]", "default=debian", "", "[debian]", f"options={hyp_args}", f"kernel=/vmlinuz {kernel_args}"]
    return "\n".join(lines + (["ramdisk=/initrd.gz"] if ramdisk else []) + [""])


def make_disk(path, files):
    """A FAT file system at PATH with FILES: {name: path of the contents, or the contents as bytes}."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}"
    size = sum(len(what) if isinstance(what, bytes) else os.path.getsize(what) for what in files.values())
    with open(new, "wb") as file:
        file.truncate((size // MIB + 48) * MIB)     # FAT32 begins at 33 MiB
    run("mformat", "-i", new, "-F", "::")
    made = set()
    for name, what in files.items():
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in made:
                run("mmd", "-i", new, "::/" + folder)
                made.add(folder)
        if isinstance(what, bytes):
            run("mcopy", "-i", new, "-", "::/" + name, input=what)
        else:
            run("mcopy", "-i", new, what, "::/" + name)
    os.replace(new, path)

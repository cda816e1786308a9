# SPDX-License-Identifier: Apache-2.0
"""The recipe for Yocto and the package for Buildroot: neither of them ran here. What they say is held against the tree, and
their commands are run by hand, with this machine's compiler and a staging directory as each of them would have it: the
hypervisor that comes out is the one of `make`, byte by byte.
"""
import hashlib
import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

PACKAGE = os.path.join(ROOT, "tools", "package")
LAYER = os.path.join(PACKAGE, "yocto", "meta-bulkhead")
EXTERNAL = os.path.join(PACKAGE, "buildroot")
IMAGE = os.path.join(ROOT, "build", "arm64", "bulkhead")


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def version():
    return re.search(r'HV_VERSION_STRING "(.*)"', text_of(ROOT, "include", "hv", "version.h"))[1]


@pytest.fixture(name="staging")
def _staging(tmp_path):
    """usr/include and usr/lib of a target, with what libfdt and Xen's headers install."""
    staging, sysroot = tmp_path / "staging", os.path.join(ROOT, "build", "sysroot-arm64")
    shutil.copytree(os.path.join(sysroot, "include"), staging / "usr" / "include")
    shutil.copytree("/usr/include/xen", staging / "usr" / "include" / "xen")
    shutil.copytree(os.path.join(sysroot, "lib"), staging / "usr" / "lib")
    return staging


@pytest.fixture(name="tree")
def _tree(tmp_path):
    """What is in git, as somebody else has it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["cpio", "-0pdm", "--quiet", str(tree)], cwd=ROOT, input=names, check=True)
    return tree


def run(script, **more):
    done = subprocess.run(["bash", "-euc", script], check=False, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def same(path):
    with open(path, "rb") as ours, open(IMAGE, "rb") as want:
        assert ours.read() == want.read(), path


# ---- Yocto -------------------------------------------------------------------------------------------------------------------

def bitbake(text):
    """({variable: value}, {task: body}) of what a recipe uses of the language."""
    assert text.count("{\n") == text.count("\n}\n")
    tasks = dict(re.findall(r"^(\w+)\(\) \{\n(.*?)^\}$", text, re.M | re.S))
    return dict(re.findall(r'^([\w:${}]+) \??\.?\+?= "(.*)"$', text, re.M)), tasks


def test_yocto_says_what_is_true():
    recipes = os.path.join(LAYER, "recipes-bsp", "bulkhead")
    assert os.listdir(recipes) == [f"bulkhead_{version()}.bb"]
    values, tasks = bitbake(text_of(recipes, f"bulkhead_{version()}.bb"))
    assert values["LICENSE"] == "Apache-2.0"
    name, digest = re.fullmatch(r"file://(\w+);md5=(\w+)", values["LIC_FILES_CHKSUM"]).groups()
    with open(os.path.join(ROOT, name), "rb") as file:
        assert hashlib.md5(file.read()).hexdigest() == digest
    assert set(tasks) == {"do_configure", "do_compile", "do_install", "do_deploy"}
    assert values["FILES:${PN}"] in tasks["do_install"]
    source = values["EXTERNALSRC"].replace("${LAYERDIR_bulkhead}", LAYER)
    assert os.path.realpath(source) == os.path.realpath(ROOT)
    layer, _ = bitbake(text_of(LAYER, "conf", "layer.conf"))
    assert layer["BBFILE_COLLECTIONS"] == "bulkhead"
    assert {"BBFILE_PATTERN_bulkhead", "LAYERSERIES_COMPAT_bulkhead", "LAYERDEPENDS_bulkhead"} <= set(layer)


def test_yocto_commands(tree, staging, tmp_path):
    _, tasks = bitbake(text_of(LAYER, "recipes-bsp", "bulkhead", f"bulkhead_{version()}.bb"))
    known = {"S": tree, "B": tmp_path / "b", "D": tmp_path / "d", "DEPLOYDIR": tmp_path / "deploy",
             "STAGING_INCDIR": staging / "usr" / "include", "STAGING_LIBDIR": staging / "usr" / "lib",
             "TARGET_PREFIX": "aarch64-linux-gnu-"}
    script = "".join(tasks[task] for task in ("do_configure", "do_compile", "do_install", "do_deploy"))
    run("oe_runmake() { make -j2 \"$@\"; }\n" + re.sub(r"\$\{(\w+)\}", lambda match: str(known[match[1]]), script))
    same(tmp_path / "d" / "boot" / "bulkhead.efi")
    same(tmp_path / "deploy" / "bulkhead")


# ---- Buildroot ---------------------------------------------------------------------------------------------------------------

def test_buildroot_says_what_is_true():
    make = text_of(EXTERNAL, "package", "bulkhead", "bulkhead.mk")
    values = dict(re.findall(r"^BULKHEAD_(\w+) = (.*)$", make, re.M))
    assert values["VERSION"] == version()
    assert os.path.exists(os.path.join(ROOT, values["LICENSE_FILES"]))
    site = re.fullmatch(r"\$\(abspath \$\(BR2_EXTERNAL_BULKHEAD_PATH\)/(.*)\)", values["SITE"])[1]
    assert os.path.realpath(os.path.join(EXTERNAL, site)) == os.path.realpath(ROOT)
    assert make.rstrip().endswith("$(eval $(generic-package))")
    config = text_of(EXTERNAL, "package", "bulkhead", "Config.in")
    for package in values["DEPENDENCIES"].split():
        assert re.search(rf"^\t(select|depends on) BR2_PACKAGE_{package.upper()}\b", config, re.M), package
    assert re.fullmatch(r"name: BULKHEAD\ndesc: .+\n", text_of(EXTERNAL, "external.desc"))
    for path in re.findall(r'^source "\$BR2_EXTERNAL_BULKHEAD_PATH/(.*)"$', text_of(EXTERNAL, "Config.in"), re.M):
        assert os.path.exists(os.path.join(EXTERNAL, path))


def test_buildroot_commands(tree, staging, tmp_path):
    known = {"BR2_EXTERNAL_BULKHEAD_PATH": EXTERNAL, "INSTALL": "install", "STAGING_DIR": staging,
             "TARGET_CROSS": "aarch64-linux-gnu-", "TARGET_DIR": tmp_path / "target", "BINARIES_DIR": tmp_path / "images"}
    # $(@D) is the directory of a rule's target: here, as there, a stamp in the copy of the tree.
    rules = (f"include {EXTERNAL}/external.mk\n.PHONY: all\nall: {tree}/.stamp\n{tree}/.stamp:\n"
             + "".join(f"\t$(BULKHEAD_{step}_CMDS)\n" for step in ("CONFIGURE", "BUILD", "INSTALL_TARGET", "INSTALL_IMAGES")))
    settings = " ".join(f"{name}={value}" for name, value in known.items())
    run(f"make -j2 -f - {settings}", input=rules, cwd=tmp_path)
    same(tmp_path / "target" / "boot" / "bulkhead.efi")
    same(tmp_path / "images" / "bulkhead")

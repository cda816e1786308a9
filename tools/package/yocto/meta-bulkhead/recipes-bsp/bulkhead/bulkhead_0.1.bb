# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Bulkhead, an embedded hypervisor for arm64"
DESCRIPTION = "Runs several operating systems on one SoC, at EL2, with the stock tools of Xen."
SECTION = "bootloaders"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# libfdt.a and the public headers of Xen's ABI.
DEPENDS = "dtc xen-tools"

# The tree that this layer is part of.
inherit externalsrc deploy
EXTERNALSRC = "${LAYERDIR_bulkhead}/../../../.."
EXTERNALSRC_BUILD = "${WORKDIR}/build"
LAYERDIR_bulkhead = "${@os.path.normpath(os.path.join(os.path.dirname(d.getVar('FILE')), '../..'))}"

COMPATIBLE_HOST = "aarch64.*-linux"
PACKAGE_ARCH = "${MACHINE_ARCH}"
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_SYSROOT_STRIP = "1"

# It is freestanding and brings its own flags.
CFLAGS = ""
LDFLAGS = ""

do_configure() {
    install -d ${B}/include ${B}/sysroot/include ${B}/sysroot/lib
    ln -sfn ${STAGING_INCDIR}/xen ${B}/include/xen
    install -m 0644 ${STAGING_INCDIR}/fdt.h ${STAGING_INCDIR}/libfdt.h ${STAGING_INCDIR}/libfdt_env.h ${B}/sysroot/include
    install -m 0644 ${STAGING_LIBDIR}/libfdt.a ${B}/sysroot/lib
}

do_compile() {
    oe_runmake -C ${S} BUILD=${B} SYSROOT=${B}/sysroot CROSS_COMPILE=${TARGET_PREFIX} ${B}/arm64/bulkhead
}

do_install() {
    install -D -m 0644 ${B}/arm64/bulkhead ${D}/boot/bulkhead.efi
}

do_deploy() {
    install -D -m 0644 ${B}/arm64/bulkhead ${DEPLOYDIR}/bulkhead
}
addtask deploy after do_compile before do_build

FILES:${PN} = "/boot/bulkhead.efi"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Debian's package of Bulkhead for arm64, from the files that git knows, in a copy of the tree: build/deb/*.deb.
#
# usage: tools/package/deb.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

OUT=build/deb
TREE=$OUT/bulkhead

usage()
{
    sed -n '4,6s/^# \{0,1\}//p' "$0"
}

# The package says what it holds.
check_version()
{
    local package hypervisor
    package=$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
    hypervisor=$(sed -n 's/.*HV_VERSION_STRING "\(.*\)"/\1/p' include/hv/version.h)
    [ "$package" = "$hypervisor" ] && return
    echo "deb.sh: debian/changelog is of $package, include/hv/version.h of $hypervisor; make them one" >&2
    exit 1
}

case ${1:-} in
'') ;;
--help | -h) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
check_version
command -v dh >/dev/null || { echo "deb.sh: debhelper is not installed; run tools/setup/host.sh" >&2; exit 1; }
[ -e build/sysroot-arm64 ] || { echo "deb.sh: no libfdt for arm64; run tools/setup/fetch_arm64.sh" >&2; exit 1; }

rm -rf "$OUT"
mkdir -p "$TREE/build"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$TREE"
ln -s ../../../sysroot-arm64 "$TREE/build/sysroot-arm64"
(
    cd "$TREE"
    # As a native build for arm64 would; -d: the compiler is a cross compiler, which Build-Depends do not name.
    dpkg-buildpackage -aarm64 -b -d -us -uc
) >"$OUT/build.log" 2>&1 || { tail -n 20 "$OUT/build.log" >&2; echo "deb.sh: see $OUT/build.log" >&2; exit 1; }
ls -1 "$OUT"/*.deb

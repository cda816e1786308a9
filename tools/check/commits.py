#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Commit subjects: `area: what changes`, at most 72 columns, an area of the
closed list below, nobody's name in a trailer.
"""
import re
import subprocess
import sys

import common

AREAS = ("project", "arm64", "fake", "core", "boot", "drivers", "lib", "abi",
         "include", "debug", "vgic", "mm", "sched", "evtchn", "gnttab",
         "memory", "console", "guests", "tests", "tools", "check", "bench",
         "image", "qemu", "setup", "build", "docs", "boards", "configs", "ci")
COLUMNS = 72
TRAILER = re.compile(r"^(co-authored-by|signed-off-by|author(ed-by)?|"
                     r"(reviewed|acked|tested|reported|suggested|generated)"
                     r"(-by|-with| by| with)?)\s*:", re.I)


def git(root, *words):
    return subprocess.run(("git", "-C", root) + words, capture_output=True,
                          text=True)


def check(commit, subject, body, rep):
    where = f"commit {commit[:12]}"
    match = re.match(r"([a-z0-9/]+): (\S.*)$", subject)
    if not match:
        rep.fault(where, f"subject {subject!r}", "write `area: what changes`")
    elif match.group(1) not in AREAS:
        rep.fault(where, f"area {match.group(1)!r} is not in the list",
                  "one of: " + " ".join(AREAS))
    if len(subject) > COLUMNS:
        rep.fault(where, f"subject has {len(subject)} columns",
                  f"at most {COLUMNS}")
    for line in body.splitlines():
        if TRAILER.match(line):
            rep.fault(where, f"trailer {line!r}", "no names: git knows them")


def main():
    par = common.parser(__doc__)
    par.add_argument("--range", default="HEAD", help="as for git log")
    args = par.parse_args()
    rep = common.Report("commits")
    log = git(args.root, "log", "--no-merges", "--format=%H%x00%s%x00%b%x01",
              args.range)
    if log.returncode:
        rep.note("no git history here: nothing to check")
        return rep.done()
    for record in log.stdout.split("\x01"):
        if record.strip():
            commit, subject, body = record.strip("\n").split("\x00")
            check(commit, subject, body, rep)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Runs the checks, two at a time, and prints what failed. The last line is
`N passed, N failed`; each check counts as one. Names as arguments run only
those; -v prints what passing checks say too.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CHECKS = (
    ("selftest", ["tools/check/selftest.py"]),
    ("layers", ["tools/check/layers.py"]),
    ("headers", ["tools/check/headers.sh"]),
    ("sizes", ["tools/check/sizes.py"]),
    ("rows", ["tools/check/rows.py"]),
    ("globals", ["tools/check/globals.py"]),
    ("elf", ["tools/check/elf.py"]),
    ("style", ["tools/check/style.py"]),
    ("commits", ["tools/check/commits.py"]),
    ("names", ["tools/check/names.py"]),
    ("unused", ["tools/check/unused.py"]),
    ("shell", ["tools/check/shell.sh"]),
    ("cppcheck", ["tools/check/cppcheck.sh"]),
    ("locking", ["tools/check/gen_locking.py", "--check"]),
    ("compat", ["tools/docs/compat.py", "--check"]),
    ("pictures", ["tools/docs/pictures.py", "--check"]),
    ("ledger", ["tools/ledger/ledger.py", "--check-doc"]),
    ("abi", ["tools/check/abi.sh"]),
)
TIME_LIMIT = 3600    # seconds: only a hang takes so long on any host


def run(command):
    start = time.monotonic()
    try:
        done = subprocess.run([os.path.join(ROOT, command[0])] + command[1:],
                              cwd=ROOT, capture_output=True, text=True,
                              timeout=TIME_LIMIT, check=False)
        text, code = done.stdout + done.stderr, done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        text, code = f"{error}\n", 1
    return code, text, time.monotonic() - start


def main():
    par = argparse.ArgumentParser(description=__doc__)
    par.add_argument("names", nargs="*")
    par.add_argument("-v", action="store_true", dest="verbose")
    args = par.parse_args()
    unknown = set(args.names) - {name for name, _ in CHECKS}
    if unknown:
        par.error("no such check: " + " ".join(sorted(unknown)))
    chosen = [c for c in CHECKS if not args.names or c[0] in args.names]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(name, pool.submit(run, command)) for name, command in chosen]
        for name, job in jobs:
            code, text, seconds = job.result()
            failed += bool(code)
            if code or args.verbose:
                print(text, end="")
            state = "FAILED" if code else "ok"
            print(f"  {name:10} {state:6} {seconds:5.1f} s", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

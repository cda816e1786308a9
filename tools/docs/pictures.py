#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The pictures of docs/examples.md from the examples' descriptions, by
`bulkhead-image --partitions`: docs/examples-NAME.svg is examples/NAME/NAME.cfg.
Without an option: write them. With --check: fail when one in the tree is not
what would be written, or is nobody's.
"""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check"))

import common  # noqa: E402  pylint: disable=wrong-import-position

HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOOL = os.path.join(HOME, os.environ.get("BUILD", "build"), "bulkhead-image")
PAGE = "docs/examples.md"
CURE = "run `make docs`"


def pictures(root):
    """{path: text} of all that the page shows."""
    if not os.path.exists(TOOL):
        sys.exit(f"pictures: there is no {TOOL}\n    cure: run `make` first")
    made = {}
    for name in re.findall(r"\(examples-([\w-]+)\.svg\)", common.read(root, PAGE)):
        done = subprocess.run([TOOL, "--partitions", os.path.join(root, "examples", name, name + ".cfg")], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            sys.exit(f"pictures: {done.stderr}")
        made[f"docs/examples-{name}.svg"] = done.stdout
    return made


def main():
    par = common.parser(__doc__)
    par.add_argument("--check", action="store_true")
    args = par.parse_args()
    made = pictures(args.root)
    if not args.check:
        for path, text in made.items():
            with open(os.path.join(args.root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return 0
    rep = common.Report("pictures")
    for path, text in made.items():
        if not os.path.exists(os.path.join(args.root, path)) or common.read(args.root, path) != text:
            rep.fault(f"{path}:1", "is not what its description says", CURE)
    for path in glob.glob("docs/examples-*.svg", root_dir=args.root):
        if path not in made:
            rep.fault(f"{path}:1", f"is not in {PAGE}", "show it there, or remove it")
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots a machine, runs the commands of a file in the control domain's shell, powers off.

One command a line; empty lines and lines that begin with # are skipped. Prints each command and its output. Ends with 0
when every command ended with 0, else with 1. The whole console is in build/test-logs/script.log.
"""
import argparse
import os
import sys

from console import Console, ConsoleError
from run import BUILD, SetupError, add_machine_options, machine_from


def commands_of(path):
    with (sys.stdin if path == "-" else open(path, encoding="utf-8")) as file:
        lines = [line.strip() for line in file]
    return [line for line in lines if line and not line.startswith("#")]


def run_commands(console, commands):
    """Runs them all; gives how many failed."""
    failed = 0
    for command in commands:
        print(f"dom0# {command}", flush=True)
        status, output = console.sh(command)
        if output:
            print(output, flush=True)
        if status:
            failed += 1
            print(f"[status {status}]", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the commands; - for standard input")
    add_machine_options(parser)
    options = parser.parse_args()
    try:
        commands = commands_of(options.file)
        machine = machine_from(options)
        with Console(machine, os.path.join(BUILD, "test-logs", "script.log")) as console:
            console.wait_ready()
            # Kernel messages would come between the lines of a command's output.
            console.check("dmesg -n 1")
            failed = run_commands(console, commands)
            console.leave()
            console.send("poweroff\n")
            status = console.expect_end()
    except (OSError, SetupError, ConsoleError) as error:
        sys.exit(f"script: error: {error}")
    if status:
        sys.exit(f"script: error: QEMU ended with status {status} at power-off\ncure: see build/test-logs/script.log")
    print(f"{len(commands) - failed} commands done, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of bench/ run and measure something; what they measure here says nothing.

usage: commands_test.py SOURCE_FOLDER SANDGATE_BINARY

Exit code 77: skipped, because servers and load have a core each there, and this machine has one.
"""
import json
import os
import subprocess
import sys
import tempfile

COMMANDS = {"latency": ("flat", 1), "idle": ("kib_per_connection", 1), "routes": ("cpu_us", 3), "neighbours": ("p99_us", 4)}


def main():
    source, binary = (os.path.abspath(path) for path in sys.argv[1:3])
    if not {0, 1} <= os.sched_getaffinity(0):
        print("SKIPPED: the commands of bench/ need two cores")
        sys.exit(77)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for command, (figure, count) in COMMANDS.items():
            only = "sandgate 1,sandgate 10,sandgate 1000" if command == "routes" else "sandgate"
            ended = subprocess.run([f"{source}/bench/{command}", "--quick", "--only", only, "--json", f"{folder}/{command}.json"], env={**os.environ, "SANDGATE": binary},
                                   capture_output=True, text=True, timeout=300, check=False)
            print(ended.stdout)
            rows = json.load(open(f"{folder}/{command}.json")) if ended.returncode == 0 else []
            if [row["server"] for row in rows] != ["sandgate"] * count or any(figure not in row for row in rows):
                failed.append(f"bench/{command} ended with {ended.returncode} and {rows}: {ended.stderr}")
    for what in failed:
        print(what, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the commands of bench/ have in common: their options, the origin, the load, and the table at the end."""
import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

from server import BINARY, KEY, LOAD_CORE, NotStarted, Server, compiled, free_port

SECONDS_MAX, ROUNDS_MAX, CONNECTIONS_MAX = 15, 20, 16000


def say(text):
    print(text, file=sys.stderr, flush=True)


def parsed(parser):
    """The options of `parser` and those that all commands take, within their bounds."""
    parser.add_argument("--rounds", type=int, default=3, help=f"at most {ROUNDS_MAX}")
    parser.add_argument("--seconds", type=int, default=3, help=f"of each measurement, at most {SECONDS_MAX}")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="servers to measure, with commas")
    parser.add_argument("--quick", action="store_true", help="one round of one second, to see that it works")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if options.quick:
        options.rounds = options.seconds = 1
    options.rounds = max(1, min(options.rounds, ROUNDS_MAX))
    options.seconds = max(1, min(options.seconds, SECONDS_MAX))
    options.connections = max(1, min(options.connections, CONNECTIONS_MAX))
    for tool in ("taskset", "clang++-19"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} is missing; run tools/setup --for bench")
    if not os.path.exists(BINARY):
        sys.exit(f"bench: {os.path.relpath(BINARY)} is missing; run tools/build --target sandgate --target guests")
    return options


@contextlib.contextmanager
def origin():
    """A folder for the run, and the port of an origin on the load's core."""
    with tempfile.TemporaryDirectory(prefix="sandgate-bench-") as folder:
        port = free_port()
        server = Server("origin", [compiled(folder, "origin"), str(port)], port, LOAD_CORE)
        try:
            yield folder, port
        finally:
            server.stop()


@contextlib.contextmanager
def running(starters, only):
    """The servers of `starters` (name, function) that could be started. Without Sandgate there is nothing to compare; a peer's failure is the peer's."""
    servers = []
    try:
        for name, start in starters:
            if only and name not in only:
                continue
            program = name.split()[0].split("+")[0]
            if program != "sandgate" and not shutil.which(program):
                say(f"bench: {program} is left out; to measure it: apt-get install {program}")
                continue
            try:
                servers.append(start())
            except (NotStarted, OSError) as error:
                if program == "sandgate":
                    sys.exit(f"bench: {error}")
                say(f"bench: {name} is left out: {error}")
        yield servers
    finally:
        for server in servers:
            server.stop()


class OpenLoop:
    """bench/open_loop, made once and run many times."""

    def __init__(self, folder):
        self.program = compiled(folder, "open_loop")

    def run(self, server, rate, options, path="/generate", paths=1):
        """What it measured, in its own names. A rate beyond all measure keeps every connection busy."""
        command = ["taskset", "-c", LOAD_CORE, self.program, "--json", "--port", str(server.port), "--rate", str(max(1, int(rate))), "--seconds", str(options.seconds),
                   "--connections", str(options.connections), "--path", path, "--paths", str(paths), "--field", KEY]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=options.seconds + 60)
        if ended.returncode != 0:
            sys.exit(f"bench: open_loop: {ended.stderr}")
        measured = json.loads(ended.stdout)
        measured["wrong"] = sum(measured["errors"].values())
        return measured


def finish(columns, rows, options):
    """Prints the table (`columns`: key in a row, title) and writes the JSON."""
    def shown(value):
        return "" if value is None else f"{value:.2f}" if isinstance(value, float) and abs(value) < 100 else f"{value:.0f}" if isinstance(value, float) else str(value)

    texts = [[shown(row.get(key)) for key, _ in columns] for row in rows]
    widths = [max([len(title)] + [len(text[place]) for text in texts]) for place, (_, title) in enumerate(columns)]
    for line in [[title for _, title in columns]] + texts:
        print("  ".join(text.ljust(width) if place == 0 else text.rjust(width) for place, (text, width) in enumerate(zip(line, widths))).rstrip())
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)

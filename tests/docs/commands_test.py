#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the command lines of the documentation.

usage: commands_test.py SOURCE_FOLDER SANDGATE_BINARY

Every code block without a language (or sh) in the listed documents is taken apart into commands. Each command must match a row of RULES, which says what is done
with it: run it here, with ports and paths of this test; start it as a server; or leave it, with the reason. A command that no row knows fails the test, so
a line cannot come into the documentation untested. A comment "# 401" behind a line is checked against the status that curl got.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/middleware.md", "docs/guests.md", "docs/performance.md", "docs/from_sgl_router.md", "docs/limits.md", "docs/configuration.md", "docs/operations.md",
             "examples/auth/README.md", "examples/logging/README.md", "examples/ratelimit/README.md"]
PICTURE = re.compile("[─│┌▶]")

# (pattern, what to do). First match counts.
RULES = [
    (r"\./(quickstart|test|\.ci/run)\b|\.ci/run|tools/", "left: continuous integration runs it"),
    (r"SANDGATE_WERROR|PRESET=|UPDATE_GOLDEN", "left: continuous integration runs it"),
    (r"bench/|taskset |perf |valgrind ", "left: measures this machine; needs peers and a quiet machine"),
    (r"apt-get install", "packages"),
    (r"cargo |rustup |wit-bindgen |GOOS=|npx |npm |python3 -m venv|\.venv/|clang-19 --target=wasm32", "left: tests/languages runs it"),
    (r"wasm-tools ", "left: a tool of its own"),
    (r"(build/release/)?sandgate serve\b.* --print-config", "run"),
    (r"sandgate serve\b.* --handover=", "handover"),
    (r"systemctl ", "left: there is no service manager"),
    (r"(build/release/)?sandgate serve\b", "server"),
    (r"(build/release/)?sandgate (new|check|explain|modules)\b", "run"),
    (r"tag/build\.sh", "run"),
    (r"(?s)python3 -c\b.*&$", "server"),
    (r"\w+\(\) \{|\w+=", "definition"),
    (r"clang\+\+-19 .*tag_test\.cc", "run"),
    (r"clang\+\+-19 --config=", "run"),
    (r"\./build\.sh", "run in example"),
    (r"curl |status ", "request"),
    (r"for i in \$\(seq 65\)", "counted"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"nothing listens on {port}")


def complete(command):
    """Whether a shell would not ask for more."""
    command = command.replace("<uuid>", "uuid")
    return not command.endswith("\\") and subprocess.run(["bash", "-n", "-c", command], capture_output=True).returncode == 0


def commands_of(text):
    for block in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.S | re.M):
        if block[1] not in ("", "sh", "bash") or PICTURE.search(block[2]):
            continue
        command = ""
        for line in block[2].splitlines():
            if not command and (not line.strip() or line.lstrip().startswith("#")):
                continue
            command += ("\n" if command else "") + line.rstrip()
            if complete(command):
                yield command
                command = ""
        if command:
            sys.exit(f"an unfinished command: {command}")


def comment_of(command):
    found = re.search(r"\s#\s+(.*)$", command.splitlines()[-1])
    return found[1] if found else ""


class Runner:
    def __init__(self, source, binary, folder):
        self.source, self.binary, self.folder = source, binary, folder
        self.gateway, self.worker = free_port(), free_port()
        self.servers, self.definitions, self.uuid = {}, "", ""
        self.run_count, self.left_count, self.failures = 0, 0, []

    def prepare(self):
        """A folder that looks like the checkout, where building leaves no traces in it."""
        for name in ("sdk", "wit"):
            os.symlink(f"{self.source}/{name}", f"{self.folder}/{name}")
        shutil.copytree(f"{self.source}/examples", f"{self.folder}/examples", ignore=shutil.ignore_patterns("*.wasm"))
        guide = open(f"{self.source}/docs/middleware.md").read()
        sources = re.findall(r"^```cpp\n(.*?)^```", guide, re.S | re.M)
        tutorial = next(text for text in sources if "SANDGATE_ON_RESPONSE" in text and "SANDGATE_ON_REQUEST" in text)
        unit_test = next(text for text in sources if "testkit" in text)
        open(f"{self.folder}/tag.cc", "w").write(tutorial)
        includes = "\n".join(line for line in unit_test.splitlines() if line.startswith("#include"))
        body = "\n".join(line for line in unit_test.splitlines() if not line.startswith("#include"))
        open(f"{self.folder}/tag_test.cc", "w").write(f"#include <cassert>\n{includes}\nint main() {{\n{body}\n}}\n")

    def adapted(self, command):
        """With the ports, paths and identifiers of this test."""
        replacements = [("localhost:3000", f"localhost:{self.gateway}"), ("--port=3000", f"--port={self.gateway}"), ("0.0.0.0:30000", f"0.0.0.0:{self.worker}"),
                        ('"127.0.0.1", 30000', f'"127.0.0.1", {self.worker}'), ("{module-uuid}", self.uuid), ("<uuid>", self.uuid),
                        ("/path/to/my-component.component.wasm", f"{self.folder}/readme.wasm"), ("/run/sandgate/handover.sock", f"{self.folder}/handover.sock")]
        for old, new in replacements:
            command = command.replace(old, new)
        command = re.sub(r"^(build/release/)?sandgate ", f"{self.binary} ", command)
        return command.replace(f"{self.binary} modules ", f"{self.binary} modules --server 127.0.0.1:{self.gateway} ")

    def shell(self, command, folder):
        return subprocess.run(["bash", "-c", self.definitions + command], cwd=folder, capture_output=True, text=True, timeout=120)

    def fail(self, document, command, why):
        self.failures.append(f"{document}: {command}\n    {why}")

    def worker_program(self):
        auth = open(f"{self.source}/examples/auth/README.md").read()
        return next(command for command in commands_of(auth) if command.startswith("python3 -c"))

    def start(self, command, port, key):
        if key in self.servers:
            return
        self.servers[key] = subprocess.Popen(["bash", "-c", "exec " + self.adapted(command).rstrip("& \n")], cwd=self.folder, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL)
        wait_for(port)

    def hand_over(self, document, command):
        """A server that takes the place of the one before, when there is one: that ends with 0 and without a gap."""
        self.ensure_servers()
        before = self.servers.pop("gateway", None)
        self.start(command, self.gateway, "gateway")
        self.run_count += 1
        if before and before.wait(60) != 0:
            self.fail(document, command, f"the server before ended with {before.returncode}")
        wait_for(self.gateway)

    def ensure_servers(self):
        self.start(self.worker_program(), self.worker, "worker")

    def ensure_gateway(self):
        """For documents that say which gateway they mean, and do not start it themselves."""
        self.ensure_servers()
        self.start("sandgate serve --enable-wasm --worker-urls=http://0.0.0.0:30000 --port=3000", self.gateway, "gateway")

    def counted(self, document, command, folder):
        """65 requests of one client against the rate limit. They may run over the edge of a minute: then the count begins anew, once."""
        for _ in range(2):
            ended = self.shell(self.adapted(command), folder)
            counts = dict(reversed(line.split()) for line in ended.stdout.splitlines())
            if counts == {"200": "60", "429": "5"}:
                break
            time.sleep(60 - time.time() % 60 + 0.1)
        else:
            self.fail(document, command, f"expected 60 times 200 and 5 times 429, got {ended.stdout}")
        self.run_count += 1

    def request(self, document, command, folder):
        expected = re.match(r"(\d{3})\b", comment_of(command))
        text = self.adapted(command)
        if text.startswith("curl"):
            text = text.replace("curl", "curl -sS", 1)
        ended = self.shell(text, folder)
        self.run_count += 1
        if ended.returncode != 0:
            return self.fail(document, command, f"ended with {ended.returncode}: {ended.stderr}")
        if "Success" in ended.stdout:
            self.uuid = re.search(r'"Success":"([^"]+)"', ended.stdout)[1]
        elif '"Error"' in ended.stdout or "-X DELETE" in command and "removed successfully" not in ended.stdout:
            self.fail(document, command, ended.stdout)
        # "100 Continue" and its kin come before the answer.
        answer = re.sub(r"^(?:HTTP/1\.1 1\d\d [^\r\n]*\r?\n\r?\n)+", "", ended.stdout)
        got = re.search(r"^(?:HTTP/1\.1 )?(\d{3})\b", answer)
        if expected and (not got or got[1] != expected[1]):
            self.fail(document, command, f"expected {expected[1]}, got {ended.stdout[:200]}")

    def run(self, document, command):
        folder = f"{self.folder}/{os.path.dirname(document)}" if document.startswith("examples/") else self.folder
        rule = next((what for pattern, what in RULES if re.match(pattern, command)), None)
        if rule is None:
            self.fail(document, command, "no rule in tests/docs/commands_test.py says how to test this line")
        elif rule.startswith("left"):
            self.left_count += 1
        elif rule == "packages":
            setup = open(f"{self.source}/tools/setup").read()
            for package in command.split()[2:]:
                if package not in setup:
                    self.fail(document, command, f"{package} is not what tools/setup installs")
            self.run_count += 1
        elif rule == "definition":
            self.definitions += self.adapted(command) + "\n"
        elif rule == "server":
            self.ensure_servers()
            if "serve" in command.split():
                self.start(command, self.gateway, "gateway")
            self.run_count += 1
        elif rule == "handover":
            self.hand_over(document, command)
        elif rule == "request":
            self.ensure_gateway()
            self.request(document, command, folder)
        elif rule == "counted":
            self.counted(document, command, folder)
        else:
            ended = self.shell(self.adapted(command), folder if rule == "run in example" else self.folder)
            self.run_count += 1
            if ended.returncode != 0:
                self.fail(document, command, ended.stdout + ended.stderr)

    def end(self):
        for server in self.servers.values():
            server.kill()
            server.wait()
        # What was deployed is kept there; the next document begins without.
        shutil.rmtree(f"{self.folder}/.sandgate", ignore_errors=True)


def main():
    source, binary = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="sandgate-docs-") as folder:
        runner = Runner(source, binary, folder)
        try:
            runner.prepare()
            ready = runner.shell("clang++-19 --config=sdk/cpp/guest.cfg examples/auth/middleware.cc -o readme.wasm", folder)
            if ready.returncode != 0:
                sys.exit(ready.stderr)
            for document in DOCUMENTS:
                path = f"{source}/{document}"
                if not os.path.exists(path):
                    continue
                runner.definitions = ""
                for command in commands_of(open(path).read()):
                    runner.run(document, command)
                # Each document starts with a server of its own, without what the last one deployed.
                runner.end()
                runner.servers.clear()
        finally:
            runner.end()
        print(f"{runner.run_count} command lines run, {runner.left_count} left to others")
        for failure in runner.failures:
            print(f"FAILED {failure}")
        sys.exit(1 if runner.failures else 0)


if __name__ == "__main__":
    main()

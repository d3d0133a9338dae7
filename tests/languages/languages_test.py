#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests of other toolchains, built as docs/guests.md says, in front of a worker.

usage: languages_test.py SOURCE_FOLDER SANDGATE_BINARY LANGUAGE

The commands are those of the language's section in docs/guests.md: its first block fetches what is needed, the others build. They run in a copy of
examples/languages/LANGUAGE in the user's cache, which keeps what was fetched, and the guests too while nothing changed that they are made of. What needs
the network has no place in a test's verdict: a machine without it, or without the toolchain, skips (exit code 77) and says why. Tools are fetched
where CI or SANDGATE_FETCH is "true"; elsewhere what is there is used.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SKIPPED = 77
FETCH_SECONDS, BUILD_SECONDS, DEPLOY_SECONDS, REQUEST_SECONDS = 300, 600, 300, 60

# Programs that must be there, and what is built: the file, and what it is.
LANGUAGES = {
    "c": (["cargo", "clang-19", "wasm-ld-19"], {"tag.wasm": "core module"}),
    "go": (["go"], {"tag.wasm": "core module"}),
    "javascript": (["node", "npm", "npx"], {"tag.wasm": "component", "small.wasm": "component"}),
    "python": (["python3"], {"tag.wasm": "component"}),
    "rust": (["cargo", "rustc"], {"target/wasm32-wasip2/release/tag.wasm": "component", "target/wasm32-unknown-unknown/release/tag.wasm": "core module"}),
}
TITLES = {"c": "C", "go": "Go", "javascript": "JavaScript", "python": "Python", "rust": "Rust"}
# A fetch that fails in these words found the registry, and a mistake of ours.
OUR_MISTAKE = re.compile("EUSAGE|EINTEGRITY|needs to be updated|cannot update the lock file")
# What the commands leave in a checkout, when somebody runs them there.
MADE = {"bindings", "node_modules", "target", ".venv", "__pycache__"}
RUST_TARGETS = ("wasm32-wasip2", "wasm32-unknown-unknown")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def blocks_of(guide, title):
    """The command blocks of a section, each as one script."""
    section = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", guide, re.S | re.M)
    blocks = re.findall(r"^```\n(.*?)^```", section[1], re.S | re.M) if section else []
    if not blocks:
        sys.exit(f"docs/guests.md: there are no commands under \"{title}\"")
    return blocks


class Toolchain:
    """The folder in the user's cache where one language's tools and guests are."""

    def __init__(self, source, language):
        self.source, self.language = source, language
        self.programs, self.guests = LANGUAGES[language]
        blocks = blocks_of((source / "docs/guests.md").read_text(), TITLES[language])
        # Without tools to fetch there is only a build.
        self.fetch, self.build = (blocks[0], blocks[1:]) if len(blocks) > 1 else ("", blocks)
        self.example = source / "examples/languages" / language
        self.files = sorted(path for path in self.example.rglob("*")
                            if path.is_file() and path.suffix != ".wasm" and not MADE & set(path.relative_to(self.example).parts))
        home = os.environ.get("SANDGATE_CACHE_DIR") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sandgate")
        locks = [path for path in self.files if path.name in ("package-lock.json", "requirements.txt")]
        self.folder = pathlib.Path(home) / "guests" / f"{language}-{self.key([self.fetch], locks)}"
        self.work = self.folder / "examples/languages" / language

    @staticmethod
    def key(texts, files):
        digest = hashlib.sha256()
        for content in [text.encode() for text in texts] + [path.read_bytes() for path in files]:
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]

    def environment(self, offline):
        variables = dict(os.environ, CARGO_INSTALL_ROOT=str(self.folder / "tools"), GOTOOLCHAIN="local", PATH=f"{self.folder}/tools/bin:{os.environ['PATH']}")
        if offline:
            variables.update(CARGO_NET_OFFLINE="true", GOPROXY="off", npm_config_offline="true")
        else:
            variables.update(npm_config_fetch_retries="1", PIP_RETRIES="1")
        return variables

    def run(self, script, seconds, offline):
        """(exit code, output); low priority, because other tests run beside it."""
        with subprocess.Popen(["nice", "bash", "-euc", script], cwd=self.work, env=self.environment(offline), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True) as child:
            try:
                output, _ = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                output, _ = child.communicate()
                return 124, output + f"\nended after {seconds} s"
            return child.returncode, output

    def fetch_script(self):
        # Without optimisation the tool is there in half of the time, and works for a millisecond.
        script = re.sub(r"(?m)^(cargo install .*)$", r"\1 --debug", self.fetch)
        found = [subprocess.run(["rustc", "--print", "target-libdir", "--target", target], capture_output=True, text=True, check=False).stdout.strip()
                 for target in RUST_TARGETS] if self.language == "rust" else []
        if found and all(os.path.isdir(folder) for folder in found):
            script = re.sub(r"(?m)^rustup .*$", "", script)
        return script

    def prepare(self):
        """The copy of the example, its tools, and the guests."""
        for missing in (program for program in self.programs if not shutil.which(program)):
            skip(f"there is no {missing}")
        if self.language == "go" and self.go_version() < (1, 24):
            skip("Go exports functions of a module from 1.24 on")
        for old in self.folder.parent.glob(f"{self.language}-*"):
            if old != self.folder:
                shutil.rmtree(old, ignore_errors=True)
        self.work.mkdir(parents=True, exist_ok=True)
        for name in ("wit", "sdk"):
            link = self.folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(self.source / name)
        for path in self.files:
            target = self.work / path.relative_to(self.example)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        self.obtain_tools()
        self.build_guests()

    @staticmethod
    def go_version():
        said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, env=dict(os.environ, GOTOOLCHAIN="local"), check=False).stdout
        found = re.match(r"go(\d+)\.(\d+)", said)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def obtain_tools(self):
        done = self.folder / "fetched"
        # Cargo's own cache holds Rust's crates, so only it knows whether they are there; asking it costs nothing then.
        if not self.fetch or done.exists() and self.language != "rust":
            return
        if not done.exists() and "true" not in (os.environ.get("CI"), os.environ.get("SANDGATE_FETCH")):
            skip("the tools are not fetched yet; SANDGATE_FETCH=true ./test fetches them, which takes minutes")
        code, output = self.run(self.fetch_script(), FETCH_SECONDS, offline=False)
        if code != 0:
            last = "\n".join(output.strip().splitlines()[-8:])
            if OUR_MISTAKE.search(output):
                sys.exit(f"FAILED the lock file and what it locks differ:\n{last}")
            skip(f"the tools cannot be fetched; is the network there?\n{last}")
        done.touch()

    def build_guests(self):
        stamp = self.folder / "built"
        key = self.key(self.build, self.files + sorted(path for path in (self.source / "wit/sgl-router").iterdir()))
        if stamp.exists() and stamp.read_text() == key and all((self.work / name).exists() for name in self.guests):
            return
        stamp.unlink(missing_ok=True)
        for name in self.guests:
            (self.work / name).unlink(missing_ok=True)
        for block in self.build:
            code, output = self.run(block, BUILD_SECONDS, offline=True)
            if code != 0:
                sys.exit(f"FAILED to build:\n{block}\n{output}")
        stamp.write_text(key)


class Worker(ThreadingHTTPServer):
    """Answers with what came; /status/NNN with that status."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # noqa: N802
            self.server.requests += 1
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps(dict((name.lower(), value) for name, value in self.headers.items())).encode()
            wanted = re.fullmatch(r"/status/(\d{3})", self.path)
            self.send_response(int(wanted[1]) if wanted else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.requests = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Gateway:
    def __init__(self, binary, worker, cache):
        self.process = subprocess.Popen([binary, "serve", "--enable-wasm", "--ephemeral", "--port=0", "--access-log=off", f"--cache-dir={cache}",
                                         f"--worker-urls=http://127.0.0.1:{worker.server_address[1]}"], stdout=subprocess.PIPE, text=True)
        found = re.search(r"listening on (http://\S+)", self.process.stdout.readline())
        if not found:
            sys.exit("FAILED the gateway did not start")
        self.url = found[1]

    def call(self, method, path, body=None, fields=(), seconds=REQUEST_SECONDS):
        """(status, body)"""
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=dict(fields))
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def stop(self):
        self.process.terminate()
        return self.process.wait()


class Check:
    """One guest, deployed in one way after the other."""

    def __init__(self, language, gateway, worker):
        self.language, self.gateway, self.worker, self.failures = language, gateway, worker, []

    def expect(self, what, got, wanted):
        if got != wanted:
            self.failures.append(f"{what}: expected {wanted!r}, got {got!r}")

    def posted(self, file):
        module = {"name": "tag", "file_path": str(file), "module_type": "Middleware", "attach_points": [{"Middleware": "OnRequest"}, {"Middleware": "OnResponse"}]}
        status, body = self.gateway.call("POST", "/wasm", json.dumps({"modules": [module]}).encode(), {"content-type": "application/json"}, DEPLOY_SECONDS)
        self.expect(f"POST of {file.name} ({body})", status, 200)
        return status == 200

    def put(self, file, instance):
        path = f"/wasm/tag?attach=OnRequest,OnResponse&instance={instance}"
        status, body = self.gateway.call("PUT", path, file.read_bytes(), {"content-type": "application/wasm"}, DEPLOY_SECONDS)
        self.expect(f"PUT of {file.name} ({body})", status, 201)
        return status == 201

    def behaviour(self, how):
        seen = self.worker.requests
        self.expect(f"{how}: without a key", self.gateway.call("GET", "/v1/models")[0], 401)
        self.expect(f"{how}: requests at the worker after a rejection", self.worker.requests, seen)
        for number in range(12):
            fields = {"x-api-key": "k", "x-request-id": f"id-{number}"}
            status, body = self.gateway.call("POST", "/v1/chat/completions", b"x" * 1000 * number, fields)
            self.expect(f"{how}: with a key", status, 200)
            arrived = json.loads(body) if status == 200 else {}
            got = [arrived.get(name) for name in ("x-guest", "x-seen", "x-body-bytes", "x-api-key")]
            self.expect(f"{how}: fields at the worker", got, [self.language, f"id-{number}", str(1000 * number), None])
        for upstream, client in ((500, 503), (502, 502), (200, 200)):
            self.expect(f"{how}: a worker's {upstream}", self.gateway.call("GET", f"/status/{upstream}", fields={"x-api-key": "k"})[0], client)
        status, text = self.gateway.call("GET", "/wasm")
        self.expect(f"{how}: failed calls", json.loads(text)["metrics"]["failed_executions"] if status == 200 else text, 0)

    def remove(self):
        self.expect("DELETE", self.gateway.call("DELETE", "/wasm/tag")[0], 200)
        status, body = self.gateway.call("GET", "/v1/models")
        self.expect("without the module", (status, "x-guest" in body), (200, False))

    def every_way(self, file):
        if self.posted(file):
            self.behaviour(f"{file.name}, fresh")
            self.remove()
        if self.put(file, "reuse"):
            self.behaviour(f"{file.name}, reuse")
            self.remove()


def main():
    source, binary, language = pathlib.Path(sys.argv[1]).resolve(), os.path.abspath(sys.argv[2]), sys.argv[3]
    toolchain = Toolchain(source, language)
    toolchain.folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as ending:
        # Two checkouts share the folder; who comes second finds everything done.
        lock = ending.enter_context(open(toolchain.folder.parent / f"{language}.lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        toolchain.prepare()
        copies = pathlib.Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="sandgate-guests-")))
        worker = Worker()
        gateway = Gateway(binary, worker, toolchain.folder / "code")
        ending.callback(gateway.stop)
        check = Check(language, gateway, worker)
        for number, (name, kind) in enumerate(toolchain.guests.items()):
            file = copies / f"{language}{number}.wasm"
            shutil.copyfile(toolchain.work / name, file)
            # The layer in the header, as `sandgate check` tells it, which would compile once more.
            layer = int.from_bytes(file.read_bytes()[6:8], "little")
            check.expect(f"{name} is a", {0: "core module", 1: "component"}.get(layer), kind)
            if language == "c":
                check.expect(f"{name} says its world", b"component-type" in file.read_bytes(), True)
            before = len(check.failures)
            check.every_way(file)
            print(f"{language}: {name}, {kind} of {file.stat().st_size} bytes: {'ok' if len(check.failures) == before else 'FAILED'}")
        for failure in check.failures:
            print(f"FAILED {failure}")
        sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows /metrics of a server that has modules and has seen all kinds of traffic to Prometheus's own checker.

usage: promtool_test.py SANDGATE_BINARY GUEST_FOLDER

`promtool check metrics` parses the text as Prometheus would and looks for what its naming rules advise against; it must say nothing at all. Exit code 77: skipped,
because there is no promtool; tools/test_tools fetches it.
"""
import http.client
import http.server
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

MODULES = [("example_auth", "OnRequest"), ("both_hooks", "OnRequest,OnResponse"), ("call_counter", "OnResponse"), ("trap_always", "OnResponse"),
           ("response_500_to_503", "OnResponse,OnError")]
# What must be there, so that a text without the interesting parts does not pass.
WANTED = [r'sandgate_requests_total\{method="GET",code="2xx"\} [1-9]', r'sandgate_requests_total\{method="POST",code="4xx"\} [1-9]', r'sandgate_refused_heads_total [1-9]',
          r'sandgate_request_duration_seconds_bucket\{le="\+Inf"\} [1-9]', r'sandgate_upstream_server_failures_total\{.*\} [1-9]', r"sandgate_modules_deployed 5",
          r'sandgate_route_requests_total\{route="default",code="2xx"\} [1-9]', r'sandgate_route_requests_total\{route="default",code="5xx"\} [1-9]',
          r'sandgate_route_duration_seconds_bucket\{route="default",le="\+Inf"\} [1-9]',
          r'sandgate_module_calls_total\{module="example_auth",attach_point="OnRequest",outcome="reject"\} [1-9]',
          r'sandgate_module_calls_total\{module="trap_always",attach_point="OnResponse",outcome="trap"\} [1-9]',
          r'sandgate_module_call_duration_seconds_bucket\{module="both_hooks",attach_point="OnResponse",le="\+Inf"\} [1-9]',
          r'sandgate_module_calls_total\{module="response_500_to_503",attach_point="OnError",outcome="\w+"\} [1-9]']


def find_promtool():
    cache = os.environ.get("SANDGATE_CACHE_DIR") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sandgate")
    return shutil.which("promtool") or shutil.which(os.path.join(cache, "test-tools", "promtool", "promtool"))


def check(promtool, text):
    """What promtool has to say; empty when it has no complaint."""
    done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    said = done.stdout.decode(errors="replace")
    return said or (f"exit code {done.returncode}" if done.returncode else "")


class Worker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/break":
            self.close_connection = True
            return
        self.send_response(500 if self.path == "/500" else 200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else b"yes")

    do_GET = do_HEAD = do_POST = do_DELETE = do_BREW = answer

    def log_message(self, *_):
        pass


def start_gateway(binary, worker_port):
    gateway = subprocess.Popen([binary, "serve", "--worker-urls", f"http://127.0.0.1:{worker_port}", "--port", "0", "--threads", "2", "--enable-wasm", "--ephemeral"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in gateway.stdout:
        listening = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
        if listening:
            # Nobody reads on otherwise, and the access log has lines for every request.
            threading.Thread(target=gateway.stdout.read, daemon=True).start()
            return gateway, int(listening[1])
    sys.exit("the gateway ended before it listened")


def fetch(port, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def drive(port, guests):
    for name, points in MODULES:
        wasm = (guests / f"{name}.wasm").read_bytes()
        status, text = fetch(port, "PUT", f"/wasm/{name}?attach={points}", wasm, {"content-type": "application/wasm"})
        assert status == 201, f"{name}: {status} {text}"
    key = {"x-api-key": "secret-api-key-12345"}
    for method, path, headers in [("GET", "/", {}), ("HEAD", "/", {}), ("POST", "/api/a", {}), ("GET", "/api/a", key), ("DELETE", "/a?b=c", {}), ("BREW", "/", {}),
                                  ("GET", "/500", {}), ("GET", "/break", {})]:
        fetch(port, method, path, b"body" if method == "POST" else None, headers)
    with socket.create_connection(("127.0.0.1", port), 60) as raw:
        raw.sendall(b"GET / HTTP/1.1\n\n")
        while raw.recv(4096):
            pass


def metrics_with(port, wanted):
    """The text once it has what is wanted: an exchange is counted when it has ended, a moment after its last byte. Or the last one, and what it lacks."""
    for _ in range(100):
        status, text = fetch(port, "GET", "/metrics")
        assert status == 200, text
        missing = [row for row in wanted if not re.search(row, text)]
        if not missing:
            break
        time.sleep(0.05)
    return text, missing


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: promtool_test.py SANDGATE_BINARY GUEST_FOLDER")
    promtool = find_promtool()
    if promtool is None:
        print("SKIPPED: there is no promtool; tools/test_tools fetches it")
        sys.exit(77)
    assert check(promtool, "# TYPE a_total counter\na_total nothing\n"), "promtool takes everything"
    assert check(promtool, "# TYPE a counter\na 1\n"), "promtool has no advice on names"

    worker = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Worker)
    threading.Thread(target=worker.serve_forever, daemon=True).start()
    gateway, port = start_gateway(sys.argv[1], worker.server_port)
    failed = []
    try:
        idle, _ = metrics_with(port, [])
        drive(port, pathlib.Path(sys.argv[2]))
        busy, missing = metrics_with(port, WANTED)
        failed += [f"no line matches {row}" for row in missing]
        for moment, text in (("at the start", idle), ("after traffic", busy)):
            said = check(promtool, text)
            if said:
                failed.append(f"promtool on the metrics {moment}:\n{said}")
        if failed:
            print(busy)
    finally:
        gateway.kill()
        gateway.wait()
        worker.shutdown()
    for text in failed:
        print(text)
    print(f"{2 + len(WANTED) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sets slowhttptest on a server of its own: slow heads, slow bodies, slow readers, with hundreds of connections.

usage: slowhttptest_test.py SANDGATE_BINARY

While it runs every other request must be answered, and the server must end every slow connection by its timeouts. (slowhttptest itself sees that late: a slow reader
has more to read.) Exit code 77: skipped, because there is no slowhttptest; tools/test_tools fetches it.
"""
import http.client
import http.server
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

CONNECTIONS = 500
# Seconds that slowhttptest may take; the server's timeouts are three each.
PATIENCE = 60
# Our own, and those with which slowhttptest asks whether the server lives.
FEW = 4
CONFIGURATION = """
[server]
listen = "127.0.0.1:0"
threads = 2
ephemeral = true
access_log = "off"
timeouts = {{ head = "3s", body = "3s", write = "3s", idle = "3s" }}

[[upstream]]
name = "worker"
servers = "http://127.0.0.1:{port}"

[[route]]
path = "/quick"
respond = {{ body = "quick" }}

[[route]]
path = "/files/*rest"
files = {{ directory = "." }}

[[route]]
path = "/*rest"
"""
# Pieces come slower than the timeouts, but for the head, which is cut however steadily it drips.
KINDS = {
    "slow heads": ["-H", "-u", "/quick", "-i", "1"],
    "slow bodies": ["-B", "-u", "/upload", "-i", "10", "-s", "8192"],
    "slow readers": ["-X", "-u", "/files/large.bin", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"],
}


def find_slowhttptest():
    cache = os.environ.get("SANDGATE_CACHE_DIR") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sandgate")
    return shutil.which("slowhttptest") or shutil.which(os.path.join(cache, "test-tools", "slowhttptest", "slowhttptest"))


class Worker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"yes")

    do_GET = do_POST

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_):
        pass


def start_gateway(binary, folder, worker_port):
    (folder / "sandgate.toml").write_text(CONFIGURATION.format(port=worker_port))
    (folder / "large.bin").write_bytes(b"x" * (8 << 20))
    gateway = subprocess.Popen([binary, "serve", str(folder / "sandgate.toml")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in gateway.stdout:
        listening = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
        if listening:
            threading.Thread(target=gateway.stdout.read, daemon=True).start()
            return gateway, int(listening[1])
    sys.exit("the gateway ended before it listened")


def fetch(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def metric(port, name):
    return int(re.search(rf"^{name} (\d+)$", fetch(port, "GET", "/metrics")[1], re.MULTILINE)[1])


def attack(tool, words, port):
    """What slowhttptest said, how often others were served meanwhile, the most connections that were open, and what went wrong. Ends when the server has ended them."""
    words = [f"http://127.0.0.1:{port}{word}" if word.startswith("/") else word for word in words]
    running = subprocess.Popen([tool, *words, "-c", str(CONNECTIONS), "-r", "1000", "-l", str(PATIENCE), "-x", "16", "-p", "5"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    said = []
    reader = threading.Thread(target=lambda: said.append(running.stdout.read()), daemon=True)
    reader.start()
    accepted = metric(port, "sandgate_connections_accepted_total")
    served, most, failed = 0, 0, []
    try:
        while not failed:
            over = running.poll() is not None
            try:
                for method, path, wanted in (("GET", "/quick", "quick"), ("POST", "/upload", "yes")):
                    status, text = fetch(port, method, path, b"body" if method == "POST" else None)
                    if status != 200 or text != wanted:
                        failed.append(f"{method} {path}: {status} {text}")
                open_now = metric(port, "sandgate_connections_open")
                most = max(most, open_now)
                served += 1
                # Each round has four connections of our own.
                came = metric(port, "sandgate_connections_accepted_total") - accepted - 4 * served
            except OSError as error:
                failed.append(f"a request failed: {error}")
                break
            if came >= CONNECTIONS * 9 // 10 and open_now <= FEW:
                break
            if over:
                failed.append(f"the server did not end the connections: {open_now} of {most} are open, {came} came")
            time.sleep(0.05)
    finally:
        running.kill()
        running.wait()
    reader.join(10)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", b"".join(said).decode(errors="replace"))
    return text, served, most, failed


def check(tool, name, words, port):
    began = time.monotonic()
    text, served, most, wrong = attack(tool, words, port)
    failed = [f"{name}: {what}\n{text[-1500:]}" for what in wrong]
    if most < CONNECTIONS // 4:
        failed.append(f"{name}: no more than {most} connections were open at one time, which is no attack\n{text[-1500:]}")
    print(f"{name}: {most} connections at most, over after {time.monotonic() - began:.1f} s; {served} times others were served meanwhile")
    return failed


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: slowhttptest_test.py SANDGATE_BINARY")
    tool = find_slowhttptest()
    if tool is None:
        print("SKIPPED: there is no slowhttptest; tools/test_tools fetches it")
        sys.exit(77)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    worker = QuietServer(("127.0.0.1", 0), Worker)
    threading.Thread(target=worker.serve_forever, daemon=True).start()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        gateway, port = start_gateway(sys.argv[1], pathlib.Path(folder), worker.server_port)
        try:
            for name, words in KINDS.items():
                failed += check(tool, name, words, port)
            if metric(port, "sandgate_timed_out_heads_total") < CONNECTIONS // 4:
                failed.append("slow heads were not cut by the timeout of heads")
        finally:
            gateway.kill()
            gateway.wait()
    for wrong in failed:
        print(wrong, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

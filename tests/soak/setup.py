# SPDX-License-Identifier: Apache-2.0
"""The gateway of a soak, its configuration file and its upstreams. Loopback only; each process is ended by whoever started it."""
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get("SANDGATE", f"{ROOT}/build/release/sandgate"))
GUESTS = f"{os.path.dirname(BINARY)}/guests"
START_SECONDS = 30
# More than the drain time of the file.
STOP_SECONDS = 40
# Below those that the kernel gives to clients: a port whose server is dead must not become a client's.
PORTS = range(18000, 32000)
# Each is tried once: a port that was given may not be in use yet.
UNTRIED_PORTS = iter(random.sample(PORTS, 1000))

CONFIGURATION = """
[server]
listen = "127.0.0.1:{port}"
threads = 2
data_dir = "modules"
cache_dir = "cache"
access_log = "json"
server_timing = "always"
drain = "20s"
admin = {{ loopback = true }}

[limits]
memory = "64MiB"
time = "5s"
running_calls = 16

# Never killed.
[[upstream]]
name = "steady"
servers = [{steady}]
health = {{ path = "/bytes/1", interval = "1s", timeout = "20s" }}

# Killed one by one and all at once.
[[upstream]]
name = "mortal"
servers = [{mortal}]
balance = "least_requests"
retries = {{ attempts = 3, budget_percent = 100, budget_per_second = 10000 }}
ejection = {{ time = "100ms", time_max = "500ms" }}

# What each reload changes.
[[upstream]]
name = "changing"
servers = [{{ url = "{volume}", weight = {weight} }}]

[[upstream]]
name = "volume"
servers = "{volume}"

[[group]]
name = "file"
deployed_modules = false

[[group]]
name = "hostile"
path = "/hostile"
deployed_modules = false
upstream = "volume"

[[route]]
group = "file"
path = "/steady/*rest"
upstream = "steady"
upstream_path = "rest"

[[route]]
group = "file"
path = "/mortal/*rest"
upstream = "mortal"

[[route]]
group = "file"
path = "/changing/*rest"
upstream = "changing"

[[route]]
group = "file"
path = "/volume/*rest"
upstream = "volume"

[[route]]
path = "/deployed/*rest"
upstream = "volume"

[[route]]
group = "file"
path = "/module/*rest"
middleware = ["edit"]
upstream = "volume"

[[route]]
group = "file"
path = "/counted/*rest"
middleware = [{{ module = "count", config = {{ generation = {number} }} }}]
upstream = "volume"

[[route]]
group = "file"
path = "/bodies/*rest"
middleware = ["upper"]
upstream = "steady"
upstream_path = "rest"

[[route]]
group = "file"
path = "/files/*rest"
methods = ["GET"]
files = {{ directory = "files", cache_control = "no-cache" }}

[[route]]
group = "file"
path = "/generation"
respond = {{ body = "{number}" }}

[[module]]
name = "edit"
file = "{guests}/set_add_remove.wasm"

[[module]]
name = "count"
file = "{guests}/call_counter.wasm"
instance = "reuse"
reuse = {{ max_calls = 100 }}

[[module]]
name = "upper"
file = "{guests}/body_echo_upper.wasm"
attach = ["OnResponse"]
"""
# Guest, settings, and the status that its calls must come to.
HOSTILE = {
    "loop_forever": ('limits = { time = "50ms" }', 503),
    "loop_in_start": ('limits = { time = "50ms" }', 503),
    "bulk_fill_64m": ('limits = { time = "100ms" }', 503),
    "memory_eater": ('limits = { memory = "8MiB" }', 503),
    "memory_hog_touch": ('limits = { memory = "4MiB" }', 200),
    "trap_always": ("", 503),
    "trap_in_post": ("", 503),
    "stack_recursion": ("", 503),
    "huge_list": ("", 503),
    "bad_realloc": ("", 503),
    "invalid_header": ("", 503),
    "storm_random": ('limits = { time = "50ms" }', 503),
    "log_flood": ("", 200),
}
OPEN = "trap_open"


def hostile():
    text = ""
    for name, (settings, _) in HOSTILE.items():
        text += f'[[module]]\nname = "{name}"\nfile = "{GUESTS}/{name}.wasm"\nattach = ["OnRequest"]\n{settings}\n'
        text += f'[[route]]\ngroup = "hostile"\npath = "/{name}"\nmiddleware = ["{name}"]\n'
    text += f'[[module]]\nname = "{OPEN}"\nfile = "{GUESTS}/trap_always.wasm"\non_failure = "open"\n'
    return text + f'[[route]]\ngroup = "hostile"\npath = "/{OPEN}"\nmiddleware = ["{OPEN}"]\n'


def free_port():
    for port in UNTRIED_PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit("soak: no free port")


def wait_for(port, process):
    began = time.monotonic()
    while time.monotonic() - began < START_SECONDS:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    sys.exit(f"soak: nothing listens on {port}: {' '.join(process.args)}")


class Process:
    """A server of the soak, on a port that it keeps."""

    def __init__(self, command):
        self.port = free_port()
        self.command = [*command, str(self.port)]
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def request(port, method, path, body=None, fields=None, seconds=60):
    """(status, text) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body, fields or {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode(errors="replace")
    finally:
        connection.close()


class Gateway:
    def __init__(self, folder, upstreams):
        self.folder, self.upstreams = folder, upstreams
        self.port = free_port()
        self.file = f"{folder}/sandgate.toml"
        self.log = open(f"{folder}/sandgate.log", "wb")
        self.process = None
        os.makedirs(f"{folder}/files")
        for name, content in (("index.html", b"<p>index</p>"), ("small.txt", b"small file\n"), ("large.bin", os.urandom(1 << 20) * 2), (".secret", b"secret")):
            with open(f"{folder}/files/{name}", "wb") as file:
                file.write(content)
        self.write(0)

    def write(self, number):
        """The file, in its form number `number`."""
        def urls(processes):
            return ", ".join(f'"{process.url}"' for process in processes)

        text = CONFIGURATION.format(port=self.port, steady=urls(self.upstreams["steady"]), mortal=urls(self.upstreams["mortal"]), volume=self.upstreams["volume"][0].url,
                                    weight=1 + number % 5, number=number, guests=GUESTS)
        with open(self.file + ".new", "w") as file:
            file.write(text + hostile())
        os.rename(self.file + ".new", self.file)

    def write_broken(self):
        with open(self.file + ".new", "w") as file:
            file.write("[server]\nlistn = 1\n")
        os.rename(self.file + ".new", self.file)

    def start(self):
        self.process = subprocess.Popen([BINARY, "serve", self.file], stdout=subprocess.DEVNULL, stderr=self.log, cwd=self.folder)
        wait_for(self.port, self.process)

    def is_alive(self):
        return self.process.poll() is None

    def metrics(self):
        return request(self.port, "GET", "/metrics")[1]

    def metric(self, name):
        """The sum over all labels."""
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self.metrics(), re.M))

    def stop(self):
        """The exit code after SIGTERM; None when it did not end in time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self, count=15):
        with open(f"{self.folder}/sandgate.log", errors="replace") as file:
            return "".join(file.readlines()[-count:])

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

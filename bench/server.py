# SPDX-License-Identifier: Apache-2.0
"""A process under measurement: started on a core, asked until it answers, watched, ended."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.abspath(os.environ.get("SANDGATE", f"{ROOT}/build/release/sandgate"))
GUESTS = f"{os.path.dirname(BINARY)}/guests"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = "0", "1"
KEY = "Authorization: Bearer secret-api-key-12345"


def compiled(folder, name):
    """A program of bench/, made in `folder`."""
    subprocess.run(["clang++-19", "-std=c++23", "-O2", f"-I{ROOT}", f"{ROOT}/bench/{name}.cc", "-o", f"{folder}/{name}"], check=True)
    return f"{folder}/{name}"


class NotStarted(Exception):
    """Says which server, and why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(pid):
    found = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in open(f"/proc/{pid}/task/{task}/children").read().split():
                found += processes_of(int(child))
    except OSError:
        pass
    return found


def cpu_seconds(pid):
    ticks = 0
    for process in processes_of(pid):
        try:
            fields = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return ticks / TICKS_PER_SECOND


def resident_mib(pid):
    kib = 0
    for process in processes_of(pid):
        try:
            kib += int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{process}/status").read())[1])
        except (OSError, TypeError):
            pass
    return round(kib / 1024, 1)


def proportional_kib(pid):
    """Memory of the process and its children (PSS): pages that several share count in parts."""
    kib = 0
    for process in processes_of(pid):
        try:
            kib += int(re.search(r"^Pss:\s+(\d+)", open(f"/proc/{process}/smaps_rollup").read(), re.M)[1])
        except (OSError, TypeError):
            pass
    return kib


def answers(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as client:
            client.settimeout(5)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{KEY}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in client.recv(64)
    except OSError:
        return False


class Server:
    """A process that listens; ended with the run."""

    def __init__(self, name, command, port, core=SERVER_CORE, path="/"):
        self.name, self.port = name, port
        started = time.perf_counter()
        self.process = subprocess.Popen(["taskset", "-c", core, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not answers(port, path):
            if self.process.poll() is not None or time.perf_counter() - started > 20:
                self.stop()
                raise NotStarted(f"{name} did not start: {' '.join(command)}")
            time.sleep(0.002)
        self.ready_ms = round((time.perf_counter() - started) * 1000, 1)
        time.sleep(0.2)
        self.idle_mib = resident_mib(self.process.pid)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def deploy(server, module, points, options=None):
    """Attaches a module file by the interface that Sandgate and smg share."""
    attach = [{"Middleware": point} for point in points]
    body = {"modules": [{"name": os.path.basename(module)[:-5], "file_path": module, "module_type": "Middleware", "attach_points": attach, **(options or {})}]}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/wasm", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        said = urllib.request.urlopen(request, timeout=120).read()
    except OSError as error:
        said = str(error).encode()
    if b"Success" not in said:
        server.stop()
        raise NotStarted(f"{server.name}: {module} was not deployed: {said.decode(errors='replace')}")


def sandgate(name, origin, modules=(), module_options=None):
    port = free_port()
    command = [BINARY, "serve", "--enable-wasm", "--ephemeral", f"--worker-urls=http://127.0.0.1:{origin}", f"--port={port}", "--threads=1",
               "--access-log=off", "--log-level=error"]
    server = Server(name, command, port, path="/healthz")
    for module, points in modules:
        deploy(server, module, points, module_options)
    return server


FILE = """[server]
listen = "127.0.0.1:{port}"
threads = 1
ephemeral = true
access_log = "off"
log_level = "error"
max_connections = {connections}
timeouts = {{ idle = "{idle_seconds}s" }}

[[upstream]]
name = "origin"
servers = "http://127.0.0.1:{origin}"
"""


def sandgate_of_file(name, folder, origin, rest, connections=8192, idle_seconds=75):
    """Of a configuration file that ends with `rest`: its modules and routes."""
    port = free_port()
    path = f"{folder}/{name.replace(' ', '_')}.toml"
    with open(path, "w") as file:
        file.write(FILE.format(port=port, origin=origin, connections=connections, idle_seconds=idle_seconds) + rest)
    return Server(name, [BINARY, "serve", path], port, path="/healthz")

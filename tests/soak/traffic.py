# SPDX-License-Identifier: Apache-2.0
"""The clients of a soak. Each kind is a thread that does one thing again and again, and knows what it must get."""
import base64
import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

from setup import HOSTILE, OPEN, ROOT
from upstream import SOCKET_KEY_SUFFIX, pattern

PATIENCE_SECONDS = 60
MISTAKES_KEPT = 10
# Python threads share one core with the server: a pause after each round of a client.
PAUSE_SECONDS = 0.02
# Of bench/open_loop, each second, on a plain route and on one with a module.
VOLUME_RATE = 800
VOLUME_SECONDS = 10


class Unexpected(Exception):
    """What came instead of what must come."""


def expect(condition, what):
    if not condition:
        raise Unexpected(what)


class Client(threading.Thread):
    """Subclasses define once(): one round, which raises Unexpected, OSError or HTTPException when it got something else."""
    pause = PAUSE_SECONDS

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.over = port, threading.Event()
        self.rounds, self.mistakes, self.mistake_count, self.excused = 0, [], 0, 0
        self.connection = None

    @property
    def title(self):
        return (type(self).__doc__ or type(self).__name__).splitlines()[0].rstrip(".")

    def once(self):
        raise NotImplementedError

    def is_excused(self, began, ended):
        """Whether what went wrong in this time may go wrong."""
        return False

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self.once()
            except (Unexpected, OSError, http.client.HTTPException, ValueError) as error:
                self.disconnect()
                if self.is_excused(began, time.monotonic()):
                    self.excused += 1
                else:
                    self.mistake_count += 1
                    if len(self.mistakes) < MISTAKES_KEPT:
                        self.mistakes.append(f"{type(error).__name__}: {error}"[:300])
            self.rounds += 1
            self.over.wait(self.pause)
        self.disconnect()

    def disconnect(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def fetch(self, method, path, body=None, fields=None, keep=True, **options):
        """(status, fields, body) on the kept connection, or on one of its own."""
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        self.connection.request(method, path, body, {**(fields or {}), **({} if keep else {"Connection": "close"})}, **options)
        reply = self.connection.getresponse()
        content = reply.read()
        if not keep:
            self.disconnect()
        return reply.status, reply.headers, content

    def wanted(self, status, method, path, **options):
        got, fields, content = self.fetch(method, path, **options)
        expect(got == status, f"{method} {path}: {got} instead of {status}: {content[:150]!r}")
        return fields, content

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)


class Kept(Client):
    """GET on kept connections"""

    def once(self):
        for size in (0, 1, random.randrange(4096), random.randrange(200_000)):
            _, content = self.wanted(200, "GET", f"/steady/bytes/{size}")
            expect(content == pattern(size), f"{len(content)} bytes instead of {size}, or others")


class OneShot(Client):
    """GET on a connection of its own"""

    def once(self):
        self.wanted(200, "GET", "/steady/bytes/100", keep=False)
        self.wanted(200, "GET", "/volume/x", keep=False)


class Post(Client):
    """POST with bodies of every size"""

    def once(self):
        for size in (0, 10, random.randrange(100_000), random.randrange(1 << 20)):
            body = os.urandom(size)
            chunks = [body[at:at + 7000] for at in range(0, size, 7000)]
            for words in ({"body": body}, {"body": iter(chunks), "fields": {"Transfer-Encoding": "chunked"}, "encode_chunked": True}):
                _, content = self.wanted(200, "POST", "/steady/echo", **words)
                expect(content == body, f"the echo of {size} bytes has {len(content)}, or others")


class Stream(Client):
    """Streams, and answers that take their time"""

    def once(self):
        _, content = self.wanted(200, "GET", "/steady/stream")
        expect(content == pattern(1024) * 20, f"a stream of {len(content)} bytes")
        self.wanted(200, "GET", "/steady/slow")


class SlowReader(Client):
    """Slow readers"""

    def once(self):
        with open(f"{self.folder}/files/large.bin", "rb") as file:
            size = os.fstat(file.fileno()).st_size
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            client.settimeout(PATIENCE_SECONDS)
            client.connect(("127.0.0.1", self.port))
            client.sendall(b"GET /files/large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            got = 0
            while piece := client.recv(65536):
                got += len(piece)
                time.sleep(0.02)
            expect(got > size, f"{got} bytes of a file with {size}")


class SlowWriter(Client):
    """Slow writers"""

    def once(self):
        with self.raw() as client:
            client.sendall(b"POST /steady/echo HTTP/1.1\r\nHost: x\r\nContent-")
            time.sleep(0.3)
            client.sendall(b"Length: 100\r\nConnection: close\r\n\r\n")
            for _ in range(10):
                client.sendall(b"slowwriter")
                time.sleep(0.1)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
            expect(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"slowwriter" * 10), f"{answer[:100]!r}")


class Leaver(Client):
    """Clients that leave before the answer"""
    pause = 0.1

    def once(self):
        for request in (b"GET /steady/slow HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /steady/stream HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET /hostile/loop_forever HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /steady/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nshort", b"GET /st"):
            with self.raw() as client:
                client.sendall(request)
                time.sleep(random.random() * 0.05)


class NoHttp(Client):
    """What is no HTTP"""
    pause = 0.1

    def once(self):
        for text in (b"\x16\x03\x01\x02\x00\x01", b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"):
            with self.raw() as client:
                client.sendall(text + b"\r\n\r\n")
                answer = client.recv(4096)
                expect(answer.startswith(b"HTTP/1.1 400 "), f"{answer[:60]!r} to {text!r}")


class Files(Client):
    """Files, whole and in parts"""

    def once(self):
        fields, content = self.wanted(200, "GET", "/files/small.txt")
        expect(content == b"small file\n", f"{content!r}")
        self.wanted(304, "GET", "/files/small.txt", fields={"If-None-Match": fields["ETag"]})
        _, content = self.wanted(206, "GET", "/files/large.bin", fields={"Range": "bytes=1000-1999"})
        expect(len(content) == 1000, f"{len(content)} bytes of a range")
        _, content = self.wanted(200, "HEAD", "/files/large.bin")
        expect(content == b"", "HEAD with a body")
        self.wanted(200, "GET", "/files/")
        for missing in ("/files/none", "/files/.secret", "/files/%2e%2e/sandgate.toml"):
            self.wanted(404, "GET", missing)
        self.wanted(405, "DELETE", "/files/small.txt")
        self.wanted(404, "GET", "/nowhere")


class WebSocket(Client):
    """WebSocket tunnels"""

    def once(self):
        key = base64.b64encode(os.urandom(16)).decode()
        with self.raw() as client:
            client.sendall(f"GET /steady/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
            with client.makefile("rb") as reader:
                head = b"".join(iter(reader.readline, b"\r\n"))
                accepted = base64.b64encode(hashlib.sha1((key + SOCKET_KEY_SUFFIX).encode()).digest())
                expect(head.startswith(b"HTTP/1.1 101 ") and accepted in head, f"{head[:100]!r}")
                for size in (1, 125, 126, 3000):
                    client.sendall(bytes([0x82, 0x80 | min(size, 126)]) + (size.to_bytes(2, "big") if size > 125 else b"") + bytes(4) + pattern(size))
                    head = reader.read(2)
                    length = head[1] if head[1] < 126 else int.from_bytes(reader.read(2), "big")
                    expect(reader.read(length) == pattern(size), f"the echo of a message of {size} bytes")
                if random.random() < 0.5:
                    client.sendall(b"\x88\x80" + bytes(4))
                    expect(reader.read(2) == b"\x88\0", "no close frame")


class Modules(Client):
    """Routes with modules of the file"""

    def once(self):
        fields, _ = self.wanted(200, "GET", "/module/x")
        expect(fields["x-set"] == "new", "the module did not run")
        _, content = self.wanted(200, "GET", "/bodies/bytes/20000")
        expect(content == pattern(20000).upper(), "the body did not go through the module")
        fields, _ = self.wanted(200, "GET", "/counted/x")
        expect(int(fields["x-calls"]) >= 1, "a kept instance did not count")
        self.wanted(503, "GET", "/counted/x?trap")
        self.wanted(200, "POST", "/module/x", body=os.urandom(50_000))


class Deployed(Client):
    """The route whose modules come and go"""

    def once(self):
        self.wanted(200, "GET", "/deployed/x")
        self.wanted(200, "POST", "/deployed/x", body=b"body")


class Changing(Client):
    """Routes that each reload changes"""

    def once(self):
        self.wanted(200, "GET", "/changing/x")
        _, content = self.wanted(200, "GET", "/generation")
        expect(content.isdigit(), f"{content!r}")


class Hostile(Client):
    """Hostile guests"""
    pause = 0.1

    def once(self):
        name = random.choice(list(HOSTILE))
        self.wanted(HOSTILE[name][1], "GET", f"/hostile/{name}")
        self.wanted(200, "GET", f"/hostile/{OPEN}")


class Operator(Client):
    """The gateway's own answers"""
    pause = 0.2

    def once(self):
        for path in ("/healthz", "/readyz", "/metrics", "/admin/v1/config", "/admin/v1/upstreams", "/wasm"):
            self.wanted(200, "GET", path)


class Mortal(Client):
    """GET where servers die: fails only while all are dead"""

    def once(self):
        self.wanted(200, "GET", "/mortal/x")

    def is_excused(self, began, ended):
        return self.deaths.were_all_dead(began, ended)


class MortalPost(Mortal):
    """POST where servers die: fails only when one died meanwhile"""

    def once(self):
        self.wanted(200, "POST", "/mortal/x", body=b"body")

    def is_excused(self, began, ended):
        return self.deaths.was_one_killed(began, ended) or super().is_excused(began, ended)


class Volume(Client):
    """Many requests by schedule (bench/open_loop)"""
    pause = 0
    path = "/volume/x"

    def run(self):
        self.answered = 0
        super().run()

    def once(self):
        running = subprocess.Popen([self.program, "--port", str(self.port), "--rate", str(VOLUME_RATE), "--seconds", str(VOLUME_SECONDS), "--connections", "16", "--timeout", "60",
                                    "--path", self.path, "--json"], stdout=subprocess.PIPE, text=True)
        while running.poll() is None:
            if self.over.wait(0.1):  # what is on its way when the soak ends is nobody's failure
                running.kill()
        measured = running.communicate()[0]
        if self.over.is_set():
            return
        measured = json.loads(measured)
        self.answered += measured["answered"]
        errors = {kind: count for kind, count in measured["errors"].items() if count}
        expect(not errors, f"{errors} of {measured['due']}")


class VolumeOfModule(Volume):
    """Many requests by schedule, with a module"""
    path = "/module/x"


# Each kind, and how many at a time.
KINDS = ((Kept, 2), (OneShot, 1), (Post, 2), (Stream, 1), (SlowReader, 2), (SlowWriter, 2), (Leaver, 1), (NoHttp, 1), (Files, 1), (WebSocket, 2), (Modules, 2), (Deployed, 2),
         (Changing, 1), (Hostile, 2), (Operator, 1), (Mortal, 3), (MortalPost, 2), (Volume, 1), (VolumeOfModule, 1))


def compiled(folder):
    """bench/open_loop and bench/origin, made anew."""
    for name in ("open_loop", "origin"):
        made = subprocess.run(["clang++-19", "-std=c++23", "-O2", f"-I{ROOT}", f"{ROOT}/bench/{name}.cc", "-o", f"{folder}/{name}"], check=False)
        if made.returncode != 0:
            sys.exit(f"soak: bench/{name}.cc was not compiled")


def clients(port, folder, deaths):
    found = []
    for kind, count in KINDS:
        for _ in range(count):
            client = kind(port)
            client.folder, client.program, client.deaths = folder, f"{folder}/open_loop", deaths
            found.append(client)
    return found

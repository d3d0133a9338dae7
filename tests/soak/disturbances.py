# SPDX-License-Identifier: Apache-2.0
"""What happens to the gateway while clients are served: deployments, reloads, dying upstreams. Threads like the clients, with pauses of their own."""
import json
import os
import random
import signal
import threading
import time

from setup import GUESTS, request
from traffic import PATIENCE_SECONDS, Client, expect

# Servers that are back are tried at once when all were out; a busy machine may need a moment.
RECOVERY_SECONDS = 1
# The kernel tells at once of the connections of a killed process (longest seen: 20 ms); a busy machine notices later.
KILL_SECONDS = 0.5
DEATHS_KEPT = 100


class Deaths:
    """When servers of the mortal upstream were killed, and when all were dead."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kills, self.outages = [], []

    def killed(self):
        with self.lock:
            self.kills = self.kills[-DEATHS_KEPT:] + [time.monotonic()]

    def outage_begins(self):
        with self.lock:
            self.outages = self.outages[-DEATHS_KEPT:] + [(time.monotonic(), float("inf"))]

    def outage_ends(self):
        with self.lock:
            self.outages[-1] = (self.outages[-1][0], time.monotonic() + RECOVERY_SECONDS)

    def was_one_killed(self, began, ended):
        with self.lock:
            return any(began - KILL_SECONDS < kill < ended for kill in self.kills)

    def were_all_dead(self, began, ended):
        with self.lock:
            return any(began < last and first < ended for first, last in self.outages)


def number_leb(value):
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + number_leb(rest) if rest else bytes([low])


def unique(module):
    """The module with a custom section of its own, so that it is compiled anew."""
    content = b"\4soak" + os.urandom(8)
    return module + b"\0" + number_leb(len(content)) + content


class Deployer(Client):
    """Deployments, replacements and removals"""
    pause = 0.25
    GUESTS = ("append_a", "append_b", "both_hooks", "continue_all", "response_500_to_503")
    NAMES = ("soak-a", "soak-b", "soak-c")

    def __init__(self, port):
        super().__init__(port)
        self.deployed = set()
        self.bytes = {name: open(f"{GUESTS}/{name}.wasm", "rb").read() for name in (*self.GUESTS, "unknown_import")}

    def put(self, name, module, points="OnRequest,OnResponse"):
        return request(self.port, "PUT", f"/wasm/{name}?attach={points}&instance={random.choice(('fresh', 'exchange', 'reuse'))}", module, {"Content-Type": "application/wasm"}, PATIENCE_SECONDS)

    def once(self):
        name = random.choice(self.NAMES)
        what = random.random()
        if what < 0.2:
            status, text = request(self.port, "DELETE", f"/wasm/{name}")
            expect(status == (200 if name in self.deployed else 400), f"DELETE of a module that is {'there' if name in self.deployed else 'not there'}: {status} {text[:200]}")
            self.deployed.discard(name)
        elif what < 0.3:
            status, text = self.put("soak-bad", random.choice((b"no module", self.bytes["unknown_import"], os.urandom(1000))))
            expect(400 <= status < 500, f"PUT of a bad module: {status} {text[:200]}")
        else:
            guest = random.choice(self.GUESTS)
            module = unique(self.bytes[guest]) if what > 0.8 else self.bytes[guest]
            status, text = self.put(name, module, "OnResponse" if guest.startswith("response") else "OnRequest,OnResponse")
            expect(status == (200 if name in self.deployed else 201), f"PUT of {guest} as {name}: {status} {text[:200]}")
            self.deployed.add(name)


class Reloader(Client):
    """Reloads by API and by signal, of good files and bad ones"""
    pause = 2

    def __init__(self, gateway):
        super().__init__(gateway.port)
        self.gateway, self.number = gateway, 0

    def generation(self):
        return int(request(self.port, "GET", "/generation")[1])

    def once(self):
        self.number += 1
        if self.number % 5 == 0:
            self.gateway.write_broken()
            status, text = request(self.port, "POST", "/admin/v1/config/reload")
            expect(status == 422 and json.loads(text)["mistakes"], f"a bad file: {status} {text[:200]}")
            expect(self.generation() == self.number - 1, "a bad file changed what is served")
        self.gateway.write(self.number)
        if self.number % 2:
            status, text = request(self.port, "POST", "/admin/v1/config/reload")
            expect(status == 200, f"reload by API: {status} {text[:200]}")
        else:
            self.gateway.process.send_signal(signal.SIGHUP)
            until = time.monotonic() + PATIENCE_SECONDS
            while self.generation() != self.number and time.monotonic() < until:
                time.sleep(0.05)
        expect(self.generation() == self.number, "a reload changed nothing")


class Killer(Client):
    """Upstream servers that die and come back"""
    pause = 2

    def __init__(self, port, servers, deaths):
        super().__init__(port)
        self.servers, self.deaths = servers, deaths

    def once(self):
        if self.rounds % 4 == 3:
            self.deaths.outage_begins()
            victims = list(self.servers)
        else:
            victims = [random.choice(self.servers)]
        for victim in victims:
            self.deaths.killed()
            victim.kill()
        self.over.wait(0.5 + random.random())
        for victim in victims:
            victim.start()
        if len(victims) == len(self.servers):
            self.deaths.outage_ends()
            # Nobody is excused any more after this.
            self.over.wait(RECOVERY_SECONDS)

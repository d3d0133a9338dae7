#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/open_loop against servers whose behaviour is known.

usage: open_loop_test.py SOURCE_FOLDER

What it measures is compared with what must have been at least: a slow machine adds, it takes nothing away.
"""
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
STALL_SECONDS = 0.5
PROGRAM = ""


class Server:
    """Answers each request with what `answer` (number of the request) gives; None closes the connection."""

    def __init__(self, answer):
        self.answer, self.number, self.lock, self.paths = answer, 0, threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        held = b""
        with client:
            while True:
                while b"\r\n\r\n" not in held:
                    try:
                        piece = client.recv(65536)
                    except OSError:
                        return
                    if not piece:
                        return
                    held += piece
                head, _, held = held.partition(b"\r\n\r\n")
                with self.lock:
                    number = self.number
                    self.number += 1
                    self.paths.append(head.split(b" ")[1].decode())
                answer = self.answer(number)
                if answer is None:
                    return
                client.sendall(answer)


def load(port, **options):
    words = sum(([f"--{name.replace('_', '-')}", str(value)] for name, value in options.items()), [])
    ended = subprocess.run([PROGRAM, "--port", str(port), "--json", *words], capture_output=True, text=True, timeout=120, check=True)
    return json.loads(ended.stdout)


class OpenLoop(unittest.TestCase):
    def test_counts_what_waits_behind_a_stall(self):
        def stall(number):
            time.sleep(STALL_SECONDS if number == 20 else 0)
            return ANSWER

        measured = load(Server(stall).port, rate=100, seconds=2, connections=1)
        self.assertGreaterEqual(measured["max_us"], STALL_SECONDS * 1e6)
        # One request of 200 was slow. Some 50 were due meanwhile, so that a tenth of all waited for half of the stall and longer.
        self.assertGreaterEqual(measured["p90_us"], STALL_SECONDS / 4 * 1e6)
        self.assertEqual(measured["answered"] + measured["unsent"], 200)
        self.assertEqual(sum(measured["errors"].values()), 0)

    def test_counts_errors_by_kind(self):
        measured = load(Server(lambda number: ANSWER.replace(b"200", b"503") if number % 2 else ANSWER).port, rate=50, seconds=1, connections=4)
        self.assertEqual(measured["errors"]["status"] + measured["answered"] + measured["unsent"], 50)
        self.assertGreater(measured["errors"]["status"], 0)
        measured = load(Server(lambda number: None if number == 3 else ANSWER).port, rate=50, seconds=1, connections=4)
        self.assertEqual(measured["errors"]["closed"], 1)
        measured = load(Server(lambda number: b"no http\r\n\r\n").port, rate=5, seconds=1, connections=1)
        self.assertGreater(measured["errors"]["unreadable"], 0)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            measured = load(nobody.getsockname()[1], rate=5, seconds=1, connections=1)
            self.assertGreater(measured["errors"]["connecting"], 0)
            self.assertEqual((measured["answered"], measured["unsent"]), (0, 5))

    def test_gives_up_waiting(self):
        measured = load(Server(lambda number: time.sleep(30)).port, rate=2, seconds=1, connections=2, timeout=1)
        self.assertGreater(measured["errors"]["timed_out"], 0)
        self.assertEqual(measured["answered"], 0)

    def test_makes_connections_anew_that_end_after_an_answer(self):
        measured = load(Server(lambda number: ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).port, rate=50, seconds=1, connections=2)
        self.assertGreater(measured["answered"], 2)
        self.assertEqual(sum(measured["errors"].values()), 0)

    def test_goes_through_the_paths(self):
        server = Server(lambda number: ANSWER)
        load(server.port, rate=20, seconds=1, connections=1, path="/a/%/b", paths=3)
        self.assertEqual(server.paths[:4], ["/a/0/b", "/a/1/b", "/a/2/b", "/a/0/b"])

    def test_refuses_what_is_out_of_bounds(self):
        for words in (["--rate", "0"], ["--rate", "1000001"], ["--rate", "1", "--seconds", "61"], ["--rate", "1", "--connections", "20001"], ["--rate"], ["--rate", "x"],
                      ["--rate", "1", "--address", "192.0.2.1"]):
            ended = subprocess.run([PROGRAM, "--port", "9", *words], capture_output=True, timeout=60, check=False)
            self.assertEqual(ended.returncode, 2, words)


if __name__ == "__main__":
    source = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        PROGRAM = f"{folder}/open_loop"
        subprocess.run(["clang++-19", "-std=c++23", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{source}", f"{source}/bench/open_loop.cc", "-o", PROGRAM], check=True)
        unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""The run of a soak: see tools/soak."""
import argparse
import http.client
import json
import os
import resource
import shutil
import sys
import tempfile
import time

from disturbances import Deaths, Deployer, Killer, Reloader
from setup import BINARY, GUESTS, ROOT, Gateway, Process
from traffic import clients, compiled
from watch import SAMPLE_SECONDS, Watch, children, descriptors

SECONDS_MIN, SECONDS_MAX = 45, 7 * 24 * 3600
PROGRESS_SECONDS = 5
# For the clients' last rounds, and for the server to end what they left.
QUIET_SECONDS = 60
# Descriptors at rest beyond those at the start, the kept connections to upstreams and the image of each module that ran: the connection that asks, the database of
# modules, an eventfd.
REST_DESCRIPTORS = 8


class Soak:
    def __init__(self, seconds, folder):
        self.seconds, self.folder = seconds, folder
        self.upstreams = {"steady": [Process([sys.executable, f"{ROOT}/tests/soak/upstream.py"]) for _ in range(2)],
                          "mortal": [Process([f"{folder}/origin"]) for _ in range(3)], "volume": [Process([f"{folder}/origin"])]}
        self.gateway = Gateway(folder, self.upstreams)
        self.threads, self.watch, self.checks = [], None, []

    def check(self, name, holds, detail=""):
        self.checks.append({"name": name, "passed": bool(holds), "detail": detail})

    def start(self):
        compiled(self.folder)
        for server in sum(self.upstreams.values(), []):
            server.start()
        self.gateway.start()
        self.start_descriptors = descriptors(self.gateway.process.pid)
        self.watch = Watch(self.gateway.process.pid)
        deaths = Deaths()
        self.threads = clients(self.gateway.port, self.folder, deaths)
        self.threads += [Deployer(self.gateway.port), Reloader(self.gateway), Killer(self.gateway.port, self.upstreams["mortal"], deaths)]
        self.watch.start()
        for thread in self.threads:
            thread.start()

    def progress(self):
        rounds, mistakes = sum(thread.rounds for thread in self.threads), sum(thread.mistake_count for thread in self.threads)
        last = self.watch.samples[-1] if self.watch.samples else {}
        print(f"soak: {time.monotonic() - self.watch.began:5.0f} of {self.seconds} s  {rounds:8} rounds  {mistakes} unexpected  PSS {last.get('pss_mib', 0):6.1f} MiB  "
              f"{last.get('descriptors', 0):4} descriptors  {last.get('threads', 0):3} threads", flush=True)

    def wait(self):
        """Until the time is over, or the server is gone."""
        until = time.monotonic() + self.seconds
        next_line = 0
        while time.monotonic() < until and self.gateway.is_alive():
            time.sleep(min(SAMPLE_SECONDS, max(0, until - time.monotonic())))
            if time.monotonic() >= next_line:
                self.progress()
                next_line = time.monotonic() + PROGRESS_SECONDS

    def stop_clients(self):
        for thread in self.threads:
            thread.over.set()
        until = time.monotonic() + QUIET_SECONDS
        for thread in self.threads:
            thread.join(max(0.1, until - time.monotonic()))

    def judge_clients(self):
        by_title = {}
        for thread in self.threads:
            by_title.setdefault(thread.title, []).append(thread)
        for title, threads in by_title.items():
            rounds, mistakes, excused = (sum(getattr(thread, key) for thread in threads) for key in ("rounds", "mistake_count", "excused"))
            answered = sum(getattr(thread, "answered", 0) for thread in threads)
            detail = f"{rounds} rounds" + (f", {answered} answers" if answered else "") + (f", {excused} failed as they may" if excused else "")
            stuck = [thread for thread in threads if thread.is_alive()]
            if stuck:
                detail += f", {len(stuck)} did not end"
            if mistakes:
                detail += f", {mistakes} unexpected: " + " | ".join(sum((thread.mistakes for thread in threads), []))
            self.check(title, rounds > 0 and not mistakes and not stuck, detail)

    def rest(self):
        """What the server keeps when nobody wants anything."""
        until = time.monotonic() + QUIET_SECONDS
        open_now = in_flight = 0
        while time.monotonic() < until:
            # This question is one of each.
            open_now, in_flight = self.gateway.metric("sandgate_connections_open"), self.gateway.metric("sandgate_requests_in_flight")
            if open_now <= 1 and in_flight <= 1:
                break
            time.sleep(0.5)
        self.check("nothing is left open", open_now <= 1 and in_flight <= 1, f"{open_now:.0f} connections, {in_flight:.0f} requests in flight, this question included")
        kept = self.gateway.metric("sandgate_upstream_server_connections")
        modules = self.gateway.metric("sandgate_modules_deployed")
        pid = self.gateway.process.pid
        now, most = descriptors(pid), self.start_descriptors + kept + modules + REST_DESCRIPTORS
        self.check("descriptors at rest", now <= most,
                   f"{now}, at most {most:.0f}: {self.start_descriptors} at the start, {kept:.0f} kept connections to upstreams, {modules:.0f} images of modules, {REST_DESCRIPTORS} more")
        self.check("no child is left", children(pid) == 0, f"{children(pid)} processes")

    def judge(self):
        self.watch.stop()
        self.judge_clients()
        for name, holds, figures in self.watch.verdicts():
            self.check(name, holds, figures)
        alive = self.gateway.is_alive()
        self.check("the server is alive", alive, "" if alive else f"exit code {self.gateway.process.returncode}")
        if alive:
            try:
                self.rest()
                self.check("requests in all", True, f"{self.gateway.metric('sandgate_requests_total'):.0f}")
            except (OSError, http.client.HTTPException) as error:
                self.check("the server answers at the end", False, str(error))
            code = self.gateway.stop()
            self.check("SIGTERM ends it with 0", code == 0, "not in time" if code is None else f"exit code {code}")

    def end(self):
        self.gateway.end()
        for server in sum(self.upstreams.values(), []):
            server.kill()


def report(soak, options, words):
    failed = [check for check in soak.checks if not check["passed"]]
    for check in soak.checks:
        print(f"{'ok    ' if check['passed'] else 'FAILED'} {check['name']}" + (f": {check['detail']}" if check["detail"] else ""))
    if failed:
        print(f"the server's last words:\n{words}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"seconds": options.seconds, "checks": soak.checks, "samples": soak.watch.samples}, file, indent=1)
    print(f"{len(soak.checks) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def main(usage):
    parser = argparse.ArgumentParser(prog="tools/soak", description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int, nargs="?", default=900, metavar="SECONDS")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    options.seconds = max(SECONDS_MIN, min(options.seconds, SECONDS_MAX))
    for needed in (BINARY, f"{GUESTS}/set_add_remove.wasm"):
        if not os.path.exists(needed):
            sys.exit(f"soak: {os.path.relpath(needed)} is missing; run tools/build --target sandgate --target guests")
    if not shutil.which("clang++-19"):
        sys.exit("soak: clang++-19 is missing; run tools/setup --for build")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="sandgate-soak-") as folder:
        os.chmod(folder, 0o700)
        soak = Soak(options.seconds, folder)
        try:
            soak.start()
            soak.wait()
            soak.stop_clients()
            soak.judge()
        except SystemExit:
            print(soak.gateway.last_words(), file=sys.stderr)
            raise
        finally:
            soak.end()
            words = soak.gateway.last_words()
        return report(soak, options, words)

# SPDX-License-Identifier: Apache-2.0
"""smg, the router whose middleware world Sandgate runs: plain, and with the module of tag.cc. It forwards only the end points of language models."""
import os
import subprocess

from peers import component
from server import ROOT, Server, deploy, free_port

HOW_TO_GET = "python3 -m venv .venv && .venv/bin/pip install smg==1.13.0, then SANDGATE_BENCH_SMG=.venv/bin/smg (or smg on PATH)"
# What would work beside the requests: histories, probes, retries, tokenizers.
QUIET = ["--history-backend=none", "--disable-tokenizer-autoload", "--disable-load-monitoring", "--disable-retries", "--disable-circuit-breaker",
         "--disable-health-check", "--health-success-threshold=1", "--worker-startup-check-interval=1", "--log-level=error"]


def tag_module(folder):
    """The component that both gateways are given, made when first asked for."""
    path = f"{folder}/tag.wasm"
    if not os.path.exists(path):
        core = f"{folder}/tag.core.wasm"
        subprocess.run(["clang++-19", f"--config={ROOT}/sdk/cpp/guest.cfg", f"{ROOT}/bench/peers/tag.cc", "-o", core], check=True)
        with open(core, "rb") as module, open(path, "wb") as file:
            file.write(component.wrap(module.read()))
    return path


def smg(name, program, folder, origin, points=()):
    port = free_port()
    command = [program, "launch", "--host", "127.0.0.1", "--port", str(port), "--prometheus-host", "127.0.0.1", "--prometheus-port", str(free_port()),
               "--worker-urls", f"http://127.0.0.1:{origin}", "--policy", "round_robin", "--enable-wasm", *QUIET]
    server = Server(name, command, port, path="/readiness")
    if points:
        deploy(server, tag_module(folder), points)
    return server

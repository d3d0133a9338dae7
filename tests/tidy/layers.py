# SPDX-License-Identifier: Apache-2.0
"""Who may include what. The tables here are the architecture; the CMakeLists.txt of a folder links the same."""

from source import Finding

# Folder of src/ -> the folders its sources may include. Its tests, and its sub-folder testing/ (what its tests share), may also include
# what those include.
LAYERS = {
    "base": [],
    "platform": ["base"],
    "http": ["base"],
    "routing": ["base", "http"],
    "exchange": ["base", "http"],
    "net": ["base", "platform", "http", "exchange"],
    "sandbox": ["base", "platform"],
    "capability/key_value": ["base", "platform", "net", "sandbox"],
    "abi/router_middleware": ["base", "http", "exchange", "sandbox"],
    "modules": ["base", "platform", "sandbox", "abi/router_middleware"],
    "telemetry": ["base", "platform", "http", "exchange", "capability/key_value", "modules"],
    "gateway": ["base", "platform", "http", "routing", "exchange", "net", "sandbox", "capability/key_value", "abi/router_middleware", "modules",
                "telemetry"],
    "config": ["base", "platform", "http", "routing", "capability/key_value", "modules", "telemetry", "gateway"],
    "admin": ["base", "platform", "http", "exchange", "modules", "telemetry"],
    "server": ["base", "platform", "http", "exchange", "net", "sandbox", "capability/key_value", "abi/router_middleware", "modules", "telemetry",
               "routing", "gateway", "config", "admin"],
    "cli": ["base", "platform", "http", "routing", "config", "exchange", "net", "sandbox", "capability/key_value", "abi/router_middleware",
            "modules", "telemetry", "gateway", "admin", "server"],
    "third_party": [],
}

# What begins so -> the folders that may include it. Headers that are not named here are the standard library's or the kernel's.
OUTSIDE = {
    "sandgate_engine.h": ["sandbox", "abi/router_middleware"],
    "version.h": ["telemetry", "admin", "server", "cli"],
    "boost/json": ["modules", "gateway", "config", "server", "admin", "cli", "third_party"],
    "boost/url": ["gateway", "third_party"],
    "boost/system": ["modules", "config", "gateway", "admin", "cli"],
    "boost/": [],
    "CLI/": ["cli"],
    "toml++/": ["config"],
    "spdlog/": ["platform"],
    "openssl/": ["platform", "net"],
    "sqlite3.h": ["platform"],
    "hiredis/": ["capability/key_value"],
    "sys/socket.h": ["platform", "net"],
    "sys/epoll.h": ["platform", "net"],
    "netinet/in.h": ["platform", "net", "gateway"],
    "arpa/inet.h": ["platform", "net", "gateway"],  # inet_pton: text, no I/O
    "netdb.h": ["net"],
}


def below(folder):
    """Everything under a folder, not only what it may name."""
    found = set()
    for lower in LAYERS.get(folder, []):
        found |= {lower} | below(lower)
    return found


def includes_of_layers(source):
    """A folder includes only the folders below it that LAYERS names."""
    if not source.folder or not source.is_cpp:
        return
    if source.folder not in LAYERS:
        yield Finding(source.path, 1, "layers", f"src/{source.folder} is not in tests/tidy/layers.py: say what it may include")
        return
    allowed = {source.folder} | set(LAYERS[source.folder])
    if source.is_test:
        allowed |= below(source.folder)
    for line, included, quoted in source.includes:
        if not quoted or outside(included) is not None or included.startswith("tests/"):
            continue
        folder = included.rpartition("/")[0]
        if source.is_test:
            folder = folder.removesuffix("/testing")
        if folder not in allowed:
            what = f"includes src/{folder}" if folder else f'includes "{included}" without its folder'
            yield Finding(source.path, line, "layers", f"src/{source.folder} {what}; it may include {', '.join(sorted(allowed))}")


def outside(included):
    """The longest prefix of OUTSIDE that names this header, or None."""
    return max((prefix for prefix in OUTSIDE if included.startswith(prefix)), key=len, default=None)


def includes_from_outside(source):
    """Each library of others has its folders: one JSON, one socket layer, one engine border."""
    if not source.folder or not source.is_cpp:
        return
    for line, included, _ in source.includes:
        prefix = outside(included)
        if prefix is None or source.folder in OUTSIDE[prefix]:
            continue
        allowed = ", ".join(OUTSIDE[prefix]) or "no folder"
        yield Finding(source.path, line, "outside", f"<{included}> belongs to {allowed}, not to src/{source.folder}")


def own_header_first(source):
    """thing.cc includes thing.h before everything else, which proves that thing.h compiles alone."""
    if not source.folder or not source.path.endswith(".cc") or source.is_test or not source.includes:
        return
    own = source.path[len("src/"):-len(".cc")] + ".h"
    names = [included for _, included, _ in source.includes]
    if own in names and names[0] != own:
        yield Finding(source.path, source.includes[0][0], "own-header-first", f'the first include is "{own}"')


RULES = [includes_of_layers, includes_from_outside, own_header_first]

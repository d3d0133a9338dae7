# SPDX-License-Identifier: Apache-2.0
"""What the tree does not contain. Each ban names what to use instead."""

import re

from source import Finding, closing


def _call(names):
    return re.compile(rf"(?<![\w.>])(?:std::|::)?(?:{names})\s*\(")


# (rule, pattern on code without comments and literals, what to do instead)
CALLS = [
    ("unbounded-copy", _call(r"strcpy|strcat|sprintf|vsprintf|gets|stpcpy"), "use std::string_view, fmt::format_to_n or a checked copy"),
    ("unchecked-number", _call(r"atoi|atol|atoll|atof"), "std::from_chars reports what it cannot read"),
    ("weak-randomness", _call(r"rand|srand|drand48|random_shuffle"), "take a sandgate::Entropy (platform/entropy.h)"),
    ("shell", _call(r"system|popen"), "no shell: posix_spawn with a fixed program, as sandbox/compiler does"),
    ("hidden-state", _call(r"strtok|localtime|gmtime|asctime|ctime|strerror|setlocale"), "not reentrant: use the _r form or our own"),
    ("regex", re.compile(r"\bstd::(?:basic_)?w?regex\b"), "std::regex recurses on its input: write the parser"),
    ("using-namespace-std", re.compile(r"\busing\s+namespace\s+std\s*;"), "name what you use"),
    ("assert", _call("assert"), "SANDGATE_CHECK for bugs, a Result for what can happen"),
]

SOCKET_CALL = re.compile(
    r"(?<![\w>])::(?:socket|socketpair|bind|listen|accept|accept4|connect|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg"
    r"|setsockopt|getsockopt|shutdown|getaddrinfo|epoll_\w+)\s*\(")
SOCKET_FOLDERS = ("net", "platform", "wasi")

CLOCK_READ = re.compile(
    r"\b\w+_clock::now\s*\(|\b(?:clock_gettime|gettimeofday|timespec_get)\s*\(|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:NULL|nullptr|0|&)")
CLOCK_FILES = ("src/platform/clock.cc", "src/platform/clock.h")

THREAD_LOCAL = re.compile(r"\bthread_local\b")
# Caches of allocators. A request's state hangs on its Exchange and is handed down.
THREAD_LOCAL_FILES = ("src/base/frame_pool.cc",)

STREAMS = re.compile(r"^(?:iostream|regex)$")

# In pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}~*-])/(?:" + "|".join(["wor" + "k", "roo" + "t", "hom" + r"e/\w+"]) + r")/")
UNKINDLY = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b(?!\([a-z]+\): )")
REGISTRY_HOST = re.compile("|".join([r"deb\.debian" + r"\.org", r"crates" + r"\.io", r"pypi" + r"\.org", r"npmjs" + r"\.(?:org|com)"]))


def banned_calls(source):
    """No function that trusts its input or hides state."""
    if not source.is_cpp:
        return
    for rule, pattern, instead in CALLS:
        for line, match in source.matches(pattern):
            yield Finding(source.path, line, rule, f"{match.group().rstrip('( ')}: {instead}")


def streams(source):
    """<iostream> brings static constructors and locales."""
    if source.is_product and source.folder != "cli":
        for line, included, _ in source.includes:
            if STREAMS.match(included):
                yield Finding(source.path, line, "streams", f"<{included}>: use platform/log.h or fmt")


def socket_calls(source):
    """Sockets are touched in net and below, nowhere above."""
    if source.is_product and source.folder not in SOCKET_FOLDERS:
        for line, match in source.matches(SOCKET_CALL):
            yield Finding(source.path, line, "sockets", f"{match.group()[:-1]} belongs to src/net or src/platform")


def clock_reads(source):
    """Time comes from a Clock that was handed down, so that tests can stop it."""
    if source.is_product and source.path not in CLOCK_FILES:
        for line, _ in source.matches(CLOCK_READ):
            yield Finding(source.path, line, "clocks", "take a sandgate::Clock (platform/clock.h)")


def thread_locals(source):
    """No ambient state per thread."""
    if source.is_product and source.path not in THREAD_LOCAL_FILES:
        for line, _ in source.matches(THREAD_LOCAL):
            yield Finding(source.path, line, "thread-local", "hand it down; allocator caches are listed in tests/tidy/bans.py")


_CONDITION = re.compile(r"\b(?:if|while|switch)\s*(?:constexpr\s*)?\(")
_AWAIT = re.compile(r"\bco_await\b")


def awaits_in_conditions(source):
    """One co_await per statement, and none in a condition: the suspension points of a function can be counted."""
    if not source.is_product:
        return
    for match in _CONDITION.finditer(source.code):
        end = closing(source.code, match.end() - 1, "(", ")")
        condition = source.code[match.end():end]
        if ";" not in condition and _AWAIT.search(condition):
            yield Finding(source.path, source.line_of(match.start()), "await-in-condition", "await into a variable first")
    for statement in re.finditer(r"[^;{}]+", source.code):
        if len(_AWAIT.findall(statement.group())) > 1:
            yield Finding(source.path, source.line_of(statement.end()), "awaits-in-statement", "one co_await per statement")


# A lambda: not a subscript (a name, ] or ) before it), not an attribute.
_LAMBDA = re.compile(r"(?<![\w\])\[])\s?\[(?!\[)([^\[\]]*)\]\s*(?:<[^<>]*>\s*)?(?=[({])")
_COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")


def _body(code, lambda_match):
    """(start, end) of a lambda's braces, or None."""
    at = lambda_match.end()
    if code[at] == "(":
        at = closing(code, at, "(", ")") + 1
    between = re.compile(r"[^{};]*\{").match(code, at)
    return (between.end(), closing(code, between.end() - 1, "{", "}")) if between else None


def capturing_coroutines(source):
    """A lambda's captures live in the lambda, not in the coroutine: they dangle at the first suspension."""
    if not source.is_product:
        return
    bodies = [(match, _body(source.code, match)) for match in _LAMBDA.finditer(source.code)]
    bodies = [(match, body) for match, body in bodies if body]
    for match, (start, end) in bodies:
        if not match.group(1).strip():
            continue
        # What an inner lambda awaits is its own business.
        inner = [other for _, other in bodies if start < other[0] and other[1] < end]
        awaits = (start + found.start() for found in _COROUTINE.finditer(source.code[start:end]))
        if any(not any(first <= at < last for first, last in inner) for at in awaits):
            yield Finding(source.path, source.line_of(match.start(1)), "capturing-coroutine", "pass what it needs as parameters")


def forbidden_text(source):
    """No path of one machine, no note without a kind, no registry's host name in scripts."""
    if source.path.endswith(".lock"):
        return
    for line, _ in source.matches(MACHINE_PATH, in_code=False):
        yield Finding(source.path, line, "machine-path", "a path of one machine")
    for line, match in source.matches(UNKINDLY, in_code=False):
        yield Finding(source.path, line, "todo", f"{match.group()} has a kind: {'TO' + 'DO'}(perf): text")
    if source.text.startswith("#!") or source.path.endswith((".cmake", "CMakeLists.txt")):
        for line, match in source.matches(REGISTRY_HOST, in_code=False):
            yield Finding(source.path, line, "registry", f"{match.group()}: use the ordinary client's configuration")


RULES = [banned_calls, streams, socket_calls, clock_reads, thread_locals, awaits_in_conditions, capturing_coroutines, forbidden_text]

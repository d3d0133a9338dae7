# SPDX-License-Identifier: Apache-2.0
"""A file of the tree as the rules see it: its lines, and its code with comments and literals blanked out."""

import re
from dataclasses import dataclass
from functools import cached_property

CPP_SUFFIXES = (".h", ".cc")

# Comments, raw strings, strings and characters of C++, in this order of precedence at one place.
_CPP_TOKEN = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"([^()\s\\]{0,16})\(.*?\)\1"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str
    warning: bool = False

    def __str__(self):
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: {kind}{self.message} [{self.rule}]"


class Source:
    """`path` is relative to the root of the tree, with slashes."""

    def __init__(self, path, text):
        self.path = path
        self.text = text

    @cached_property
    def lines(self):
        return self.text.split("\n")

    @cached_property
    def is_cpp(self):
        return self.path.endswith(CPP_SUFFIXES)

    @cached_property
    def is_header(self):
        return self.path.endswith(".h")

    @cached_property
    def is_test(self):
        return self.path.endswith("_test.cc") or self.path.startswith("tests/") or "/test/" in self.path or "/testing/" in self.path

    @cached_property
    def is_product(self):
        """C++ that ships: the server, the public headers and the guest SDK."""
        return self.is_cpp and not self.is_test and self.path.startswith(("src/", "include/", "sdk/"))

    @cached_property
    def folder(self):
        """The layer of a file in src/: "net", "abi/router_middleware"; empty elsewhere. net/testing belongs to net."""
        parts = self.path.split("/")
        if parts[0] != "src" or len(parts) < 3:
            return ""
        return "/".join(parts[1:-1]).removesuffix("/testing")

    @cached_property
    def code(self):
        """The text with comments and literals turned into spaces: same length, same lines."""

        def blank(match):
            return re.sub(r"[^\n]", " ", match.group())

        return _CPP_TOKEN.sub(blank, self.text)

    @cached_property
    def includes(self):
        """(line, what, quoted) of each #include."""
        found = []
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
            if match:
                found.append((number, match.group(1) or match.group(2), match.group(1) is not None))
        return found

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def matches(self, pattern, in_code=True):
        """(line, match) of each place where the compiled pattern stands."""
        for match in pattern.finditer(self.code if in_code else self.text):
            yield self.line_of(match.start()), match


def closing(code, start, opening, ending):
    """The offset of what closes `opening` at `start`; the end of the code when nothing does."""
    depth = 0
    for match in re.compile(f"[{re.escape(opening)}{re.escape(ending)}]").finditer(code, start):
        depth += 1 if match.group() == opening else -1
        if depth == 0:
            return match.start()
    return len(code)

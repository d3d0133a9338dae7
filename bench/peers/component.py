# SPDX-License-Identifier: Apache-2.0
"""Makes a component of a core module that exports both hooks of smg:gateway (wit/smg-gateway/spec.wit) and imports nothing.

    wrap(module: bytes) -> bytes

Sandgate deploys such a module as it is; smg takes components only, and tools that make them are no part of what the benchmarks need. The numbers
are those of the component model's binary format (Binary.md of its specification).
"""

PREAMBLE = b"\0asm\x0d\0\x01\0"
CORE_MODULE, CORE_INSTANCE, INSTANCE, ALIAS, TYPE, CANON, IMPORT, EXPORT = 1, 2, 5, 6, 7, 8, 10, 11
STRING, U64, U16, U8 = b"\x73", b"\x77", b"\x7b", b"\x7d"
CORE_FUNCTION, CORE_MEMORY, FUNCTION_SORT, TYPE_SORT, INSTANCE_SORT = b"\0\0", b"\0\2", b"\1", b"\3", b"\5"
TYPES, REQUEST, RESPONSE = "smg:gateway/middleware-types", "smg:gateway/middleware-on-request", "smg:gateway/middleware-on-response"


def number(value):
    """Unsigned LEB128; small enough here to be the signed form of a type index too."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + number(rest) if rest else bytes([low])


def text(name):
    return number(len(name)) + name.encode()


def vector(items):
    return number(len(items)) + b"".join(items)


def section(kind, items):
    body = vector(items)
    return bytes([kind]) + number(len(body)) + body


def record(**fields):
    return b"\x72" + vector([text(name.replace("_", "-")) + kind for name, kind in fields.items()])


def list_of(kind):
    return b"\x70" + kind


def option_of(kind):
    return b"\x6b" + kind


def function(parameter, kind, result):
    return b"\x40" + vector([text(parameter) + kind]) + b"\0" + result


class TypesInstance:
    """The declarations of the interface middleware-types. An exported name is a type of its own, with the index after that of its definition."""

    def __init__(self):
        self.declarations, self.types = [], 0

    def define(self, kind, name=None):
        self.declarations.append(b"\1" + kind)
        if name:
            self.declarations.append(b"\4\0" + text(name) + b"\3\0" + number(self.types))
            self.types += 1
        self.types += 1
        return number(self.types - 1)

    def encode(self):
        return b"\x42" + vector(self.declarations)


def middleware_types():
    types = TypesInstance()
    header = types.define(record(name=STRING, value=STRING), "header")
    headers, body, names = types.define(list_of(header)), types.define(list_of(U8)), types.define(list_of(STRING))
    types.define(record(method=STRING, path=STRING, query=STRING, headers=headers, body=body, request_id=STRING, now_epoch_ms=U64), "request")
    types.define(record(status=U16, headers=headers, body=body), "response")
    status, new_body = types.define(option_of(U16)), types.define(option_of(body))
    modify = types.define(record(status=status, headers_set=headers, headers_add=headers, headers_remove=names, body_replace=new_body), "modify-action")
    cases = [text("continue") + b"\0\0", text("reject") + b"\1" + U16 + b"\0", text("modify") + b"\1" + modify + b"\0"]
    types.define(b"\x71" + vector(cases), "action")
    return types.encode()


def wrap(module):
    hooks = [(REQUEST, "on-request"), (RESPONSE, "on-response")]
    parts = [PREAMBLE, section(TYPE, [middleware_types()]), section(IMPORT, [b"\0" + text(TYPES) + INSTANCE_SORT + number(0)])]
    parts.append(section(ALIAS, [TYPE_SORT + b"\0" + number(0) + text(name) for name in ("request", "response", "action")]))  # types 1, 2, 3
    parts.append(section(TYPE, [function("req", number(1), number(3)), function("resp", number(2), number(3))]))  # types 4, 5
    parts.append(bytes([CORE_MODULE]) + number(len(module)) + module)
    parts.append(section(CORE_INSTANCE, [b"\0" + number(0) + number(0)]))
    # Core functions: the allocator is 0, then each hook and what runs after it.
    names = ["cabi_realloc"] + [name for interface, hook in hooks for name in (f"{interface}#{hook}", f"cabi_post_{interface}#{hook}")]
    parts.append(section(ALIAS, [CORE_MEMORY + b"\1" + number(0) + text("memory")] + [CORE_FUNCTION + b"\1" + number(0) + text(name) for name in names]))
    for place, (interface, hook) in enumerate(hooks):
        options = [b"\0", b"\3" + number(0), b"\4" + number(0), b"\5" + number(2 * place + 2)]  # UTF-8, memory, allocator, post-return
        parts.append(section(CANON, [b"\0\0" + number(2 * place + 1) + vector(options) + number(4 + place)]))
        parts.append(section(INSTANCE, [b"\1" + vector([b"\0" + text(hook) + FUNCTION_SORT + number(place)])]))
        # Each export adds an instance of its own: the imported one is 0, these are 1 and 3.
        parts.append(section(EXPORT, [b"\0" + text(interface) + INSTANCE_SORT + number(2 * place + 1) + b"\0"]))
    return b"".join(parts)

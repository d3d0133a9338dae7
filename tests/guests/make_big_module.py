#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a valid middleware guest (a core module with the canonical exports) that is expensive to compile.

    make_big_module.py OUT N

N functions, each of about 2 KiB of code with many values alive at once, which is what register allocation finds hard.
The functions are never called: the hooks answer "continue". The same N gives the same bytes.
"""

import random
import sys

I32, I64 = 0x7F, 0x7E
STATEMENTS = 150  # per function
LOCALS = 24  # i64 variables per function, all alive from first to last statement


def leb(value):
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if value == 0:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def sleb(value):
    """Signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def section(number, content):
    return bytes([number]) + leb(len(content)) + content


def vector(items):
    return leb(len(items)) + b"".join(items)


def name(text):
    return leb(len(text)) + text.encode()


def function_type(parameters, results):
    return b"\x60" + vector([bytes([t]) for t in parameters]) + vector([bytes([t]) for t in results])


def body(locals_of_i64, code):
    declared = vector([leb(locals_of_i64) + bytes([I64])]) if locals_of_i64 else vector([])
    content = declared + code + b"\x0b"
    return leb(len(content)) + content


def heavy_function(rng):
    """(i32) -> i64: statements a = (b op c) op d over the locals, some inside nested ifs, with loads and stores."""
    get, set_, tee = b"\x20", b"\x21", b"\x22"
    operators = [b"\x7c", b"\x7d", b"\x7e", b"\x83", b"\x84", b"\x85", b"\x89"]  # add sub mul and or xor rotl
    code = bytearray()
    depth = 0

    def local():
        return leb(1 + rng.randrange(LOCALS))

    for i in range(LOCALS):
        code += b"\x42" + sleb(rng.getrandbits(63)) + set_ + leb(1 + i)
    for _ in range(STATEMENTS):
        choice = rng.random()
        if choice < 0.12 and depth < 6:
            code += get + local() + b"\x50" + b"\x04\x40"  # i64.eqz if
            depth += 1
        elif choice < 0.22 and depth > 0:
            code += b"\x0b"
            depth -= 1
        if choice < 0.5:
            code += get + b"\x00" + b"\x29\x03" + leb(8 * rng.randrange(1000))  # i64.load of parameter + offset
            code += get + local() + rng.choice(operators) + tee + local() + set_ + local()
        elif choice < 0.6:
            code += get + b"\x00" + get + local() + b"\x37\x03" + leb(8 * rng.randrange(1000))  # i64.store
        else:
            code += get + local() + get + local() + rng.choice(operators)
            code += get + local() + rng.choice(operators) + set_ + local()
    code += b"\x0b" * depth
    code += get + leb(1)
    for i in range(1, LOCALS):
        code += get + leb(1 + i) + b"\x85"
    return body(LOCALS, bytes(code))


def module(count):
    rng = random.Random(1)
    types = vector(
        [
            function_type([I32] * 4, [I32]),  # cabi_realloc
            function_type([I32] * 12 + [I64], [I32]),  # on-request
            function_type([I32] * 5, [I32]),  # on-response
            function_type([I32], [I64]),  # the heavy ones
        ]
    )
    functions = vector([leb(0), leb(1), leb(2)] + [leb(3)] * count)
    memory = vector([b"\x00" + leb(16)])
    # The top of a bump allocator; the first 4 KiB hold the answer, 44 zero bytes at 1024 ("continue").
    top = vector([bytes([I32]) + b"\x01" + b"\x41" + sleb(65536) + b"\x0b"])
    exports = [
        name("memory") + b"\x02" + leb(0),
        name("cabi_realloc") + b"\x00" + leb(0),
        name("sgl:router/middleware-on-request#on-request") + b"\x00" + leb(1),
        name("sgl:router/middleware-on-response#on-response") + b"\x00" + leb(2),
    ]
    # (top + align - 1) & -align, kept in local 0 (the old address, unused otherwise); top = that + size
    realloc = (
        b"\x23\x00\x20\x02\x6a\x41\x01\x6b\x41\x00\x20\x02\x6b\x71\x22\x00" b"\x20\x03\x6a\x24\x00" b"\x20\x00"
    )
    answer = b"\x41" + sleb(1024)
    code = [body(0, realloc), body(0, answer), body(0, answer)] + [heavy_function(rng) for _ in range(count)]
    return b"\x00asm\x01\x00\x00\x00" + b"".join(
        [
            section(1, types),
            section(3, functions),
            section(5, memory),
            section(6, top),
            section(7, vector(exports)),
            section(10, vector(code)),
        ]
    )


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.exit("usage: make_big_module.py OUT N")
    with open(sys.argv[1], "wb") as out:
        out.write(module(int(sys.argv[2])))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Writes guests that are large, deep or broken in a way that no text format expresses.

    make_large.py OUT KIND

KIND is the name of a function below. Each begins with a guest that would be valid and says what it does to it.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "guests"))
from make_big_module import I32, I64, body, function_type, leb, name, section, sleb, vector  # noqa: E402

MAGIC = b"\x00asm\x01\x00\x00\x00"
COMPONENT_MAGIC = b"\x00asm\x0d\x00\x01\x00"
REQUEST = "sgl:router/middleware-on-request#on-request"
TYPE_REALLOC, TYPE_REQUEST, TYPE_VOID = 0, 1, 2
NOP, END, DROP = b"\x01", b"\x0b", b"\x1a"


def sections(types=(), imports=(), functions=(), exports=(), code=(), data=()):
    """The sections of a guest that answers "continue", with more of each kind. Imports must have type TYPE_VOID."""
    first = len(imports)
    out = [
        section(1, vector([function_type([I32] * 4, [I32]), function_type([I32] * 12 + [I64], [I32]),
                           function_type([], []), *types])),
        section(2, vector(imports)) if imports else b"",
        section(3, vector([leb(TYPE_REALLOC), leb(TYPE_REQUEST), *functions])),
        section(5, vector([b"\x00" + leb(16)])),
        section(7, vector([name("memory") + b"\x02\x00", name("cabi_realloc") + b"\x00" + leb(first),
                           name(REQUEST) + b"\x00" + leb(first + 1), *exports])),
        section(10, vector([body(0, b"\x41" + sleb(65536)), body(0, b"\x41" + sleb(1024)), *code])),
        section(11, vector(data)) if data else b"",
    ]
    return [one for one in out if one]


def guest(**more):
    return MAGIC + b"".join(sections(**more))


def with_function(code, locals_of_i64=0):
    """A guest with one more function, which nobody calls."""
    return guest(functions=[leb(TYPE_VOID)], code=[body(locals_of_i64, code)])


def imports_5000():
    """5,000 imports that nobody has."""
    return guest(imports=[name("env") + name(f"secret_{i}") + b"\x00" + leb(TYPE_VOID) for i in range(5000)])


def imports_same_1000():
    """1,000 times the same import of WASI, with a type that it does not have."""
    one = name("wasi_snapshot_preview1") + name("sched_yield") + b"\x00" + leb(TYPE_VOID)
    return guest(imports=[one] * 1000)


def exports_20000():
    """20,000 exports that nobody asked for."""
    return guest(exports=[name(f"export_{i}") + b"\x00" + leb(0) for i in range(20_000)])


def exports_same():
    """The same export twice."""
    return guest(exports=[name(REQUEST) + b"\x00" + leb(1)])


def functions_300000():
    """300,000 functions."""
    return guest(functions=[leb(TYPE_VOID)] * 300_000, code=[body(0, NOP)] * 300_000)


def functions_8000():
    """8,000 functions, each of a few bytes."""
    return guest(functions=[leb(TYPE_VOID)] * 8000, code=[body(0, NOP)] * 8000)


def types_1000001():
    """A million types."""
    return guest(types=[function_type([], [])] * 1_000_001)


def types_5000():
    """5,000 types, all different."""
    kinds = [b"\x7f", b"\x7e", b"\x7d", b"\x7c"]
    return guest(types=[b"\x60" + leb(8) + b"".join(kinds[(i >> 2 * bit) & 3] for bit in range(8)) + leb(0)
                        for i in range(5000)])


def parameters_1001():
    """A function type of 1,001 parameters."""
    return guest(types=[function_type([I32] * 1001, [])])


def blocks_100000():
    """100,000 blocks, one within the other."""
    return with_function(b"\x02\x40" * 100_000 + END * 100_000)


def loops_3000():
    """3,000 loops, one within the other, each of which may go back to the outermost."""
    return with_function(b"\x03\x40" * 3000 + b"".join(b"\x41\x00\x0d" + leb(2999 - i) + END for i in range(3000)))


def ifs_20000():
    """20,000 conditions, one within the other."""
    return with_function(b"\x41\x01\x04\x40" * 20_000 + END * 20_000)


def br_table_1000000():
    """A branch table of a million targets."""
    return with_function(b"\x02\x40\x41\x00\x0e" + leb(1_000_000) + b"\x00" * 1_000_001 + END)


def br_table_60000():
    """60,000 targets, each another block of 1,000."""
    targets = b"".join(leb(i % 1000) for i in range(60_001))
    return with_function(b"\x02\x40" * 1000 + b"\x41\x00\x0e" + leb(60_000) + targets + END * 1000)


def function_1m():
    """One function of a mebibyte, every instruction of which needs the one before."""
    step = b"\x20\x00\x42\x03\x7e\x20\x01\x85\x21\x00"  # a = a * 3 ^ b
    return with_function(step * ((1 << 20) // len(step)), locals_of_i64=2)


def function_8m():
    """One function of 8 MiB."""
    return with_function(NOP * (8 << 20))


def locals_50001():
    """One function of 50,001 variables."""
    return with_function(NOP, locals_of_i64=50_001)


def locals_15000_alive():
    """One function of 15,000 variables, of which all are alive in a loop."""
    get_all = b"".join(b"\x20" + leb(i) + DROP for i in range(15_000))
    return with_function(b"\x03\x40" + get_all + b"\x41\x00\x0d\x00" + END, locals_of_i64=15_000)


def stack_100000():
    """100,000 values on the operand stack."""
    return with_function(b"\x20\x00" * 100_000 + b"\x7c" * 99_999 + DROP, locals_of_i64=1)


def data_100001():
    """100,001 segments of data."""
    return guest(data=[b"\x00\x41" + sleb(i) + END + leb(1) + b"x" for i in range(100_001)])


def names_1m():
    """An export whose name has a mebibyte."""
    return guest(exports=[name("x" * (1 << 20)) + b"\x00" + leb(0)])


def wrong_order():
    """The code comes before the functions that it belongs to."""
    parts = sections()
    parts[1], parts[-1] = parts[-1], parts[1]
    return MAGIC + b"".join(parts)


def section_twice():
    """The types come twice."""
    parts = sections()
    return MAGIC + parts[0] + b"".join(parts)


def section_too_long():
    """The last section says that it goes on for 4 GiB."""
    parts = sections()
    return MAGIC + b"".join(parts[:-1]) + b"\x0a" + leb(0xFFFFFFFF) + b"\x00"


def number_without_end():
    """A length whose digits never end."""
    return MAGIC + b"\x01" + b"\x80" * 1000


def count_lies():
    """A vector of 4 billion types in a section of five bytes."""
    return MAGIC + section(1, leb(0xFFFFFFFF))


def version_2():
    """A version that does not exist."""
    return b"\x00asm\x02\x00\x00\x00" + b"".join(sections())


def wrong_type():
    """A function that returns nothing where it must return a number."""
    return guest(functions=[leb(TYPE_REALLOC)], code=[body(0, NOP)])


def names_broken():
    """An export whose name is no UTF-8."""
    return guest(exports=[leb(2) + b"\xff\xfe" + b"\x00" + leb(0)])


def components_100():
    """100 components, one within the other."""
    inner = COMPONENT_MAGIC
    for _ in range(100):
        inner = COMPONENT_MAGIC + section(4, inner)
    return inner


def components_1000():
    """1,000 components, one within the other: what recurses over them ends its stack."""
    # From the inside out; lengths only, so that the bytes are joined once.
    heads, length = [], len(COMPONENT_MAGIC)
    for _ in range(1000):
        head = COMPONENT_MAGIC + b"\x04" + leb(length)
        heads.append(head)
        length += len(head)
    return b"".join(reversed(heads)) + COMPONENT_MAGIC


def component_modules_100():
    """A component of 100 modules."""
    return COMPONENT_MAGIC + section(1, guest()) * 100


def component_empty():
    """A component without anything in it."""
    return COMPONENT_MAGIC


KINDS = {kind: function for kind, function in list(globals().items())
         if callable(function) and getattr(function, "__module__", "") == __name__
         and kind not in ("sections", "guest", "with_function")}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in KINDS:
        sys.exit("usage: make_large.py OUT KIND; KIND is " + ", ".join(KINDS))
    pathlib.Path(sys.argv[1]).write_bytes(KINDS[sys.argv[2]]())


if __name__ == "__main__":
    main()

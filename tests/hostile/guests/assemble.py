# SPDX-License-Identifier: Apache-2.0
"""Makes a guest of a fragment: the fields that are hostile, without the rest that every guest must have.

    assemble.py OUT.wasm FRAGMENT.wat WAT2WASM

What the fragment lacks is added: a memory of 1 MiB, a bump allocator as cabi_realloc, a table of one type for hooks, and
the exports of both hooks. They call the fragment's $hook, which gives the address of the answer; without $hook they
answer "continue" (the 44 zero bytes at 1024). When there is a $post it becomes the post-return function of both hooks.
The fragment comes first, so its imports may; it may use $alloc.
"""

import pathlib
import subprocess
import sys
import tempfile

REQUEST = "sgl:router/middleware-on-request#on-request"
RESPONSE = "sgl:router/middleware-on-response#on-response"

MEMORY = '(memory (export "memory") 16)'
ALLOCATOR = """(global $top (mut i32) (i32.const 65536))
  (func $alloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))"""
HOOK = "(func $hook (result i32) (i32.const 1024))"
EXPORTS = f"""(func (export "{REQUEST}")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32) (call $hook))
  (func (export "{RESPONSE}") (param i32 i32 i32 i32 i32) (result i32) (call $hook))"""
POST = f"""(func (export "cabi_post_{REQUEST}") (param i32) (call $post))
  (func (export "cabi_post_{RESPONSE}") (param i32) (call $post))"""


def module(fragment):
    parts = [fragment]
    if '(export "memory")' not in fragment:
        parts.append(MEMORY)
    if '(export "cabi_realloc")' not in fragment:
        parts.append(ALLOCATOR)
    if "(func $hook" not in fragment:
        parts.append(HOOK)
    if "(func $post" in fragment:
        parts.append(POST)
    return "(module\n" + "\n".join(parts + [EXPORTS]) + ")\n"


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: assemble.py OUT.wasm FRAGMENT.wat WAT2WASM")
    out, fragment, wat2wasm = sys.argv[1:]
    with tempfile.NamedTemporaryFile("w", suffix=".wat") as text:
        text.write(module(pathlib.Path(fragment).read_text(encoding="utf-8")))
        text.flush()
        sys.exit(subprocess.run([wat2wasm, "--enable-all", "--output", out, text.name], check=False).returncode)


if __name__ == "__main__":
    main()

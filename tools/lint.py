# SPDX-License-Identifier: Apache-2.0
"""tools/lint's work: see there."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path.cwd()
CACHE = pathlib.Path(os.environ.get("SANDGATE_CACHE_DIR") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sandgate") / "lint"
TOOL = "clang-tidy-19"


def compiler_arguments(command):
    """The compile command without its launcher and its output."""
    words = shlex.split(command["command"])
    compiler = next(index for index, word in enumerate(words) if "clang++" in word)
    words = words[compiler:]
    output = words.index("-o")
    return [word for index, word in enumerate(words) if index not in (output, output + 1) and word != "-c"]


def key(command, configuration):
    arguments = compiler_arguments(command)
    # -C keeps comments: a // NOLINT counts.
    preprocessed = subprocess.run(arguments + ["-E", "-C"], cwd=command["directory"], capture_output=True, check=False)
    if preprocessed.returncode != 0:
        return None
    digest = hashlib.sha256(configuration)
    digest.update(" ".join(arguments).replace(str(ROOT), "").encode())
    digest.update(preprocessed.stdout.replace(str(ROOT).encode(), b""))  # line markers name this checkout
    return digest.hexdigest()


def lint(command, commands_folder, configuration):
    """Returns (file, what clang-tidy said or None when clean)."""
    name = os.path.relpath(command["file"], ROOT)
    stamp_name = key(command, configuration)
    stamp = CACHE / stamp_name if stamp_name else None
    if stamp and stamp.exists():
        stamp.touch()
        return name, None
    run = subprocess.run([TOOL, "-p", commands_folder, "--quiet", command["file"]], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return name, (run.stdout + run.stderr).replace(f"{ROOT}/", "")
    if stamp:
        stamp.touch()
    return name, None


def is_product(file):
    """Tests are linted when named: they are half of the sources, and what the list finds in them has cost nobody anything."""
    name = os.path.relpath(file, ROOT)
    return not (name.startswith("tests/") or name.endswith("_test.cc") or "/testing/" in name or "/test/" in name)


def main(arguments):
    commands_path = pathlib.Path(arguments[0])
    wanted = {str((ROOT / name).resolve()) for name in arguments[1:]}
    generated = str(commands_path.parent.resolve())
    commands = [command for command in json.loads(commands_path.read_text())
                if not command["file"].startswith(generated) and "/third_party/" not in command["file"]
                and (command["file"] in wanted if wanted else is_product(command["file"]))]
    configuration = (ROOT / ".clang-tidy").read_bytes() + subprocess.run([TOOL, "--version"], capture_output=True, check=True).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    broken = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, said in pool.map(lambda command: lint(command, str(commands_path.parent), configuration), commands):
            if said is not None:
                broken += 1
                print(f"{name}:\n{said}", flush=True)
    print(f"lint: {len(commands)} files, {broken} with findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

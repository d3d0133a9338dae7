#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tree keeps its own rules: sizes, layers, form, and what must not be in it.

tidy.py [ROOT]      checks every file that git tracks or would track; exit 1 when a rule is broken
tidy.py --rules     lists the rules
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bans  # noqa: E402
import layers  # noqa: E402
import shape  # noqa: E402
from source import Source  # noqa: E402

RULES = layers.RULES + shape.RULES + bans.RULES
TREE_RULES = shape.TREE_RULES
SKIPPED_FOLDERS = {".git", "build", "target", ".sandgate", "__pycache__"}


def paths(root):
    """Relative paths of the files in the tree; without git everything outside build folders."""
    listed = subprocess.run(["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, capture_output=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if not SKIPPED_FOLDERS & set(path.relative_to(root).parts)]
    return sorted({name for name in names if name and (root / name).is_file()})


def load(root):
    tree = []
    for name in paths(root):
        content = (root / name).read_bytes()
        try:
            text = content.decode()
        except UnicodeDecodeError:
            continue  # a binary: corpus of a fuzz target, a picture
        if "\0" not in text:
            tree.append(Source(name, text))
    return tree


def check(tree):
    findings = [finding for source in tree if "/corpus/" not in source.path for rule in RULES for finding in rule(source)]
    findings += [finding for rule in TREE_RULES for finding in rule(tree)]
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.rule))


def main(arguments):
    if "--rules" in arguments:
        for rule in RULES + TREE_RULES:
            print(f"{rule.__name__}: {rule.__doc__}")
        return 0
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[2]).resolve()
    tree = load(root)
    findings = check(tree)
    for finding in findings:
        print(finding)
    broken = sum(not finding.warning for finding in findings)
    print(f"tidy: {len(tree)} files, {broken} broken, {len(findings) - broken} warnings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

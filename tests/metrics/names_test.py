#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics that the code writes, docs/observability.md and the dashboard are the same.

usage: names_test.py SOURCE_FOLDER
"""
import json
import pathlib
import re
import sys

SUFFIXES = re.compile("_(bucket|sum|count)$")


def main():
    source = pathlib.Path(sys.argv[1])
    written = set()
    for path in (source / "src").rglob("*.cc"):
        if not path.name.endswith("_test.cc"):
            written |= set(re.findall(r'"(sandgate_[a-z_]+[a-z])"', path.read_text()))
    documented = set(re.findall(r"`(sandgate_[a-z_]+)`", (source / "docs/observability.md").read_text()))
    dashboard = json.loads((source / "deploy/grafana/sandgate.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    shown = {SUFFIXES.sub("", name) for expression in expressions for name in re.findall(r"sandgate_[a-z_]+", expression)}
    failed = [f"docs/observability.md does not have {name}" for name in sorted(written - documented)]
    failed += [f"docs/observability.md has {name}, which nothing writes" for name in sorted(documented - written)]
    failed += [f"deploy/grafana/sandgate.json shows {name}, which nothing writes" for name in sorted(shown - written)]
    if not written or not shown:
        failed.append("no metrics were found")
    print("\n".join(failed) or f"{len(written)} families, {len(shown)} of them in the dashboard")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

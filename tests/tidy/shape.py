# SPDX-License-Identifier: Apache-2.0
"""Sizes, and the form of files and folders."""

import re

from source import Finding

# Lines. Two ideas in one file, header or function show as length first.
SOURCE_LINES_MAX = 600
HEADER_LINES_MAX = 300
TEST_LINES_MAX = 800
FUNCTION_LINES_WARN = 70
FUNCTION_LINES_MAX = 100
README_LINES_MAX = 10

SPDX = "SPDX-License-Identifier: Apache-2.0"
_SPDX_SUFFIXES = (".h", ".cc", ".rs", ".py", ".sh", ".cmake", ".wit", ".wat", ".toml", ".cfg", ".in")

_NOT_A_FUNCTION = re.compile(
    r"^\s*(?:(?:inline\s+)?namespace|(?:template\s*<.*>\s*)?(?:class|struct|union|enum)|extern)\b(?![^{}]*\)\s*(?:const|noexcept|->|$))"
    r"|^\s*(?:\}\s*)?(?:if|else|for|while|switch|do|try|catch)\b"
    r"|(?:[=,(\[?:]|\breturn|\bco_return|\bco_await|\bco_yield)\s*$",
    re.DOTALL)


def file_sizes(source):
    """A file ends before it holds two ideas."""
    if source.path.endswith("_test.cc") or (source.is_test and source.path.endswith(".py")):
        most = TEST_LINES_MAX
    elif source.is_header:
        most = HEADER_LINES_MAX
    elif source.path.endswith((".cc", ".rs", ".py")):
        most = SOURCE_LINES_MAX
    else:
        return
    lines = source.text.count("\n")
    if lines > most:
        yield Finding(source.path, most, "file-size", f"{lines} lines, at most {most}: split by idea")


def functions(source):
    """(first line, last line) of each outermost function body, by matching braces. Good to a few percent."""
    code = re.sub(r"(?m)^[ \t]*#.*(?:\\\n.*)*$", lambda match: re.sub(r"[^\n]", " ", match.group()), source.code)
    depth = 0
    opened_at = None  # depth of the function we are in
    start_line = 0
    line = 1
    head_start = 0
    for offset, character in enumerate(code):
        if character == "\n":
            line += 1
        elif character == ";":
            head_start = offset + 1
        elif character == "{":
            head = code[head_start:offset]
            if opened_at is None and "(" in head and not _NOT_A_FUNCTION.search(head):
                opened_at = depth
                start_line = line
            depth += 1
            head_start = offset + 1
        elif character == "}":
            depth -= 1
            head_start = offset + 1
            if opened_at == depth:
                yield start_line, line
                opened_at = None


def function_sizes(source):
    """A function fits on a screen."""
    if not source.is_product:
        return
    for first, last in functions(source):
        length = last - first + 1
        if length > FUNCTION_LINES_WARN:
            too_long = length > FUNCTION_LINES_MAX
            most = FUNCTION_LINES_MAX if too_long else FUNCTION_LINES_WARN
            yield Finding(source.path, first, "function-size", f"a function of {length} lines, at most {most}", warning=not too_long)


def licence_line(source):
    """One SPDX line opens every source, script and interface file."""
    named = source.path.endswith(_SPDX_SUFFIXES) or source.path.endswith("CMakeLists.txt")
    script = source.text.startswith("#!")
    if not (named or script):
        return
    line = 2 if script else 1
    if len(source.lines) < line or SPDX not in source.lines[line - 1]:
        yield Finding(source.path, line, "licence", f'line {line} is the licence: "{SPDX}"')


def header_form(source):
    """A header of the product says what it is, and is included once."""
    if not (source.is_header and source.is_product):
        return
    if "#pragma once" not in source.text:
        yield Finding(source.path, 1, "header-form", "no #pragma once")
    if not re.search(r"//.*\w", source.text.partition("\n")[2]):
        yield Finding(source.path, 1, "header-form", "no word about what it is, who owns it, on which thread")


def whitespace(source):
    """No tabs (gofmt's indentation apart), no blanks at the end of a line, exactly one newline at the end."""
    if source.path.endswith((".lock", ".json", ".golden")) or source.path == "LICENSE" or "/golden/" in source.path:
        return
    for number, line in enumerate(source.lines, 1):
        if line.endswith((" ", "\t", "\r")):
            yield Finding(source.path, number, "whitespace", "blanks or a carriage return at the end of the line")
        if "\t" in (line.lstrip("\t") if source.path.endswith(".go") else line):
            yield Finding(source.path, number, "whitespace", "a tab")
    if source.text and (not source.text.endswith("\n") or source.text.endswith("\n\n")):
        yield Finding(source.path, len(source.lines), "whitespace", "the file ends with exactly one newline")


def folder_readmes(tree):
    """Each folder of src/ says in at most ten lines what lives there and what must not."""
    folders = {f"src/{source.folder}" for source in tree if source.folder and source.is_cpp}
    readmes = {source.path: source for source in tree}
    for folder in sorted(folders):
        readme = readmes.get(f"{folder}/README.md")
        if readme is None:
            yield Finding(f"{folder}/README.md", 1, "readme", f"{folder} has no README.md: what lives here, what must not")
        elif readme.text.count("\n") > README_LINES_MAX:
            yield Finding(readme.path, README_LINES_MAX, "readme", f"at most {README_LINES_MAX} lines")


RULES = [file_sizes, function_sizes, licence_line, header_form, whitespace]
TREE_RULES = [folder_readmes]

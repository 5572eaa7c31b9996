#!/usr/bin/env python3
"""No paths of one machine, no notes to self, nothing too long.

A file that is long for a good reason says so in a comment: "long: the reason".
"""
import ast
import os
import re
import sys

ROOT = os.environ.get("SRC", ".")
FILE_LINES, FUNCTION_LINES, COLUMNS = 600, 80, 120
CODE = (".c", ".h", ".py", ".sh", "meson.build", "Makefile")
WIDE = []  # told, but no fault: a table or a long string may be better off wide
SKIPPED = (".png", ".gif", ".ico", ".gz", ".zst", ".bin")

# Put together here so that this file does not contain them itself.
WORDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
PATHS = re.compile(r"(?:^|[\s\"'`(=:<,])/(?:wo" + r"rk|ro" + r"ot)(?:/|\b)(?![\w-])")
LONG = re.compile(r"(?:/\*|#|<!--) long: \S")
# The promise is one header, and its comments are the manual.
MAY_BE_LONG = ["include/mortal.h"]
C_FUNCTION = re.compile(r"^[A-Za-z_][^;=]*\([^;=]*\{$")


def files():
    for directory, folders, names in os.walk(ROOT):
        is_top = os.path.samefile(directory, ROOT)
        folders[:] = [name for name in folders if name not in (".git", "__pycache__", ".cache")
                      and not (is_top and name.startswith("build"))]
        for name in sorted(names):
            yield os.path.relpath(os.path.join(directory, name), ROOT)


def c_functions(lines):
    """(first line, length) of each: from the brace that opens it at the left edge, or ends its first line."""
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{" or (not start and C_FUNCTION.match(line)):
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = 0


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def code_faults(path, text, lines):
    if not LONG.search(text) and path not in MAY_BE_LONG:
        if len(lines) > FILE_LINES:
            yield f"{path}: {len(lines)} lines"
        functions = python_functions(text) if path.endswith(".py") else c_functions(lines)
        for start, length in functions if path.endswith((".c", ".h", ".py")) else []:
            if length > FUNCTION_LINES:
                yield f"{path}:{start}: a function of {length} lines"


def faults_of(path):
    full = os.path.join(ROOT, path)
    if path.endswith(SKIPPED) or os.path.islink(full) or not os.path.isfile(full):
        return
    with open(full, "rb") as file:
        raw = file.read()
    if b"\0" in raw:
        return
    text = raw.decode("utf-8", errors="replace")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        match = WORDS.search(line) or PATHS.search(line)
        if match:
            yield f"{path}:{number}: {match.group(0).strip()}"
    if path.endswith(CODE):
        yield from code_faults(path, text, lines)
        WIDE.extend(f"{path}:{number}" for number, line in enumerate(lines, 1) if len(line) > COLUMNS)


def main():
    faults = [fault for path in files() for fault in faults_of(path)]
    print("\n".join(faults))
    if WIDE:
        print(f"note: {len(WIDE)} lines over {COLUMNS} columns, the first is {WIDE[0]}")
    return 1 if faults else 0


sys.exit(main())

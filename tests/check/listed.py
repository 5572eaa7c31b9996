#!/usr/bin/env python3
"""Every test file is in tests/meson.build exactly once: one that is not there would never run, unnoticed."""
import os
import sys

ROOT = os.environ.get("SRC", ".")
LIST = os.path.join(os.environ.get("BUILD", "build"), "tests", "list.txt")
PROGRAMS = ["api", "kill", "recover", "bad", "exec", "hostile", "system", "unit", "twin", "step", "storm", "mustfail"]
PARTS = {"fuzz": ["world.c", "plays.c", "players.c", "forge.c", "replay.c"]}  # what is no test of its own
MODELS = ["order"]
SCRIPTS = ["check", "model", "tool"]


def files(suites, endings):
    for suite in suites:
        directory = os.path.join(ROOT, "tests", suite)
        for name in sorted(os.listdir(directory) if os.path.isdir(directory) else []):
            if name.endswith(endings):
                yield os.path.join("tests", suite, name)


def main():
    with open(LIST, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("|") for line in file]
    listed = [os.path.relpath(row[3], ROOT) for row in rows if len(row) == 4]
    found = list(files(PROGRAMS + list(PARTS), (".c",)))
    found = [path for path in found if os.path.basename(path) not in PARTS.get(path.split(os.sep)[1], [])]
    found += list(files(MODELS, (".cpp",))) + list(files(SCRIPTS, (".sh", ".py")))
    faults = [f"{path}: not in tests/meson.build or its folder's" for path in found if path not in listed]
    faults += [f"{path}: listed, but not there" for path in sorted(set(listed)) if path not in found]
    faults += [f"{path}: listed more than once" for path in sorted(set(listed)) if listed.count(path) > 1]
    print("\n".join(faults))
    return 1 if faults else 0


sys.exit(main())

#!/usr/bin/env python3
"""Who may include what: one folder per process, one for what they share, one door to the kernel."""
import os
import re
import sys

ROOT = os.environ.get("SRC", ".")
PUBLIC_HEADER = "include/mortal.h"

# folder: the folders and files it may include from; its own always
ALLOWED = {
    "src/system": [],
    "src/region": ["src/system", PUBLIC_HEADER],  # outcomes and function types are what all rooms agree on
    "src/host": ["src/region", "src/system", PUBLIC_HEADER],
    "src/supervisor": ["src/region", "src/system", PUBLIC_HEADER],
    "src/owner": ["src/region", "src/system", PUBLIC_HEADER],
    "src/observe": ["src/region"],
    "tools": [PUBLIC_HEADER],
    "modules": [PUBLIC_HEADER],
    "examples": [PUBLIC_HEADER],
    "bench": [PUBLIC_HEADER],
    "tests/api": [PUBLIC_HEADER, "tests/harness"],
    "tests/kill": [PUBLIC_HEADER, "tests/harness"],
    "tests/recover": [PUBLIC_HEADER, "tests/harness"],
    "tests/bad": [PUBLIC_HEADER, "tests/harness"],
    "tests/exec": [PUBLIC_HEADER, "tests/harness"],
    "tests/storm/engine": [PUBLIC_HEADER, "tests/harness"],
    "tests/mustfail": ["tests/harness"],
    "tests/harness": [PUBLIC_HEADER],
    "tests/runner": [],
}

# Whoever opens a pool starts its processes: one file sees every room and hands the entry functions over. And two parts
# of system are public functions: the clock, and errors in words.
EXCEPTIONS = {
    ("src/entries.c", "src/supervisor/supervisor.h"),
    ("src/entries.c", "src/host/host.h"),
    ("src/entries.c", "src/host/map.h"),
    ("src/entries.c", "src/host/template.h"),
    ("src/entries.c", "src/region/heritage.h"),
    ("src/entries.c", "src/region/boarding.h"),
    ("src/entries.c", "src/host/modules.h"),
    ("src/entries.c", "src/system/image.h"),
    ("src/entries.c", "src/system/process.h"),
    ("src/wrap_main.c", PUBLIC_HEADER),
    ("src/system/clock.c", PUBLIC_HEADER),
    ("src/system/why.c", PUBLIC_HEADER),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def resolve(source, kind, name):
    """The file of this repository that is meant, or None for a header of the system."""
    places = ["src", "include", "tests/harness"]
    if kind == '"':
        places.insert(0, os.path.dirname(source))
    for place in places:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.exists(os.path.join(ROOT, path)):
            return path
    return None


def folder_of(path):
    return next((folder for folder in ALLOWED if path.startswith(folder + "/")), None)


def is_allowed(source, target):
    folder = folder_of(source)
    if (source, target) in EXCEPTIONS:
        return True
    if folder is None:
        return False
    return target.startswith(folder + "/") or any(target == place or target.startswith(place + "/") for place in ALLOWED[folder])


def sources():
    for top in ("src", "tools", "modules", "examples", "bench", "tests"):
        for directory, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cpp")):
                    yield os.path.relpath(os.path.join(directory, name), ROOT)


def faults_of(source):
    if folder_of(source) is None and not source.startswith("src/"):
        return
    with open(os.path.join(ROOT, source), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = resolve(source, *match.groups())
            if target is None and match.group(1) == '"':
                yield f'{source}:{number}: "{match.group(2)}" is not there'
            elif target is not None and not is_allowed(source, target):
                yield f"{source}:{number}: {folder_of(source) or 'src'} may not include {target}"


def main():
    faults = [fault for source in sources() for fault in faults_of(source)]
    print("\n".join(faults))
    return 1 if faults else 0


sys.exit(main())

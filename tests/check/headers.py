#!/usr/bin/env python3
"""Every public function is documented in full, has a test that exists, and is exported; the versions agree."""
import os
import re
import sys

ROOT = os.environ.get("SRC", ".")
HEADINGS = ["Returns", "Blocks", "Threads", "Signals", "Killed", "Since", "Test"]
FUNCTION = re.compile(r"/\*\*\n(?P<doc>(?: \*[^\n]*\n)*?) \*/\nMORTAL_API (?P<type>[^;(]*?)(?P<name>\w+)\(")
ANY_FUNCTION = re.compile(r"^MORTAL_API [^;(]*?(\w+)\(", re.M)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def doc_faults(name, doc):
    if not doc.startswith(f" * {name} - "):
        yield f'{name}: its comment must begin "{name} - "'
    for heading in HEADINGS:
        if not re.search(rf"^ \* {heading} +\S", doc, re.M):
            yield f"{name}: no {heading}"
    tests = re.search(r"^ \* Test +(.*)", doc, re.M)
    for path in re.split(r"[,\s]+", tests.group(1).strip()) if tests else []:
        if not os.path.exists(os.path.join(ROOT, path)):
            yield f"{name}: its test {path} does not exist"


def export_faults(names):
    exported = re.findall(r"^\s+(mortal_\w+);", read("src/mortal.map"), re.M)
    for name in sorted(set(names) - set(exported)):
        yield f"{name}: public, but not in src/mortal.map"
    for name in sorted(set(exported) - set(names)):
        yield f"{name}: in src/mortal.map, but not public"


def version_faults(header):
    numbers = [re.search(rf"MORTAL_VERSION_{part} (\d+)", header).group(1) for part in ("MAJOR", "MINOR", "PATCH")]
    built = re.search(r"version: '([^']+)'", read("meson.build")).group(1)
    if ".".join(numbers) != built:
        yield f"mortal.h is version {'.'.join(numbers)}, meson.build says {built}"


def main():
    header = read("include/mortal.h")
    names = ANY_FUNCTION.findall(header)
    docs = {match["name"]: match["doc"] for match in FUNCTION.finditer(header)}
    faults = [f"{name}: no doc comment right before it" for name in names if name not in docs]
    for name, doc in docs.items():
        faults += doc_faults(name, doc)
    faults += export_faults(names)
    faults += version_faults(header)
    print("\n".join(faults))
    return 1 if faults or not names else 0


sys.exit(main())

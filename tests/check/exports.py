#!/usr/bin/env python3
"""The built library exports exactly what src/mortal.map names: a name there that nobody defines links silently."""
import os
import re
import subprocess
import sys

ROOT = os.environ.get("SRC", ".")
LIBRARY = os.path.join(os.environ.get("BUILD", "build"), "libmortal.so")


def main():
    with open(os.path.join(ROOT, "src/mortal.map"), encoding="utf-8") as file:
        wanted = set(re.findall(r"^\s+(mortal_\w+);", file.read(), re.M))
    listing = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True)
    symbols = [line.split()[-1] for line in listing.stdout.splitlines() if line.split()[-2] != "A"]
    exported = {symbol.split("@")[0] for symbol in symbols}
    for name in sorted(wanted - exported):
        print(f"{name}: in src/mortal.map, but nothing defines it")
    for name in sorted(exported - wanted):
        print(f"{name}: exported, but not in src/mortal.map")
    return 0 if wanted == exported else 1


sys.exit(main())

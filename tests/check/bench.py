#!/usr/bin/env python3
"""What the benchmarks measure is told: each subject in figures.py and bench/README.md, each work in a group of the
report; and their arithmetic is right: medians of medians, ratios that are over 1 where mortal is better, bars that can
be missed.
"""
import glob
import os
import subprocess
import sys

ROOT = os.path.abspath(os.environ.get("SRC", "."))
BENCH = os.path.join(ROOT, "bench")
BUILT = os.path.join(os.environ.get("BUILD", "build"), "bench")
sys.dont_write_bytecode = True
sys.path.insert(0, BENCH)

import figures  # noqa: E402
import report_texts  # noqa: E402


def listed():
    programs = [[path] for path in sorted(glob.glob(os.path.join(BUILT, "bench-*"))) if os.access(path, os.X_OK)
                and os.path.isfile(path)]
    programs.append([sys.executable, os.path.join(BENCH, "python_pools.py")])
    for program in programs:
        told = subprocess.run(program + ["--list"], capture_output=True, text=True, check=True).stdout
        for line in told.splitlines():
            yield tuple(line.split())


def is_in_report(work):
    names = [name for _, works, _ in report_texts.GROUPS.values() for name in works]
    names += [f"cost-growth-{series}-*" for _, _, _, of in report_texts.GROWTH.values() for series in of]
    return any(work == name or name.endswith("*") and work.startswith(name[:-1]) for name in names)


def untold():
    with open(os.path.join(BENCH, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    cases = list(listed())
    known = figures.OURS + figures.PEERS + figures.FLOORS + ["ideal"]
    for subject in dict.fromkeys(subject for _, subject in cases):
        if subject not in known:
            yield f"bench: subject {subject} is not in figures.py"
        if f"`{subject}`" not in readme:
            yield f"bench: subject {subject} is not in bench/README.md"
    for work in dict.fromkeys(work for work, _ in cases):
        if not is_in_report(work):
            yield f"bench: work {work} is in no group of report_texts.py"


def rounds(unit, *medians):
    return [{"median": median, "p99": 2 * median, "min": median / 2, "max": 3 * median, "unit": unit, "runs": 10}
            for median in medians]


def miscounted():
    merged = figures.merge({
        ("round-trip", "mortal"): rounds("ns", 300, 100, 200), ("round-trip", "glib"): rounds("ns", 400, 400, 400),
        ("round-trip", "floor"): rounds("ns", 50, 50, 50), ("noop-throughput-2w", "mortal"): rounds("tasks/s", 900),
        ("noop-throughput-2w", "libuv"): rounds("tasks/s", 1000),
        ("noop-throughput-2w", "glib"): rounds("tasks/s", 500),
        ("idle-cpu", "mortal"): rounds("wakes/s", 0, 0), ("idle-cpu", "glib"): rounds("wakes/s", 0, 0),
        ("map-1us", "mortal"): rounds("items/s", 75), ("map-1us", "plain-loops"): rounds("items/s", 100),
    })
    trip, idle = merged[0], merged[6]
    expected = {"median": 200, "min": 50, "max": 900, "p99": 400, "runs": 30, "rounds": 3, "spread": 0.5, "x_peer": 2.0,
                "x_floor": 0.25}
    for key, value in expected.items():
        if trip[key] != value:
            yield f"bench: {key} of a round trip is {trip[key]}, not {value}"
    if merged[3]["x_peer"] != 0.9:
        yield f"bench: 900 tasks a second beside 1000 are {merged[3]['x_peer']} times as good"
    if merged[8]["x_floor"] != 0.75:
        yield f"bench: 75 items a second beside 100 are {merged[8]['x_floor']} times as good"
    if idle["x_peer"] is not None or idle["median"] != 0:
        yield "bench: nothing is no multiple of nothing"
    held = {(work, promise): holds for work, promise, holds in figures.bars(merged)}
    for bar, holds in {("noop-throughput-2w", "1.3 times the best peer"): False, ("idle-cpu", "no wake-ups"): True,
                       ("round-trip", "within 2 times the raw floor"): False, ("pool-open", "under 2 ms"): None,
                       ("round-trip", "no slower than the best peer"): True}.items():
        if held[bar] is not holds:
            yield f"bench: the bar {bar} is {held[bar]}, not {holds}"


def main():
    if not glob.glob(os.path.join(BUILT, "bench-*")):
        print("the benchmarks are not built here")
        return 77
    faults = list(untold()) + list(miscounted())
    print("\n".join(faults))
    return 1 if faults else 0


sys.exit(main())

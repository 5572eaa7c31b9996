#!/usr/bin/env python3
"""Merges the rounds of a bench run into one JSON list and prints it as a table: table.py LINES NOTES BENCH_JSON

A record's median is the median of its rounds' medians, its p99 that of their p99; min and max are over everything; runs counts all samples.
Ratios say how many times as good as the best peer, and as the floor: 2.00 is twice as fast, 0.50 half as fast.
"""
import json
import statistics
import sys

PEERS = {"glib", "glib-shared", "libuv"}
FLOORS = {"floor", "raw-sigkill", "raw-spare", "raw-fork", "raw-namespace"}

# (work, what is promised, test of the medians of mortal, of the best peer and of the best floor; None: not measured)
BARS = [
    ("noop-throughput-2w", "at least as fast as the best peer", lambda own, peer, floor: peer is None or own >= peer),
    ("round-trip", "no slower than the best peer", lambda own, peer, floor: peer is None or own <= peer),
    ("round-trip-asleep", "no slower than the best peer", lambda own, peer, floor: peer is None or own <= peer),
    ("kill-to-death", "within 1.3 times a raw SIGKILL", lambda own, peer, floor: floor is None or own <= 1.3 * floor),
    ("kill-to-first-task", "under 150 us", lambda own, peer, floor: own < 150),
    ("pool-open", "under 2 ms", lambda own, peer, floor: own < 2000),
    ("kill-tree-200", "within 3 times the raw namespace", lambda own, peer, floor: floor is None or own <= 3 * floor),
    ("deadline-lateness", "under 1 ms", lambda own, peer, floor: own < 1000),
]
# (work, that of one, how many): many at once take less than one after the other
SIDE_BY_SIDE = [("kill-eight-to-death", "kill-to-death", 8)]

# (work, what is promised of 99 of 100, test of mortal's p99)
TAIL_BARS = [
    ("deadline-lateness", "99 of 100 under 5 ms", lambda own: own < 5000),
]

# (work, the same without what makes it hard, how many times as long it may take)
NO_WORSE = [("kill-to-death-512m", "kill-to-death-0m", 3)]


def merge(lines):
    rounds = {}
    for line in lines:
        record = json.loads(line)
        rounds.setdefault((record["work"], record["subject"]), []).append(record)
    merged = []
    for (work, subject), parts in rounds.items():
        merged.append({
            "work": work,
            "subject": subject,
            "median": round(statistics.median(part["median"] for part in parts), 1),
            "min": min(part["min"] for part in parts),
            "max": max(part["max"] for part in parts),
            "p99": round(statistics.median(part["p99"] for part in parts), 1),
            "unit": parts[0]["unit"],
            "runs": sum(part["runs"] for part in parts),
        })
    return merged


def more_is_better(record):
    return record["unit"].endswith("/s")


def best(records, names):
    """The best of the named subjects, or None."""
    found = [record for record in records if record["subject"] in names]
    if not found:
        return None
    return (max if more_is_better(found[0]) else min)(found, key=lambda record: record["median"])


def ratio(record, other):
    if other is None or not record["median"] or not other["median"]:
        return ""
    value = record["median"] / other["median"]
    return "%.2f" % (value if more_is_better(record) else 1 / value)


def number(value):
    for size, letter in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return "%.2f%s" % (value / (1e6 if letter == "M" else 1e3), letter)
    return "%.1f" % value if value < 1000 else "%.0f" % value


def print_table(records):
    shape = "%-20s %-18s %10s %10s %10s %10s %-8s %6s %9s %9s"
    print(shape % ("work", "subject", "median", "p99", "min", "max", "unit", "runs", "x peer", "x floor"))
    works = list(dict.fromkeys(record["work"] for record in records))
    for work in works:
        group = [record for record in records if record["work"] == work]
        peer, floor = best(group, PEERS), best(group, FLOORS)
        print()
        for record in group:
            print((shape % (work, record["subject"], number(record["median"]), number(record["p99"]), number(record["min"]),
                            number(record["max"]), record["unit"], record["runs"], ratio(record, peer),
                            ratio(record, floor))).rstrip())


def median_of(records, work, names):
    found = best([record for record in records if record["work"] == work], names)
    return found and found["median"]


def print_bar(work, promise, own, holds):
    verdict = "NOT MEASURED" if own is None else "held" if holds else "MISSED"
    print("bar: %-20s %-36s %s" % (work, promise, verdict))


def print_bars(records):
    print()
    for work, promise, holds in BARS:
        own = median_of(records, work, {"mortal"})
        print_bar(work, promise, own,
                  own is not None and holds(own, median_of(records, work, PEERS), median_of(records, work, FLOORS)))
    for work, single, count in SIDE_BY_SIDE:
        own, one = (median_of(records, of, {"mortal"}) for of in (work, single))
        print_bar(work, "less than %d times %s" % (count, single), own, not one or (own or 0) < count * one)
    for work, promise, holds in TAIL_BARS:
        own = best([record for record in records if record["work"] == work], {"mortal"})
        print_bar(work, promise, own, own is not None and holds(own["p99"]))
    for work, easier, most in NO_WORSE:
        hard, easy = (median_of(records, of, {"mortal"}) for of in (work, easier))
        print_bar(work, "within %d times %s" % (most, easier), hard, not easy or (hard or 0) <= most * easy)


def main():
    lines_path, notes_path, json_path = sys.argv[1:]
    with open(lines_path, encoding="utf-8") as lines:
        records = merge(lines)
    with open(json_path, "w", encoding="utf-8") as out:
        json.dump(records, out, indent=1)
        out.write("\n")
    print_table(records)
    print_bars(records)
    with open(notes_path, encoding="utf-8") as notes:
        told = list(dict.fromkeys(line.rstrip() for line in notes))
    for line in told:
        print("note: " + line)
    return 1 if any("FAILED" in line for line in told) else 0


if __name__ == "__main__":
    sys.exit(main())

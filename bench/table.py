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

# (work, what is promised, test of: mortal's median; the best peer's, the floor's, or None)
BARS = [
    ("noop-throughput-2w", "at least as fast as the best peer", lambda own, peer, _: peer is None or own >= peer),
    ("round-trip", "no slower than the best peer", lambda own, peer, _: peer is None or own <= peer),
    ("round-trip-asleep", "no slower than the best peer", lambda own, peer, _: peer is None or own <= peer),
    ("kill-to-first-task", "under 1 ms", lambda own, peer, _: own < 1000),
    ("kill-tree-200", "within 3 times the raw namespace", lambda own, _, floor: floor is None or own <= 3 * floor),
    ("pool-open", "under 2 ms", lambda own, peer, _: own < 2000),
    ("deadline-lateness", "under 1 ms", lambda own, peer, _: own < 1000),
]

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
            "unit": parts[0]["unit"],
            "runs": sum(part["runs"] for part in parts),
            "p99": round(statistics.median(part["p99"] for part in parts), 1),
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
    shape = "%-20s %-18s %10s %10s %10s %-8s %6s %9s %9s"
    print(shape % ("work", "subject", "median", "min", "max", "unit", "runs", "x peer", "x floor"))
    works = list(dict.fromkeys(record["work"] for record in records))
    for work in works:
        group = [record for record in records if record["work"] == work]
        peer, floor = best(group, PEERS), best(group, FLOORS)
        print()
        for record in group:
            print((shape % (work, record["subject"], number(record["median"]), number(record["min"]),
                            number(record["max"]), record["unit"], record["runs"], ratio(record, peer),
                            ratio(record, floor))).rstrip())


def print_bars(records):
    print()
    for work, promise, holds in BARS:
        group = [record for record in records if record["work"] == work]
        own, peer, floor = best(group, {"mortal"}), best(group, PEERS), best(group, FLOORS)
        if own is None:
            verdict = "NOT MEASURED"
        else:
            verdict = "held" if holds(own["median"], peer and peer["median"], floor and floor["median"]) else "MISSED"
        print("bar: %-20s %-36s %s" % (work, promise, verdict))
    for work, promise, holds in TAIL_BARS:
        own = best([record for record in records if record["work"] == work], {"mortal"})
        verdict = "NOT MEASURED" if own is None else "held" if holds(own["p99"]) else "MISSED"
        print("bar: %-20s %-36s %s" % (work, promise, verdict))
    for work, easier, most in NO_WORSE:
        hard, easy = (best([record for record in records if record["work"] == name], {"mortal"})
                      for name in (work, easier))
        verdict = "NOT MEASURED"
        if hard and easy:
            verdict = "held" if hard["median"] <= most * easy["median"] else "MISSED"
        print("bar: %-20s %-36s %s" % (work, "within %d times %s" % (most, easier), verdict))


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

#!/usr/bin/env python3
"""Merges the rounds of a bench run into one JSON list and prints it as a table: table.py LINES NOTES BENCH_JSON

A record's median is the median of its rounds' medians, its p99 that of their p99, its spread what the middle half of
their medians differ by; min and max are over everything; runs counts all samples. Ratios say how many times as good as
the best peer, and as the best floor: 2.00 is twice as fast, 0.50 half as fast. The notes go into a file beside the JSON.
"""
import json
import sys

import figures


def read_rounds(path):
    rounds_of = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            rounds_of.setdefault((record["work"], record["subject"]), []).append(record)
    return rounds_of


def print_table(records):
    shape = "%-39s %-18s %10s %7s %10s %10s %10s %-12s %6s %9s %9s"
    print(shape % ("work", "subject", "median", "spread", "p99", "min", "max", "unit", "runs", "x peer", "x floor"))
    last = None
    for record in sorted(records, key=lambda record: order_of(records, record["work"])):
        if last not in (None, record["work"]) and not (last + record["work"]).count("cost-growth") == 2:
            print()
        last = record["work"]
        spread = "" if record["spread"] is None else f"{100 * record['spread']:.0f}%"
        ratios = ["" if record[key] is None else f"{record[key]:.2f}" for key in ("x_peer", "x_floor")]
        values = [figures.number(record[key]) for key in ("median", "p99", "min", "max")]
        print((shape % (record["work"], record["subject"], values[0], spread, *values[1:], record["unit"],
                        record["runs"], *ratios)).rstrip())


def order_of(records, work):
    return next(place for place, record in enumerate(records) if record["work"] == work)


def main():
    lines_path, notes_path, json_path = sys.argv[1:]
    records = figures.merge(read_rounds(lines_path))
    with open(json_path, "w", encoding="utf-8") as out:
        json.dump(records, out, indent=1)
        out.write("\n")
    print_table(records)
    print()
    for work, promise, holds in figures.bars(records):
        print("bar: %-40s %-34s %s" % (work, promise, {None: "NOT MEASURED", True: "held", False: "MISSED"}[holds]))
    with open(notes_path, encoding="utf-8") as notes:
        told = list(dict.fromkeys(line.rstrip() for line in notes))
    with open(json_path.removesuffix(".json") + ".notes", "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in told)
    for line in told:
        print("note: " + line)
    return 1 if any("FAILED" in line for line in told) else 0


if __name__ == "__main__":
    sys.exit(main())

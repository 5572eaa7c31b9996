#!/usr/bin/env python3
"""Writes docs/performance.md and its pictures from a bench run: report.py BENCH_JSON DOCS_FOLDER"""
import json
import os
import platform
import re
import subprocess
import sys

import figures
import pictures
from report_texts import GROUPS, GROWTH, INTRODUCTION, WHY

PACKAGES = ["libglib2.0-0", "libuv1", "libtbb12", "libconcurrentqueue-dev", "libaprutil1", "libgomp1", "python3",
            "erlang-base"]


def first_match(path, pattern, default):
    try:
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.M)
    except OSError:
        match = None
    return match.group(1).strip() if match else default


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def about_machine(notes):
    processor = first_match("/proc/cpuinfo", r"^model name\s*: (.*)$", platform.machine())
    system = first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)', platform.system())
    versions = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PACKAGES).rstrip(", ")
    lines = ["## The machine", "",
             f"{os.cpu_count()} processors ({processor}), {system}, Linux {platform.release()}, "
             f"{output_of('cc', '--version').splitlines()[0]}; everything is compiled with the same flags (-O2).", ""]
    if versions:
        lines += [f"Peers: {versions}.", ""]
    lines += [f"- Note: {note}" for note in notes] + [""] * bool(notes)
    return lines


def works_of(records, names):
    """(work, its records) for the names, those with * expanded."""
    present = list(dict.fromkeys(record["work"] for record in records))
    for name in names:
        for work in present:
            if work == name or name.endswith("*") and work.startswith(name[:-1]):
                yield work, [record for record in records if record["work"] == work]


def cell(value, text="{:.2f}"):
    return "" if value is None else text.format(value)


def table_of(works):
    lines = ["| work | subject | median | spread | p99 | x peer | x floor |", "|---|---|---:|---:|---:|---:|---:|"]
    for work, records in works:
        for place, record in enumerate(records):
            subject = f"**{record['subject']}**" if record["subject"] == "mortal" else record["subject"]
            p99 = figures.number(record["p99"]) if record["unit"] in ("ns", "us") else ""
            spread = "" if record["spread"] is None else f"{100 * record['spread']:.0f} %"
            median = f"{figures.number(record['median'])} {record['unit']}"
            lines.append(f"| {work if place == 0 else ''} | {subject} | {median} | {spread} | {p99} | "
                         f"{cell(record['x_peer'])} | {cell(record['x_floor'])} |")
    return lines + [""]


def where_others_are_faster(group, works):
    """A sentence for each work in which a peer is ahead by more than the figures' own noise."""
    lines, last = [], None
    for work, records in works:
        own, peer = figures.best(records, ["mortal"]), figures.best(records, figures.PEERS)
        if own is None or peer is None:
            continue
        times = figures.ratio(peer, own)
        if times is None or times < 1.05:
            continue
        why = WHY.get((group, peer["subject"])) or WHY.get((group, None))
        lines.append(f"- **`{peer['subject']}` is better in `{work}`**, {times:.1f} times"
                     + ("." if not why else ", likewise." if why == last else f": {why}."))
        last = why
    return lines + [""] * bool(lines)


def group_section(name, records, folder):
    title, names, text = GROUPS[name]
    works = list(works_of(records, names))
    if not works:
        return []
    shown = [(work, part) for work, part in works if any(record["median"] for record in part)]
    pictures.bars(os.path.join(folder, "performance", name + ".svg"), shown)
    return [f"## {title}", "", text, f"![{title}](performance/{name}.svg)", "", *where_others_are_faster(name, works),
            *table_of(works)]


def points_of(records, work):
    pattern = re.compile(f"cost-growth-{re.escape(work)}-([0-9]+)$")
    found = ((pattern.match(record["work"]), record) for record in records)
    return sorted((int(match.group(1)), record["median"], record["unit"]) for match, record in found if match)


def growth_section(name, records, folder):
    title, across, text, series = GROWTH[name]
    points = {work: points_of(records, work) for work in series if points_of(records, work)}
    if not points:
        return []
    unit = next(iter(points.values()))[0][2]
    pictures.growth(os.path.join(folder, "performance", name + ".svg"), title, across,
                    unit + (" for each task" if unit != "us" else ""),
                    [(series[work], [(many, value) for many, value, _ in found]) for work, found in points.items()])
    lines = [f"## {title}", "", text, f"![{title}](performance/{name}.svg)", ""]
    lines += ["| | from | to | times as many | times the cost |", "|---|---:|---:|---:|---:|"]
    for work, found in points.items():
        (few, cheap, _), (many, dear, _) = found[0], found[-1]
        lines.append(f"| {series[work]} | {few:,}: {figures.number(cheap)} {unit} | "
                     f"{many:,}: {figures.number(dear)} {unit} | "
                     f"{many / few:,.0f} | {dear / cheap if cheap else 0:.2f} |")
    return lines + [""]


def bars_section(records):
    lines = ["## Bars", "", "What this library promises itself on every machine, by the ratios of one run.", "",
             "| work | bar | |", "|---|---|---|"]
    words = {None: "not measured here", True: "held", False: "**missed**"}
    lines += [f"| {work} | {promise} | {words[holds]} |" for work, promise, holds in figures.bars(records)]
    return lines + [""]


def main():
    json_path, folder = sys.argv[1:]
    with open(json_path, encoding="utf-8") as file:
        records = json.load(file)
    notes = []
    if os.path.exists(json_path.removesuffix(".json") + ".notes"):
        with open(json_path.removesuffix(".json") + ".notes", encoding="utf-8") as file:
            notes = [line.strip() for line in file if line.strip()]
    os.makedirs(os.path.join(folder, "performance"), exist_ok=True)
    lines = [INTRODUCTION, *about_machine(notes), *bars_section(records)]
    for name in GROUPS:
        lines += group_section(name, records, folder)
    for name in GROWTH:
        lines += growth_section(name, records, folder)
    with open(os.path.join(folder, "performance.md"), "w", encoding="utf-8") as out:
        out.write(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n")
    print(f"wrote {folder}/performance.md and its pictures")


if __name__ == "__main__":
    main()

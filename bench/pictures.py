"""Draws figures as SVG, with gnuplot: bars for subjects side by side, lines for growth. For report.py"""
import re
import subprocess
import sys

import figures

WIDTH, ROW, PANEL = 760, 17, 66  # pixels; a panel's own beside its rows
COLOURS = {"ours": "#c0392b", "peer": "#5d7b9d", "floor": "#bdc3c7"}
LINES = ["#c0392b", "#2c5f8a", "#6b8e23", "#8e44ad"]


def kind_of(subject):
    return "floor" if subject in figures.FLOORS + ["ideal"] else "peer" if subject in figures.PEERS else "ours"


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def bars_of(work, records):
    """The gnuplot commands of one panel: best first, the median as a bar, a thin line to the 99th percentile."""
    up = figures.more_is_better(records[0])
    records = sorted(records, key=lambda record: -record["median"] if up else record["median"])
    tops = [max(record["median"], record["p99"] if not up else 0) for record in records]
    least = min((record["median"] for record in records if record["median"] > 0), default=0.1)
    is_log = max(tops) > 12 * least
    low, high = (least / 2 if is_log else 0), (max(tops) or 1) * (1.5 if is_log else 1.05)
    lines = [
        ("set" if is_log else "unset") + " logscale x", f"set xrange [{low:g}:{high:g}]", "unset label",
        f"set yrange [{len(records) + 0.6}:0.4]",
        f"set label {quoted(work + ', ' + records[0]['unit'] + (': more is better' if up else ': less is better'))} "
        "at graph 0, graph 1 offset 0,0.7",
        f"set format x '{'%.0s%c' if is_log else '%.1s%c' if high > 2000 else '%g'}'",
        "set ytics (" + ", ".join(quoted(name_of(record)) + f" {row}" for row, record in enumerate(records, 1)) + ")",
    ]
    data = []
    for row, record in enumerate(records, 1):
        lines.append(f"set label {quoted(figures.number(record['median']))} at graph 1.01, first {row}")
        median = max(record["median"], low)
        tail = median if up else max(record["p99"], median)
        data.append(f"{row} {median:g} {tail:g} 0x{COLOURS[kind_of(record['subject'])][1:]} {low:g}")
    plot = "plot $bars using 2:1:5:2:($1-0.36):($1+0.36):4 with boxxyerror fill solid noborder lc rgb variable"
    if not up:
        plot += ", $bars using 2:1:2:3 with xerrorbars pt 0 lw 1 lc rgb '#333333'"
    return lines + ["$bars << END", *data, "END", plot]


def name_of(record):
    return "{/:Bold " + record["subject"] + "}" if record["subject"] == "mortal" else record["subject"]


def make_small(path):
    """gnuplot says the same of every stroke and letter: once is enough, and what cannot be seen may go."""
    common = ('fill="none" color="black" stroke="currentColor" stroke-width="1.00" stroke-linecap="butt" '
              'stroke-linejoin="miter"')
    font = 'font-family="sans-serif" font-size="11.00"'
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text.replace(common, "").replace(font, "").replace('<tspan font-family="sans-serif" >', "<tspan>")
    text = text.replace('<g id="gnuplot_canvas">', f"<g {common} {font}>")
    text = text.replace('fill="#ffffff"/>', 'fill="#ffffff" stroke="none"/>')
    text = re.sub(r"<use xlink:href='#gpDot'[^>]*/>|<(title|desc)>.*?</\1>|<filter.*?</filter>", "", text, flags=re.S)
    text = re.sub(r"<(path|circle|rect|use)\b[^>]* id='gp[^>]*/>", lambda found: found.group(0)
                  if "'gpPt5'" in found.group(0) or "id='gpPt6'" in found.group(0) else "", text)
    text = re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"<g\s*>\s*</g>", "", text))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def draw(path, height, commands):
    head = [f"set terminal svg size {WIDTH},{height} font 'sans-serif,11' background '#ffffff' dynamic",
            f"set output {quoted(path)}", "set border 1 lc rgb '#888888'", "set tics nomirror out scale 0.5",
            "set grid xtics lc rgb '#dddddd' lw 0.5", "unset key", "set ytics textcolor rgb '#222222'"]
    try:
        subprocess.run(["gnuplot"], input="\n".join(head + commands) + "\n", text=True, check=True)
    except FileNotFoundError:
        sys.exit("report: gnuplot is not there: packaging/setup.sh bench installs it")
    make_small(path)


def bars(path, works):
    """works: (name, records), each a panel."""
    heights = [PANEL + ROW * len(records) for _, records in works]
    total, top = sum(heights), 0
    commands = ["set multiplot", "set lmargin 18", "set rmargin 11", "set tmargin 2", "set bmargin 1.6"]
    for (work, records), height in zip(works, heights):
        commands += [f"set size 1,{height / total:.4f}", f"set origin 0,{1 - (top + height) / total:.4f}"]
        commands += bars_of(work, records)
        top += height
    draw(path, total, commands + ["unset multiplot"])


def growth(path, title, across, unit, series):
    """series: (name, [(how many, median)]): lines over logarithmic axes."""
    values = [value for _, points in series for _, value in points if value > 0]
    commands = ["set logscale xy", f"set title {quoted(title)}", f"set xlabel {quoted(across)}",
                f"set ylabel {quoted(unit)}", "set grid ytics lc rgb '#dddddd' lw 0.5", "set border 3",
                "set key left top", f"set yrange [{min(values) / 3:g}:{max(values) * 6:g}]",
                "set format x '%.0s%c'", "set format y '%.0s%c'"]
    parts = []
    for place, (name, points) in enumerate(series):
        commands += [f"$line{place} << END", *[f"{many} {value:g}" for many, value in points if value > 0], "END"]
        parts.append(f"$line{place} using 1:2 with linespoints pt 7 ps 0.5 lw 1.5 lc rgb '{LINES[place % len(LINES)]}' "
                     f"title {quoted(name)}")
    draw(path, 300, commands + ["plot " + ", ".join(parts)])

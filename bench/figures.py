"""What the figures of a bench run mean: who is who, merging of rounds, ratios, bars. For table.py and report.py"""
import statistics

OURS = ["mortal", "mortal-threads", "mortal-group", "mortal-keys", "mortal-no-standby", "mortal-soft", "mortal-cgroup",
        "mortal-namespace", "mortal-input", "mortal-as-finished", "mortal-batch"]
PEERS = ["glib", "glib-shared", "libuv", "tbb-group", "tbb-enqueue", "moodycamel", "apr", "openmp",
         "python-threads", "python-processes", "python-recipe", "erlang", "in-process"]
FLOORS = ["floor", "raw-ring", "raw-ring-pair", "raw-sigkill", "raw-spare", "raw-fork", "raw-namespace", "raw-mmap",
          "plain-loops"]


def spread_of(values):
    """Half of the values lie within so much of each other, as a part of their median; None: too few to tell."""
    middle = statistics.median(values)
    if len(values) < 3 or not middle:
        return None
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return round((third - first) / middle, 3)


def precise(value):
    return float(f"{value:.6g}")


def merge(rounds_of):
    """Records of single rounds, by (work, subject), to one record each, with ratios to the best of its work."""
    merged = []
    for (work, subject), parts in rounds_of.items():
        medians = [part["median"] for part in parts]
        merged.append({
            "work": work,
            "subject": subject,
            "median": precise(statistics.median(medians)),
            "min": precise(min(part["min"] for part in parts)),
            "max": precise(max(part["max"] for part in parts)),
            "p99": precise(statistics.median(part["p99"] for part in parts)),
            "unit": parts[0]["unit"],
            "runs": sum(part["runs"] for part in parts),
            "rounds": len(parts),
            "spread": spread_of(medians),
        })
    for record in merged:
        others = [other for other in merged if other["work"] == record["work"]]
        record["x_peer"] = ratio(record, best(others, PEERS))
        record["x_floor"] = ratio(record, best(others, FLOORS))
    return merged


def more_is_better(record):
    return record["unit"].endswith(("tasks/s", "bytes/s", "items/s", "parts/s")) or record["unit"] == "share"


def best(records, names):
    """The best of the named subjects, or None."""
    found = [record for record in records if record["subject"] in names]
    if not found:
        return None
    return (max if more_is_better(found[0]) else min)(found, key=lambda record: record["median"])


def ratio(record, other):
    """How many times as good; None: there is nothing to compare."""
    if other is None or not record["median"] or not other["median"]:
        return None
    value = record["median"] / other["median"]
    return round(value if more_is_better(record) else 1 / value, 3)


def number(value):
    for size, letter in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e6 if letter == 'M' else 1e3):.2f}{letter}"
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 or value == 0 else f"{value:.2f}"


class Figures:
    """The medians of a run, by name."""

    def __init__(self, records):
        self.records = records

    def of_work(self, work):
        return [record for record in self.records if record["work"] == work]

    def own(self, work, key="median", subject="mortal"):
        found = best(self.of_work(work), [subject])
        return found and found[key]

    def peer(self, work):
        found = best(self.of_work(work), PEERS)
        return found and found["median"]

    def floor(self, work):
        found = best(self.of_work(work), FLOORS)
        return found and found["median"]


def _than_peer(least):
    return lambda own, peer, floor: peer is None or own >= least * peer


def _than_floor(most):
    return lambda own, peer, floor: floor is None or own <= most * floor


# (work, what is promised, test of the medians of mortal, of the best peer and of the best floor; None: not measured)
BARS = [
    ("noop-throughput-2w", "1.3 times the best peer", _than_peer(1.3)),
    ("noop-throughput-2w", "0.6 of the raw floor", lambda own, peer, floor: floor is None or own >= 0.6 * floor),
    ("round-trip", "within 2 times the raw floor", _than_floor(2)),
    ("round-trip", "no slower than the best peer", lambda own, peer, floor: peer is None or own <= peer),
    ("round-trip-asleep", "within 1.15 times a bare futex", _than_floor(1.15)),
    ("efficiency-1us", "at least that of the best peer", _than_peer(1)),
    ("efficiency-10us", "at least 0.93", lambda own, peer, floor: own >= 0.93),
    ("kill-to-death", "within 1.3 times a raw SIGKILL", _than_floor(1.3)),
    ("kill-to-first-task", "under 150 us", lambda own, peer, floor: own < 150),
    ("pool-open", "under 2 ms", lambda own, peer, floor: own < 2000),
    ("kill-tree-200", "within 3 times the raw namespace", _than_floor(3)),
    ("deadline-lateness", "under 1 ms", lambda own, peer, floor: own < 1000),
    ("payload-16m", "at least 0.95 of pointers in a process", lambda own, peer, floor: peer is None or own >= 0.95 * peer),
    ("payload-64k", "at least 0.8 of pointers in a process", lambda own, peer, floor: peer is None or own >= 0.8 * peer),
    ("buffer-faults-1g", "at most 1.2 times a mapping's", lambda own, peer, floor: floor is None or own <= 1.2 * floor),
    ("map-noop", "50 million items/s", lambda own, peer, floor: own >= 50e6),
    ("map-1us", "0.9 of plain loops", lambda own, peer, floor: floor is None or own >= 0.9 * floor),
    ("idle-memory", "under 1.5 MiB", lambda own, peer, floor: own < 1536),
    ("idle-cpu", "no wake-ups", lambda own, peer, floor: own == 0),
]
# (work, what is promised of 99 of 100, test of mortal's p99)
TAIL_BARS = [("deadline-lateness", "99 of 100 under 5 ms", lambda own: own < 5000)]
# (work, the same with less of what makes it hard, how many times as much it may take, in words)
NO_WORSE = [
    ("kill-eight-to-death", "kill-to-death", 8, "less than 8 times kill-to-death"),
    ("kill-to-death-512m", "kill-to-death-0m", 3, "within 3 times kill-to-death-0m"),
    ("buffer-visible-6g", "buffer-visible-4k", 1.5, "within 1.5 times a buffer of 4 KiB"),
    ("cost-growth-queued-noop-1000000", "cost-growth-queued-noop-1000", 2, "within 2 times that of 1,000"),
    ("cost-growth-queued-1us-1000000", "cost-growth-queued-1us-1000", 1.2, "within 1.2 times that of 1,000"),
    ("cost-growth-queued-instructions-1000000", "cost-growth-queued-instructions-1000", 1.05,
     "within 1.05 times that of 1,000"),
]
# Kinds of containment, told of where they can be had.
HELD = ["mortal-cgroup", "mortal-namespace"]


def _bars_of_held(figures):
    for subject in HELD:
        tree, raw = figures.own("kill-tree-200", subject=subject), figures.floor("kill-tree-200")
        if tree and raw:
            yield "kill-tree-200", f"{subject}: within 2 times the raw namespace", tree <= 2 * raw
        hard, easy = (figures.own(work, subject=subject) for work in ("kill-to-death-512m", "kill-to-death-0m"))
        if hard and easy:
            yield "kill-to-death-512m", f"{subject}: within 3 times kill-to-death-0m", hard <= 3 * easy


def bars(records):
    """(work, what is promised, True, False, or None: not measured)"""
    figures = Figures(records)
    for work, promise, holds in BARS:
        own = figures.own(work)
        yield work, promise, None if own is None else holds(own, figures.peer(work), figures.floor(work))
    for work, promise, holds in TAIL_BARS:
        own = figures.own(work, "p99")
        yield work, promise, None if own is None else holds(own)
    for work, easier, most, promise in NO_WORSE:
        hard, easy = figures.own(work), figures.own(easier)
        yield work, promise, None if not hard or not easy else hard <= most * easy
    yield from _bars_of_held(figures)

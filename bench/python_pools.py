#!/usr/bin/env python3
"""Python's pools: python_pools.py --list | WORK SUBJECT, one record like those of the programs in C

python-threads    concurrent.futures.ThreadPoolExecutor
python-processes  concurrent.futures.ProcessPoolExecutor, forked; to kill what runs its workers are killed, and a new
                  pool is made
python-recipe     a ThreadPoolExecutor in a child process, as its users write it: tasks and results go through pipes;
                  to kill what runs the child is terminated and begun again
"""
import concurrent.futures
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time

QUICK = os.environ.get("BENCH_QUICK") == "1"
WINDOW = 1024
STREAM_S = 0.05 if QUICK else 0.3
FORK = multiprocessing.get_context("fork")


def add_one(value):
    return value + 1


def stay(flag):
    """Never returns by itself, and holds no lock of the interpreter that others would wait for."""
    flag.value = 1
    while flag.value != 2:
        time.sleep(3600)


def now(_value):
    return time.monotonic_ns()


class Threads:
    name = "python-threads"

    def __init__(self, workers):
        self.pool = concurrent.futures.ThreadPoolExecutor(workers)
        self.submit = self.pool.submit

    def close(self):
        self.pool.shutdown()


class Processes(Threads):
    name = "python-processes"

    def __init__(self, workers):
        self.pool = concurrent.futures.ProcessPoolExecutor(workers, FORK)
        self.submit = self.pool.submit

    def kill(self):
        processes = list(self.pool._processes.values())  # pylint: disable=protected-access # there is no other way
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
        self.pool.shutdown(wait=False, cancel_futures=True)


def recipe_child(workers, tasks, results):
    lock = threading.Lock()

    def reply(number, future):
        with lock:
            results.send((number, future.result()))

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        while True:
            try:
                task = tasks.recv()
            except EOFError:
                return
            if task is None:
                return
            number, function, argument = task
            pool.submit(function, argument).add_done_callback(lambda future, number=number: reply(number, future))


class Recipe:
    name = "python-recipe"

    def __init__(self, workers):
        child_tasks, self.tasks = FORK.Pipe(duplex=False)
        self.results, child_results = FORK.Pipe(duplex=False)
        self.futures, self.number = {}, 0
        self.child = FORK.Process(target=recipe_child, args=(workers, child_tasks, child_results), daemon=True)
        self.child.start()
        child_tasks.close()
        child_results.close()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                number, result = self.results.recv()
            except (EOFError, OSError):
                return
            self.futures.pop(number).set_result(result)

    def submit(self, function, argument):
        future = concurrent.futures.Future()
        self.number += 1
        self.futures[self.number] = future
        self.tasks.send((self.number, function, argument))
        return future

    def kill(self):
        self.child.terminate()
        self.child.join()

    def close(self):
        self.tasks.send(None)
        self.child.join()
        self.reader.join()


def stream(pool, until, tasks):
    waiting, number = [], 0
    while number < tasks and time.monotonic() < until:
        if number >= WINDOW and waiting[number - WINDOW].result() != number - WINDOW + 1:
            raise ValueError("a wrong result")
        waiting.append(pool.submit(add_one, number))
        number += 1
    for first, future in enumerate(waiting[-WINDOW:], max(number - WINDOW, 0)):
        if future.result() != first + 1:
            raise ValueError("a wrong result")
    return number


def throughput(kind, workers):
    pool = kind(workers)
    stream(pool, float("inf"), WINDOW)
    start = time.monotonic()
    tasks = stream(pool, start + STREAM_S, float("inf"))
    took = time.monotonic() - start
    pool.close()
    return [tasks / took], "tasks/s"


def round_trip(kind, workers, pause=0.0):
    """With a pause before each, the workers sleep; the caller sleeps in any case."""
    pool, samples = kind(workers), []
    for number in range(50 if QUICK else 500 if pause else 2000):
        if pause:
            time.sleep(pause)
        start = time.monotonic_ns()
        if pool.submit(add_one, number).result() != number + 1:
            raise ValueError("a wrong result")
        samples.append(time.monotonic_ns() - start)
    pool.close()
    return samples[10:], "ns"


def kill(kind, to_first):
    """From the kill to the certain death of all that ran; or to the first instruction of a task of the next pool."""
    samples = []
    for _ in range(3 if QUICK else 15):
        flag = FORK.RawValue("i", 0)
        HELD[:] = [flag]
        pool = kind(1)
        pool.submit(stay_held, None)
        while flag.value == 0:
            time.sleep(0.001)
        time.sleep(0.002)
        start = time.monotonic_ns()
        pool.kill()
        if to_first:
            pool = kind(1)
            samples.append((pool.submit(now, None).result() - start) / 1e3)
            pool.close()
        else:
            samples.append((time.monotonic_ns() - start) / 1e3)
    return samples, "us"


HELD = []  # shared memory goes to children by fork, and not through a queue


def stay_held(_value):
    stay(HELD[0])


PLUS_ONE = bytes((value + 1) % 256 for value in range(256))


def answer(argument):
    """A pass over all bytes, at the speed of C."""
    return argument.translate(PLUS_ONE)


def payload(kind, size):
    """Arguments and results that are pickled, and go through pipes."""
    pool, waiting, count, window = kind(1), [], 0, 4
    pool.submit(answer, b"").result()
    start = time.monotonic()
    while count < window or time.monotonic() < start + STREAM_S:
        if count >= window and waiting[count - window].result()[:: size - 1] != bytes([(count - window + 1) % 256]) * 2:
            raise ValueError("a wrong result")
        if count >= window:
            waiting[count - window] = None
        waiting.append(pool.submit(answer, bytes([count % 256]) * size))
        count += 1
    for future in waiting[-window:]:
        future.result()
    took = time.monotonic() - start
    pool.close()
    return [2 * size * count / took], "bytes/s"


WORKS = {
    "noop-throughput-1w": lambda kind: throughput(kind, 1),
    "noop-throughput-2w": lambda kind: throughput(kind, 2),
    "round-trip": lambda kind: round_trip(kind, 1),
    "round-trip-asleep": lambda kind: round_trip(kind, 1, 0.0003),
    "kill-to-death": lambda kind: kill(kind, False),
    "kill-to-first-task": lambda kind: kill(kind, True),
    "payload-64k": lambda kind: payload(kind, 64 << 10),
    "payload-16m": lambda kind: payload(kind, 16 << 20),
}


def can(work, kind):
    return hasattr(kind, "kill") or not work.startswith(("kill", "payload"))


def main():
    kinds = {kind.name: kind for kind in (Threads, Processes, Recipe)}
    if sys.argv[1:] == ["--list"]:
        for kind in kinds.values():
            print("\n".join(f"{work} {kind.name}" for work in WORKS if can(work, kind)))
        return
    work, subject = sys.argv[1:]
    samples, unit = WORKS[work](kinds[subject])
    samples.sort()
    print(json.dumps({"work": work, "subject": subject, "median": statistics.median(samples),
                      "p99": samples[(len(samples) - 1) * 99 // 100], "min": samples[0], "max": samples[-1],
                      "unit": unit, "runs": len(samples)}), flush=True)
    os._exit(0)  # killed pools leave threads that would be waited for


main()

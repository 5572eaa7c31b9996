"""What docs/performance.md says about each group of works, beside the figures. For report.py"""

INTRODUCTION = """\
# Performance

<!-- Written by bench/report.py from a run of `make bench`: do not edit, change bench/report_texts.py. -->

Every figure of this page comes from one run of `make bench-report` on one machine. It measures mortal, the pools that
a program would use instead, and the *raw floor*: a bare program that does the least that the machine needs for the
same work, without being a pool. What each work is exactly stands in [bench/README.md](../bench/README.md).

- **Ratios and orderings travel, nanoseconds do not.** `x peer` says how many times as good as the best peer, `x
  floor` as the best floor: 2.00 is twice as fast, 0.50 half as fast.
- A figure is the median of the rounds' medians. *Spread* is what the middle half of the rounds lie apart, as a part
  of it: where it is large, do not read much into small differences. p99 is the median of the rounds' 99th
  percentiles.
- None of the peers can kill what runs but `python-processes` and `python-recipe`, which lose the pool with it, and
  `erlang`, whose processes are its own and not the kernel's.
- In the pictures red is mortal, blue a peer, grey a floor; the thin line goes to the 99th percentile.
"""

# name: (title, works, text). A work that ends with * stands for all that begin so.
GROUPS = {
    "throughput": ("Empty tasks", ["noop-throughput-1w", "noop-throughput-2w", "noop-throughput-2w-2p",
                                   "noop-throughput-2w-4p"], """\
How many tasks a second go there and back when they do nothing but add 1: this is all overhead. At most 1,024 are
outstanding; 1w and 2w are workers, 2p and 4p producers. The floor hands over one word per task and keeps nothing
else; mortal also has to be able to find every task again whoever dies, which costs a second line of memory each way
(order and answer), a check of all that a host could have written, and one lock between producers.
"""),
    "round-trip": ("Round trips", ["round-trip", "round-trip-asleep", "round-trip-apart"], """\
One task, there and back. Awake, everybody looks for some 10 us before it sleeps, so the kernel is not called. Asleep,
the kernel's wake-up is nearly all of it, for everybody: what differs is how often it is called. `round-trip-asleep`
lets the kernel choose the processors, `round-trip-apart` binds worker and caller to different ones, where on a
virtual machine waking an idle processor dominates.
"""),
    "efficiency": ("Short tasks", ["efficiency-1us", "efficiency-10us"], """\
The share of the processors' time that two workers spend in tasks of 1 us, and of 10 us. 1 would be a pool that costs
nothing. On a machine with two processors the producer takes its part from the workers, so that even the floor is
below it. The work of a task is a fixed number of steps, not a time: whoever is taken off the processor has not
worked.
"""),
    "maps": ("Maps", ["map-noop", "map-1us", "map-stream-*"], """\
One function over an array of items, with 2 workers. For each item there is one store that says it began, one that says
how it ended, and one compare-and-swap, so that a death costs the item in hand only and whoever is idle can take items
from another's share. The floor, two threads with a plain loop over one half each, has none of that. With items that come one
by one (`map-stream`) the program's one thread puts each and takes what became of each, so it is what is measured for empty
items; beside it the same with a task for each, and verdicts from a group. Their floor: a bare ring to one other process.
"""),
    "bursts": ("Bursts", ["burst-100"], """\
A hundred empty tasks at once for two workers that sleep: from the first submit to the last result. What is measured
is how soon workers wake up, and how often somebody is woken for nothing.
"""),
    "idle": ("An idle pool", ["idle-memory", "idle-cpu"], """\
Memory is the proportional set size that the program and all processes below it have more than the program had before,
with two workers that have run some tasks: for mortal a supervisor, two hosts and a standby. The floor is four bare
forks. Wake-ups are those of all threads but the caller's, in a second in which nothing is to be done.
"""),
    "kill": ("Kills", ["kill-to-death", "kill-to-first-task"], """\
A task that never returns is killed. `kill-to-death`: until every thread of its host is certainly dead, by the
kernel's word. `kill-to-first-task`: until the first instruction of the task that waited behind it, in the same pool;
for Python, of the first task of a new pool. `mortal-no-standby` has to make a process first.
"""),
    "kill-more": ("Hard kills, and deadlines",
                  ["kill-to-death-0m", "kill-to-death-512m", "kill-tree-200", "kill-eight-to-death",
                   "deadline-lateness"], """\
512m: the task has touched 512 MiB of its own memory, which the kernel otherwise frees before it says that a process
is dead; a process that shares the address space (a *sitter*) takes that off the way. 0m is the same without the
memory. tree-200: the task has started 200 processes. eight: eight hosts killed at once die side by side. Lateness:
from a deadline to certain death; `mortal-soft`: to the moment the task sees that it shall stop.
"""),
    "life": ("Opening and closing", ["pool-open", "pool-close"], """\
Two workers. mortal makes a supervisor, two hosts and a standby, each with its own memory; a pool of threads makes two
threads. The floor is one fork.
"""),
    "buffers": ("Buffers", ["buffer-visible-6g", "buffer-visible-4k", "buffer-faults-1g"], """\
Visible: from opening a buffer until a host that was there before has read its last byte, whatever the size. Faults: of a
fresh host that touches all of a gibibyte, beside a mapping of its own.
"""),
    "payloads": ("Inputs and results", ["payload-*"], """\
Tasks that carry data: see [bench/README.md](../bench/README.md).
"""),
    "streams": ("Streams", ["stream-*"], """\
Parts of 64 bytes, and of 4 KiB, that a task emits and the program takes while it runs, with 64 KiB between them. The floor
is a bare ring between two processes. mortal marks each part as this task's, so that one that was overwritten is found
out, and takes a lock for each: any thread of the program may take parts.
"""),
    "maps": ("Maps", ["map-*"], """\
One function over many items: see [bench/README.md](../bench/README.md).
"""),
}

# name: (title, what is counted across, text, {work without its number: what the line is called})
GROWTH = {
    "growth-tasks": ("Growth: tasks", "tasks queued, or slots in use", """\
The cost of one task, there and back, when many are queued in front of it while the one worker is busy, and when
nearly all slots of the region are taken by tasks that have ended and are not released. Flat lines are what is
promised; a bend is to be expected where the lines of all tasks no longer fit into the processor's caches.
""", {"queued-noop": "empty tasks, queued", "queued-1us": "tasks of 1 us, queued",
     "slots": "empty tasks, full region"}),
    "growth-instructions": ("Growth: instructions", "tasks queued", """\
Instructions of program and host together, outside of the kernel, for each empty task: these do not depend on caches.
""", {"queued-instructions": "empty tasks, queued"}),
    "growth-workers": ("Growth: workers and hosts", "workers", """\
The cost of one empty task with more workers than processors, all in one host or each in its own.
""", {"workers": "in one host", "hosts": "one host each"}),
    "growth-kills": ("Growth: kills", "hosts, slots in use, or tasks queued", """\
A kill to certain death among many hosts, and in a region whose slots are taken; and a kill to the first instruction
of the next task with many tasks waiting (`recovery`).
""", {"kill-hosts": "kill to death, hosts", "kill-slots": "kill to death, slots",
     "recovery": "kill to first task, queued"}),
}

# Why a peer is the faster one where it is: (group, peer), or the group alone.
WHY = {
    ("throughput", "libuv"):
        "its queue is a list under one mutex, and who holds it passes hundreds of tasks on before anybody else gets "
        "it: few lines of memory change sides, and few wake-ups are needed. Submitting and collecting are the loop's "
        "own, without a lock for each",
    ("throughput", "moodycamel"):
        "a task is one pointer in a block that only its producer fills; nothing says who took it, so nothing could be"
        " found again if the worker died",
    ("throughput", "glib"):
        "a task is one pointer in a list; nothing says who took it",
    ("throughput", "tbb-group"):
        "the tasks lie in the producer's own deque, from which workers steal without a word for each task that says "
        "who has it",
    ("throughput", None):
        "a task is one pointer, and nothing could be found again if its worker died",
    ("round-trip", "openmp"):
        "its idle threads spin much longer before they sleep",
    ("round-trip", "moodycamel"):
        "its idle threads poll the queue for ever where they are not made to sleep, and longer where they are",
    ("round-trip", None):
        "caller and worker share one address space and hand over one pointer",
    ("efficiency", None):
        "it moves one pointer for each task, and its producer takes less from the two processors",
    ("bursts", None):
        "it wakes threads of its own process, and passes the whole burst on in one go",
    ("idle", None):
        "it is made of threads, which share all memory; mortal has four processes, each with page tables, stacks and "
        "a heap of its own: that is what makes them killable",
    ("kill", "erlang"):
        "its processes are none of the kernel's: to kill one is never to run it again. The virtual machine can do "
        "that because it runs all code of theirs itself; C code in it, or a call that waits in the kernel, it cannot "
        "kill",
    ("life", None):
        "it makes threads, not processes",
}

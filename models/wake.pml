/*
 * wake.pml - does everybody who should wake up wake up?
 *
 * Follows src/region/queue.c, src/region/bell.[ch], src/host/worker.c, src/owner/{submit,watch,future}.c and what
 * src/supervisor/death.c does after a death. One statement here is one access to shared memory there, and a worker may
 * die before each of them. The half-second rounds of supervisor and owner (the audit, LOOK_AROUND_NS) are left out: they
 * are a net, and what is proved here must hold without it.
 *
 * Each statement is seen by all at once. An owner's push is not, by itself: the model assumes that by the sleeper's last look,
 * or the look for more of who was deputy, it is, as fence_before_sleep() makes it, and by the owner's look who searches, as the
 * fence in bell_call_idle() makes it. tests/order explores these under weak memory.
 *
 * Configuration (-D): WORKERS that are active at first, STANDBY hosts, TASKS, DEATHS at most; REBIRTH: who died is
 * followed by another; ENDLESS 1: a task may run for ever, 2: every task does; BRISK 1: tasks are brisk at first, until a
 * deputy finds silence, 2: and any worker may find at any time that they are or are not; WAITER: a thread of the owner waits
 * for task 0; CANCEL: another thread takes it back; and PLANT.
 *
 * A safety search proves that no state is final in which somebody should go on: a sleeping worker passes on only when
 * nothing waits, a waiter only when its task ended. The formulas at the end say the same for runs without end.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef STANDBY
#define STANDBY 0
#endif
#ifndef TASKS
#define TASKS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef ENDLESS
#define ENDLESS 0
#endif
#ifndef BRISK
#define BRISK 0
#endif
#define BERTHS (WORKERS + STANDBY)

#define NONE 0
#define IDLE_LATE 1         /* the idle bit is set after the last look for work */
#define RING_FOR_TASKS_ONLY 2 /* recovery rings for what waits only: a bit that the dead had taken stays taken */
#define HINT_CLEARED_FIRST 3 /* a word says whether anybody sleeps; who rings one clears it and sets it again if more sleep */
#define SEARCH_BIT_LEFT 4   /* recovery leaves the searching bit of the dead */
#define NO_PASSING_ON 5     /* who finds work does not look whether there is more */
#define WATCHED_LATE 6      /* the waiter looks first and sets the flag after */
#define CANCEL_SILENT 7     /* a cancel wakes nobody who waits for the task */
#define BELL_LATE 8         /* the bell is read just before the sleep */
#define HEAD_FIRST 9        /* the cursor moves before the claim */
#define NO_VERSION 10       /* recovery returns a task and does not change the version */
#define INTENT_LATE 11      /* the intent is stored after the claim */
#define PUBLISHED_UNTOLD 12 /* recovery does not tell of what was published just before the death */
#define RESIGN_LATE 13      /* a deputy looks for work, resigns after that, and sleeps without a limit */
#define OFFICE_KEPT 14      /* recovery does not end the office of a deputy that died */
#define DEPUTY_OVERSLEEPS 15 /* the deputy sleeps without a limit */
#define COUNTED_EARLY 16    /* recovery counts what waits before it takes back what the dead said of itself */
#ifndef PLANT
#define PLANT NONE
#endif

/* The claim word: a phase, and who runs it. */
#define FREE 0
#define PENDING 1
#define ENDED 2
#define RUNNING(w) (3 + (w))

byte claim[TASKS];
byte tail, head;      /* entry i of the ring is task i */
byte returned;        /* the table of returned tasks, a bit each */
byte returned_version;

byte idle, searching; /* a bit per worker */
#if BRISK
bit brisk = 1;
byte deputy;          /* worker + 1 */
#endif
#if PLANT == HINT_CLEARED_FIRST
bit hint;
#endif
bit rung[BERTHS];     /* its bell is not any more what its worker read last */
bit asleep[BERTHS];   /* the kernel's: in the futex of its bell */

byte intent[BERTHS];  /* task + 1 */
bit alive[BERTHS], may_claim[BERTHS], doomed[BERTHS + 1];
byte to_bury;         /* a bit per host that the kernel says is dead */
byte deaths;

bit all_submitted;
bit watched[TASKS];
bit waiter_asleep, waiter_done;

#define MASK(w) (1 << (w))
#define LOWEST(bits) (((bits) & 1) -> 0 : (((bits) & 2) -> 1 : 2))
#define IS_PENDING(t) (claim[t] == PENDING && (t) < tail)
#if TASKS == 1
#define WAITS IS_PENDING(0)
#elif TASKS == 2
#define WAITS (IS_PENDING(0) || IS_PENDING(1))
#elif TASKS == 3
#define WAITS (IS_PENDING(0) || IS_PENDING(1) || IS_PENDING(2))
#endif
/* Nothing waits and nothing will: the end of the story, for whoever sleeps. */
#define IS_OVER (all_submitted && !(WAITS) && to_bury == 0)

/* One access to shared memory by a worker: it happens, or the worker dies before it. */
#if DEATHS > 0
#define OR_DIE :: w < BERTHS && (deaths < DEATHS || doomed[w]) -> goto dead
#else
#define OR_DIE
#endif
#define STEP(...) if :: __VA_ARGS__ OR_DIE fi
/* Owner and supervisor use the same parts and do not die here. */
#define IMMORTAL BERTHS

#define CAS(word, from, to, won) d_step { if :: word == (from) -> word = to; won = 1 :: else -> won = 0 fi }

/* ---- bell.c ---------------------------------------------------------------------------------------------------- */

inline ring_by_immortal(b) {
    d_step { rung[b] = 1; asleep[b] = 0 }
}

inline ring(b) {
    STEP(rung[b] = 1);
    STEP(asleep[b] = 0)
}

/* The lowest bit first; one that another took in between is passed over. */
inline call() {
#if PLANT == HINT_CLEARED_FIRST
    STEP(bits = hint);
#else
    STEP(bits = idle);
#endif
#if BRISK
    if
    :: bits != 0 ->
        STEP(bits = !brisk);
        if
        :: bits == 0 -> STEP(bits = deputy == 0)
        :: else
        fi
    :: else
    fi;
#endif
    if
    :: bits != 0 -> STEP(bits = searching); bits = !bits
    :: else
    fi;
    if
    :: bits != 0 ->
#if PLANT == HINT_CLEARED_FIRST
        STEP(hint = 0);
#endif
        STEP(bits = idle);
        do
        :: bits != 0 && !ok ->
            low = LOWEST(bits);
            STEP(d_step { ok = (idle >> low) & 1; idle = idle & ~MASK(low); bits = idle })
        :: else -> break
        od;
#if PLANT == HINT_CLEARED_FIRST
        STEP(bits = idle);
        if
        :: bits != 0 -> STEP(hint = 1)
        :: else
        fi;
#endif
        bits = 0;
        if
        :: ok -> ok = 0; ring(low)
        :: else
        fi;
        low = 0
    :: else
    fi
}

/* ---- queue.c --------------------------------------------------------------------------------------------------- */

inline advance_head(to) {
    STEP(seen = head);
    if
    :: seen < to -> STEP(d_step { if :: head == seen -> head = to :: else fi })
    :: else
    fi;
    seen = 0
}

inline try_claim(t) {
#if PLANT != INTENT_LATE
    STEP(d_step { ok = claim[t] == PENDING; intent[w] = (ok -> t + 1 : intent[w]) });
#else
    STEP(ok = claim[t] == PENDING);
#endif
    if
    :: ok ->
        STEP(CAS(claim[t], PENDING, RUNNING(w), ok));
        if
        :: ok ->
            ok = 0;
            mine = t + 1;
#if PLANT == INTENT_LATE
            STEP(intent[w] = t + 1)
#endif
        :: else
        fi
    :: else
    fi
}

inline look_at_returned() {
    STEP(seen = returned_version);
    if
    :: seen != returned_seen ->
        STEP(bits = returned);
        do
        :: bits != 0 && mine == 0 ->
            at = LOWEST(bits);
            bits = bits & ~MASK(at);
            try_claim(at)
        :: else -> break
        od;
        if
        :: mine == 0 -> returned_seen = seen
        :: else
        fi;
        bits = 0;
        at = 0
    :: else
    fi;
    seen = 0
}

inline look_at_ring() {
    STEP(at = head);
    if
    :: at >= tail_seen -> STEP(tail_seen = tail); STEP(at = head)
    :: else
    fi;
    do
    :: at < tail_seen && mine == 0 ->
#if PLANT == HEAD_FIRST
        advance_head(at + 1);
#endif
        try_claim(at);
        at++
    :: else -> break
    od;
    if
    :: mine != 0 -> advance_head(at)
    :: else -> advance_head(tail_seen)
    fi;
    at = 0
}

/* Whether there seems to be something to claim. */
inline look_for_work() {
    STEP(ok = returned_version != returned_seen);
    if
    :: !ok -> STEP(at = tail); STEP(ok = head < at); at = 0
    :: else
    fi
}

/* ---- worker.c -------------------------------------------------------------------------------------------------- */

inline sleep_on_bell(has_limit) {
#if PLANT == BELL_LATE
    STEP(rung[w] = 0);
#endif
    STEP(atomic { !rung[w] -> asleep[w] = 1 } :: rung[w]);
    if
    :: !asleep[w]
    :: asleep[w] && IS_OVER -> goto end_over
#if BRISK
    :: atomic { has_limit && asleep[w] -> asleep[w] = 0; late = 1 }
#endif
#if STANDBY > 0
    :: asleep[w] && !may_claim[w] ->
end_standby:
        if
        :: !asleep[w]
        :: asleep[w] && may_claim[w]; !asleep[w] /* too long asleep: it was called */
        OR_DIE
        fi
#endif
    OR_DIE
    fi
}

proctype worker(byte w) {
    byte at, seen, bits, low, mine, returned_seen, tail_seen;
    bit found, ok;
#if BRISK
    bit is_deputy, late;
#endif
end_birth:
    alive[w];
again:
    STEP(rung[w] = 0);
    STEP(ok = may_claim[w] && !doomed[w]);
    if
    :: !ok -> goto nap
    :: else -> ok = 0
    fi;
    look_at_returned();
    if
    :: mine == 0 -> look_at_ring()
    :: else
    fi;
    if
    :: mine != 0 -> goto claimed
    :: else
    fi;
#if BRISK == 2
    if
    :: skip
    :: STEP(brisk = 0)
    :: STEP(brisk = 1)
    fi;
#endif
    /* The search: to have looked once is as good as ten microseconds of looking. */
    STEP(ok = searching == 0);
    if
    :: ok ->
        STEP(searching = searching | MASK(w));
        look_for_work();
        STEP(searching = searching & ~MASK(w));
        found = ok;
        if
        :: ok -> ok = 0; goto again
        :: else
        fi
    :: else
    fi;
    STEP(ok = doomed[w]);
    if
    :: ok -> ok = 0; goto nap
    :: else
    fi;
#if BRISK
    STEP(ok = brisk);
    if
    :: ok -> STEP(d_step { is_deputy = deputy == 0; deputy = (is_deputy -> w + 1 : deputy); ok = 0 })
    :: else
    fi;
#endif
#if PLANT == IDLE_LATE
    look_for_work();
#endif
    STEP(idle = idle | MASK(w));
#if PLANT == HINT_CLEARED_FIRST
    STEP(hint = 1);
#endif
#if PLANT != IDLE_LATE
    look_for_work();
#endif
    if
    :: ok -> ok = 0
    :: else ->
#if BRISK
        sleep_on_bell(is_deputy && PLANT != DEPUTY_OVERSLEEPS);
        if
        :: late ->
            late = 0;
            look_for_work();
            if
            :: ok -> ok = 0
            :: else ->
                STEP(ok = searching == 0);
                if
                :: ok -> ok = 0; STEP(brisk = 0)
                :: else
                fi
#if PLANT == RESIGN_LATE
                ;
                STEP(deputy = (deputy == w + 1 -> 0 : deputy));
                is_deputy = 0;
                sleep_on_bell(false)
#endif
            fi
        :: else
        fi
#else
        sleep_on_bell(false)
#endif
    fi;
#if BRISK
    if
    :: is_deputy -> is_deputy = 0; STEP(deputy = (deputy == w + 1 -> 0 : deputy))
    :: else
    fi;
#endif
    STEP(idle = idle & ~MASK(w));
    found = 1;
    goto again;

nap: /* a standby, or doomed: nobody shall count on it */
    sleep_on_bell(false);
    goto again;

claimed:
    STEP(ok = doomed[w]);
    if
    :: ok ->
        STEP(CAS(claim[mine - 1], RUNNING(w), PENDING, ok));
        goto dead /* parks, touches nothing more, and is dead soon */
    :: else
    fi;
#if PLANT == NO_PASSING_ON
    found = 0;
#endif
    if
    :: found ->
        found = 0;
        look_for_work();
        if
        :: ok -> ok = 0; call()
        :: else
        fi
    :: else
    fi;
#if ENDLESS
    if
#if ENDLESS < 2
    :: skip
#endif
    :: skip ->
end_busy:
        if
        :: false
        OR_DIE
        fi
    fi;
#endif
    STEP(CAS(claim[mine - 1], RUNNING(w), ENDED, ok));
    ok = 0;
    STEP(bits = watched[mine - 1]);
    if
    :: bits != 0 -> bits = 0; STEP(waiter_asleep = 0)
    :: else
    fi;
    mine = 0;
    goto again;

dead:
    atomic {
        if
        :: !doomed[w] -> deaths++
        :: else
        fi;
        at = 0; seen = 0; bits = 0; low = 0; mine = 0; returned_seen = 0; tail_seen = 0; found = 0; ok = 0;
#if BRISK
        is_deputy = 0; late = 0;
#endif
        alive[w] = 0;
        asleep[w] = 0;
        to_bury = to_bury | MASK(w)
    }
#ifdef REBIRTH
    goto end_birth;
#endif
end_over:
    skip
}

/* ---- owner ----------------------------------------------------------------------------------------------------- */

proctype submitter() {
    byte w = IMMORTAL, t, bits, low;
    bit ok;
    do
    :: t < TASKS ->
        claim[t] = PENDING;
        tail = t + 1;
        call();
        t++
    :: else -> break
    od;
    all_submitted = 1;
dead:
    skip
}

#ifdef WAITER
/* watch.c: the flag, the look, the sleep on the word as it was looked at. */
proctype waiter() {
    byte word;
    tail > 0;
again:
#if PLANT != WATCHED_LATE
    watched[0] = 1;
#endif
    word = claim[0];
    if
    :: word == ENDED -> goto done
    :: else
    fi;
    if
    :: atomic { claim[0] == word -> waiter_asleep = 1 }
    :: claim[0] != word
    fi;
#if PLANT == WATCHED_LATE
    watched[0] = 1;
#endif
    word = 0;
    !waiter_asleep;
    goto again;
done:
    waiter_done = 1
}
#endif

#ifdef CANCEL
/* future.c: another thread takes task 0 back. */
proctype canceller() {
    bit ok;
    tail > 0;
    CAS(claim[0], PENDING, ENDED, ok);
#if PLANT != CANCEL_SILENT
    if
    :: ok -> ok = watched[0]
    :: else
    fi;
    if
    :: ok -> waiter_asleep = 0
    :: else
    fi
#endif
}
#endif

/* ---- supervisor ------------------------------------------------------------------------------------------------ */

#if DEATHS > 0
/* condemn.c: a host is doomed first, and dead some time after. */
proctype condemner() {
    if
    :: atomic { deaths < DEATHS && alive[0] && may_claim[0] -> deaths++; doomed[0] = 1 }
    :: skip
    fi
}

/* Ring who sleeps unseen: a bit that the dead had taken. One that says what it does, or runs a task, is left alone. */
inline ring_unseen() {
    do
    :: s < BERTHS ->
        if
        :: alive[s] && may_claim[s] ->
            bits = idle & MASK(s);
            if
            :: bits == 0 -> bits = searching & MASK(s)
            :: else
            fi;
            if
            :: bits == 0 -> d_step {
                do
                :: t < TASKS -> bits = bits | (claim[t] == RUNNING(s)); t++
                :: else -> break
                od;
                t = 0
            }
            :: else
            fi;
            if
            :: bits == 0 -> ring_by_immortal(s)
            :: else
            fi;
            bits = 0
        :: else
        fi;
        s++
    :: else -> break
    od;
    s = 0
}

inline count_waiting() {
    waiting = tail;
    waiting = (waiting > head -> waiting - head : 0);
    do
    :: t < TASKS ->
        if
        :: (returned & MASK(t)) != 0 && claim[t] == PENDING -> waiting++
        :: else
        fi;
        t++
    :: else -> break
    od;
    t = 0
}

inline ring_idle() {
    do
    :: d_step { waiting != 0 && idle != 0 -> s = LOWEST(idle); idle = idle & ~MASK(s) }
        ring_by_immortal(s);
        waiting--
    :: else -> break
    od;
    s = 0;
    waiting = 0
}

/* death.c: what becomes of a dead host's task, who takes over, who is told, who comes up, and then ring who must look. */
proctype supervisor() {
    byte w = IMMORTAL, b, s, t, waiting, bits;
    bit by_us;
end_quiet:
    do
    :: to_bury != 0 ->
        b = LOWEST(to_bury);
        doomed[b] = 1;
        t = intent[b];
        if
        :: t != 0 && claim[t - 1] == RUNNING(b) ->
            if
            :: claim[t - 1] = PENDING /* restartable, or not begun */
            :: d_step { claim[t - 1] = ENDED; by_us = 1 }
            fi
        :: else
        fi;
        if
        :: t != 0 && claim[t - 1] == PENDING -> /* also what it had not claimed yet, or had given back */
            d_step {
                returned = returned | MASK(t - 1);
#if PLANT != NO_VERSION
                returned_version++
#endif
            }
        :: else
        fi;
        t = 0;
#if PLANT == COUNTED_EARLY
        count_waiting();
#endif
        idle = idle & ~MASK(b);
#if PLANT != SEARCH_BIT_LEFT
        searching = searching & ~MASK(b);
#endif
#if BRISK
#if PLANT != OFFICE_KEPT
        deputy = (deputy == b + 1 -> 0 : deputy);
#endif
#endif
        may_claim[b] = 0;
#if STANDBY > 0
        do
        :: s < BERTHS && !(alive[s] && !may_claim[s]) -> s++
        :: else -> break
        od;
        if
        :: s < BERTHS -> may_claim[s] = 1; ring_by_immortal(s)
        :: else
        fi;
        s = 0;
#endif
        t = intent[b];
        if
        :: t != 0 && claim[t - 1] == ENDED && watched[t - 1] &&
                (PLANT != PUBLISHED_UNTOLD || by_us) -> waiter_asleep = 0
        :: else
        fi;
        atomic {
            intent[b] = 0;
            t = 0;
            by_us = 0;
            to_bury = to_bury & ~MASK(b);
#ifdef REBIRTH
            /* The next host of this berth comes up. */
            doomed[b] = 0;
            alive[b] = 1
#endif
        }
#if PLANT != RING_FOR_TASKS_ONLY
        ring_unseen();
#endif
#if PLANT != COUNTED_EARLY
        count_waiting();
#endif
        ring_idle();
#ifdef REBIRTH
#if STANDBY == 0
        may_claim[b] = 1;
        ring_by_immortal(b);
#endif
#endif
        b = 0
    od;
dead:
    skip
}
#endif

init {
    byte b;
    atomic {
        do
        :: b < BERTHS -> alive[b] = 1; may_claim[b] = b < WORKERS; run worker(b); b++
        :: else -> break
        od;
        b = 0;
        run submitter();
#ifdef WAITER
        run waiter();
#endif
#ifdef CANCEL
        run canceller();
#endif
#if DEATHS > 0
        run condemner();
        run supervisor()
#endif
    }
}

#ifdef LIVENESS
ltl no_lost_wakeup { [] ((WAITS) -> <> !(WAITS)) }
#ifdef WAITER
ltl waiter_wakes { <> waiter_done }
#endif
#endif

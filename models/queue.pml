/*
 * queue.pml - in which order tasks start, and whether who waits for room is told
 *
 * Follows src/region/queue.c, the room bell of src/host/worker.c (ring_for_room), src/owner/submit.c (make_room,
 * wait_for_room) and what src/supervisor/{condemn,death}.c do about both. One statement here is one access to shared
 * memory there, and a worker may die before each of them. The half-second rounds of supervisor and owner are left out.
 *
 * Configuration (-D): WORKERS, TASKS, QUEUE (queue_tasks), RING (ring_entries); DEATHS at most; CANCELS of tasks that wait,
 * each by the supervisor or by another thread of the owner; ENDLESS 1: a task may run for ever, 2: every task does; and
 * PLANT.
 *
 * Workers look once after each task and then whenever there is something to find: that they wake for it is proved in
 * wake.pml. That somebody sleeps beside room, or that a task is not found any more, leaves the search in a state that is
 * no end.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef TASKS
#define TASKS 3
#endif
#ifndef QUEUE
#define QUEUE 1
#endif
#ifndef RING
#define RING 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
#ifndef ENDLESS
#define ENDLESS 0
#endif

#define NONE 0
#define HEAD_GIVES_UP 1     /* a worker that loses the race for the cursor leaves it where the winner put it */
#define PASSED_UNCHECKED 2  /* an entry is believed without another look at the cursor */
#define LAST_LOOK_SKIPPED 3 /* the last look before the sleep does not close gaps, since that was in vain just before */
#define WISH_LATE 4         /* the last look for room comes before the wish is visible */
#define CANCEL_SILENT 5     /* a cancel by the owner does not ring for room */
#define RING_AT_END_ONLY 6  /* workers ring for room when a task ends, not when it leaves the queue */
#define HEAD_BEFORE_COPIES 7 /* closing gaps moves the cursor before the entries */
#define RECOVERY_SILENT 8   /* recovery does not ring for room: the dead had claimed and not rung yet */
#define RETURNED_NOWHERE 9  /* what was claimed before the death and is pending again is not put where workers look */
#define READ_BELL_LATE 10   /* the room bell is read after the last look */
#define FRONT_NOT_PASSED 11 /* a claim of a returned task leaves the cursor in front of its place in the ring */
#ifndef PLANT
#define PLANT NONE
#endif

/* The claim word: a phase, and who runs it. */
#define FREE 0
#define PENDING 1
#define ENDED 2
#define RUNNING(w) (3 + (w))

byte claim[TASKS];
byte ring[RING]; /* task + 1 */
byte tail, head;
byte returned;   /* a bit per task */

byte intent[WORKERS]; /* task + 1 */
bit alive[WORKERS];
byte to_bury;
byte deaths, cancels;

bit lock;            /* the owner's */
bit room_wanted, room_rung, asleep;
bit all_submitted, submitter_over;
byte busy;           /* workers that run for ever; observed */
bit came_back[TASKS]; /* observed */

/* The promises. Their names stand in the assertions, so that a search which finds one broken says which. */
hidden byte starts_in_order, starts_once; /* always 0 */
#define PROMISE(name, condition) assert((condition) || name)

#define MASK(n) (1 << (n))
#define LOWEST(bits) (((bits) & 1) -> 0 : (((bits) & 2) -> 1 : (((bits) & 4) -> 2 : (((bits) & 8) -> 3 : 4))))

/* What a look would find: at a place of the ring that the cursor has not passed, or returned. */
#define AT(p) ((p) >= head && (p) < tail && claim[ring[(p) % RING] - 1] == PENDING)
#define BACK(t) ((returned & MASK(t)) && claim[t] == PENDING)
#if TASKS == 2
#define WAITING (AT(0) + AT(1))
#define RETURNED (BACK(0) || BACK(1))
#define PENDING_SOMEWHERE (claim[0] == PENDING || claim[1] == PENDING)
#elif TASKS == 3
#define WAITING (AT(0) + AT(1) + AT(2))
#define RETURNED (BACK(0) || BACK(1) || BACK(2))
#define PENDING_SOMEWHERE (claim[0] == PENDING || claim[1] == PENDING || claim[2] == PENDING)
#elif TASKS == 4
#define WAITING (AT(0) + AT(1) + AT(2) + AT(3))
#define RETURNED (BACK(0) || BACK(1) || BACK(2) || BACK(3))
#define PENDING_SOMEWHERE (claim[0] == PENDING || claim[1] == PENDING || claim[2] == PENDING || claim[3] == PENDING)
#elif TASKS == 5
#define WAITING (AT(0) + AT(1) + AT(2) + AT(3) + AT(4))
#define RETURNED (BACK(0) || BACK(1) || BACK(2) || BACK(3) || BACK(4))
#define PENDING_SOMEWHERE (claim[0] == PENDING || claim[1] == PENDING || claim[2] == PENDING || claim[3] == PENDING || \
    claim[4] == PENDING)
#endif

/* One access to shared memory by a worker: it happens, or the worker dies before it. */
#if DEATHS > 0
#define OR_DIE :: w < WORKERS && deaths < DEATHS -> goto dead
#else
#define OR_DIE
#endif
#define STEP(...) if :: __VA_ARGS__ OR_DIE fi
#define IMMORTAL WORKERS

/* ---- queue.c --------------------------------------------------------------------------------------------------- */

inline advance_head(to) {
    STEP(seen = head);
    do
    :: seen < to && !ok ->
        STEP(d_step { if :: head == seen -> head = to; ok = 1 :: else -> seen = head fi })
#if PLANT == HEAD_GIVES_UP
        ok = 1
#endif
    :: else -> break
    od;
    atomic { seen = 0; ok = 0 }
}

inline try_claim(t, from_ring) {
    STEP(d_step { ok = claim[t] == PENDING; intent[w] = (ok -> t + 1 : intent[w]) });
    if
    :: ok ->
        STEP(d_step {
            if
            :: claim[t] == PENDING ->
                claim[t] = RUNNING(w);
                mine = t + 1;
                low = 0;
                do
                :: from_ring && low < t ->
                    PROMISE(starts_in_order, claim[low] != PENDING || came_back[low]);
                    low++
                :: else -> break
                od;
                low = 0
            :: else
            fi;
            ok = 0
        })
    :: else
    fi
}

/* Who claimed it first may have died before it moved the cursor. */
inline pass_front() {
    STEP(tail_seen = tail);
    STEP(at = head);
    do
    :: at < tail_seen ->
        STEP(entry = ring[at % RING]);
        STEP(ok = claim[entry - 1] == PENDING);
        if
        :: ok -> ok = 0; break
        :: else -> at++
        fi
    :: else -> break
    od;
    entry = 0;
    advance_head(at);
    at = 0
}

inline look_at_returned() {
    STEP(bits = returned);
    do
    :: bits != 0 && mine == 0 ->
        at = LOWEST(bits);
        bits = bits & ~MASK(at);
        try_claim(at, false)
    :: else -> break
    od;
    bits = 0;
    at = 0;
#if PLANT != FRONT_NOT_PASSED
    if
    :: mine != 0 -> pass_front()
    :: else
    fi
#endif
}

inline look_at_ring() {
    STEP(at = head);
    if
    :: at >= tail_seen -> STEP(tail_seen = tail); STEP(at = head)
    :: else
    fi;
    do
    :: at < tail_seen && mine == 0 ->
        STEP(entry = ring[at % RING]);
#if PLANT != PASSED_UNCHECKED
        STEP(seen = head);
#endif
        if
        :: seen > at -> at = seen
        :: else -> try_claim(entry - 1, true); at++
        fi;
        d_step { seen = 0; entry = 0 }
    :: else -> break
    od;
    if
    :: mine != 0 -> advance_head(at)
    :: else -> advance_head(tail_seen)
    fi;
    at = 0
}

/* Under the owner's lock, from the back: each entry is at its later place before its earlier one is overwritten. */
inline compact() {
    from = tail;
    to = tail;
    do
    :: from > head ->
        from--;
        entry = ring[from % RING];
        if
        :: claim[entry - 1] == PENDING ->
            to--;
#if PLANT != HEAD_BEFORE_COPIES
            if
            :: to != from -> ring[to % RING] = entry
            :: else
            fi
#endif
        :: else
        fi
    :: else -> break
    od;
    advance_head(to);
#if PLANT == HEAD_BEFORE_COPIES
    from = tail;
    to = tail;
    do
    :: from > 0 && from + RING > tail ->
        from--;
        entry = ring[from % RING];
        if
        :: claim[entry - 1] == PENDING -> to--; ring[to % RING] = entry
        :: else
        fi
    :: else -> break
    od;
#endif
    from = 0;
    to = 0;
    entry = 0
}

/* ---- worker.c -------------------------------------------------------------------------------------------------- */

inline ring_room() {
    STEP(room_rung = 1);
    STEP(asleep = 0)
}

inline ring_for_room() {
    STEP(ok = room_wanted);
    if
    :: ok ->
        ok = 0;
        STEP(at = tail);
        STEP(seen = head);
        if
        :: at <= seen + QUEUE / 2 -> ring_room()
        :: else
        fi;
        d_step { at = 0; seen = 0 }
    :: else
    fi
}

proctype worker(byte w) {
    byte at, seen, bits, low, mine, entry, tail_seen;
    bit ok;
end_idle:
    alive[w] && (WAITING > 0 || RETURNED);
again:
    look_at_returned();
    if
    :: mine == 0 -> look_at_ring()
    :: else
    fi;
    if
    :: mine == 0 -> goto end_idle
    :: else
    fi;
#if PLANT != RING_AT_END_ONLY
    ring_for_room();
#endif
#if ENDLESS
    if
#if ENDLESS < 2
    :: skip
#endif
    :: busy++ ->
end_busy:
        if
        :: false
#if DEATHS > 0
        :: atomic { deaths < DEATHS -> busy-- } goto dead
#endif
        fi
    fi;
#endif
    STEP(atomic { PROMISE(starts_once, claim[mine - 1] == RUNNING(w)); claim[mine - 1] = ENDED });
    mine = 0;
    ring_for_room();
    goto again;
#if DEATHS > 0
dead:
    atomic {
        deaths++;
        at = 0; seen = 0; bits = 0; low = 0; mine = 0; entry = 0; tail_seen = 0; ok = 0;
        alive[w] = 0;
        to_bury = to_bury | MASK(w)
    }
    goto end_idle
#endif
}

/* ---- owner ----------------------------------------------------------------------------------------------------- */

#define IS_FULL (tail - head >= QUEUE)

inline make_room() {
    if
    :: IS_FULL -> compact()
    :: else
    fi
}

proctype submitter() {
    byte w = IMMORTAL, t, from, to, entry, seen;
    bit ok;
    do
    :: t < TASKS ->
        atomic { !lock -> lock = 1 }
room:
        make_room();
        if
        :: !IS_FULL -> goto push
        :: else
        fi;
#if PLANT != READ_BELL_LATE
        room_rung = 0;
#endif
#if PLANT != WISH_LATE
        room_wanted = 1;
#endif
#if PLANT != LAST_LOOK_SKIPPED
        make_room();
#endif
        if
        :: IS_FULL ->
#if PLANT == WISH_LATE
            room_wanted = 1;
#endif
#if PLANT == READ_BELL_LATE
            room_rung = 0;
#endif
            lock = 0;
            if
            :: atomic { !room_rung -> asleep = 1 }
            :: room_rung
            fi;
            if
            :: !asleep
            :: asleep && WAITING == QUEUE && busy == WORKERS -> goto over /* so it is, for ever */
            fi;
            atomic { !lock -> lock = 1 }
        :: else
        fi;
        room_wanted = 0;
        goto room;
push:
        claim[t] = PENDING;
        ring[tail % RING] = t + 1;
        tail++;
        t++;
        lock = 0
    :: else -> break
    od;
over:
    submitter_over = 1;
dead: /* never: it is where parts shared with workers would go */
    skip
}

#if CANCELS > 0
/* future.c: another thread takes a task back. */
inline cancel_by_owner(t) {
    atomic { !lock -> lock = 1 }
    d_step { if :: claim[t] == PENDING -> claim[t] = ENDED; cancels++; ok = 1 :: else fi };
    if
    :: ok && room_wanted && PLANT != CANCEL_SILENT -> ring_room()
    :: else
    fi;
    ok = 0;
    lock = 0
}

/* condemn.c: the supervisor does it, without the lock. */
inline cancel_by_supervisor(t) {
    d_step { if :: claim[t] == PENDING -> claim[t] = ENDED; cancels++; ok = 1 :: else fi };
    if
    :: ok && room_wanted -> ring_room()
    :: else
    fi;
    ok = 0
}

proctype canceller() {
    byte w = IMMORTAL;
    bit ok;
end_quiet:
    do
    :: cancels < CANCELS && claim[0] == PENDING && head < tail -> cancel_by_owner(0)
    :: cancels < CANCELS && claim[0] == PENDING && head < tail -> cancel_by_supervisor(0)
    :: cancels < CANCELS && claim[1] == PENDING && tail > 1 -> cancel_by_owner(1)
    :: cancels < CANCELS && claim[1] == PENDING && tail > 1 -> cancel_by_supervisor(1)
#if TASKS > 2
    :: cancels < CANCELS && claim[2] == PENDING && tail > 2 -> cancel_by_owner(2)
    :: cancels < CANCELS && claim[2] == PENDING && tail > 2 -> cancel_by_supervisor(2)
#endif
    od;
dead:
    skip
}
#endif

/* ---- supervisor ------------------------------------------------------------------------------------------------ */

#if DEATHS > 0
proctype supervisor() {
    byte w = IMMORTAL, b, t;
end_quiet:
    do
    :: to_bury != 0 ->
        b = LOWEST(to_bury);
        t = intent[b];
        if
        :: t == 0
        :: t != 0 && claim[t - 1] == RUNNING(b) ->
            if
            :: d_step { claim[t - 1] = PENDING; came_back[t - 1] = 1 } /* restartable, or not begun */
            :: claim[t - 1] = ENDED
            fi
        :: t != 0 && claim[t - 1] != RUNNING(b)
        fi;
        if
        :: t != 0 && claim[t - 1] == PENDING ->
            d_step { came_back[t - 1] = 1; returned = returned | (PLANT == RETURNED_NOWHERE -> 0 : MASK(t - 1)) }
        :: t != 0 && claim[t - 1] == ENDED && room_wanted && PLANT != RECOVERY_SILENT -> ring_room()
        :: else
        fi;
        atomic { to_bury = to_bury & ~MASK(b); intent[b] = 0; alive[b] = 1; b = 0; t = 0 }
    od;
dead:
    skip
}
#endif

/* The story ends when all is submitted and nothing waits, unless all workers are busy for ever. */
proctype closer() {
    submitter_over && (busy == WORKERS || !PENDING_SOMEWHERE)
}

init {
    byte b;
    atomic {
        do
        :: b < WORKERS -> alive[b] = 1; run worker(b); b++
        :: else -> break
        od;
        b = 0;
        run submitter();
        run closer();
#if CANCELS > 0
        run canceller();
#endif
#if DEATHS > 0
        run supervisor()
#endif
    }
}

/*
 * clean.pml - who may begun what when: hosts that are replaced, killed or die, and what cut tasks left to be done
 *
 * Follows src/supervisor/{cleanup,recycle,spawn,death,condemn}.c, src/host/{worker,cleanup}.c: one place for a host with one
 * worker. A host in it is followed by a standby (recycling) while it may be in the middle of a task or of a claim; a task
 * that leaves something to be done and is cut waits until a host that never ran a task has done it, or died over it;
 * then it ends, or starts again if it may. Hosts die at any step. An arena is given to no other host while something in it
 * is to be done. Numbers of errands, limits in time and the look by the half second are left out.
 *
 * Configuration (-D): TASKS, 1 or 2; BERTHS; DEATHS of hosts that nobody asked for; KILLS: 1, the owner kills task 0;
 * RECYCLES, how often a host is due to be replaced; RESTARTS, how often a task may start again; and PLANT.
 */
#ifndef TASKS
#define TASKS 2
#endif
#ifndef BERTHS
#define BERTHS 3
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef RECYCLES
#define RECYCLES 0
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif

#define NONE 0
#define HEIR_CLAIMS_AT_ONCE 1   /* who follows a host may claim before that one is at rest */
#define RESTS_FOR_OTHERS 2      /* that a host is at rest is said without its worker, who has looked and may still claim */
#define SETTLED_FIRST 3         /* a task that left something to be done is settled at the burial */
#define GIVEN_AGAIN 4           /* what a host died over is given to another */
#define OVER_WHEN_GIVEN 5       /* it is taken for done when it is given */
#define ARENA_REUSED 6          /* an arena is given out while something in it is to be done */
#define RECORD_NOT_COMPARED 7   /* what an earlier task of the host left, and did not need, is done for the next one */
#define KILL_PASSES_OVER 8      /* a kill of a task that waits to be cleaned up after changes nothing */
#define CLEANS_AS_STANDBY 9     /* who cleans up still counts as standby, and takes over */
#define USED_HOST_CLEANS 10     /* a host that ran tasks is given something to do after another */
#define HEIR_STAYS_NARROW 11    /* when a host that was to be followed dies, its heir is not told that it may claim */
#ifndef PLANT
#define PLANT NONE
#endif

/* The claim word of each task. */
#define PENDING 0
#define DONE 1
#define ENDED 2 /* by the supervisor */
#define RUNNING(b) (3 + (b))
#define DYING(b) (3 + BERTHS + (b))
#define HAS_ENDED(x) ((x) == DONE || (x) == ENDED)
#define RUNS_ON(x, b) ((x) == RUNNING(b) || (x) == DYING(b))
#define NOBODY 7
byte word[TASKS];

/* Observed: what is owed for the task's last start; who is inside of a function; what the owner was told. */
bit owed[TASKS], published[TASKS], was_killed[TASKS];
byte starts[TASKS], inside = NOBODY;
bit was_active[BERTHS];

/* Written by one process, read by others. The arena: begun, left, rested, done. */
bit home[BERTHS];
bit may_claim[BERTHS], doomed[BERTHS], resting[BERTHS], rested[BERTHS];
byte begun[BERTHS], left[BERTHS]; /* task + 1 */
byte errand[BERTHS]; /* task + 1 */
bit done[BERTHS];
bit kill_asked;

/* The kernel's. */
bit alive[BERTHS], zombie[BERTHS], sigkill[BERTHS];
byte deaths;

/* The supervisor's own. */
mtype = { EMPTY, STANDBY, ACTIVE, LEAVING, CLEANING, CONDEMNED };
mtype state[BERTHS];
byte holder = NOBODY, leaving = NOBODY;
byte unclean[TASKS]; /* berth + 1 of the host whose arena holds what is to be done; 0: it is not to be cleaned up after */
byte cleaner[TASKS]; /* berth, or NOBODY */
bit is_over[TASKS], sentenced[TASKS];
byte recycles;

hidden byte width_is_kept, cleaned_before_verdict, cleaned_once, finished_needs_none, only_fresh_hosts_clean,
    cleaners_run_no_tasks, starts_are_bounded, kill_is_final, one_verdict; /* always 0 */
#define PROMISE(name, condition) assert((condition) || name)

inline swap(t, from, to, won) {
    d_step {
        if
        :: word[t] == (from) -> PROMISE(one_verdict, !HAS_ENDED(word[t])); word[t] = to; won = 1
        :: else -> won = 0
        fi
    }
}

/* ---- kernel ------------------------------------------------------------------------------------------------------ */

#define FATE_OF(b) \
    :: d_step { alive[b] && sigkill[b] -> alive[b] = 0; zombie[b] = 1; sigkill[b] = 0; inside = (inside == b -> NOBODY : inside) } \
    :: d_step { alive[b] && deaths < DEATHS -> deaths++; alive[b] = 0; zombie[b] = 1; sigkill[b] = 0; \
                inside = (inside == b -> NOBODY : inside) }

proctype kernel() {
end_quiet:
    do
    FATE_OF(0)
    FATE_OF(1)
#if BERTHS > 2
    FATE_OF(2)
#endif
#if BERTHS > 3
    FATE_OF(3)
#endif
    od
}

/* ---- host -------------------------------------------------------------------------------------------------------- */

#define STEP(...) if :: atomic { alive[me]; __VA_ARGS__ } :: !alive[me] -> goto died fi

#define ANY_PENDING (word[0] == PENDING || word[TASKS - 1] == PENDING)

proctype host(byte me) {
    byte t;
    bit ok;
end_unborn:
    atomic { alive[me]; home[me] = 0 }
end_idle:
    do
    :: atomic { alive[me] && may_claim[me] && !doomed[me] && ANY_PENDING -> skip } /* worker_step(): the look */
        STEP(t = (word[0] == PENDING -> 0 : TASKS - 1));
        STEP(swap(t, PENDING, RUNNING(me), ok); PROMISE(kill_is_final, !ok || !was_killed[t]));
        if
        :: ok ->
            if
            :: atomic { alive[me] && doomed[me] -> swap(t, RUNNING(me), PENDING, ok) } /* handed back */
                goto parked
            :: alive[me] && !doomed[me]
            :: !alive[me] -> goto died
            fi;
            STEP(begun[me] = t + 1;
                PROMISE(width_is_kept, inside == NOBODY);
                PROMISE(cleaned_before_verdict, !owed[t]);
                PROMISE(starts_are_bounded, starts[t] <= RESTARTS);
                inside = me;
                starts[t]++);
            if
            :: STEP(left[me] = t + 1; owed[t] = 1)
            :: skip
            fi;
            STEP(inside = NOBODY);
            STEP(swap(t, RUNNING(me), DONE, ok);
                if
                :: ok -> published[t] = 1; owed[t] = 0
                :: else
                fi);
            if
            :: ok -> STEP(begun[me] = 0) /* and what it left stays in its arena, for nobody */
            :: else -> goto parked
            fi
        :: else
        fi;
        t = 0;
        ok = 0
    :: atomic { alive[me] && !may_claim[me] && resting[me] && !rested[me] -> rested[me] = 1 }
    :: atomic { alive[me] && !may_claim[me] && errand[me] != 0 ->
            t = errand[me] - 1;
            errand[me] = 0;
            PROMISE(finished_needs_none, !published[t]);
            PROMISE(cleaned_once, owed[t]);
            PROMISE(only_fresh_hosts_clean, !was_active[me]);
            owed[t] = 0
        }
        STEP(PROMISE(cleaners_run_no_tasks, !may_claim[me]); done[me] = 1; t = 0)
    :: !alive[me] -> goto died
    od;
parked:
    !alive[me];
died:
    atomic { t = 0; ok = 0; home[me] = 1 }
    goto end_unborn
}

#if PLANT == RESTS_FOR_OTHERS
/* A main thread that speaks for the worker. */
proctype speaker(byte me) {
end_silent:
    do
    :: atomic { alive[me] && resting[me] && !rested[me] -> rested[me] = 1 }
    od
}
#endif

/* ---- supervisor -------------------------------------------------------------------------------------------------- */

#define HOLDS_CLAIM(b) (RUNS_ON(word[0], b) || RUNS_ON(word[TASKS - 1], b))
#define IS_AT_REST(b) (rested[b] && !HOLDS_CLAIM(b))
#define IS_NEEDED(b) (PLANT != ARENA_REUSED && (unclean[0] == (b) + 1 || unclean[TASKS - 1] == (b) + 1))

inline find(wanted) {
    d_step {
        b = 0;
        do
        :: b < BERTHS && state[b] != wanted -> b++
        :: else -> break
        od
    }
}

inline take_over() {
    if
    :: holder == NOBODY ->
        find(STANDBY);
#if PLANT == CLEANS_AS_STANDBY
        if
        :: b == BERTHS -> find(CLEANING)
        :: else
        fi;
#endif
        if
        :: b < BERTHS ->
            atomic {
                holder = b;
                state[b] = ACTIVE;
                was_active[b] = 1;
                may_claim[b] = (leaving == NOBODY || PLANT == HEIR_CLAIMS_AT_ONCE -> 1 : IS_AT_REST(leaving))
            }
        :: else
        fi
    :: else
    fi;
    b = 0
}

inline doom(b) {
    if
    :: state[b] != EMPTY && state[b] != CONDEMNED ->
        atomic { doomed[b] = 1; state[b] = CONDEMNED }
        sigkill[b] = alive[b]
    :: else
    fi
}

/* As recover_slot(): not begun, it waits again; begun, it ends or starts again; a kill lets it start no more. */
inline settle(t, h) {
    atomic {
        PROMISE(cleaned_before_verdict, !owed[t]);
        if
        :: word[t] == DYING(h) && begun[h] != t + 1 -> swap(t, DYING(h), ENDED, ok)
        :: word[t] == DYING(h) && begun[h] == t + 1 -> swap(t, DYING(h), ENDED, ok)
        :: word[t] == RUNNING(h) && begun[h] != t + 1 -> swap(t, RUNNING(h), PENDING, ok)
        :: word[t] == RUNNING(h) && begun[h] == t + 1 && starts[t] <= RESTARTS -> swap(t, RUNNING(h), PENDING, ok)
        :: word[t] == RUNNING(h) && begun[h] == t + 1 && starts[t] > RESTARTS -> swap(t, RUNNING(h), ENDED, ok)
        :: else
        fi;
        ok = 0
    }
}

#if PLANT == RECORD_NOT_COMPARED
#define LEFT_SOMETHING(t, h) (left[h] != 0)
#else
#define LEFT_SOMETHING(t, h) (left[h] == (t) + 1)
#endif

inline bury_task(t, h) {
    if
    :: RUNS_ON(word[t], h) && LEFT_SOMETHING(t, h) && unclean[t] == 0 && PLANT != SETTLED_FIRST ->
        atomic { unclean[t] = h + 1; cleaner[t] = NOBODY; is_over[t] = 0 }
    :: RUNS_ON(word[t], h) && (!LEFT_SOMETHING(t, h) || PLANT == SETTLED_FIRST) -> settle(t, h)
    :: else
    fi;
    if
    :: unclean[t] != 0 && cleaner[t] == h ->
        atomic {
            cleaner[t] = NOBODY;
#if PLANT == GIVEN_AGAIN
            is_over[t] = done[h]
#else
            is_over[t] = 1;
            owed[t] = 0 /* what it had not begun is told as crashed all the same */
#endif
        }
    :: else
    fi
}

inline widen() {
    if
    :: holder != NOBODY -> may_claim[holder] = 1
    :: else
    fi
}

inline bury(h) {
    doomed[h] = 1;
    bury_task(0, h);
#if TASKS > 1
    bury_task(1, h);
#endif
    atomic {
        holder = (holder == h -> NOBODY : holder);
        may_claim[h] = 0;
        state[h] = EMPTY;
        zombie[h] = 0
    }
    if
    :: leaving == h ->
        leaving = NOBODY;
#if PLANT != HEIR_STAYS_NARROW
        widen()
#endif
    :: else
    fi;
    take_over()
}

/* Enough to follow, and to clean up. */
inline spawn(h) {
    atomic {
        begun[h] = 0; left[h] = 0; rested[h] = 0; done[h] = 0; /* take_place() */
        resting[h] = 0; errand[h] = 0; doomed[h] = 0; may_claim[h] = 0; was_active[h] = 0;
        state[h] = STANDBY;
        alive[h] = 1
    }
    take_over()
}

#if PLANT == USED_HOST_CLEANS
#define MAY_CLEAN(h) ((state[h] == STANDBY || state[h] == ACTIVE) && !HOLDS_CLAIM(h))
#else
#define MAY_CLEAN(h) (state[h] == STANDBY)
#endif

inline give(t, h) {
    atomic {
        cleaner[t] = h;
        is_over[t] = (PLANT == OVER_WHEN_GIVEN);
        may_claim[h] = 0;
        holder = (holder == h -> NOBODY : holder);
        state[h] = CLEANING;
        done[h] = 0;
        errand[h] = t + 1
    }
}

inline end_cleaning(t) {
    atomic {
        unclean[t] = 0;
        cleaner[t] = NOBODY;
        is_over[t] = 0
    }
}

#define EVENTS_OF(h) \
    :: zombie[h] -> bury(h) \
    :: state[h] == EMPTY && home[h] && !alive[h] && !zombie[h] && !IS_NEEDED(h) -> spawn(h)

#define CLEANING_OF(t) \
    :: unclean[t] != 0 && cleaner[t] == NOBODY && !is_over[t] && MAY_CLEAN(0) -> give(t, 0) \
    :: unclean[t] != 0 && cleaner[t] == NOBODY && !is_over[t] && MAY_CLEAN(1) -> give(t, 1) \
    :: unclean[t] != 0 && cleaner[t] == NOBODY && !is_over[t] && BERTHS > 2 && MAY_CLEAN(BERTHS - 1) -> give(t, BERTHS - 1) \
    :: unclean[t] != 0 && cleaner[t] != NOBODY && state[cleaner[t]] == CLEANING && done[cleaner[t]] -> \
        atomic { \
            state[cleaner[t]] = STANDBY; \
            cleaner[t] = NOBODY; \
            is_over[t] = 1 \
        } \
        take_over() \
    :: unclean[t] != 0 && is_over[t] -> p = unclean[t] - 1; settle(t, p); end_cleaning(t); p = 0

proctype supervisor() {
    byte b, p;
    bit ok;
end_idle:
    do
    EVENTS_OF(0)
    EVENTS_OF(1)
#if BERTHS > 2
    EVENTS_OF(2)
#endif
#if BERTHS > 3
    EVENTS_OF(3)
#endif
    CLEANING_OF(0)
#if TASKS > 1
    CLEANING_OF(1)
#endif
    :: holder != NOBODY && leaving == NOBODY && recycles < RECYCLES && state[holder] == ACTIVE ->
        find(STANDBY);
        if
        :: b < BERTHS ->
            recycles++;
            atomic { leaving = holder; state[holder] = LEAVING; may_claim[holder] = 0; holder = NOBODY }
            resting[leaving] = 1;
            take_over()
        :: else -> recycles = RECYCLES /* none follows: it stays */
        fi;
        b = 0
    :: leaving != NOBODY && state[leaving] == LEAVING && IS_AT_REST(leaving) ->
        widen();
        doom(leaving)
    :: kill_asked && !sentenced[0] ->
        atomic { sentenced[0] = 1; p = word[0] }
        if
        :: p == PENDING ->
            swap(0, PENDING, ENDED, ok);
            if
            :: !ok -> sentenced[0] = 0 /* it was claimed meanwhile: look again */
            :: else
            fi
        :: p >= RUNNING(0) && p < DYING(0) ->
            p = p - RUNNING(0);
            if
            :: unclean[0] == 0 || PLANT != KILL_PASSES_OVER ->
                atomic {
                    swap(0, RUNNING(p), DYING(p), ok);
                    was_killed[0] = ok
                }
                if
                :: ok && unclean[0] == 0 -> doom(p)
                :: !ok -> sentenced[0] = 0
                :: else
                fi
            :: else -> was_killed[0] = 1
            fi
        :: else
        fi;
        p = 0;
        ok = 0
    od
}

#if KILLS
proctype owner() {
    if
    :: kill_asked = 1
    :: skip
    fi
}
#endif

/* Every future ends. */
proctype waiter() {
    HAS_ENDED(word[0]) && HAS_ENDED(word[TASKS - 1])
}

init {
    byte b;
    atomic {
        do
        :: b < BERTHS ->
            state[b] = EMPTY;
            home[b] = 1;
            run host(b);
#if PLANT == RESTS_FOR_OTHERS
            run speaker(b);
#endif
            b++
        :: else -> break
        od;
        cleaner[0] = NOBODY;
        cleaner[TASKS - 1] = NOBODY;
        run kernel();
        run supervisor();
        run waiter();
#if KILLS
        run owner();
#endif
        b = 0
    }
}

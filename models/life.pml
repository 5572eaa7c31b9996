/*
 * life.pml - who lives, who takes over, and how everything ends
 *
 * Follows src/supervisor/{supervisor,spawn,death,condemn}.c, src/host/host.c and src/owner/{watch,launch}.c: hosts are
 * forked, come up, stand by, take over, are killed and replaced; supervisor and owner may be killed between any two of
 * their steps. Two tasks wait, a thread of the owner waits for each, and then the pool is closed: so every run ends, and
 * the search proves that at its end every future has ended, nobody waits and no process is left. The half-second look
 * around of a waiter (LOOK_AROUND_NS) is left out: what is proved here must hold without it.
 *
 * Configuration (-D): POSITIONS, the hosts that may be active at once; STANDBYS; BERTHS; DEATHS of hosts that nobody asked
 * for; KILL: the owner kills task 0; STUCK: the kernel cannot end a host that was told to die before all other tasks
 * have ended; SUPERVISOR_DIES; OWNER_DIES; and PLANT.
 */
#ifndef POSITIONS
#define POSITIONS 1
#endif
#ifndef STANDBYS
#define STANDBYS 1
#endif
#ifndef BERTHS
#define BERTHS (POSITIONS + STANDBYS + 1)
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#define TASKS 2

#define NONE 0
#define STANDBY_FORGOTTEN 1    /* what stands by is not counted when more are made */
#define POSITION_KEPT 2        /* a host that was replaced while dying gives up the place of its successor at its burial */
#define NEVER_REPLACED 3       /* a host that does not die keeps its position */
#define NO_PARENT_CHECK 4      /* a new host asks for its parent's death signal and not whether the parent still lives */
#define NO_DEATH_SIGNAL 5      /* a new host asks whether its parent lives and not for the signal */
#define LOST_BY_STORE 6        /* the owner stores that a task is lost, whatever the word says by then */
#define FIRST_WAKES_NOBODY 7   /* the one waiter that the kernel wakes does not wake the others */
#define SLEEP_AFTER_DEATH 8    /* who comes after the supervisor's death sleeps on the task's word alone */
#define WORD_ALONE 9           /* waiters sleep on the task's word alone */
#define OWNER_UNWATCHED 10     /* the supervisor does not look for the owner's end */
#define FREED_BEFORE_DEATH 11  /* a berth is given out again when its host was told to die, not when it is dead */
#define DEAD_STAYS_ACTIVE 12   /* a burial leaves the position taken */
#define ENDED_NOT_TOLD 13      /* the waiter of a task that recovery ended is not woken */
#ifndef PLANT
#define PLANT NONE
#endif

/* The claim word of each task: a phase, and who runs it. */
#define PENDING 0
#define DONE 1
#define LOST 2
#define ENDED 3      /* by the supervisor */
#define RUNNING(b) (4 + (b))
#define DYING(b) (4 + BERTHS + (b))
#define HAS_ENDED(x) ((x) >= DONE && (x) <= ENDED)
#define RUNS_ON(x, b) ((x) == RUNNING(b) || (x) == DYING(b))
byte word[TASKS];
bit published[TASKS], told[TASKS]; /* observed */

/* Written by one process, read by others. */
bit home[BERTHS]; /* of this model: the process that plays the next host of this berth is free */
bit ready[BERTHS], may_claim[BERTHS], doomed[BERTHS];
bit kill_asked, quit_asked;

/* The kernel's. */
bit alive[BERTHS], zombie[BERTHS], death_signal[BERTHS], sigkill[BERTHS];
bit supervisor_runs = 1, supervisor_marked, hosts_orphaned, supervisor_gone, owner_runs = 1;
bit asleep[TASKS], asleep_on_supervisor[TASKS];

/* The supervisor's own. */
mtype = { EMPTY, STARTING, STANDBY, ACTIVE, CONDEMNED };
#define NOWHERE 7
mtype state[BERTHS];
byte position[BERTHS], positions[POSITIONS];
bit replaced[BERTHS];

/* The owner's own. */
bit broken, lock;
byte waiting = TASKS;
byte deaths;

/* The promises. Their names stand in the assertions, so that a search which finds one broken says which. */
hidden byte one_verdict, finished_is_kept, numbers_are_right, berth_is_empty; /* always 0 */
#define PROMISE(name, condition) assert((condition) || name)

inline observe(t, to) {
    PROMISE(one_verdict, !HAS_ENDED(word[t]))
}

inline swap(t, from, to, won) {
    d_step {
        if
        :: word[t] == (from) -> observe(t, to); word[t] = to; won = 1
        :: else -> won = 0
        fi
    }
}

/* ---- kernel ------------------------------------------------------------------------------------------------------ */

#define OTHERS_ENDED(b) ((HAS_ENDED(word[0]) || RUNS_ON(word[0], b)) && (HAS_ENDED(word[1]) || RUNS_ON(word[1], b)))
#ifdef STUCK
#define CAN_END(b) (sigkill[b] && alive[b] && (OTHERS_ENDED(b) || !supervisor_runs || !owner_runs || quit_asked))
#else
#define CAN_END(b) (sigkill[b] && alive[b])
#endif

inline end(b) {
    d_step { alive[b] = 0; zombie[b] = supervisor_runs; sigkill[b] = 0; death_signal[b] = 0 }
}

#define FATE_OF(b) \
    :: atomic { CAN_END(b) -> end(b) } \
    :: atomic { alive[b] && deaths < DEATHS -> deaths++; end(b) }

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

/* What a process's end does, in the kernel's order: its robust word is marked, one sleeper is woken, whichever; its
 * children are told and get another parent; its pidfd says so. */
proctype supervisor_end() {
    byte b;
end_not_yet:
    !supervisor_runs;
    supervisor_marked = 1;
    if
    :: d_step { asleep_on_supervisor[0] -> asleep[0] = 0; asleep_on_supervisor[0] = 0 }
    :: d_step { asleep_on_supervisor[1] -> asleep[1] = 0; asleep_on_supervisor[1] = 0 }
    :: !asleep_on_supervisor[0] && !asleep_on_supervisor[1]
    fi;
    atomic {
        hosts_orphaned = 1;
        do
        :: b < BERTHS ->
            sigkill[b] = sigkill[b] || (alive[b] && death_signal[b]);
            zombie[b] = 0;
            b++
        :: else -> break
        od;
        b = 0
    }
    supervisor_gone = 1
}

#if SUPERVISOR_DIES
proctype supervisor_killer() {
    if
    :: supervisor_runs = 0
    :: skip
    fi
}
#endif

#if OWNER_DIES
proctype owner_killer() {
    if
    :: d_step { owner_runs = 0; asleep[0] = 0; asleep[1] = 0 }
    :: skip
    fi
}
#endif

/* ---- host -------------------------------------------------------------------------------------------------------- */

#define STEP(...) if :: atomic { alive[me]; __VA_ARGS__ } :: !alive[me] -> goto died fi

inline wake_waiter(t) {
    d_step { asleep[t] = 0; asleep_on_supervisor[t] = 0 }
}

proctype host(byte me) {
    byte t;
    bit ok;
end_unborn:
    atomic { alive[me]; home[me] = 0 }
#if PLANT != NO_DEATH_SIGNAL
    STEP(death_signal[me] = 1);
#endif
#if PLANT != NO_PARENT_CHECK
    if
    :: atomic { alive[me] && hosts_orphaned -> end(me) } goto died
    :: alive[me] && !hosts_orphaned
    :: !alive[me] -> goto died
    fi;
#endif
    STEP(ready[me] = 1);
    do
    :: atomic { alive[me] && may_claim[me] && !doomed[me] && (word[0] == PENDING || word[1] == PENDING) ->
            if
            :: word[0] == PENDING -> t = 0
            :: word[1] == PENDING -> t = 1
            fi
        }
        STEP(swap(t, PENDING, RUNNING(me), ok));
        if
        :: ok ->
            STEP(swap(t, RUNNING(me), DONE, ok); published[t] = published[t] || ok);
            if
            :: ok -> STEP(wake_waiter(t))
            :: else -> !alive[me]; goto died
            fi
        :: else
        fi;
        ok = 0;
        t = 0
    :: !alive[me] -> goto died
    od;
died:
    atomic { t = 0; ok = 0; home[me] = 1 }
    goto end_unborn
}

/* ---- supervisor -------------------------------------------------------------------------------------------------- */

#define DO(...) if :: atomic { supervisor_runs; __VA_ARGS__ } :: !supervisor_runs -> goto end_killed fi

inline count() {
    d_step {
        coming = 0; active_ones = 0; b = 0;
        do
        :: b < BERTHS ->
            if
            :: state[b] == ACTIVE -> active_ones++
            :: state[b] == STARTING -> coming++
            :: state[b] == STANDBY && PLANT != STANDBY_FORGOTTEN -> coming++
            :: else
            fi;
            b++
        :: else -> break
        od;
        b = 0
    }
}

/* As many as there should be: not one more that may run tasks, and nobody in reserve who is counted twice or not. */
inline check_numbers() {
    d_step {
        active_ones = 0; coming = 0; b = 0;
        do
        :: b < BERTHS ->
            active_ones = active_ones + (state[b] == ACTIVE);
            coming = coming + (state[b] == STARTING || state[b] == STANDBY);
            b++
        :: else -> break
        od;
        PROMISE(numbers_are_right, active_ones <= POSITIONS && active_ones + coming <= POSITIONS + STANDBYS);
        b = 0; active_ones = 0; coming = 0
    }
}

inline find(wanted) {
    d_step {
        b = 0;
        do
        :: b < BERTHS && state[b] != wanted -> b++
        :: else -> break
        od;
        skip
    }
}

/* Take over first, replenish after. */
inline fill() {
    p = 0;
    do
    :: p < POSITIONS ->
        if
        :: positions[p] == NOWHERE ->
            find(STANDBY);
            if
            :: b < BERTHS -> DO(state[b] = ACTIVE; position[b] = p; positions[p] = b; may_claim[b] = 1)
            :: else -> vacant++
            fi
        :: else
        fi;
        b = 0;
        p++
    :: else -> break
    od;
    p = 0;
    count();
    find(EMPTY);
    do
    :: b < BERTHS && coming < vacant + STANDBYS ->
        DO(ready[b] = 0; may_claim[b] = 0; doomed[b] = 0; replaced[b] = 0; position[b] = NOWHERE; state[b] = STARTING);
        if
        :: atomic { supervisor_runs && home[b]; PROMISE(berth_is_empty, !alive[b] && !zombie[b]); alive[b] = 1 }
        :: !supervisor_runs -> goto end_killed
        fi;
        coming++;
        find(EMPTY)
    :: else -> break
    od;
    atomic { b = 0; coming = 0; vacant = 0; active_ones = 0 }
    check_numbers()
}

inline doom(b) {
    if
    :: state[b] != EMPTY && state[b] != CONDEMNED ->
        DO(doomed[b] = 1; state[b] = CONDEMNED);
        DO(sigkill[b] = alive[b]);
#if PLANT == FREED_BEFORE_DEATH
        DO(state[b] = EMPTY; positions[0] = (positions[0] == b -> NOWHERE : positions[0]))
#endif
    :: else
    fi
}

/* A task that the dead host ran goes back to the queue or ends; both happen, by what it is and how far it was. */
inline recover(t, who) {
    if
    :: word[t] == RUNNING(who) ->
        if
        :: DO(swap(t, RUNNING(who), PENDING, ok))
        :: DO(swap(t, RUNNING(who), ENDED, ok))
        fi
    :: word[t] == DYING(who) -> DO(swap(t, DYING(who), ENDED, ok))
    :: else
    fi;
    ok = 0;
#if PLANT != ENDED_NOT_TOLD
    if
    :: HAS_ENDED(word[t]) -> DO(wake_waiter(t)) /* also what was published by one who could not tell any more */
    :: else
    fi
#endif
}

inline bury(who) {
    DO(doomed[who] = 1);
    recover(0, who);
    recover(1, who);
    DO(may_claim[who] = 0;
        if
        :: position[who] != NOWHERE && PLANT != DEAD_STAYS_ACTIVE -> positions[position[who]] = NOWHERE
        :: else
        fi;
        position[who] = NOWHERE;
        state[who] = EMPTY;
        zombie[who] = 0)
}

#if BERTHS == 2
#define NO_HOST (!alive[0] && !alive[1])
#elif BERTHS == 3
#define NO_HOST (!alive[0] && !alive[1] && !alive[2])
#else
#define NO_HOST (!alive[0] && !alive[1] && !alive[2] && !alive[3])
#endif

#define EVENTS_OF(n) \
    :: zombie[n] -> bury(n); fill() \
    :: state[n] == STARTING && ready[n] -> DO(state[n] = STANDBY); fill() \
    :: state[n] == CONDEMNED && !replaced[n] && PLANT != NEVER_REPLACED -> \
        DO(replaced[n] = 1; \
            if \
            :: position[n] != NOWHERE -> positions[position[n]] = NOWHERE; \
                if \
                :: PLANT != POSITION_KEPT -> position[n] = NOWHERE \
                :: else \
                fi \
            :: else \
            fi); \
        fill()

proctype supervisor() {
    byte b, p, vacant, coming, active_ones;
    bit ok, seen;
    fill();
    do
    EVENTS_OF(0)
    EVENTS_OF(1)
#if BERTHS > 2
    EVENTS_OF(2)
#endif
#if BERTHS > 3
    EVENTS_OF(3)
#endif
    :: kill_asked && !seen ->
        seen = 1;
        p = word[0];
        if
        :: p == PENDING -> DO(swap(0, PENDING, ENDED, ok)); DO(wake_waiter(0))
        :: p >= RUNNING(0) && p < DYING(0) ->
            p = p - RUNNING(0);
            DO(swap(0, RUNNING(p), DYING(p), ok));
            if
            :: ok -> doom(p)
            :: else
            fi
        :: else
        fi;
        p = 0;
        ok = 0
    :: quit_asked -> break
#if PLANT != OWNER_UNWATCHED
    :: !owner_runs -> break
#endif
    :: !supervisor_runs -> goto end_killed
    od;
    /* All that lives is killed and waited for, however long the kernel needs. */
    do
    :: b < BERTHS -> DO(sigkill[b] = alive[b]; b++)
    :: else -> break
    od;
    if
    :: NO_HOST
    :: !supervisor_runs -> goto end_killed
    fi;
    b = 0;
    supervisor_runs = 0;
end_killed:
    skip
}

/* ---- owner ------------------------------------------------------------------------------------------------------- */

#define OWN(...) if :: atomic { owner_runs; __VA_ARGS__ } :: !owner_runs -> goto end_killed fi
#define OWN_WHEN(condition, then) if :: atomic { owner_runs && (condition) -> then } :: !owner_runs -> goto end_killed fi

/* watch.c: under the lock, and only when the supervisor's pidfd says that it is dead. */
inline declare_lost() {
    OWN_WHEN(supervisor_gone, skip);
    broken = 1;
    n = 0;
    do
    :: n < TASKS ->
        do
        :: OWN(x = word[n]);
            if
            :: HAS_ENDED(x) -> break
            :: else
            fi;
#if PLANT == LOST_BY_STORE
            OWN(observe(n, LOST); word[n] = LOST)
#else
            OWN(swap(n, x, LOST, ok));
            ok = 0
#endif
        od;
        n++
    :: else -> break
    od;
    n = 0;
    x = 0;
#if PLANT != FIRST_WAKES_NOBODY
    OWN(d_step {
        if
        :: asleep_on_supervisor[0] -> asleep[0] = 0; asleep_on_supervisor[0] = 0
        :: else
        fi;
        if
        :: asleep_on_supervisor[1] -> asleep[1] = 0; asleep_on_supervisor[1] = 0
        :: else
        fi
    })
#endif
}

proctype waiter(byte t) {
    byte x, n;
    bit ok, marked;
    do
    :: OWN_WHEN(!lock, lock = 1);
        x = word[t];
        if
        :: HAS_ENDED(x) -> break
        :: else
        fi;
        marked = supervisor_marked;
        if
#if PLANT != SLEEP_AFTER_DEATH
        :: marked && !broken -> declare_lost()
#endif
        :: else ->
            lock = 0;
            if
            :: atomic {
                    word[t] == x && supervisor_marked == marked ->
                    asleep[t] = 1;
                    asleep_on_supervisor[t] = !marked && PLANT != WORD_ALONE
                }
            :: word[t] != x || supervisor_marked != marked
            fi;
            OWN_WHEN(!asleep[t], skip);
            OWN_WHEN(!lock, lock = 1);
            if
            :: supervisor_marked && !broken -> declare_lost()
            :: else
            fi
        fi;
        lock = 0;
        x = 0;
        marked = 0
    od;
    atomic { /* the verdict is taken */
        PROMISE(one_verdict, !told[t]);
        PROMISE(finished_is_kept, (x == DONE) == published[t]);
        told[t] = 1;
        lock = 0;
        waiting--
    }
end_killed:
    skip
}

#ifdef KILL
proctype asker() {
    if
    :: owner_runs -> kill_asked = 1
    :: skip
    fi
}
#endif

/* launch.c: the pool is closed when nobody waits any more. */
proctype closer() {
    OWN_WHEN(waiting == 0, skip);
    quit_asked = 1;
    OWN_WHEN(supervisor_gone, skip);
end_killed:
    skip
}

init {
    byte b;
    atomic {
        do
        :: b < BERTHS -> state[b] = EMPTY; position[b] = NOWHERE; home[b] = 1; run host(b); b++
        :: else -> break
        od;
        b = 0;
        do
        :: b < POSITIONS -> positions[b] = NOWHERE; b++
        :: else -> break
        od;
        b = 0;
        run kernel();
        run supervisor();
        run supervisor_end();
        run waiter(0);
        run waiter(1);
        run closer();
#ifdef KILL
        run asker();
#endif
#if SUPERVISOR_DIES
        run supervisor_killer();
#endif
#if OWNER_DIES
        run owner_killer()
#endif
    }
}

#ifdef LIVENESS
ltl nobody_waits { <> (waiting == 0 || !owner_runs) }
ltl no_host_survives { <> (NO_HOST && !supervisor_runs) }
#endif

/*
 * slot.pml - one verdict for each task, whoever dies and when
 *
 * Follows the claim word through src/owner/{submit,ledger,future}.c, src/region/queue.c (try_claim), src/host/worker.c,
 * src/supervisor/{condemn,death,lives}.c and src/region/recover.c. One statement here is one access to shared memory
 * there. Hosts die before any of them: by the supervisor's order, by somebody else's, by their task's own fault.
 *
 * Configuration (-D): SLOTS; TASKS that are submitted one after the other; LIVES, each a host's place in the answers,
 * used again as soon as its host is buried and nothing unreleased lies in it; WPH workers per host; DEATHS that nobody
 * asked for; KILLS that the owner asks for; DEADLINES that pass; AUDITS that end a host for another reason;
 * CANCELS 0: nothing is taken back before it starts; and PLANT.
 *
 * Which task runs next is anybody's choice here: the order of the queue, and who is woken, is the matter of wake.pml.
 */
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef TASKS
#define TASKS 2
#endif
#ifndef LIVES
#define LIVES 2
#endif
#ifndef WPH
#define WPH 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef DEADLINES
#define DEADLINES 0
#endif
#ifndef AUDITS
#define AUDITS 0
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#define WORKERS (LIVES * WPH)

#define NONE 0
#define CLAIM_THEN_RECORD 1     /* the intent is stored after the claim */
#define PUBLISH_BEFORE_RESULT 2 /* the word says done before the cell is complete */
#define NO_DOOMED_LOOK 3        /* a claimed task begins without a look at the doomed word */
#define BEGUN_TOO_EARLY 4       /* begun is stored before that look */
#define DYING_SKIPPED 5         /* the supervisor kills the host of a running task without taking the task first */
#define GENERATION_UNCHECKED 6  /* a kill takes whatever is in the slot */
#define LOST_PUBLISH_IGNORED 7  /* a worker whose publishing swap failed stores the word all the same */
#define NO_PARKING 8            /* a worker whose publishing swap failed looks for the next task */
#define BEGUN_BELIEVED 9        /* recovery takes everything that was claimed for begun */
#define RESTART_ALL 10          /* recovery returns what had begun by no fault of its own, restartable or not */
#define RECOVER_EARLY 11        /* recovery when the kill was sent, not when the death is certain */
#define ARENA_NOT_PINNED 12     /* an arena is given out while an unreleased result lies in it */
#define FIRST_SENTENCE_STAYS 13 /* a kill of a task that is dying for another reason changes nothing */
#define CHARGE_BY_LIFE 14       /* to whom a start was charged is not forgotten when that life is given out again */
#define FATE_LATE 15            /* the fate is stored after the word */
#define CANCEL_BY_STORE 16      /* the owner's cancel is a plain store */
#define ALL_ARE_GUILTY 17       /* recovery charges everybody who shared the host */
#ifndef PLANT
#define PLANT NONE
#endif

/* ---- the claim word ---------------------------------------------------------------------------------------------- */

#define FREE 0
#define PENDING 1
#define RUNNING 2
#define DYING 3
#define DONE 4
#define CANCELLED 5
#define KILLED 6
#define TIMED_OUT 7
#define CRASHED 8
#define COLLATERAL 9

#define NOBODY 7
#define WORD(generation, phase, who) ((generation) * 128 + (phase) * 8 + (who))
#define GENERATION(w) ((w) >> 7)
#define PHASE(w) (((w) >> 3) & 15)
#define WHO(w) ((w) & 7)
#define WITH_PHASE(w, phase) WORD(GENERATION(w), phase, WHO(w))
#define HAS_ENDED(w) (PHASE(w) >= DONE)
#define LIFE(who) ((who) / WPH)

short word[SLOTS];

/* Orders, and what the supervisor notes of each slot. */
byte attempts[SLOTS], charged[SLOTS], charged_to[SLOTS];
short fate[SLOTS];

/* Of each life: its desks, its cells, and what the kernel and the supervisor know of its host. */
byte intent[WORKERS]; /* slot + 1 */
short begun[WORKERS];
byte cell[LIVES * SLOTS];
short cell_word[LIVES * SLOTS];
#define CELL(who, slot) (LIFE(who) * SLOTS + (slot))
bit alive[LIVES], doomed[LIVES], asked[LIVES], dead[LIVES];
byte gone[LIVES];     /* workers of a dead host that are out of the way: the next host can have its life */
byte culprit[LIVES];  /* worker whose own fault the end was; NOBODY: not known */

#define NOT_SENTENCED 0
#define DEADLINE 1
#define KILL_RUNNING 2
#define KILL 3
byte sentence[WORKERS];

chan requests = [KILLS + 1] of { byte, byte, byte, byte }; /* kind, slot, generation; whom the owner means */

/* ---- the promises ------------------------------------------------------------------------------------------------ */

/* Their names stand in the assertions, so that a search which finds one broken says which. */
hidden byte one_verdict, at_most_once, finished_is_kept, finished_first_is_true, not_begun_is_uncharged,
    innocent_is_uncharged, attempts_are_bounded, kill_is_final, old_kill_hits_nothing, next_task_is_spared,
    doomed_begins_nothing, fate_is_told; /* always 0 */
#define PROMISE(name, condition) assert((condition) || name)

/* What is observed for them: no decision depends on it. */

byte task[SLOTS];       /* which task is in the slot: 1, 2, ... */
byte held[WORKERS];     /* which task the worker has claimed and neither published nor given back */
byte meant[WORKERS];    /* which task the supervisor took from it */
bit published[TASKS + 1], ended[TASKS + 1], told[TASKS + 1], struck[TASKS + 1];
bit recorded[TASKS + 1]; /* begun was stored for it */
bit has_run[TASKS + 1]; /* its function was entered */
bit in_it[TASKS + 1];   /* its function was entered since it last went back to the queue */
byte own_deaths[TASKS + 1];
byte deaths;

inline observe(s, to) {
    /* once ended it stays as it is, until the owner, who has told it, frees the slot */
    PROMISE(one_verdict, !HAS_ENDED(word[s]));
    if
    :: HAS_ENDED(to) -> PROMISE(one_verdict, !ended[task[s]]); ended[task[s]] = 1
    :: PHASE(to) == PENDING -> in_it[task[s]] = 0
    :: else
    fi
}

inline swap(s, from, to, won) {
    d_step {
        if
        :: word[s] == (from) -> observe(s, to); word[s] = to; won = 1
        :: else -> won = 0
        fi
    }
}

/* ---- host -------------------------------------------------------------------------------------------------------- */

/* One access to shared memory: it happens, or the host died before it. */
#define STEP(...) if :: atomic { alive[LIFE(me)]; __VA_ARGS__ } :: !alive[LIFE(me)] -> goto died fi

#define IS_PENDING(s) (PHASE(word[s]) == PENDING)
#if SLOTS == 1
#define SOME_PENDING IS_PENDING(0)
#else
#define SOME_PENDING (IS_PENDING(0) || IS_PENDING(1))
#endif

proctype worker(byte me) {
    byte s, t;
    short mine;
    bit ok, late; /* late: it was claimed after the host was doomed, so it must not begin there */
end_unborn:
    atomic { alive[LIFE(me)]; gone[LIFE(me)]-- }
again:
end_idle:
    if
    :: atomic { alive[LIFE(me)] && !doomed[LIFE(me)] && SOME_PENDING ->
            if
            :: IS_PENDING(0) -> s = 0
#if SLOTS > 1
            :: IS_PENDING(1) -> s = 1
#endif
            fi;
            mine = WORD(GENERATION(word[s]), RUNNING, me);
#if PLANT != CLAIM_THEN_RECORD
            intent[me] = s + 1
#endif
        }
    :: !alive[LIFE(me)] -> goto died
    fi;
    STEP(swap(s, WORD(GENERATION(mine), PENDING, NOBODY), mine, ok);
        if
        :: ok -> t = task[s]; held[me] = t; late = doomed[LIFE(me)]; PROMISE(kill_is_final, !struck[t])
        :: else
        fi);
    if
    :: !ok -> s = 0; mine = 0; goto again
    :: else
    fi;
#if PLANT == CLAIM_THEN_RECORD
    STEP(intent[me] = s + 1);
#endif
#if PLANT == BEGUN_TOO_EARLY
    STEP(begun[me] = mine);
#endif
#if PLANT != NO_DOOMED_LOOK
    STEP(ok = !doomed[LIFE(me)]);
    if
    :: !ok -> STEP(swap(s, mine, WORD(GENERATION(mine), PENDING, NOBODY), ok); held[me] = (ok -> 0 : held[me])); goto park
    :: else
    fi;
#endif
    STEP(begun[me] = mine; recorded[t] = 1);
    /* The function is entered. A death just before counts as one inside: it may have run, is all that is ever said. */
    STEP(PROMISE(one_verdict, t == task[s] && !ended[t]);
        PROMISE(doomed_begins_nothing, !late);
        PROMISE(at_most_once, attempts[s] > 1 || !has_run[t]);
        has_run[t] = 1;
        in_it[t] = 1);
#if PLANT == PUBLISH_BEFORE_RESULT
    STEP(swap(s, mine, WITH_PHASE(mine, DONE), ok); published[t] = ok; held[me] = (ok -> 0 : held[me]));
#endif
    STEP(cell[CELL(me, s)] = t);
    STEP(cell_word[CELL(me, s)] = WITH_PHASE(mine, DONE));
#if PLANT != PUBLISH_BEFORE_RESULT
    STEP(swap(s, mine, WITH_PHASE(mine, DONE), ok); published[t] = published[t] || ok; held[me] = (ok -> 0 : held[me]));
#endif
#if PLANT == LOST_PUBLISH_IGNORED
    if
    :: !ok -> STEP(observe(s, WITH_PHASE(mine, DONE)); word[s] = WITH_PHASE(mine, DONE); held[me] = 0); ok = 1
    :: else
    fi;
#endif
#if PLANT == NO_PARKING
    if
    :: !ok -> STEP(held[me] = 0); s = 0; t = 0; mine = 0; late = 0; goto again
    :: else
    fi;
#else
    if
    :: !ok -> goto park
    :: else
    fi;
#endif
    STEP(begun[me] = 0);
    s = 0; t = 0; mine = 0; ok = 0; late = 0;
    goto again;

park:
    !alive[LIFE(me)];
died:
    atomic {
        s = 0; t = 0; mine = 0; ok = 0; late = 0;
        held[me] = 0;
        gone[LIFE(me)]++
    }
    goto end_unborn
}

/* ---- kernel ------------------------------------------------------------------------------------------------------ */

/* Whom the supervisor kills, and what may not be hit: whoever holds a task then was meant. With several workers in a
 * host the others are collateral, which their verdicts say. */
inline die(life, whose) {
    d_step {
        PROMISE(next_task_is_spared, !asked[life] || WPH > 1 || meant[life * WPH] == NOBODY || held[life] == 0 ||
            held[life] == meant[life]);
        alive[life] = 0;
        dead[life] = 1;
        culprit[life] = whose
    }
}

proctype kernel() {
end_quiet:
    do
    :: atomic { alive[0] && asked[0] -> die(0, NOBODY) }
    :: atomic { alive[0] && deaths < DEATHS -> deaths++; die(0, NOBODY) }
    :: atomic { alive[0] && deaths < DEATHS && held[0] != 0 && in_it[held[0]] -> deaths++; die(0, 0) }
#if WPH > 1
    :: atomic { alive[0] && deaths < DEATHS && held[1] != 0 && in_it[held[1]] -> deaths++; die(0, 1) }
#endif
#if LIVES > 1
    :: atomic { alive[1] && asked[1] -> die(1, NOBODY) }
    :: atomic { alive[1] && deaths < DEATHS -> deaths++; die(1, NOBODY) }
    :: atomic { alive[1] && deaths < DEATHS && held[WPH] != 0 && in_it[held[WPH]] -> deaths++; die(1, WPH) }
#endif
    od
}

/* ---- supervisor -------------------------------------------------------------------------------------------------- */

/* death_doom: the order to kill is one more step, which DYING_SKIPPED shows to matter. */
inline doom(life) {
    if
    :: !asked[life] && alive[life] -> doomed[life] = 1; asked[life] = 1
    :: else
    fi
}

inline end_by_supervisor(s, from, to) {
#if PLANT != FATE_LATE
    fate[s] = to;
#endif
    swap(s, from, to, ok);
#if PLANT == FATE_LATE
    fate[s] = to;
#endif
    ok = 0
}

/* A kill of what runs spares what had not begun by then. */
#define IS_FINAL (by == KILL || (by == KILL_RUNNING && begun[WHO(x)] == WITH_PHASE(x, RUNNING)))

inline condemn(s, generation, by, whom) {
    do
    :: x = word[s];
        if
#if PLANT != GENERATION_UNCHECKED
        :: GENERATION(x) != generation -> break /* it ended, and the slot is another's */
#endif
        :: else
        fi;
        if
        :: PHASE(x) == PENDING ->
            if
            :: by == KILL -> end_by_supervisor(s, x, WITH_PHASE(x, CANCELLED))
            :: else -> break
            fi
        :: PHASE(x) == DYING ->
#if PLANT != FIRST_SENTENCE_STAYS
            /* The strongest reason counts, or the task would go back to the queue though it was to be killed. */
            if
            :: by > sentence[WHO(x)] -> sentence[WHO(x)] = by
            :: else
            fi;
#endif
            d_step { struck[whom] = struck[whom] || IS_FINAL };
            break
        :: PHASE(x) == RUNNING ->
#if PLANT == DYING_SKIPPED
            d_step { meant[WHO(x)] = whom; ok = 1 }
#else
            d_step {
                if
                :: word[s] == x ->
                    word[s] = WITH_PHASE(x, DYING);
                    ok = 1;
                    PROMISE(old_kill_hits_nothing, task[s] == whom);
                    meant[WHO(x)] = whom;
                    struck[whom] = struck[whom] || IS_FINAL
                :: else
                fi
            }
#endif
            if
            :: ok ->
                d_step { ok = 0; sentence[WHO(x)] = by }
                doom(LIFE(WHO(x)));
                break
            :: else
            fi
        :: else -> break
        fi
    od;
    x = 0
}

inline give_back(s, from) {
    swap(s, from, WORD(GENERATION(from), PENDING, NOBODY), ok);
    ok = 0
}

inline charge(s, who) {
    d_step {
        PROMISE(not_begun_is_uncharged, begun[who] == WITH_PHASE(word[s], RUNNING));
        PROMISE(innocent_is_uncharged, meant[who] == task[s] || (culprit[LIFE(who)] == who) ||
            (culprit[LIFE(who)] == NOBODY && !asked[LIFE(who)]));
        own_deaths[task[s]]++;
        if
        :: charged_to[s] != who -> charged[s]++; charged_to[s] = who
        :: else
        fi
    }
}

/* Nobody in a host that was killed on purpose is at fault but the sentenced; nor is who shared it with a known culprit. */
#define innocent(who) (PLANT != ALL_ARE_GUILTY && INNOCENT(who))
#define INNOCENT(who) ((asked[LIFE(who)] && culprit[LIFE(who)] == NOBODY) || (blamed != NOBODY && blamed != who))

/* recover.c: the desk of one worker of a host that is certainly dead. */
inline recover(who) {
    s = intent[who];
    if
    :: s != 0 ->
        s--;
        x = word[s];
        had_begun = begun[who] == WITH_PHASE(x, RUNNING) || PLANT == BEGUN_BELIEVED;
        if
        :: PHASE(x) == RUNNING && WHO(x) == who && !had_begun -> give_back(s, x)
        :: PHASE(x) == RUNNING && WHO(x) == who && had_begun ->
            if
            :: attempts[s] > 1 && innocent(who) -> give_back(s, x)
            :: attempts[s] == 1 && innocent(who) ->
                if
                :: PLANT == RESTART_ALL -> give_back(s, x)
                :: else -> end_by_supervisor(s, x, WITH_PHASE(x, COLLATERAL))
                fi
            :: !innocent(who) ->
                charge(s, who);
                if
                :: charged[s] < attempts[s] ->
                    PROMISE(attempts_are_bounded, own_deaths[task[s]] < attempts[s]);
                    give_back(s, x)
                :: else -> end_by_supervisor(s, x, WITH_PHASE(x, CRASHED))
                fi
            fi
        :: PHASE(x) == DYING && WHO(x) == who && !had_begun ->
            if
            :: sentence[who] == KILL -> end_by_supervisor(s, x, WITH_PHASE(x, CANCELLED))
            :: else -> give_back(s, x)
            fi
        :: PHASE(x) == DYING && WHO(x) == who && had_begun ->
            charge(s, who);
            if
            :: sentence[who] == DEADLINE && charged[s] < attempts[s] ->
                PROMISE(attempts_are_bounded, own_deaths[task[s]] < attempts[s]);
                give_back(s, x)
            :: sentence[who] == DEADLINE && charged[s] >= attempts[s] ->
                end_by_supervisor(s, x, WITH_PHASE(x, TIMED_OUT))
            :: sentence[who] != DEADLINE -> end_by_supervisor(s, x, WITH_PHASE(x, KILLED))
            fi
        :: else
        fi
    :: else
    fi;
    d_step { s = 0; x = 0; had_begun = 0 }
}

/* lives.c: an arena stays while a word points into it. */
#define PINS(s, life) (PHASE(word[s]) == DONE && LIFE(WHO(word[s])) == (life))
#if PLANT == ARENA_NOT_PINNED
#define IS_PINNED(life) false
#elif SLOTS == 1
#define IS_PINNED(life) PINS(0, life)
#else
#define IS_PINNED(life) (PINS(0, life) || PINS(1, life))
#endif
#define CAN_BE_BORN(life) (!alive[life] && !dead[life] && gone[life] == WPH && !IS_PINNED(life))

inline spawn(life) {
    d_step {
        asked[life] = 0; doomed[life] = 0; culprit[life] = 0;
        who = life * WPH;
        do
        :: who < life * WPH + WPH ->
            intent[who] = 0; begun[who] = 0; sentence[who] = NOT_SENTENCED; meant[who] = NOBODY; who++
        :: else -> break
        od;
        who = 0;
        s = 0;
        do
        :: s < SLOTS ->
            cell[life * SLOTS + s] = 0;
            cell_word[life * SLOTS + s] = 0;
#if PLANT != CHARGE_BY_LIFE
            charged_to[s] = (charged_to[s] != NOBODY && LIFE(charged_to[s]) == life -> NOBODY : charged_to[s]);
#endif
            s++
        :: else -> break
        od;
        s = 0;
        alive[life] = 1
    }
}

/* death.c: if exactly one task had begun it did it, whatever ended the host. */
inline find_culprit(life) {
    blamed = culprit[life];
#if WPH > 1
    d_step {
        if
        :: blamed == NOBODY && !asked[life] ->
            who = 0;
            do
            :: who < WPH ->
                if
                :: intent[who] != 0 && begun[who] != 0 && (word[intent[who] - 1] == begun[who] ||
                        word[intent[who] - 1] == WITH_PHASE(begun[who], DYING)) ->
                    x++;
                    blamed = who
                :: else
                fi;
                who++
            :: else -> break
            od;
            blamed = (x == 1 -> blamed : NOBODY);
            who = 0;
            x = 0
        :: else
        fi
    }
#else
    blamed = (blamed == NOBODY && !asked[life] -> life : blamed)
#endif
}

#if PLANT == RECOVER_EARLY
#define TO_BURY(life) (dead[life] || (asked[life] && alive[life]))
#else
#define TO_BURY(life) dead[life]
#endif

inline bury(life) {
    doomed[life] = 1;
    find_culprit(life);
    who = life * WPH;
    recover(who);
#if WPH > 1
    who++;
    recover(who);
#endif
    d_step { who = 0; blamed = 0; dead[life] = 0 }
}

proctype supervisor() {
    byte s, who, by, generation, whom, blamed, deadlines, audits;
    short x;
    bit ok, had_begun;
end_quiet:
    do
    :: atomic { requests?by, s, generation, whom -> who = s; s = 0 }
        condemn(who, generation, by, whom);
        d_step { by = 0; generation = 0; whom = 0; who = 0 }
#if DEADLINES > 0
    :: atomic { deadlines < DEADLINES && PHASE(word[0]) == RUNNING ->
            deadlines++; generation = GENERATION(word[0]); whom = task[0] }
        condemn(0, generation, DEADLINE, whom);
        d_step { generation = 0; whom = 0 }
#endif
#if AUDITS > 0
    :: atomic { audits < AUDITS && alive[0] && !asked[0] -> audits++ }
        doomed[0] = 1;
        asked[0] = 1
#endif
    :: TO_BURY(0) -> bury(0)
    :: atomic { CAN_BE_BORN(0) -> spawn(0) }
#if LIVES > 1
    :: TO_BURY(1) -> bury(1)
    :: atomic { CAN_BE_BORN(1) -> spawn(1) }
#endif
    od
}

/* ---- owner ------------------------------------------------------------------------------------------------------- */

#define LEDGER_FREE 0
#define LIVE 1
#define OVER 2

#if SLOTS == 1
#define ALL_FREE (state[0] == LEDGER_FREE)
#else
#define ALL_FREE (state[0] == LEDGER_FREE && state[1] == LEDGER_FREE)
#endif

inline verdict(s) {
    d_step {
        PROMISE(one_verdict, !told[task[s]]);
        told[task[s]] = 1;
        state[s] = OVER;
        PROMISE(finished_is_kept, !published[task[s]] || PHASE(x) == DONE);
        PROMISE(finished_first_is_true, published[task[s]] || PHASE(x) != DONE);
        if
        :: PHASE(x) == DONE ->
            PROMISE(finished_is_kept, cell_word[CELL(WHO(x), s)] == x && cell[CELL(WHO(x), s)] == task[s])
        :: PHASE(x) == CANCELLED -> PROMISE(not_begun_is_uncharged, !in_it[task[s]])
        :: else -> PROMISE(not_begun_is_uncharged, recorded[task[s]])
        fi
    }
}

inline submit(s) {
    atomic {
        submitted++;
        task[s] = submitted;
        charged[s] = 0;
        charged_to[s] = NOBODY;
        if
        :: attempts[s] = 1
        :: attempts[s] = 2
        fi;
        state[s] = LIVE;
        word[s] = WORD(generation[s], PENDING, NOBODY)
    }
}

inline harvest(s) {
    PROMISE(fate_is_told, PHASE(x) == DONE || fate[s] == x);
    verdict(s);
    x = 0
}

inline cancel(s) {
#if PLANT == CANCEL_BY_STORE
    d_step { observe(s, WITH_PHASE(x, CANCELLED)); word[s] = WITH_PHASE(x, CANCELLED); ok = 1 }
#else
    swap(s, x, WITH_PHASE(x, CANCELLED), ok);
#endif
    if
    :: ok -> x = WITH_PHASE(x, CANCELLED); verdict(s)
    :: else
    fi;
    d_step { ok = 0; x = 0 }
}

inline ask(s) {
    if
    :: requests!KILL, s, generation[s], task[s]
#if DEADLINES > 0
    :: requests!KILL_RUNNING, s, generation[s], task[s]
#endif
    fi
}

inline release(s) {
    x = word[s];
    d_step { /* until here the result was read where it lies */
        if
        :: PHASE(x) == DONE -> PROMISE(finished_is_kept, cell[CELL(WHO(x), s)] == task[s])
        :: else
        fi;
        x = 0;
        generation[s]++;
        state[s] = LEDGER_FREE;
        word[s] = WORD(generation[s], FREE, NOBODY)
    }
}

#define WHATEVER(n) \
    :: submitted < TASKS && state[n] == LEDGER_FREE && (n == 0 || state[0] != LEDGER_FREE) -> submit(n) \
    :: atomic { state[n] == LIVE && HAS_ENDED(word[n]) -> x = word[n] } harvest(n) \
    :: atomic { CANCELS && state[n] == LIVE && IS_PENDING(n) -> x = word[n] } cancel(n) \
    :: atomic { kills < KILLS && state[n] == LIVE && !HAS_ENDED(word[n]) -> kills++ } ask(n) \
    :: state[n] == OVER -> release(n)

proctype owner() {
    byte submitted, kills;
    byte state[SLOTS], generation[SLOTS];
    short x;
    bit ok;
    do
    WHATEVER(0)
#if SLOTS > 1
    WHATEVER(1)
#endif
    :: submitted == TASKS && ALL_FREE -> break
    od
}

init {
    byte l;
    atomic {
        do
        :: l < LIVES -> alive[l] = 1; gone[l] = WPH; culprit[l] = NOBODY; l++
        :: else -> break
        od;
        l = 0;
        do
        :: l < WORKERS -> meant[l] = NOBODY; run worker(l); l++
        :: else -> break
        od;
        l = 0;
        run kernel();
        run supervisor();
        run owner()
    }
}

#ifdef LIVENESS
#define ALL_TOLD (told[1] && told[TASKS])
ltl every_future_ends { <> ALL_TOLD }
#endif

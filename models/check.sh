#!/bin/sh
# Search the models of this folder: every promise must hold, every planted bug must break the promise it should break.
#
# usage: models/check.sh [promises|planted|all] [slot|queue|wake|life|clean]...
#
# A line `ok NAME` or `not ok NAME` for each search and each planted bug, a `note:` with the sum for each model, and exit
# code 1 if anything is not ok. MORTAL_TEST_LONG=1 searches larger configurations too. Everything that is generated goes
# to a temporary directory. What the names mean, and what is not modelled: README.md beside this script.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
if ! command -v spin >/dev/null 2>&1; then
    echo "skip: spin, the model checker, is not installed"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0
level=-O0 # most of the time of a short search goes to the compiler
limit=500 # seconds

# Search once: how many states there were, and in $broken the first promise that does not hold, or nothing.
search() { # MODEL OPTIONS FORMULA
    states=0
    broken='the search itself'
    rm -rf "$work/run"
    mkdir "$work/run" && cd "$work/run" || return
    # shellcheck disable=SC2086 # options are one word each, here and below
    spin $2 -a "$here/$1.pml" >spin.log 2>&1 || { cat spin.log; return; }
    kind=-DSAFETY
    formula=
    # NFAIR: room for weak fairness between that many processes. COLLAPSE: states stored in half the memory, none lost.
    [ -z "$3" ] || { kind=-DNFAIR=4; formula="-a -f -N $3"; }
    ${CC:-cc} -w "$level" "$kind" -DCOLLAPSE -DMEMLIM=3000 -o pan pan.c >cc.log 2>&1 || { cat cc.log; return; }
    # shellcheck disable=SC2086
    timeout "$limit" ./pan -m20000 $formula >pan.log 2>&1
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
    if grep -q 'errors: 0$' pan.log && ! grep -Eq 'not completed|too small|out of memory|reached limit' pan.log; then
        broken=
        return
    fi
    reason=$(sed -n 's/^pan:[0-9]*: //p' pan.log | head -1)
    case $reason in
    'assertion violated'*) broken=$(printf '%s\n' "$reason" | sed 's/.*||\([a-z_]*\)) (at depth.*/\1/') ;;
    'invalid end state'*) broken=nobody_is_stuck ;;
    'acceptance cycle'*) broken=$3 ;;
    *) tail -5 pan.log ;;
    esac
}

holds() { # WHAT OPTIONS [FORMULA]
    [ "$mode" != planted ] || return 0
    search "$model" "$2" "${3:-}"
    searches=$((searches + 1))
    total=$(awk "BEGIN { printf \"%.0f\", $total + ${states:-0} }")
    if [ -z "$broken" ]; then
        echo "ok $model: $1${3:+: $3} ($states states)"
        return
    fi
    echo "not ok $model: $1${3:+: $3}: broken: $broken"
    echo "  look at it: cd \$(mktemp -d) && spin -run $2 $here/$model.pml; spin -t -p -g $2 $here/$model.pml"
    failed=1
}

holds_long() { # WHAT OPTIONS [FORMULA]
    [ "${MORTAL_TEST_LONG:-}" = 1 ] || return 0
    level=-O2
    holds "$@"
    level=-O0
}

breaks() { # PROMISE BUG OPTIONS [FORMULA]
    [ "$mode" != promises ] || return 0
    search "$model" "$3 -DPLANT=$2" "${4:-}"
    planted=$((planted + 1))
    if [ "$broken" = "$1" ]; then
        echo "ok $model: planted $2 breaks $1"
        caught=$((caught + 1))
        return
    fi
    echo "not ok $model: planted $2 should break $1, and ${broken:-nothing} is broken"
    failed=1
}

breaks_long() { # PROMISE BUG OPTIONS [FORMULA]
    [ "${MORTAL_TEST_LONG:-}" = 1 ] || return 0
    breaks "$@"
}

# A bug that is planted in the model and not below would prove nothing.
all_are_tried() {
    sed -n '/^#define NONE 0/,/^#define PLANT /s/^#define \([A-Z_]*\) [1-9][0-9]* .*/\1/p' "$here/$model.pml" >"$work/bugs"
    while read -r bug; do
        sed -n "/^$model() {/,/^}/p" "$here/check.sh" | grep -Eq " breaks(_long)? [a-z_]* $bug " && continue
        echo "not ok $model: $bug is planted and never tried"
        failed=1
    done <"$work/bugs"
}

slot() {
    a='-DTASKS=2 -DLIVES=1' # one place for hosts, used again and again
    one='-DTASKS=1 -DLIVES=1'
    holds 'a slot used three times, one task killed' '-DTASKS=3 -DLIVES=1 -DDEATHS=0'
    holds 'a slot used twice, one dies, one is killed' "$a"
    holds_long 'kill, deadline, audit and death of one task' "$one -DAUDITS=1 -DDEADLINES=1"
    holds 'two deaths, a deadline and a kill of one task' "$one -DDEATHS=2 -DDEADLINES=1"
    holds 'a kill and a death' "$one -DLIVENESS" every_future_ends
    holds_long 'a slot used twice, a kill and a death' "$a -DLIVENESS" every_future_ends
    holds_long 'one life used again: a kill, a death, an audit' "$a -DAUDITS=1"
    holds_long 'a slot used twice, two hosts, one dies' '-DTASKS=2 -DKILLS=0'
    holds_long 'a slot used twice, two hosts, one task killed' '-DTASKS=2 -DDEATHS=0'
    holds_long 'two workers in a host, one is killed' '-DSLOTS=2 -DLIVES=1 -DWPH=2 -DDEATHS=0 -DCANCELS=0'
    holds_long 'two workers in a host, one crashes it' '-DSLOTS=2 -DLIVES=1 -DWPH=2 -DKILLS=0 -DCANCELS=0'

    breaks nobody_is_stuck CLAIM_THEN_RECORD "$a"
    breaks finished_is_kept PUBLISH_BEFORE_RESULT "$a -DKILLS=0"
    breaks_long doomed_begins_nothing NO_DOOMED_LOOK "$a -DAUDITS=1 -DDEATHS=0"
    breaks not_begun_is_uncharged BEGUN_TOO_EARLY "$a -DAUDITS=1 -DDEATHS=0"
    breaks next_task_is_spared DYING_SKIPPED "$a -DDEATHS=0"
    breaks old_kill_hits_nothing GENERATION_UNCHECKED "$a -DDEATHS=0"
    breaks finished_first_is_true LOST_PUBLISH_IGNORED "$a -DDEATHS=0"
    breaks nobody_is_stuck NO_PARKING '-DSLOTS=2 -DLIVES=1 -DDEATHS=0 -DCANCELS=0'
    breaks_long not_begun_is_uncharged BEGUN_BELIEVED "$a"
    breaks at_most_once RESTART_ALL "$a -DAUDITS=1 -DDEATHS=0"
    breaks one_verdict RECOVER_EARLY "$a -DDEATHS=0"
    breaks_long finished_is_kept ARENA_NOT_PINNED "$a"
    breaks kill_is_final FIRST_SENTENCE_STAYS "$one -DDEADLINES=1"
    breaks attempts_are_bounded CHARGE_BY_LIFE "$one -DDEATHS=2 -DKILLS=0"
    breaks_long fate_is_told FATE_LATE "$a"
    breaks_long one_verdict CANCEL_BY_STORE "$a -DKILLS=0"
    breaks innocent_is_uncharged ALL_ARE_GUILTY '-DSLOTS=2 -DLIVES=1 -DWPH=2 -DDEATHS=0 -DCANCELS=0'
}

queue() {
    busy='-DENDLESS=2' # whoever has claimed a task is busy for ever
    one='-DWORKERS=1'
    holds 'two workers, a queue of one' ''
    holds 'two workers that are busy for ever, a queue of one' "$busy"
    holds 'a queue of two, a cancel' "$one -DCANCELS=1 -DQUEUE=2"
    holds 'a queue of one, a cancel and a death' "$one -DCANCELS=1 -DDEATHS=1"
    holds 'a queue of one, two deaths, some tasks never end' "$one -DDEATHS=2 -DENDLESS=1"
    holds_long 'two workers, a death' '-DDEATHS=1 -DTASKS=2'
    holds_long 'two workers that are busy for ever, a death' "$busy -DDEATHS=1"
    holds_long 'two workers, a queue and a ring of two, four tasks' '-DQUEUE=2 -DTASKS=4'
    holds_long 'two workers, a cancel' '-DCANCELS=1'

    breaks nobody_is_stuck HEAD_GIVES_UP "$busy -DWORKERS=3 -DTASKS=4 -DQUEUE=3 -DRING=4"
    breaks starts_in_order PASSED_UNCHECKED '-DQUEUE=2 -DTASKS=4'
    breaks nobody_is_stuck LAST_LOOK_SKIPPED "$busy $one -DCANCELS=1"
    breaks nobody_is_stuck WISH_LATE "$busy"
    breaks nobody_is_stuck CANCEL_SILENT "$busy $one -DCANCELS=1"
    breaks nobody_is_stuck RING_AT_END_ONLY "$busy"
    breaks starts_in_order HEAD_BEFORE_COPIES "$one -DCANCELS=1 -DQUEUE=2"
    breaks nobody_is_stuck RECOVERY_SILENT "$one -DDEATHS=1"
    breaks nobody_is_stuck RETURNED_NOWHERE "$one -DDEATHS=1"
    breaks nobody_is_stuck READ_BELL_LATE "$busy"
    breaks nobody_is_stuck FRONT_NOT_PASSED "$one -DDEATHS=1"
}

wake() {
    two='-DDEATHS=0 -DTASKS=2'
    one='-DWORKERS=1 -DREBIRTH -DTASKS=1' # a single worker; who dies is replaced
    brisk='-DDEATHS=0 -DTASKS=1 -DBRISK=1'
    holds 'two workers, two tasks that never end' "$two -DENDLESS=2"
    holds_long 'two workers, one dies and is not replaced' '-DTASKS=1 -DENDLESS=2'
    holds_long 'a standby takes over' '-DWORKERS=1 -DSTANDBY=1 -DTASKS=2 -DENDLESS=1'
    holds 'one worker dies twice' "$one -DDEATHS=2"
    holds 'two workers, a deputy' "$brisk"
    holds 'a deputy dies and is replaced' "$one -DBRISK=2"
    holds 'one worker dies and is replaced' "$one -DLIVENESS" no_lost_wakeup
    holds 'a waiter and a death' "$one -DWAITER -DLIVENESS" waiter_wakes
    holds_long 'two workers, three tasks that never end' '-DDEATHS=0 -DTASKS=3 -DENDLESS=2'
    holds_long 'two workers, two tasks that may end' "$two -DENDLESS=1"
    holds_long 'a waiter, a cancel and a death' "$one -DWAITER -DCANCEL"
    holds_long 'two workers, one dies and is not replaced; a deputy' '-DTASKS=1 -DENDLESS=2 -DBRISK=1'
    holds_long 'two workers, two tasks that never end, a deputy' "$two -DENDLESS=2 -DBRISK=1"
    holds_long 'two workers, a deputy, any pace' '-DDEATHS=0 -DTASKS=1 -DBRISK=2'
    holds_long 'two workers, one task' '-DDEATHS=0 -DTASKS=1 -DLIVENESS' no_lost_wakeup
    holds_long 'two workers, a deputy' "$brisk -DLIVENESS" no_lost_wakeup

    breaks nobody_is_stuck IDLE_LATE '-DDEATHS=0 -DTASKS=1'
    breaks_long no_lost_wakeup IDLE_LATE '-DDEATHS=0 -DTASKS=1 -DLIVENESS' no_lost_wakeup
    breaks_long nobody_is_stuck RING_FOR_TASKS_ONLY '-DTASKS=2 -DENDLESS=2'
    breaks nobody_is_stuck HINT_CLEARED_FIRST "$two -DENDLESS=2"
    breaks_long nobody_is_stuck SEARCH_BIT_LEFT '-DTASKS=1'
    breaks_long nobody_is_stuck COUNTED_EARLY '-DTASKS=1'
    breaks nobody_is_stuck NO_PASSING_ON "$two -DENDLESS=2"
    breaks nobody_is_stuck WATCHED_LATE "$one -DWAITER"
    breaks nobody_is_stuck CANCEL_SILENT "$one -DWAITER -DCANCEL"
    breaks_long nobody_is_stuck BELL_LATE '-DDEATHS=0 -DTASKS=1'
    breaks_long nobody_is_stuck HEAD_FIRST "$one"
    breaks nobody_is_stuck NO_VERSION "$one"
    breaks_long nobody_is_stuck INTENT_LATE "$one -DWAITER"
    breaks_long nobody_is_stuck PUBLISHED_UNTOLD "$one -DWAITER"
    breaks nobody_is_stuck RESIGN_LATE "$brisk"
    breaks nobody_is_stuck DEPUTY_OVERSLEEPS "$brisk"
    breaks nobody_is_stuck OFFICE_KEPT "$one -DBRISK=1"
}

life() {
    supervisor='-DSUPERVISOR_DIES=1 -DSTANDBYS=0'
    owner='-DOWNER_DIES=1 -DSTANDBYS=0'
    stuck='-DKILL -DSTUCK'
    holds 'a host and a standby come, work and go' ''
    holds_long 'two hosts come, work and go' '-DPOSITIONS=2 -DSTANDBYS=0'
    holds 'a killed host does not die for long' "$stuck -DSTANDBYS=0"
    holds 'the supervisor is killed' "$supervisor"
    holds 'the owner is killed' "$owner"
    holds_long 'the supervisor is killed' "$supervisor -DLIVENESS" no_host_survives
    holds 'the owner is killed' "$owner -DLIVENESS" nobody_waits
    holds_long 'a host dies and the standby takes over' '-DDEATHS=1 -DBERTHS=2'
    holds_long 'a host is killed and the standby takes over' '-DKILL -DBERTHS=2'
    holds_long 'the owner is killed' "$owner -DLIVENESS" no_host_survives

    breaks numbers_are_right STANDBY_FORGOTTEN ''
    breaks_long numbers_are_right POSITION_KEPT "$stuck"
    breaks nobody_is_stuck NEVER_REPLACED "$stuck -DSTANDBYS=0"
    breaks_long no_host_survives NO_PARENT_CHECK "$supervisor -DLIVENESS" no_host_survives
    breaks_long nobody_is_stuck NO_DEATH_SIGNAL "$supervisor"
    breaks one_verdict LOST_BY_STORE "$supervisor"
    breaks nobody_waits FIRST_WAKES_NOBODY "$supervisor -DLIVENESS" nobody_waits
    breaks_long nobody_is_stuck SLEEP_AFTER_DEATH "$supervisor"
    breaks_long nobody_is_stuck WORD_ALONE "$supervisor"
    breaks nobody_is_stuck OWNER_UNWATCHED "$owner"
    breaks berth_is_empty FREED_BEFORE_DEATH '-DKILL'
    breaks_long nobody_is_stuck DEAD_STAYS_ACTIVE '-DKILL -DSTANDBYS=0'
    breaks_long nobody_is_stuck ENDED_NOT_TOLD '-DKILL -DSTANDBYS=0'
}

clean() {
    one='-DTASKS=1 -DKILLS=1 -DRESTARTS=1' # one task, killed or not, a death; it may start twice
    recycled='-DRECYCLES=1 -DDEATHS=0'
    holds 'a task that may start twice, a kill and a death' "$one"
    holds 'a host is replaced while two tasks come' "$recycled"
    holds 'a host is replaced, and one dies' '-DTASKS=1 -DRECYCLES=1 -DRESTARTS=1'
    holds_long 'two tasks, a host dies, all have arenas of their own' '-DBERTHS=4'
    holds_long 'two tasks, a host is replaced, one dies' '-DRECYCLES=1'
    holds_long 'two tasks, a host is replaced, one task killed' "$recycled -DKILLS=1"
    holds_long 'one task, a kill and two deaths' "$one -DDEATHS=2"
    holds_long 'one task, a kill and a death, a host is replaced' "$one -DRECYCLES=1"

    breaks width_is_kept HEIR_CLAIMS_AT_ONCE "$recycled"
    breaks width_is_kept RESTS_FOR_OTHERS "$recycled"
    breaks cleaned_before_verdict SETTLED_FIRST "$one"
    breaks cleaned_once GIVEN_AGAIN "$one"
    breaks cleaned_before_verdict OVER_WHEN_GIVEN "$one"
    breaks cleaned_before_verdict ARENA_REUSED "$one"
    breaks cleaned_once RECORD_NOT_COMPARED ''
    breaks kill_is_final KILL_PASSES_OVER "$one"
    breaks nobody_is_stuck CLEANS_AS_STANDBY "$one"
    breaks only_fresh_hosts_clean USED_HOST_CLEANS '-DTASKS=1 -DRESTARTS=1'
    breaks nobody_is_stuck HEIR_STAYS_NARROW '-DRECYCLES=1'
}

mode=all
case ${1:-} in
promises | planted | all)
    mode=$1
    shift
    ;;
esac
[ $# -gt 0 ] || set -- slot queue wake life clean
for model in "$@"; do
    searches=0 total=0 planted=0 caught=0
    case $model in
    slot) slot ;;
    queue) queue ;;
    wake) wake ;;
    life) life ;;
    clean) clean ;;
    *) echo "check.sh: no model is called $model" >&2; exit 2 ;;
    esac
    all_are_tried
    [ "$mode" = planted ] || echo "note: $model: $total states in $searches searches"
    [ "$mode" = promises ] || echo "note: planted bugs caught in models: $caught of $planted ($model.pml)"
done
exit $failed

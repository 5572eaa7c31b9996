#!/bin/sh
# All tests, each in the kinds of build that can show something, and one last line that sums them up.
#
# usage: tests/run.sh [BUILD_ROOT]
#
#   BUILD_ROOT       as users get it: every suite; the tests of the runner itself; tests/unit under valgrind; the suites
#                    of promises with protection keys forced on; started by root, these and a few more as nobody
#   BUILD_ROOT-asan  AddressSanitizer and UndefinedBehaviorSanitizer: every suite but check and model
#   BUILD_ROOT-tsan  ThreadSanitizer: tests/twin only, since it does not see across processes
#
# MORTAL_TEST_LONG=1 makes tests repeat and load more, and gives each far longer. What a kind of build cannot
# run, and why, stands in tests/except/KIND.txt.
set -u

cd "$(dirname "$0")/.." || exit 1
root=${1:-build}
# Many times what a test takes: it shall not fail because others use the processors.
limit=240
[ "${MORTAL_TEST_LONG:-}" = 1 ] && limit=3600
tally=$(mktemp) || exit 1
trap 'rm -f "$tally"' EXIT
trap 'exit 130' INT TERM

build() { # DIR MESON_OPTIONS... -- NINJA_TARGETS...
    build_dir=$1
    shift
    options=
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    [ $# -gt 0 ] && shift
    # shellcheck disable=SC2086 # one word an option
    if { [ -f "$build_dir/build.ninja" ] || meson setup $options "$build_dir"; } >"$tally.log" 2>&1 &&
        ninja -C "$build_dir" "$@" >"$tally.log" 2>&1; then
        rm -f "$tally.log"
        return 0
    fi
    echo "not ok build of $build_dir"
    sed 's/^/  | /' "$tally.log"
    rm -f "$tally.log"
    echo "0 1 0" >>"$tally"
    return 1
}

as= # whom the runner runs as, where it is somebody else

run() { # DIR RUNNER_OPTIONS... the runner itself always comes from the plain build
    run_dir=$1
    shift
    # shellcheck disable=SC2086 # one word an argument
    $as "$root/tests/runner" --tally "$tally" "$@" "$run_dir/tests/list.txt"
    status=$?
    # 0 and 1 are counted already; anything else is a failure of the run.
    [ $status -le 1 ] || { echo "not ok runner # exit code $status"; echo "0 1 0" >>"$tally"; }
    [ $status -ne 130 ] || exit 130
}

# Root may do much that most programs may not: once more without all that.
run_as_nobody() { # RUNNER_OPTIONS...
    [ "$(id -u)" -eq 0 ] || return 0
    as='setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all'
    chmod 666 "$tally"
    if $as test -x "$root/tests/runner" 2>/dev/null; then
        run "$root" --suffix ' [nobody]' "$@"
    else
        echo "skip everything [nobody] # nobody else may enter this directory"
        echo "0 0 1" >>"$tally"
    fi
    as=
}

if build "$root"; then
    run "$root" --must-fail --limit 2
    run "$root" --limit "$limit"
    run_as_nobody --suite api,kill,recover,bad,exec,hostile,tool --limit "$limit"
    # Once more with the control words of every pool shut while tasks run, see tests/harness/forced_keys.c.
    run "$root" --suite api,kill,recover,bad --suffix ' [keys]' --limit $((limit * 2)) --except tests/except/keys.txt \
        --wrap "env LD_PRELOAD=$(cd "$root" && pwd)/tests/libforced-keys.so"
    run "$root" --suite unit --suffix ' [valgrind]' --limit $((limit * 2)) --except tests/except/valgrind.txt \
        --wrap 'valgrind -q --fair-sched=try --error-exitcode=99 --vgdb=no --leak-check=full --errors-for-leak-kinds=definite'

    # A task that crashes must crash as it would without the sanitizer: its signals are left alone. A report from any
    # process of a test fails it, also where the pool would have survived.
    if build "$root-asan" -Db_sanitize=address,undefined; then
        signals=handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0
        ASAN_OPTIONS=$signals UBSAN_OPTIONS=$signals:halt_on_error=1:print_stacktrace=1 \
            run "$root-asan" --suite api,kill,recover,bad,exec,hostile,system,unit,fuzz,step,twin,storm,tool --suffix ' [asan]' \
            --limit $((limit * 2)) --except tests/except/asan.txt --refuse 'Sanitizer|runtime error:'
    fi

    if build "$root-tsan" -Db_sanitize=thread -Dparts=false -- twins; then
        TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
            run "$root-tsan" --suite twin --suffix ' [tsan]' \
            --limit $((limit * 2)) --except tests/except/tsan.txt --refuse 'Sanitizer'
    fi
fi

awk '/^sum: / { print substr($0, 6); next }
     { passed += $1; failed += $2; skipped += $3 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
           exit failed > 0 || passed == 0 }' "$tally"

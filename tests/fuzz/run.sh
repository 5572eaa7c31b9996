#!/bin/sh
# Fuzz what the owner and the supervisor read from memory that hosts can write to.
#
# usage: tests/fuzz/run.sh [BUILD_ROOT]
#
#   FUZZ_SECONDS   for each target; default 60
#   FUZZ_KEEP=1    afterwards tests/fuzz/corpus/TARGET.hex is what is left of it and of what was found, made as small
#                  as covers the same
#
# Builds into BUILD_ROOT-fuzz with clang, its AddressSanitizer and UndefinedBehaviorSanitizer, and libFuzzer. What it
# finds is left there as finding-*; add it to the corpus, one line of hexadecimal digits (xxd -p -c 0), once mended:
# make test plays all of it again, without clang.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}-fuzz
seconds=${FUZZ_SECONDS:-60}
case $seconds in
'' | 0 | *[!0-9]*)
    echo "make fuzz: FUZZ_SECONDS is '$seconds': it must be a number of seconds over 0" >&2
    exit 2
    ;;
esac
clang=clang
command -v clang >/dev/null ||
    clang=$(find /usr/bin -name 'clang-[0-9]*' 2>/dev/null | sort -V | tail -1)
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

if ! { [ -f "$build/build.ninja" ] ||
    CC=$clang meson setup -Dfuzz=true -Dparts=false -Db_sanitize=address,undefined -Db_lundef=false "$build"; } >"$log" 2>&1 ||
    ! ninja -C "$build" fuzzers >"$log" 2>&1; then
    cat "$log"
    exit 1
fi

failed=0
for program in "$build"/tests/fuzz-*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    target=$(basename "$program" | sed 's/^fuzz-//')
    kept=tests/fuzz/corpus/$target.hex
    corpus=$build/corpus/$target
    mkdir -p "$corpus"
    tests/fuzz/corpus.py unpack "$kept" "$corpus"
    if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$program" -max_total_time="$seconds" -max_len=500 -len_control=0 \
        -timeout=20 -print_final_stats=1 -artifact_prefix="$build/finding-" "$corpus" >"$log" 2>&1; then
        echo "ok fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") plays," \
            "$(sed -n 's/^#.*DONE *cov: \([0-9]*\).*/\1/p' "$log") edges, nothing found in $seconds s"
    else
        echo "not ok fuzz $target"
        grep -v '^#[0-9]' "$log" | tail -60 | sed 's/^/  | /'
        failed=1
    fi
    if [ "${FUZZ_KEEP:-}" = 1 ]; then
        rm -rf "$corpus.least"
        mkdir -p "$corpus.least"
        "$program" -merge=1 -max_len=500 "$corpus.least" "$corpus" >"$log" 2>&1 && tests/fuzz/corpus.py pack "$corpus.least" "$kept"
    fi
done
exit $failed

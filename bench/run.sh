#!/bin/sh
# Measures everything: bench/run.sh BUILD_DIR
#
# Round by round, work by work, all subjects of a work one after the other, so that a noisy moment hits all of them.
# BENCH_QUICK=1 tries everything once in a few seconds; BENCH_ROUNDS sets the number of rounds (7).
set -u

build=${1:?usage: bench/run.sh BUILD_DIR}
here=$(dirname "$0")
rounds=${BENCH_ROUNDS:-7}
[ "${BENCH_QUICK:-}" = 1 ] && rounds=1

list=$(mktemp) lines=$(mktemp) notes=$(mktemp)
trap 'rm -f "$list" "$lines" "$notes"' EXIT
trap 'exit 130' INT TERM

for name in mortal-flow mortal-life mortal-deadline mortal-trees many floor raw raw-deadline raw-trees glib libuv; do
    program=$build/bench/bench-$name
    if [ -x "$program" ]; then
        "$program" --list | sed "s|^|$name |" >>"$list"
    else
        echo "$name: skipped, it was not there when this was built" >>"$notes"
    fi
done
# Those who spin suffer from strangers on the processors more than those who sleep: then even ratios say little.
awk -v processors="$(nproc)" '$1 > processors / 4 {
    print "the machine was busy at the start: load average " $1 " on " processors " processors; do not trust the ratios" }
' /proc/loadavg >>"$notes"
works=$(awk '!seen[$2]++ { print $2 }' "$list")

round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    [ -t 2 ] && printf '\rround %d of %d ' "$round" "$rounds" >&2
    for work in $works; do
        awk -v work="$work" '$2 == work' "$list" | while read -r name _ subject; do
            # The clock is the last defence: no subject may hang the run.
            timeout -k 5 60 "$build/bench/bench-$name" "$work" "$subject" >>"$lines" 2>>"$notes"
            code=$?
            [ "$code" -eq 0 ] || [ "$code" -eq 77 ] || echo "$work $subject: FAILED with exit code $code" >>"$notes"
        done
    done
done
[ -t 2 ] && printf '\r\033[K' >&2

python3 "$here/table.py" "$lines" "$notes" "$build/bench.json"

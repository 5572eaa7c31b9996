#!/bin/sh
# Measures everything: bench/run.sh BUILD_DIR
#
# Round by round, work by work, all subjects of a work one after the other, so that a noisy moment hits all of them.
# BENCH_QUICK=1 tries everything once in less than a minute; BENCH_ROUNDS sets the number of rounds (5). What is slow and
# steady (interpreters, idle pools, growth) is measured in the first three only. BENCH_ONLY=PATTERN measures only works
# whose name matches it, as grep -E.
set -u

build=${1:?usage: bench/run.sh BUILD_DIR}
here=$(dirname "$0")
rounds=${BENCH_ROUNDS:-5}
[ "${BENCH_QUICK:-}" = 1 ] && rounds=1

list=$(mktemp) lines=$(mktemp) notes=$(mktemp)
trap 'rm -f "$list" "$lines" "$notes"' EXIT
trap 'exit 130' INT TERM

programs='mortal-flow mortal-life mortal-deadline mortal-trees mortal-stream mortal-payload mortal-map mortal-feed many
growth floor raw raw-deadline raw-trees raw-stream glib libuv tbb moodycamel apr openmp'

# Peers that were installed since this was set up.
for name in $programs; do
    [ -x "$build/bench/bench-$name" ] && continue
    { meson setup --reconfigure "$build" && ninja -C "$build"; } >"$notes" 2>&1 || cat "$notes" >&2
    : >"$notes"
    break
done

# Debian's own, whatever else comes first in PATH.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3

command_of() { # NAME: how to run it
    case $1 in
    python) echo "$python $here/python_pools.py" ;;
    erlang) echo "escript $here/erlang.escript" ;;
    *) echo "$build/bench/bench-$1" ;;
    esac
}

for name in $programs python erlang; do
    command=$(command_of "$name")
    if command -v "${command%% *}" >/dev/null; then
        $command --list | grep -E "${BENCH_ONLY:-.}" | sed "s|^|$name |" >>"$list"
    else
        echo "$name: left out, it was not there" >>"$notes"
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
            case $work,$name in
            cost-growth-* | idle-* | *,python | *,erlang) [ "$round" -le 3 ] || continue ;;
            esac
            # The clock is the last defence: no subject may hang the run.
            # shellcheck disable=SC2046 # a command and its argument
            timeout -k 5 60 $(command_of "$name") "$work" "$subject" >>"$lines" 2>>"$notes" </dev/null
            code=$?
            [ "$code" -eq 0 ] || [ "$code" -eq 77 ] || echo "$work $subject: FAILED with exit code $code" >>"$notes"
        done
    done
done
[ -t 2 ] && printf '\r\033[K' >&2

"$python" "$here/table.py" "$lines" "$notes" "$build/bench.json"

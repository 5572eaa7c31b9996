#!/bin/sh
# The columns are those of the manual, every line has them all, and the numbers are what happened.
. "${0%/*}/helpers"

before=$(date +%s)
map -j 2 --joblog log trouble 'sleep 120' four crash nothing
after=$(($(date +%s) + 1))
expect_status 1
expect_output 'slept\nfour'
names=$(head -1 log)
expected="Seq Item Outcome Status Signal ExitCode FaultAddress Attempts Start Runtime QueuedMs ResultBytes"
[ "$names" = "$(echo "$expected" | tr ' ' '\t')" ] || fail "the header is: $names"
awk -F'\t' 'NF != 12 { exit 1 }' log || fail "a line has not 12 columns"
[ "$(tail -n +2 log | cut -f1 | sort -n | tr '\n' ' ')" = '1 2 3 4 ' ] || fail "not each item has one line"
expect_column Item 1 'sleep 120'
expect_column Outcome 1 'done'
expect_column ResultBytes 1 5
expect_column ResultBytes 2 4
expect_column ResultBytes 4 0
expect_column Attempts 2 1
expect_column Outcome 3 crashed
awk -F'\t' -v before="$before" -v after="$after" '
    NR > 1 && ($9 < before || $9 > after || $11 < 0 || $11 > 10000) { exit 1 }
    NR > 1 && $1 == 1 && ($10 < 0.120 || $10 > 10) { exit 1 }' log || fail "the times cannot be right"

map --joblog log trouble again
expect_status 0
[ "$(wc -l <log)" -eq 2 ] || fail "an older job log should be replaced"

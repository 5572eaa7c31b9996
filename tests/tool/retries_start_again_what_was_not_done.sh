#!/bin/sh
# What crashed, failed or was too slow is started again, as often as asked for and no more.
. "${0%/*}/helpers"

map --retries 1 --joblog log trouble crash-once ok
expect_status 0
expect_output 'attempt 2\nok'
expect_column Attempts 1 2
expect_column Attempts 2 1

map --retries 2 --joblog log trouble 'fail-twice starts'
expect_status 0
expect_output 'at last'
expect_column Attempts 1 3

rm starts
map --retries 1 --joblog log trouble 'fail-twice starts' crash
expect_status 1
expect_column Attempts 1 2
expect_column Outcome 1 failed
expect_column Attempts 2 2
expect_column Outcome 2 quarantined
expect_column Signal 2 11
expect_error "item 2 not done: 'crash': quarantined: SIGSEGV at 0x10, attempt 2"
expect_error '2 items in .*: 1 failed, 1 quarantined$'
[ "$(wc -l <starts)" -eq 2 ] || fail "started $(wc -l <starts) times, expected 2"

map -j 2 --retries 2 --deadline 50ms --joblog log trouble hang
expect_status 1
expect_column Outcome 1 'timed out'
expect_column Attempts 1 3

map --joblog log trouble crash-once
expect_status 1
expect_column Attempts 1 1

#!/bin/sh
# The first SIGINT starts nothing more; what runs ends by itself within the grace, and its result is written.
. "${0%/*}/helpers"

interruptible -j 1 --grace 30s --joblog log trouble first 'wait-for gate' never
tool=$!
wait_for_file gate.started $tool
kill -INT $tool
until grep -q '^mortal map: interrupted' err; do
    kill -0 $tool 2>/dev/null || fail "the tool ended at once"
    sleep 0.01
done
: >gate
wait $tool
status=$?
expect_status 130
expect_output 'first\nwaited'
expect_column Outcome 2 'done'
expect_column Outcome 3 cancelled
expect_column Start 3 0.000000
expect_error '3 items in .*: 2 done, 1 cancelled$'

# A task that asks whether it should stop is told so.
rm gate gate.started
interruptible -j 1 --grace 30s trouble 'wait-politely gate'
tool=$!
wait_for_file gate.started $tool
kill -INT $tool
wait $tool
status=$?
expect_status 130
expect_output 'was asked to stop'

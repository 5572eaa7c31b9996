#!/bin/sh
# The second SIGINT does not wait for the grace; nothing that ran is left.
. "${0%/*}/helpers"

interruptible -j 2 --grace 1000s --joblog log trouble 'wait-for gate' block never
tool=$!
wait_for_file gate.started $tool
kill -INT $tool
until grep -q '^mortal map: interrupted' err; do
    kill -0 $tool 2>/dev/null || fail "the tool ended at once"
    sleep 0.01
done
kill -INT $tool
wait $tool
status=$?
expect_status 130
expect_output ''
expect_column Outcome 1 killed
case $(column Outcome 2) in killed | cancelled) ;; *) fail "item 2 should be killed" ;; esac

#!/bin/sh
# With --unordered a result does not wait for the one before it; without, it does.
. "${0%/*}/helpers"

interruptible -j 2 --unordered trouble 'wait-for gate' early
tool=$!
until grep -qx early out; do
    kill -0 $tool 2>/dev/null || fail "the tool ended without the early result"
    sleep 0.01
done
: >gate
wait $tool || fail "exit status $?"
expect_output 'early\nwaited'

map -j 2 --unordered --tag trouble a b c
sort out >sorted && mv sorted out
expect_output 'a\ta\nb\tb\nc\tc'

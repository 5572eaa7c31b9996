#!/bin/sh
# examples/drain_on_ctrl_c: one SIGINT drains what was submitted, two end it at once.
. "${0%/*}/helpers"

begin() {
    : >out
    env --default-signal=INT "$EXAMPLES/drain_on_ctrl_c" >out 2>err &
    program=$!
    until grep -q '^0 done' out; do
        kill -0 $program 2>/dev/null || fail "the program ended"
        sleep 0.01
    done
    kill -INT $program
}
begin
wait $program || fail "drained: exit status $?"
grep -Eqx '[0-9]+ done' out || fail "nothing is said to be done"
! grep -Eqx '[0-9]+ (killed|cancelled)' out || fail "a drained pool should kill nothing"

begin
kill -INT $program
wait $program || fail "killed: exit status $?"
grep -Eqx '[0-9]+ (killed|cancelled)' out || grep -qx '[1-9][0-9]* done' out || fail "nothing said"

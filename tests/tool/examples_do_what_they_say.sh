#!/bin/sh
# Each example program, run as its first comment says.
. "${0%/*}/helpers"

"$EXAMPLES/hello" >out 2>err || fail "hello: exit status $?"
expect_output 'Hello, world!\nThe other one: timed out.'

"$EXAMPLES/carry_on" >out 2>err || fail "carry_on: exit status $?"
grep -qx 'Finished, results kept: 0 1 2 3' out || fail "carry_on: what finished"
grep -qx 'Cut: *4 5' out || fail "carry_on: what was cut"
grep -qx 'Waiting, will run: *6 7 8 9' out || fail "carry_on: what waits"
grep -qx 'The squares: 0 1 4 9 16 25 36 49 64 81' out || fail "carry_on: results"
grep -qx '10 of 10 done.' out || fail "carry_on: not all done"

printf abcdefgh >eight
"$EXAMPLES/check_sums" eight >out 2>err || fail "check_sums: exit status $?"
grep -qx 'part 0: 00000126000000c4' out || fail "check_sums: the first part"
[ "$(grep -cx 'part [4-7]: 0000000000000001' out)" -eq 4 ] || fail "check_sums: parts with nothing in them"

"$EXAMPLES/consistent" >out 2>err || fail "consistent: exit status $?"
grep -Eqx '(30|[34][0-9]) done, ([0-9]|1[0-5]) killed.' out || fail "consistent: who was killed"
grep -qx 'Accounts: 1000 in all.' out || fail "consistent: accounts"
grep -qx 'Report: whole, 1000 in all.' out || fail "consistent: report"
grep -qx 'Lock and left-overs: 0.' out || fail "consistent: something is left"

"$EXAMPLES/stream" >out 2>err || fail "stream: exit status $?"
expect_output "3 apples\n5 pears\n1 quinces\ntimed out at 'loop=0': going on behind it\n8 plums\n2 figs"

"$EXAMPLES/map_items" >out 2>err || fail "map_items: exit status $?"
expect_output '99998 of 100000 items are done.\n0: timed out\n77777: crashed\nThe longest: 77031, 350 steps.'

"$EXAMPLES/mend" >out 2>err || fail "mend: exit status $?"
grep -qx 'Waiting ends with EHOSTDOWN.' out || fail "mend: the waiter was not told"
grep -q 'circuit breaker.*more than 3 hosts.*SIGABRT.*mortal_pool_mend' out || fail "mend: it does not say why"
grep -qx 'Mended: 20 of 20 done.' out || fail "mend: not all done"

"$EXAMPLES/first_answer_wins" 18 >out 2>err || fail "first_answer_wins: exit status $?"
grep -Eq "^'mortal [0-9]+' has the hash 0000[0-3][0-9a-f]{11}\.$" out || fail "first_answer_wins: no answer"

picture=$(find /usr/share -name '*.png' -type f 2>/dev/null | head -1)
echo 'not a picture' >text.png
if [ -n "$picture" ] && [ -x "$EXAMPLES/decode_with_deadline" ]; then
    "$EXAMPLES/decode_with_deadline" "$picture" text.png >out 2>err || fail "decode_with_deadline: exit status $?"
    grep -Eq "^$picture: [0-9]+x[0-9]+$" out || fail "decode_with_deadline: no size"
    grep -q '^text.png: failed.*PNG' out || fail "decode_with_deadline: no reason"
fi

"$EXAMPLES/threads_first" >out 2>err || fail "threads_first: exit status $?"
grep -qx 'Here lines is 5, in a host 3.' out || fail "threads_first: what a host sees"
grep -qx 'The other one: timed out.' out || fail "threads_first: the other one"

#!/bin/sh
# A spinning item and one that waits in the kernel with all signals blocked; their neighbours are not harmed.
. "${0%/*}/helpers"

map -j 2 --deadline 200ms --joblog log trouble a hang b block c
expect_status 1
expect_output 'a\nb\nc'
for item in hang block; do
    expect_error "^mortal map: item [24] not done: '$item': timed out"
done
expect_error '^mortal map: 5 items in .*: 3 done, 2 timed out$'
expect_error '^mortal map: 2 killed at the deadline, the latest dead [0-9.]+ (us|ms|s) after it$'
for number in 2 4; do
    expect_column Outcome $number 'timed out'
    ran=$(column Runtime $number)
    awk -v ran="$ran" 'BEGIN { exit !(ran >= 0.2) }' || fail "item $number ran $ran s, less than its deadline"
done
expect_column Outcome 5 'done'

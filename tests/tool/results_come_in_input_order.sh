#!/bin/sh
# However long each takes, the results stand in the order of the items: arguments, lines, a file.
. "${0%/*}/helpers"

map -j 3 trouble 'sleep 150' b 'sleep 50' d 'sleep 1' f
expect_status 0
expect_output 'slept\nb\nslept\nd\nslept\nf'

seq 1 5000 >items
map -q trouble <items
expect_status 0
cmp -s out items || fail "5000 lines of standard input came back in another order"
map -q -a items trouble </dev/null
expect_status 0
cmp -s out items || fail "5000 lines of a file came back in another order"

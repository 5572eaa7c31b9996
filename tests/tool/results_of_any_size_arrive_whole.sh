#!/bin/sh
# Many large results, more in sum than a host may hold at once: each is taken out of the pool as soon as it is there.
. "${0%/*}/helpers"

i=0
while [ $i -lt 60 ]; do
    echo 'much 10000000'
    i=$((i + 1))
done >items
"$MORTAL" map -j 2 -q trouble <items >big 2>err
status=$?
expect_status 0
[ "$(wc -c <big)" -eq 600000060 ] || fail "$(wc -c <big) bytes came, expected 600000060"
rm big
map -q trouble 'much 1' nothing 'much 3'
expect_status 0
expect_output 'x\nxxx'

#!/bin/sh
# --halt: what runs is killed, what waits is not started, and the input is read no further.
. "${0%/*}/helpers"

mkfifo in
input=in
interruptible -j 2 --halt --joblog log trouble
tool=$!
exec 3>in
printf 'a\nwait-for gate\n' >&3
wait_for_file gate.started $tool
printf 'fail\nblock\nblock\nblock\n' >&3
wait $tool
status=$?
exec 3>&-
expect_status 1
expect_output 'a'
expect_error "item 3 not done: 'fail'"
expect_error "item 2 not done: 'wait-for gate': killed"
expect_error '^mortal map: stopped: [12] killed, certainly dead after '
expect_column Outcome 2 killed
for number in 5 6; do # item 4 may have begun before the failure was seen
    case $(column Outcome $number) in '' | cancelled) ;; *) fail "item $number should not have run" ;; esac
done

yes fail | head -c 100000000 >big
map -j 2 --halt -q trouble <big
expect_status 1
[ "$(wc -l <err)" -lt 1000 ] || fail "it went on for too long"

map -j 2 --halt --keep-going trouble fail a
expect_status 1
expect_output 'a'

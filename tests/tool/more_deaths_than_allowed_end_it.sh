#!/bin/sh
# --max-deaths: so many crashes are borne; one more, and nothing more is started, what runs may end, the status says so.
. "${0%/*}/helpers"

map -j 1 --max-deaths 2 trouble a crash crash b
expect_status 1
expect_output 'a\nb'
refuse_error 'gave up'

mkfifo in
input=in
interruptible -j 2 --max-deaths 2 --joblog log trouble
tool=$!
exec 3>in
printf 'a\nwait-for gate\n' >&3
wait_for_file gate.started $tool
printf 'crash\nexit 0\nabort\nb\nc\nd\n' >&3
until grep -q 'gave up' err; do # which the test's limit of time bounds
    kill -0 $tool || fail 'it ended without a word'
    sleep 0.01
done
: >gate
wait $tool
status=$?
exec 3>&-
expect_status 3
expect_error '^mortal map: gave up: more than 2 processes ended by themselves within 60.*s: nothing more is started'
expect_column Outcome 2 "done" # it ran, and had its grace
expect_column Outcome 3 crashed
expect_column Outcome 5 crashed
for number in 6 7 8; do # before the third death the tool may not even have read them
    case $(column Outcome $number) in '' | cancelled) ;; *) fail "item $number should not have run" ;; esac
done
grep -qx 'a' out || fail 'what was done before is missing'

yes crash | head -c 100000000 >big
map -j 2 --max-deaths 10/1h -q trouble <big
expect_status 3
[ "$(grep -c crashed err)" -lt 30 ] || fail "it went on for too long"

map -j 1 --max-deaths 0 trouble abort a b
expect_status 3
expect_output ''

# Retries: what crashed and would start again is not started again, nor waited for.
map -j 2 --max-deaths 5 --retries 1000 --joblog log trouble crash crash crash
expect_status 3
refuse_error 'cannot'

# Deadlines are no deaths, and a period may end.
map -j 2 --max-deaths 0 --deadline 20ms trouble hang hang a
expect_status 1
expect_output 'a'

for value in x -1 1000001 3/ 3/0 3/x /5s ''; do
    map --max-deaths "$value" trouble a
    expect_status 2
    expect_error "bad value: --max-deaths: '$value' is not a number from 0 to 1000000"
done

#!/bin/sh
# A pipe that is slow or never ends: each result is written as soon as it is there, and no item waits for the next.
. "${0%/*}/helpers"

mkfifo in
input=in
interruptible -j 2 -q trouble
tool=$!
exec 3>in
for word in one two three; do
    echo "$word" >&3
    until grep -qx "$word" out; do
        kill -0 $tool 2>/dev/null || fail "the tool ended before the result $word"
        sleep 0.01
    done
done
printf 'no line feed' >&3
exec 3>&-
wait $tool || fail "exit status $?"
expect_output 'one\ntwo\nthree\nno line feed'

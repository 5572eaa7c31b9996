#!/bin/sh
# What does not end within the grace is killed; SIGTERM does as SIGINT does, with a status of its own.
. "${0%/*}/helpers"

for signal in INT TERM; do
    interruptible -j 1 --grace 300ms --joblog log trouble 'wait-for gate'
    tool=$!
    wait_for_file gate.started $tool
    kill -$signal $tool
    wait $tool
    status=$?
    [ $signal = INT ] && expect_status 130
    [ $signal = TERM ] && expect_status 143
    expect_column Outcome 1 killed
    expect_error '^mortal map: stopped: 1 killed, certainly dead after '
    rm gate.started
done

interruptible -j 1 --grace 0 trouble 'wait-for gate'
tool=$!
wait_for_file gate.started $tool
kill -INT $tool
wait $tool
status=$?
expect_status 130

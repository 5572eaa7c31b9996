#!/bin/sh
# Crashes of every kind, exit with any code among them, are told as what they are, and the rest is done.
. "${0%/*}/helpers"

map -j 2 --joblog log trouble a crash b 'exit 0' c 'exit 7' d abort e overflow f end-thread g 'fail because' h
expect_status 1
expect_output 'a\nb\nc\nd\ne\nf\ng\nh'
expect_error "item 2 not done: 'crash': crashed: SIGSEGV at 0x10"
expect_error "item 4 not done: 'exit 0': crashed"
expect_error "item 6 not done: 'exit 7': crashed"
expect_error "item 8 not done: 'abort': crashed: SIGABRT"
expect_error "item 10 not done: 'overflow': crashed: SIGSEGV"
expect_error "item 12 not done: 'end-thread': crashed"
expect_error "item 14 not done: 'fail because': failed.*: because"
expect_error '15 items in .*: 8 done, 1 failed, 6 crashed$'
for row in '2 11 0' '4 0 0' '6 0 7' '8 6 0' '10 11 0'; do
    # shellcheck disable=SC2086 # three words
    set -- $row
    expect_column Outcome "$1" crashed
    expect_column Signal "$1" "$2"
    expect_column ExitCode "$1" "$3"
done
expect_column FaultAddress 2 0x10
expect_column Outcome 14 failed
expect_column Status 14 3

#!/bin/sh
# Deadlines and the kills of an early stop are told apart, and with --quiet too; without kills there is nothing to tell.
# One that is dead may be counted as dying for a moment longer than its verdict takes.
. "${0%/*}/helpers"

time='[0-9.]+ (us|ms|s)'
map -j 2 --stats --deadline 200ms trouble a hang b hang c
expect_status 1
expect_error '^mortal map: processes that ended: 2, killed of these: 2, replaced before they were dead: [0-2], still dying: [0-2]$'
expect_error "^mortal map: killed at a deadline: 2, certainly dead after the deadline: median $time, 99% within $time, at most $time\$"
expect_error '^mortal map: killed on request: none$'
expect_error '^mortal map: 5 items in '

expect_error '^mortal map: what they started was held by: (subreaper|cgroup)$'

map -j 2 --containment subreaper --stats trouble a
expect_status 0
expect_error '^mortal map: what they started was held by: subreaper$'
map -j 2 --containment namespace --stats trouble a
expect_error '(held by: namespace$|MORTAL_CONTAIN_NAMESPACE)'
map --containment box trouble a
expect_status 2
expect_error "bad value: --containment: 'box' is not auto, subreaper, cgroup or namespace"

map -j 2 --quiet --stats --halt trouble hang 'sleep 300' crash
expect_status 1
expect_error '^mortal map: processes that ended: 2, killed of these: 1, replaced before they were dead: [0-1], still dying: [0-2]$'
expect_error '^mortal map: killed at a deadline: none$'
expect_error "^mortal map: killed on request: 1, certainly dead after the request: median $time, 99% within $time, at most $time\$"

map --stats trouble a b
expect_status 0
expect_error '^mortal map: processes that ended: 0, killed of these: 0, replaced before they were dead: 0, still dying: 0$'

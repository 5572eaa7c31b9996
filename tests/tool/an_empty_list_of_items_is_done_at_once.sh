#!/bin/sh
# Nothing to do is no failure.
. "${0%/*}/helpers"

map trouble </dev/null
expect_status 0
expect_output ''
expect_error '^mortal map: 0 items in '
map -q trouble </dev/null
expect_status 0
[ ! -s err ] || fail "-q should say nothing"

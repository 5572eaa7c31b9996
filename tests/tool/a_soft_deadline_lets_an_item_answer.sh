#!/bin/sh
# An item that is asked to stop answers and is done; one that does not listen goes on until its deadline.
. "${0%/*}/helpers"

map -j 2 --soft-deadline 100ms --deadline 60s trouble 'wait-politely gate' a
expect_status 0
expect_output 'was asked to stop\na'

map -j 1 --soft-deadline 50ms --deadline 300ms trouble hang b
expect_status 1
expect_output 'b'
expect_error "^mortal map: item 1 not done: 'hang': timed out"

map --soft-deadline 0 trouble a
expect_status 2
expect_error '^mortal map: bad value: --soft-deadline: '

#!/bin/sh
# Full disk, closed descriptors, a reader that left: status 125 and a reason, and what ran is killed.
. "${0%/*}/helpers"

"$MORTAL" map trouble a b >/dev/full 2>err
status=$?
expect_status 125
expect_error '^mortal map: cannot write results: standard output: No space left on device'

"$MORTAL" map trouble a b >&- 2>err
status=$?
expect_status 125
expect_error 'cannot write results: standard output: Bad file descriptor'

map --joblog /dev/full trouble a
expect_status 125
expect_error '^mortal map: cannot write the job log: /dev/full: No space left on device'
expect_output ''
map --joblog no/such/folder trouble a
expect_status 125
expect_error 'cannot write the job log: no/such/folder: No such file'

"$MORTAL" map trouble <&- >out 2>err
status=$?
expect_status 125
expect_error 'cannot read items: standard input: Bad file descriptor'

# Standard error is gone: results and status still come.
"$MORTAL" map trouble a fail >out 2>&-
status=$?
expect_status 1
expect_output a

# head leaves; the endless input must not keep the tool, nor the stuck item.
{
    yes | "$MORTAL" map -j 2 trouble 2>err
    echo $? >status
} | head -1 >out
status=$(cat status)
expect_status 125
expect_output y
expect_error 'cannot write results: standard output: Broken pipe'

#!/bin/sh
# Over the limit of one input: that item is refused, the ones around it are done.
. "${0%/*}/helpers"

{
    echo before
    head -c 300000000 /dev/zero | tr '\0' x
    printf '\nafter\n'
    head -c 300000000 /dev/zero | tr '\0' y
} >items
map -q --joblog log trouble <items
rm items
expect_status 1
expect_output 'before\nafter'
expect_error "^mortal map: item 2 refused: 'xxx.*: it is too long for one task"
expect_error "^mortal map: item 4 refused: 'yyy"
expect_column Outcome 2 refused
expect_column Outcome 3 'done'
expect_column Attempts 4 0

# A long line that fits goes through whole.
head -c 5000000 /dev/zero | tr '\0' z >items
map -q trouble <items
expect_status 0
[ "$(wc -c <out)" -eq 5000001 ] || fail "5,000,000 bytes and a line feed should come back"

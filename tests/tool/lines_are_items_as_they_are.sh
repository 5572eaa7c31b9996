#!/bin/sh
# Blanks, quotes and empty lines mean nothing special; --tag puts the item before each line of its result.
. "${0%/*}/helpers"

# shellcheck disable=SC2016 # nothing is to be expanded
printf '  two blanks \n"quoted" $HOME `date`\n\nlast' >items
map --joblog log trouble <items
expect_status 0
# shellcheck disable=SC2016
expect_output '  two blanks \n"quoted" $HOME `date`\nlast'
[ "$(wc -l <log)" -eq 5 ] || fail "the job log should have 4 items and a header"

printf 'one\ntwo\n' >file
map --tag --arg o regex:lines file
expect_output 'file\tone\nfile\ttwo'
map --tag -- trouble -x --tag
printf -- '-x\t-x\n--tag\t--tag\n' >expected
cmp -s out expected || fail "items after -- may begin with -"

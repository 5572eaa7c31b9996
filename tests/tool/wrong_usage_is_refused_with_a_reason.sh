#!/bin/sh
# Each mistake on the command line: status 2, nothing run, and a line that says what is wrong with what.
. "${0%/*}/helpers"

refused() { # PATTERN ARGUMENTS...
    pattern=$1
    shift
    map "$@" </dev/null
    expect_status 2
    expect_output ''
    expect_error "^mortal map: $pattern"
    [ "$(wc -l <err)" -eq 1 ] || fail "more than one line for: $*"
}

refused 'no module given'
refused 'no module given' -j 2
refused 'no module given' :function
refused 'no function given' trouble:
for value in 0 -1 1025 two 1.5 99999999999; do
    refused "bad value: --workers: '$value' is not a number from 1 to 1024" "-j$value" trouble
done
refused "bad value: --workers: ''" --workers= trouble
for value in 0 0ms -1s soon 1d 5sec 0x10 inf nan 1e3 '' ' 1' 999999999999h; do
    refused "bad value: --deadline: '$value' is not a time" "--deadline=$value" trouble
done
refused "bad value: --grace: 'x'" --grace x trouble
refused "bad value: --retries: '-1'" --retries=-1 trouble
refused "bad value: --progress: 'maybe' is not auto, bar or none" --progress maybe trouble
for value in '' high high: urgent:x ':x' HIGH:x; do
    refused "bad value: --priority: '$value' is not high, normal or low, a colon and a pattern" --priority="$value" trouble
done
# shellcheck disable=SC2046 # one word an argument
refused "more than 16 times --priority" $(printf -- '--priority high:%s ' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17) trouble
refused "unknown option: '-x'" -x trouble
refused "unknown option: '--nonsense'" --nonsense trouble
refused "option needs a value: '--deadline'" trouble --deadline
refused 'items given twice' -a /dev/null trouble item
refused 'cannot read items: nowhere: No such file' -a nowhere trouble
refused 'cannot read items: \.: it is a directory' -a . trouble
refused 'module takes no --arg' --arg x trouble

"$MORTAL" >out 2>err && fail "no verb should be refused"
"$MORTAL" mpa >out 2>err
status=$?
expect_status 2
expect_error "^mortal: no such verb: 'mpa'"

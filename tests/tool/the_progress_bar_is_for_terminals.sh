#!/bin/sh
# On a terminal a bar is drawn below the messages and gone at the end; elsewhere there is none unless asked for.
. "${0%/*}/helpers"
command -v script >/dev/null || { echo "no script(1)"; exit 77; }

escape=$(printf '\033')
on_terminal() { # ARGUMENTS... what the terminal shows goes to "screen"
    script -qec "stty cols 80; '$MORTAL' map $*" screen >/dev/null </dev/null
}
on_terminal "-j 1 trouble 'sleep 300' fail b"
grep -q "1 running" screen || fail "no bar on a terminal: $(cat screen)"
grep -q '0/3' screen || fail "the bar does not count: $(cat screen)"
grep -q "item 2 not done: 'fail'" screen || fail "no message: $(cat screen)"
tail -c 200 screen | grep -q '3 items in ' || fail "no summary: $(cat screen)"
# What a bar leaves is erased before anything else is written.
awk -v escape="$escape" '/items in/ && /running/ && $0 !~ escape "\\[K[^" escape "]*items in" { exit 1 }' screen ||
    fail "the summary stands in the bar"
on_terminal "--progress none trouble 'sleep 200'"
! grep -q running screen || fail "a bar in spite of --progress none"

map trouble 'sleep 200'
refuse_error running
map --progress bar trouble 'sleep 200'
expect_error '1 running'
expect_output slept

#!/bin/sh
# SIGKILL to the tool itself: its hosts end with it.
. "${0%/*}/helpers"

interruptible -j 2 trouble 'wait-for gate' block
tool=$!
wait_for_file gate.started $tool
# Everything below the tool: its supervisor, and whatever that one has.
family() { # PID
    # shellcheck disable=SC2013 # words, not lines
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        echo "$child"
        family "$child"
    done
}
processes=$(family $tool)
[ -n "$processes" ] || fail "the tool has no child processes"
kill -KILL $tool
wait $tool 2>/dev/null
for process in $processes; do
    while [ -d "/proc/$process" ] && ! grep -q '^State:.Z' "/proc/$process/status" 2>/dev/null; do
        sleep 0.01
    done
done

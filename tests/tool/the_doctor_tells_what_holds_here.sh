#!/bin/sh
# mortal doctor opens a pool, kills in it, and tells what holds: as text, and as JSON that parses, with the same exit
# status. Where things are taken away it says which and what would help: no descriptors, no /proc, no memory, no rights.
# Broken by: a status that does not follow from the findings; JSON that does not parse; a finding that nothing changes.
. "${0%/*}/helpers"

state_in() { # NAME: its state in the file out, which is JSON
    python3 -c 'import json, sys
found = [f for f in json.load(open("out"))["findings"] if f["name"] == sys.argv[1]]
print(found[0]["state"] if found else "absent")' "$1"
}
expect_state() { # NAME STATES...
    name=$1
    shift
    state=$(state_in "$name") || fail "no JSON"
    case " $* " in *" $state "*) ;; *) fail "$name is $state, not $*" ;; esac
}

"$MORTAL" doctor --json >out 2>err
status=$?
[ $status -le 1 ] || fail "exit status $status: $(cat out)"
python3 - <<'END' || fail "JSON that does not add up"
import json
told = json.load(open("out"))
states = {finding["state"] for finding in told["findings"]}
assert told["verdict"] == ("weaker" if "weaker" in states else "holds"), told["verdict"]
assert "missing" not in states, states
trial = told["trial"]
assert trial["done"] and trial["kills"] > 0 and 0 < trial["kill_least_ns"] <= trial["kill_median_ns"] <= trial["kill_most_ns"]
assert trial["exec_open_ns"] > 0
for finding in told["findings"]:
    if finding["state"] in ("weaker", "missing", "no"):
        assert finding["means"] and finding["needs"], finding
END
expect_state exec yes
expect_state fork yes
[ "$(state_in pidfd)" = yes ] || fail "no pidfd"

rules=/sys/kernel/mm/transparent_hugepage
if grep -q '\[never\]' $rules/shmem_enabled 2>/dev/null && ! grep -vq '\[inherit\]' $rules/hugepages-2048kB/shmem_enabled 2>/dev/null; then
    expect_state huge-pages no
else
    expect_state huge-pages yes no # none may be free
fi

"$MORTAL" doctor >text 2>err
[ "$?" = "$status" ] || fail "text and JSON have different exit statuses"
grep -q 'certainly dead after' text || fail "no latency"
grep -Eq '^(Every promise holds|Some promises hold in a weaker form) here\.$' text || fail "no verdict"

# Taken away.
prlimit --nofile=10 "$MORTAL" doctor --json >out 2>err
status=$?
expect_status 2
expect_state pool missing
expect_state nofile weaker
prlimit --nofile=40 "$MORTAL" doctor --json >out 2>err
status=$?
expect_status 1
expect_state nofile weaker
expect_state pool yes
prlimit --fsize=51200 "$MORTAL" doctor --json >out 2>err
status=$?
expect_status 2
expect_state file-size weaker
expect_state pool missing
if setpriv --no-new-privs true 2>/dev/null; then
    setpriv --no-new-privs "$MORTAL" doctor --json >out 2>err
    grep -q 'no new privileges' out || fail "nothing about no_new_privs"
    expect_state exec yes
fi
# (A sanitizer does not run without /proc.)
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null && ! ldd "$MORTAL" | grep -q libasan; then
    # The path of the library is relative to the program, which the linker cannot find without /proc.
    # shellcheck disable=SC2016 # it is that shell that expands it
    LD_LIBRARY_PATH=$BUILD unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$MORTAL" doctor --json' >out 2>err
    status=$?
    expect_status 1
    expect_state proc weaker
    expect_state exec no
fi

# Asked wrongly, or not to be written.
"$MORTAL" doctor --jsno >out 2>err
status=$?
expect_status 64
"$MORTAL" doctor me >out 2>err
status=$?
expect_status 64
"$MORTAL" doctor >/dev/full 2>err
status=$?
expect_status 125
"$MORTAL" doctor --help | grep -q '^usage: mortal doctor' || fail "no help"
grep -q 'Fl -json' "$SRC/docs/man/mortal.1.in" || fail "the manual does not name --json"

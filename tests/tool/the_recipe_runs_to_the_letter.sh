#!/bin/sh
# The well-known recipe's transcript, line by line, also into a pipe and into a file.
. "${0%/*}/helpers"

cat >expected <<'END'
Main thread is waiting a moment...
TPE Runner has started.
Task 0 done.
Task 1 done.
Task 2 done.
Task 3 done.
Main is terminating the tpe...
Main is done.
END
"$EXAMPLES/kill_running" >out 2>err || fail "exit status $?"
diff expected out || fail "into a file: another transcript"
[ ! -s err ] || fail "something on standard error"
"$EXAMPLES/kill_running" | cat >out
diff expected out || fail "into a pipe: another transcript"

#!/bin/sh
# examples/line_server: answers, also while a client's task runs for ever, and kills that task when its client goes.
. "${0%/*}/helpers"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

"$EXAMPLES/line_server" socket >out 2>err &
server=$!
wait_for_file socket $server
cat >talk.py <<'END'
import socket
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect("socket")
    return client
def ask(client, line):
    client.sendall(line + b"\n")
    return client.makefile("rb").readline()
first = connect()
assert ask(first, b"91") == b"7\n"
assert ask(first, b"nonsense") == b"a number from 2, please\n"
stuck = connect()
stuck.sendall(b"18446744073709551557\n")  # the largest prime of 64 bits: minutes
assert ask(stuck, b"15") == b"one at a time, please\n"
assert ask(first, b"97") == b"97\n"
stuck.close()
assert ask(first, b"1000003") == b"1000003\n"
END
python3 talk.py || fail "the talk went wrong"
until grep -q 'a client left: its task is killed' out; do
    kill -0 $server 2>/dev/null || fail "the server ended"
    sleep 0.01
done
kill -TERM $server
wait $server 2>/dev/null
exit 0

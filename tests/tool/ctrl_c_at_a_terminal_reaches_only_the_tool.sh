#!/bin/sh
# A terminal sends SIGINT to the whole foreground: the hosts must leave it to the tool, which gives them their grace.
. "${0%/*}/helpers"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

cat >press.py <<'END'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown, pressed = b"", False
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if not pressed and os.path.exists("gate.started"):
        pressed = True
        os.write(terminal, b"\x03")
    if b"interrupted" in shown and not os.path.exists("gate"):
        open("gate", "w").close()
_, status = os.waitpid(pid, 0)
open("screen", "wb").write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
END
python3 press.py "$MORTAL" map -j 1 --grace 30s trouble 'wait-for gate' never
status=$?
[ $status -eq 130 ] || fail "exit status $status: $(cat screen)"
grep -q '^waited' screen || fail "the running item was not allowed to finish: $(cat screen)"

#!/bin/sh
# With --obituaries there is one line of JSON for each process that died, with the item, the reason and the function it was
# in; without deaths the file is empty; with -v a person is told the same. A file that cannot be written is an error.
. "${0%/*}/helpers"

map -v --obituaries deaths --deadline 300ms trouble hello crash hang 'exit 3'
expect_status 1
expect_output 'hello'
python3 - deaths <<'END' || fail "the obituaries are not as they should be: $(cat deaths)"
import json, sys
deaths = {}
for line in open(sys.argv[1], encoding="utf-8"):
    death = json.loads(line)
    deaths[death["culprit"]["name"]] = death
assert sorted(deaths) == ["crash", "exit 3", "hang"], sorted(deaths)
crash, hang, leave = deaths["crash"], deaths["hang"], deaths["exit 3"]
assert crash["asked"] == "nobody" and crash["signal_name"] == "SIGSEGV" and crash["fault_address"] == "0x10"
assert crash["backtrace"] == "taken" and crash["frames"][0]["function"] == "crash"
assert hang["asked"] == "deadline" and hang["signal_name"] == "SIGKILL" and hang["latency_ns"] > 0
assert hang["backtrace"] in ("taken", "no answer")
assert leave["cause"] == "exit" and leave["exit_code"] == 3
assert sorted(death["number"] for death in deaths.values()) == [1, 2, 3]
END
expect_error "^mortal map: host [0-9]+ \(process [0-9]+, active\) ended by SIGSEGV at 0x10$"
expect_error "culprit: task [0-9]+ 'hang', attempt 1"

map --obituaries deaths trouble hello
expect_status 0
[ ! -s deaths ] || fail "nobody died: $(cat deaths)"

map trouble crash
refuse_error "process"

map --obituaries /nowhere/deaths trouble hello
expect_status 125
expect_error 'cannot write the obituaries: /nowhere/deaths: No such file'

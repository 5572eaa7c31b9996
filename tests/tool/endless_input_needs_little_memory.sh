#!/bin/sh
# Items are read only as fast as results leave: with the first item stuck, reading stops; memory stays where it was.
. "${0%/*}/helpers"

mkfifo in
input=in
interruptible -j 2 -q trouble
tool=$!
# The reader of this pipe must stop reading: then the writer, which counts, stops, too.
{
    echo 'wait-for gate'
    item=$(head -c 100000 /dev/zero | tr '\0' x)
    number=0
    while [ $number -lt 20000 ]; do # 2 GB
        echo "$item" || break
        number=$((number + 1))
        echo $number >written
    done
} >in 2>/dev/null &
writer=$!
wait_for_file gate.started $tool
before=-1
now=0
while [ "$now" != "$before" ] || [ "$now" = 0 ]; do # until the count stands still for a second
    before=$now
    sleep 1
    now=$(cat written 2>/dev/null || echo 0)
done
peak=$(awk '/^VmHWM/ { print $2 }' /proc/$tool/status)
kill -KILL $writer
wait $writer 2>/dev/null
: >gate
wait $tool
status=$?
[ "$now" -lt 10000 ] || fail "$now items of 100 kB were read while the first result was missing"
[ "$peak" -lt 500000 ] || fail "the tool needed $peak kB"
expect_status 0
[ "$(wc -l <out)" -gt 100 ] || fail "results are missing"

#!/bin/sh
# Of items that wait, those that match a pattern of high priority start first and those of low priority last, each kind in
# the order of the input; results come in the order of the items all the same.
# Broken by: a priority that reaches no task; a pattern that is not looked at as a whole, or matches no slash; results in
# the order of starts.
. "${0%/*}/helpers"

read_so_far() {
    sed -n 's/^rchar: //p' "/proc/$tool/io"
}

# One worker, held at a gate. Behind it six items wait in the pool, which is when as many bytes more were read and the tool
# sleeps again. First some others, of no priority, so that no turns are counted: the tool begins with few at once.
play() { # OPTIONS...
    rm -f gate gate.started in
    mkfifo in
    input=in
    interruptible -j 1 --priority low:l --priority 'high:h?' --priority 'low:l*' --priority 'high:f*' "$@" trouble
    tool=$!
    exec 3>in
    for i in 1 2 3 4 5 6 7 8 9 10; do
        echo "$i of ten" >&3
    done
    echo 'wait-for gate' >&3
    wait_for_file gate.started $tool
    until [ "$(wc -l <out)" -ge 10 ]; do
        kill -0 $tool 2>/dev/null || fail "the tool ended too early"
        sleep 0.01
    done
    before=$(read_so_far)
    [ -n "$before" ] || { echo "no counts of what a process reads here"; exit 77; }
    printf 'l1\nl/\nfalse\nh1\nl3\nh2\n' >&3
    until [ "$(read_so_far)" -ge $((before + 18)) ] && grep -q '^State:.S' "/proc/$tool/status"; do
        kill -0 $tool 2>/dev/null || fail "the tool ended too early"
        sleep 0.01
    done
    : >gate
    exec 3>&-
    wait $tool || fail "exit status $?"
    tail -n 6 out | tr '\n' ' ' >order
}

play --unordered -q
[ "$(cat order)" = 'false h1 h2 l1 l/ l3 ' ] || fail "they started in another order: $(cat order)"
play -q
[ "$(cat order)" = 'l1 l/ false h1 l3 h2 ' ] || fail "results are not in the order of items: $(cat order)"

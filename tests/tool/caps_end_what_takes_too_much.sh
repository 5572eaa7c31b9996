#!/bin/sh
# --memory, --more-memory, --cpu, --max-processes, --recycle: what takes too much ends, is told so, and the rest goes on.
. "${0%/*}/helpers"

map -j 1 --memory 100M --joblog log trouble a eat 'eat 20' b
expect_status 1
expect_output 'a\nfull\nb'
expect_column Outcome 2 'out of memory'
expect_error "item 2 not done: 'eat': out of memory: it was refused more: SIGSEGV"
expect_error '4 items in .*: 3 done, 1 out of memory$'

map -j 1 --memory 100M --retries 2 --more-memory 100 --joblog log trouble 'eat 300' 'eat 20'
expect_status 0
expect_output 'full\nfull'
expect_column Attempts 1 3
expect_column Attempts 2 1

map -j 2 --cpu 50ms --joblog log trouble hang 'sleep 200' a
expect_status 1
expect_output 'slept\na'
expect_column Outcome 1 'timed out'
expect_error "item 1 not done: 'hang': timed out: its processor time was over"
refuse_error 'killed at the deadline'

map -j 2 --max-processes 3 --joblog log trouble 'multiply 4' a
expect_status 1
expect_output 'a'
expect_column Outcome 1 crashed
expect_error 'it had more processes than it may'

yes a | head -2000 >items
map -j 2 --recycle 10 -q trouble <items
expect_status 0
cmp -s out items || fail 'an item is missing'

for option in '--memory 0' '--memory 5X' '--memory -1' '--cpu 0' '--max-processes x' '--recycle 0' '--more-memory 0'; do
    # shellcheck disable=SC2086 # two words
    map $option trouble a
    expect_status 2
    expect_error "bad value: ${option% *}: '${option#* }' is not a"
done
map --more-memory 50 trouble a
expect_status 2
map --memory 1K trouble a
expect_status 125
expect_error 'memory_bytes is 1024 and a host without any task needs'

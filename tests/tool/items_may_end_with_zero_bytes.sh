#!/bin/sh
# -0: line feeds belong to the items; the last item needs no ending; an empty item is one.
. "${0%/*}/helpers"

printf 'two\nlines\0one\0' >items
map -0 trouble <items
expect_status 0
expect_output 'two\nlines\none'

printf 'a\0\0b' >items
map -0 --joblog log -a items trouble
expect_status 0
expect_output 'a\nb'
expect_column Item 2 ''
expect_column Outcome 2 'done'
expect_column Item 3 b

printf 'tab\there\nfeed\0' >items
map -0 --joblog log trouble <items
expect_column Item 1 'tab\there\nfeed'

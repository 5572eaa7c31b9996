#!/bin/sh
# Where modules are looked for, and what is said about those that are none.
. "${0%/*}/helpers"

map nowhere item
expect_status 126
expect_error '^mortal map: cannot load module: nowhere: no such file'
map ./nowhere.so item
expect_status 126
echo 'not a shared object' >text.so
map ./text.so item
expect_status 126
expect_error '^mortal map: cannot load module: .*text\.so'
map . item
expect_status 126
map trouble:nothing_of_the_kind item
expect_status 127
expect_error 'no such function: .*trouble\.so: nothing_of_the_kind'

for name in trouble trouble.so "$MODULES/trouble" "$MODULES/trouble.so" trouble:mortal_main; do
    map "$name" item
    expect_status 0
    expect_output item
done
cp "$MODULES/template.so" trouble.so # the current directory goes first
map trouble 'three words here'
expect_output 3

map --arg '(' regex text.so
expect_status 126
expect_error 'pattern'

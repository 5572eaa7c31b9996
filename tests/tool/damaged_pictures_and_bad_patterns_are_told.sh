#!/bin/sh
# The two real modules: right on healthy input, a reason for what is damaged, a kill for what explodes.
. "${0%/*}/helpers"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }

python3 "$SRC/examples/demo_png.py" tiny tiny.png
python3 "$SRC/examples/demo_png.py" bomb bomb.png
head -c 60 tiny.png >damaged.png
map -j 2 --deadline 400ms --joblog log png tiny.png damaged.png bomb.png nowhere.png .
expect_status 1
python3 "$SRC/examples/demo_png.py" describe tiny.png | cut -f2 >expected
cmp -s out expected || fail "the picture is not: $(cat expected)"
expect_error "item 2 not done: 'damaged.png': failed.*:"
expect_error "item 4 not done: 'nowhere.png': failed.*No such file"
expect_error "item 5 not done: '\.': failed"
expect_column Outcome 3 'timed out'

printf 'one\ntwo\nthree\n' >text
printf '%040d!\n' 0 | tr 0 a >evil
printf '%s\t%s\n' '^t' text '^(a+)+$' evil '(' text 't' . 'e$' text >items
map -j 2 --deadline 400ms --joblog log -a items regex
expect_status 1
expect_output '2\n2'
expect_column Outcome 2 'timed out'
expect_error "item 3 not done: .*: failed.*missing closing parenthesis"
expect_error "item 4 not done: .*: failed.*not a regular file"
map --arg '^t' regex:lines text
expect_output 'two\nthree'
map regex text
expect_error 'no pattern'

#!/bin/sh
# Help goes to standard output with status 0, and names every option that there is.
. "${0%/*}/helpers"

"$MORTAL" --version >out 2>err || fail "--version: exit status $?"
grep -Eqx 'mortal [0-9]+\.[0-9]+\.[0-9]+' out || fail "not a version"
for words in '--help' 'help' 'help map' 'map --help' 'map -j 2 --help'; do
    # shellcheck disable=SC2086 # several words
    "$MORTAL" $words >out 2>err || fail "$words: exit status $?"
    grep -q '^usage: mortal' out || fail "$words: no usage"
    [ ! -s err ] || fail "$words: something on standard error"
done
"$MORTAL" help map >out
options="workers arg-file null quiet arg deadline retries halt keep-going grace unordered tag joblog max-deaths
    progress soft-deadline stats help"
for option in $options; do
    grep -q -- "--$option" out || fail "help does not name --$option"
    grep -Eq -- "Fl -$option( |$)" "$SRC/docs/man/mortal.1.in" || fail "the manual does not name --$option"
done
"$MORTAL" --help >/dev/full 2>err
status=$?
expect_status 125

#!/bin/sh
# Every public function has a manual page, and mandoc has nothing to say against any page.
set -u

command -v mandoc >/dev/null 2>&1 || { echo "skip: no mandoc here"; exit 77; }
failed=0
# shellcheck disable=SC2013 # names have no blanks
for name in $(sed -n 's/^ *\(mortal_[a-z_]*\);$/\1/p' "$SRC/src/mortal.map"); do
    [ -s "$BUILD/docs/man/$name.3" ] || { echo "$name has no page"; failed=1; }
done
for page in "$BUILD"/docs/man/*.[137]; do
    mandoc -T lint -W warning "$page" || failed=1
done
exit $failed

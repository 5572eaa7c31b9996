#!/bin/sh
# What mortal does, in a minute: the recipe, what comes after it, and the tool on real files with real trouble among
# them.
#
# usage: examples/demo.sh BUILD_DIR
#
# Every result of a healthy item is compared with that of another program. Exit status 0: all are equal, and all trouble
# was ended.
set -u
export LC_ALL=C

build=$(realpath "${1:?usage: examples/demo.sh BUILD_DIR}") || exit 2
here=$(realpath "${0%/*}")
[ -x "$build/tools/mortal" ] || { echo "demo: $build/tools/mortal is not there: build first" >&2; exit 2; }
command -v python3 >/dev/null || { echo "demo: needs python3 to check results: apt-get install python3" >&2; exit 2; }
export MORTAL_MODULES="$build/modules"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

bold='' plain='' green='' red=''
if [ -t 1 ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m') green=$(printf '\033[32m') red=$(printf '\033[31m')
fi
faults=0

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
good() { printf '  %sok%s  %s\n' "$green" "$plain" "$*"; }
bad() {
    printf '  %sWRONG%s  %s\n' "$red" "$plain" "$*"
    faults=$((faults + 1))
}

# mortal map, its command line shown; results go to "results", the table of items is appended to "log".
map() {
    printf '  $ mortal map %s\n' "$(echo "$*" | sed "s/ --joblog one//; s/	/\\\\t/g")"
    "$build/tools/mortal" map --tag --joblog one "$@" >results 2>told
    status=$?
    sed -n 's/^mortal map: \(item [0-9]* \)*/  /p' told | sed "s|$work/||g; s/^\(.\{116\}\).*/\1.../"
    tail -n +2 one >>log
    [ $status -eq 1 ] || bad "exit status $status, expected 1: some items are trouble"
}

# "results" and "expected" hold lines ITEM<tab>RESULT; every one must be there on both sides.
compare() { # WHAT WITH
    sort results >a
    sort expected >b
    if cmp -s a b; then
        good "all $(wc -l <b | tr -d ' ') $1 are equal to those of $2"
    else
        bad "$1 differ from those of $2:"
        diff a b | head -5
    fi
}

# The trouble of the last map: each item must have ended as it should.
expect_end() { # SEQ OUTCOME WHAT
    outcome=$(awk -F'\t' -v seq="$1" '$1 == seq { print $3 }' one)
    [ "$outcome" = "$2" ] || bad "$3 should be $2, is '$outcome'"
}

# Puts the lines of a file among others, evenly; shows at which numbers they are: "trouble.at".
mix() { # HEALTHY TROUBLE MIXED
    awk -v every=$(($(wc -l <"$1") / ($(wc -l <"$2") + 1) + 1)) -v trouble="$2" '
        function one() { if ((getline line <trouble) > 0) { print line; print ++n > "trouble.at" } }
        { print; n++ }
        NR % every == 0 { one() }
        END { while ((getline line <trouble) > 0) { print line; print ++n > "trouble.at" } }
    ' "$1" >"$3"
}

began=$(date +%s%N)
: >log

title '1. The recipe: a thread pool in a child process, killed while it runs'
"$build/examples/kill_running" | sed 's/^/  /' || bad 'kill_running failed'

title '2. Where the recipe ends: the same pool carries on'
"$build/examples/carry_on" >carried || bad 'carry_on failed'
sed 's/^/  /' carried

title '3. A pattern over the text files of this machine, among them a pattern that never ends'
find /usr/share/common-licenses /usr/share/perl /usr/share/perl5 /usr/share/doc -type f \
    \( -path '*common-licenses*' -o -name '*.p[lm]' -o -name copyright \) 2>/dev/null | sort | head -2000 >texts
printf '%040d!\n' 0 | tr 0 a >letters.txt
sed 's/^/[Ll]icen[cs]e|warranty\t/' texts >healthy
printf '^(a+)+$\tletters.txt\n^(a|aa)+$\tletters.txt\n' >bad
mix healthy bad items
map -j 2 --deadline 500ms -a items regex
while read -r seq; do
    expect_end "$seq" 'timed out' 'a pattern that backtracks for ever'
done <trouble.at
xargs grep -acE '[Ll]icen[cs]e|warranty' /dev/null <texts | grep -v '^/dev/null:' |
    sed 's/^\(.*\):\([0-9]*\)$/[Ll]icen[cs]e|warranty\t\1\t\2/' >expected
compare 'line counts' 'grep'

title '4. The PNG pictures of this machine, among them a decompression bomb and a damaged file'
find /usr/share -name '*.png' -type f -size -24k 2>/dev/null | sort | head -400 >healthy
python3 "$here/demo_png.py" tiny tiny.png
python3 "$here/demo_png.py" bomb bomb.png
head -c 50 tiny.png >damaged.png
echo tiny.png >>healthy
printf 'bomb.png\ndamaged.png\n' >bad
mix healthy bad items
map -j 2 --deadline 1s -a items png
expect_end "$(sed -n 1p trouble.at)" 'timed out' 'the bomb'
expect_end "$(sed -n 2p trouble.at)" failed 'the damaged file'
xargs python3 "$here/demo_png.py" describe <healthy >expected || bad 'the check of the pictures failed'
compare 'pictures' 'a decoder in Python'

title '5. Code that hangs, crashes, exits and overflows, in the same pool as code that does not'
find /usr/share/perl /usr/share/perl5 -name '*.pm' 2>/dev/null | sed 's|.*/||; s|\.pm$||' | sort -u | head -500 >healthy
echo fine >>healthy
printf '%s\n' hang crash 'exit 0' overflow abort block end-thread >bad
mix healthy bad items
map -j 2 --deadline 300ms -a items trouble
set -- 'timed out' crashed crashed crashed crashed 'timed out' crashed
while read -r seq; do
    expect_end "$seq" "$1" "item $seq"
    shift
done <trouble.at
sed 's/.*/&\t&/' healthy >expected
compare 'words' 'the list itself'

title 'In all'
awk -F'\t' '
    { n++; count[$3]++ }
    END { printf "  %d items: %d done, %d killed at their deadline, %d crashed, %d failed with a reason\n",
                 n, count["done"], count["timed out"], count["crashed"], count["failed"] }' log
awk -F'\t' '$3 == "timed out" && $10 > 0 {
    deadline = $2 ~ /^(hang|block)$/ ? 0.3 : $2 ~ /bomb/ ? 1 : 0.5
    printf "  %-28.28s dead %7.3f ms after its deadline of %g ms\n", $2, ($10 - deadline) * 1000, deadline * 1000 }' log
if left=$(pgrep -f "^$build/tools/mortal map"); then
    bad "processes are left:" "$left"
else
    good 'no process is left'
fi
printf '  %s\n' "$(awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { printf "%.1f seconds", ns / 1e9 }')"
if [ $faults -gt 0 ]; then
    printf '\n%s%d things went wrong.%s\n' "$red" $faults "$plain"
    exit 1
fi
title 'Every healthy item has its result, and what hung or crashed cost no more than itself.'

#!/bin/sh
# Static analysers over every C file that is built, and every script. Their warnings are errors.
#
# usage: tests/lint.sh BUILD [FILE...]     only these files; else all
# shellcheck disable=SC2317 # what step() is given looks unreachable
set -u

cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ $# -gt 0 ] && shift
# shellcheck disable=SC2046 # no file name here has blanks
[ $# -gt 0 ] || set -- .ci/run $(find [a-z]* -path 'build*' -prune -o \( -name '*.c' -o -name '*.sh' \) -print)
c_files=
scripts=
for file in "$@"; do
    case $file in
    *.c) grep -q "/$file\"" "$build/compile_commands.json" && c_files="$c_files $file" ;;
    *.sh | .ci/run) scripts="$scripts $file" ;;
    esac
done
failed=0
jobs=$(nproc)

step() { # NAME COMMAND...
    name=$1
    shift
    if "$@"; then echo "ok lint $name"; else echo "not ok lint $name"; failed=1; fi
}

# shellcheck disable=SC2086 # one word a file, in all of these
cppcheck_all() {
    cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" --enable=warning,performance,portability \
        --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=varFuncNullUB -D_GNU_SOURCE '-D__attribute__(x)=' \
        -I include -I src -I tests/harness $c_files
}

# shellcheck disable=SC2086
tidy_all() {
    printf '%s\n' $c_files | xargs -P "$jobs" -n 4 clang-tidy --quiet -p "$build" 2>"$build/clang-tidy.log" && return 0
    grep -v 'warnings generated\|Suppressed\|Use -header-filter' "$build/clang-tidy.log"
    return 1
}

# Only the library: gcc 12's analyser knows little of what tests do with processes on purpose, and takes memory that is
# stored in an array for lost.
# shellcheck disable=SC2086
analyse_all() {
    printf '%s\n' $c_files | grep '^src/' |
        xargs -r -P "$jobs" -n 1 gcc -std=c11 -D_GNU_SOURCE -O1 -fanalyzer \
            -Wno-analyzer-malloc-leak -Werror -I include -I src -c -o /dev/null
}

if [ -n "$c_files" ]; then
    step cppcheck cppcheck_all
    step clang-tidy tidy_all
    step gcc-analyzer analyse_all
fi
if [ -n "$scripts" ]; then
    # What scripts source cannot be followed, so neither can it be seen that it uses a variable.
    # shellcheck disable=SC2086
    step shellcheck shellcheck -e SC1090,SC1091,SC2034 $scripts
fi
exit $failed

#!/bin/sh
# Install what packaging/debian-packages.txt names and this machine lacks.
#
# usage: packaging/setup.sh [DOOR]      DOOR: also what the list restricts to this door of the Makefile, such as lint
#
# When nothing is missing it only asks dpkg once and needs no rights.
set -eu

list=$(dirname "$0")/debian-packages.txt
door=${1:-}

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: not a Debian system; going on in the hope that these are installed: see $list" >&2
    exit 0
fi

wanted=$(sed 's/#.*//' "$list" | awk -v door="$door" 'NF == 1 || (NF == 2 && $2 == door) { print $1 }')
# shellcheck disable=SC2016,SC2086 # dpkg's own format; one word a package
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
    case "
$installed
" in
    *"
$package installed
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "setup: these packages are missing, and installing them needs root or sudo:$missing" >&2
    exit 1
fi

echo "setup: installing$missing" >&2
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}
apt update || echo "setup: apt-get update failed; trying with the package lists that are there" >&2
# shellcheck disable=SC2086 # one word a package
if ! apt install -y --no-install-recommends $missing; then
    echo "setup: apt-get could not install:$missing" >&2
    exit 1
fi

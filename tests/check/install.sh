#!/bin/sh
# What is installed is where Debian's pkg-config and loader look for it, also without dpkg-dev, and a program of the README is
# built from that alone and runs.
set -u

stage=$(mktemp -d) || exit 1
trap 'rm -rf "$stage"' EXIT
fail() { echo "$*"; exit 1; }

libdir=lib/$(cc -print-multiarch)
make -s -n -C "$SRC" install | grep -q -- "--libdir '$libdir'" || fail "make install does not say --libdir $libdir"
make -s -n -C "$SRC" install DESTDIR= | grep -q "/sbin/ldconfig" || fail "make install does not tell the loader"
pkg-config --variable pc_path pkg-config | tr ':' '\n' | grep -qx "/usr/local/$libdir/pkgconfig" ||
    fail "pkg-config does not look into /usr/local/$libdir"

meson install -C "$BUILD" --destdir "$stage" --no-rebuild --quiet >"$stage/log" 2>&1 || fail "$(cat "$stage/log")"
pc=$(find "$stage" -name mortal.pc)
[ -f "$pc" ] || fail "no mortal.pc is installed"
PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# shellcheck disable=SC2046 # flags are words
cc -o "$stage/hello" "$SRC/examples/hello.c" $(pkg-config --cflags --libs mortal) || fail "hello.c is not built"
told=$(LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") "$stage/hello") || fail "hello ended $?"
case $told in
*"Hello, world!"*) ;;
*) fail "hello says: $told" ;;
esac

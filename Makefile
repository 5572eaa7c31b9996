# The front door. Every door first installs the Debian packages it lacks (packaging/debian-packages.txt).
#
#   make build DIR=other     another build directory
#   make install DESTDIR=/tmp/stage PREFIX=/usr

DIR    ?= build
PREFIX ?= /usr/local
# Where Debian's loader and pkg-config look: meson chooses it only where dpkg-dev is installed, else lib64.
LIBDIR ?= lib/$(shell cc -print-multiarch)

.PHONY: help setup setup-lint setup-fuzz setup-bench build demo test test-long fuzz bench bench-report lint install clean

help:
	@echo 'make demo       see what mortal does, in a minute'
	@echo 'make build      build everything into $(DIR)/'
	@echo 'make test       all tests: plain, sanitizers, valgrind'
	@echo 'make test-long  the same, repeated and loaded more'
	@echo 'make fuzz       fuzz what hosts may write, for FUZZ_SECONDS (60)'
	@echo 'make bench      measure, against other pools and the raw floor'
	@echo 'make bench-report  the same, and write docs/performance.md from it'
	@echo 'make lint       static analysers; warnings are errors'
	@echo 'make install    install below PREFIX ($(PREFIX)), staged in DESTDIR'
	@echo 'make clean      remove what was built'

setup:
	@packaging/setup.sh

setup-lint:
	@packaging/setup.sh lint

setup-fuzz:
	@packaging/setup.sh fuzz

setup-bench:
	@packaging/setup.sh bench

# A build directory that another meson left half made has no build.ninja: set up again.
build: setup
	@test -f $(DIR)/build.ninja || meson setup --prefix $(PREFIX) $(DIR) >$(DIR).log 2>&1 || { cat $(DIR).log; exit 1; }
	@rm -f $(DIR).log
	@ninja -C $(DIR) --quiet

demo: build
	@examples/demo.sh $(DIR)

test: setup
	@tests/run.sh $(DIR)

test-long: setup
	@MORTAL_TEST_LONG=1 tests/run.sh $(DIR)

fuzz: setup-fuzz
	@tests/fuzz/run.sh $(DIR)

bench: setup-bench build
	@bench/run.sh $(DIR)

bench-report: bench
	@bench/report.py $(DIR)/bench.json docs

lint: setup-lint build
	@tests/lint.sh $(DIR)

install: build
	@meson configure $(DIR) --prefix '$(PREFIX)' --libdir '$(LIBDIR)'
	@DESTDIR='$(DESTDIR)' meson install -C $(DIR) --quiet
	@test -n '$(DESTDIR)' || test "$$(id -u)" -ne 0 || /sbin/ldconfig

clean:
	rm -rf $(DIR) $(DIR)-asan $(DIR)-tsan $(DIR)-fuzz

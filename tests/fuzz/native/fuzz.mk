# Fuzzing the C core. Three builds of each target in this folder: clang's fuzzer, the same code measured for coverage,
# and gcc's sanitizers with a main that replays files (tests/fuzz/native/test_corpus.py).
FUZZ := tests/fuzz/native
FUZZ_TARGETS := open_index open_ring open_chunk read_ring race_ring read_pool race_pool unpack
FUZZ_SHARED := $(filter-out $(FUZZ_TARGETS) replay,$(basename $(notdir $(wildcard $(FUZZ)/*.c))))
FUZZ_PYTHON := message_wire pooled_table
FUZZ_WRAPPED := malloc calloc realloc mmap munmap fstat pread posix_fallocate fcntl open shm_open shm_unlink access \
    opendir readdir dirfd closedir openat horus_now_ns horus_futex_wait
FUZZ_CLANG := $(firstword $(foreach c,clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19,$(shell command -v $(c))))
FUZZ_FLAGS := -std=gnu11 -g -Wall -Wextra -Werror -pthread -DHORUS_STEPS -I$(NATIVE)/include
FUZZ_LINK := $(FUZZ_WRAPPED:%=-Wl,--wrap=%)
# What unpacks messages knows nothing of Python but includes its headers.
FUZZ_INCLUDE = -I$(NATIVE)/python -I$(shell $(BIN)/python -c "import sysconfig; print(sysconfig.get_path('include'))")

# $(1) folder in build/, $(2) compiler, $(3) flags for objects, $(4) for linking, $(5) replay, which has a main, or nothing
define FUZZ_BUILD
build/$(1)/core/%.o: $(NATIVE)/src/%.c $(C_HEADERS)
	@mkdir -p $$(@D)
	@$(2) $(3) $$(FUZZ_FLAGS) -c $$< -o $$@
build/$(1)/python/%.o: $(NATIVE)/python/%.c $(C_HEADERS) | $(VENV)/.ready
	@mkdir -p $$(@D)
	@$(2) $(3) $$(FUZZ_FLAGS) $$(FUZZ_INCLUDE) -c $$< -o $$@
build/$(1)/stage/%.o: $(FUZZ)/%.c $(wildcard $(FUZZ)/*.h) $(C_HEADERS) | $(VENV)/.ready
	@mkdir -p $$(@D)
	@$(2) $(3) $$(FUZZ_FLAGS) $$(if $$(filter unpack,$$*),$$(FUZZ_INCLUDE)) -c $$< -o $$@
$(FUZZ_TARGETS:%=build/$(1)/%): build/$(1)/%: build/$(1)/stage/%.o $(FUZZ_SHARED:%=build/$(1)/stage/%.o) \
    $(C_CORE:%=build/$(1)/core/%.o) $(FUZZ_PYTHON:%=build/$(1)/python/%.o) $(5:%=build/$(1)/stage/%.o)
	@$(2) $(4) $$(FUZZ_FLAGS) $$(FUZZ_LINK) $$^ -o $$@
endef
$(eval $(call FUZZ_BUILD,fuzz,$(FUZZ_CLANG),-O1 $(SANITIZE) -fsanitize=fuzzer-no-link,$(SANITIZE) -fsanitize=fuzzer))
FUZZ_PROFILE := -fprofile-instr-generate
$(eval $(call FUZZ_BUILD,fuzz-coverage,$(FUZZ_CLANG),-O1 $(FUZZ_PROFILE) -fcoverage-mapping,$(FUZZ_PROFILE),replay))
$(eval $(call FUZZ_BUILD,fuzz-replay,$(CC),-O1 $(SANITIZE),$(SANITIZE),replay))

SECONDS ?= 60
.PHONY: fuzz fuzz-keep fuzz-replay
fuzz-replay: setup  ## Try again what fuzzing has kept, in gcc's build: needs no clang
	$(BIN)/python -m pytest $(ELSEWHERE_FUZZ)

ifneq ($(FUZZ_CLANG),)
fuzz: setup $(FUZZ_TARGETS:%=build/fuzz/%) $(FUZZ_TARGETS:%=build/fuzz-coverage/%)  ## Fuzz the C core (make fuzz SECONDS=60), and show what is covered
	$(BIN)/python $(FUZZ)/run.py --seconds $(SECONDS)

fuzz-keep: setup $(FUZZ_TARGETS:%=build/fuzz/%)  ## Keep what fuzzing found in the corpus
	$(BIN)/python $(FUZZ)/run.py --keep
else
fuzz fuzz-keep:
	@echo "Not fuzzed: clang with libFuzzer was not found (apt-get install clang llvm)."
	@test -z "$(CI)"
endif

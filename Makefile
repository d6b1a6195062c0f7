# make demo      sets up, builds, and counts words with several processes
# make test      sets up, builds, and runs every test
# make lint      checks the sources: one line per finding
# make format    formats all C
# make doc       writes the documents as HTML into build/doc
# make install   installs the egg: for all as root, else for the user
# make uninstall removes it
# make bench     measures against raw C (QUICK=1: in two minutes)
# make bench-instructions   counts the instructions of a message
# make fuzz      60 seconds (SECONDS) each of fuzzing each parser and the swap,
#                of random programs, and of random calls of the kernel (SEED)
# make faults    makes each call of the kernel fail, in turn (JOBS, RUNS: as
#                many of them as given, SCENES)
# make swap-model SEQUENCES=n      as many random sequences on the swap
# make bench-swap            measures the swap alone
# make soak ROUNDS=n         waits and drops sockets, a million times
# make hostile ATTACKS=10000 HALF_OPEN=1000   attacks a server of all types
# make soak HOURS=n          messages with peers that are killed and stopped
# make storm RUNS=60          runs under a storm of signals
# make test-debian13          every test in a Debian 13, as root
# make test-32bit, make test-big-endian      the kernel's tests for i386, s390x
# make swap-campaign GIB=10  as much through the disk, every message checked
#
# V=1 shows the commands.
#
# Nothing outside this folder is touched, but for Debian's packages that
# tools/setup installs, and by make install.

ifndef V
.SILENT:
endif
step = @echo "$(1) $(patsubst $(ROOT)/%,%,$(2))"

ROOT       := $(CURDIR)
BUILD      := $(ROOT)/build
REPOSITORY := $(BUILD)/repository
SYSTEM      = $(shell env -u CHICKEN_REPOSITORY_PATH -u CHICKEN_INSTALL_REPOSITORY chicken-install -repository 2>/dev/null)
# With this environment programs find the egg built here.
HERE        = env CHICKEN_INSTALL_REPOSITORY=$(REPOSITORY) CHICKEN_INSTALL_PREFIX=$(BUILD) \
              CHICKEN_REPOSITORY_PATH=$(REPOSITORY):$(SYSTEM)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Werror
CFLAGS   := -std=c11 -D_GNU_SOURCE -g -O2 $(WARNINGS)
SANITIZE := -fsanitize=address,undefined -fno-omit-frame-pointer
LIBS     := -lzmq -lpthread

KERNEL       := $(wildcard kernel/*.c)
KERNEL_HEADS := $(wildcard kernel/*.h kernel/*.def)
TEST_HEADS   := $(wildcard tests/kernel/*.h)
FUZZERS      := $(patsubst tests/fuzz/bytes/%_fuzz.c,%,$(wildcard tests/fuzz/bytes/*_fuzz.c))
KERNEL_TESTS := $(patsubst tests/kernel/%.c,%,$(wildcard tests/kernel/*_test.c))
TEST_SUPPORT := $(filter-out %_test.c,$(wildcard tests/kernel/*.c))
EGG          := zmq.egg $(wildcard chicken/*.scm chicken/patterns/*.scm chicken/glue/* command/*.scm) $(KERNEL) \
                $(wildcard kernel/*.h kernel/*.def)

FILES     ?= $(wildcard README.md doc/*.* chicken/*.scm kernel/* examples/*.*)
WORKERS   ?= 4
TRANSPORT ?= ipc

.PHONY: demo test egg kernel install uninstall setup peers clean format \
        bench bench-programs bench-instructions soak soak-peers storm flags

demo: egg $(BUILD)/wordcount
	@$(HERE) WORDCOUNT=$(BUILD)/wordcount WORKERS=$(WORKERS) \
	    TRANSPORT=$(TRANSPORT) examples/wordcount $(FILES)

test: setup-for-tests egg kernel kernel-tests $(BUILD)/wordcount peers \
      bench-programs
	$(HERE) BUILD=$(BUILD) WORDCOUNT=$(BUILD)/wordcount tests/all

egg: $(BUILD)/egg

$(BUILD)/egg: $(EGG) | setup
	mkdir -p $(REPOSITORY)
	@echo "building the egg: a minute or two"
ifdef V
	$(HERE) chicken-install
else
	$(HERE) chicken-install > $(BUILD)/egg.log 2>&1 || \
	    { cat $(BUILD)/egg.log; exit 1; }
endif
	touch $@

$(BUILD)/wordcount: examples/wordcount.scm $(BUILD)/egg
	$(call step,csc,$@)
	$(HERE) csc -O2 -o $@ $<

# The user's own repository is used where root's cannot be written.
install: setup
	@V=$(V) tools/install

uninstall:
	@tools/install uninstall

# ------------------------------------------------------------- kernel --

kernel: $(BUILD)/plain/libszmq.a

kernel-tests: $(foreach kind,plain sanitized,$(KERNEL_TESTS:%=$(BUILD)/$(kind)/%)) \
              $(BUILD)/poll/poller_test $(BUILD)/poll/socket_test \
              $(BUILD)/sanitized/sequence_fuzz $(FUZZERS:%=$(BUILD)/sanitized/%_bytes) \
              $(BUILD)/sanitized/faults $(BUILD)/poll/faults

$(BUILD)/plain/%: FLAGS = $(CFLAGS)
$(BUILD)/poll/%: FLAGS = $(CFLAGS) $(SANITIZE) -DSZ_POLL
$(BUILD)/sanitized/%: FLAGS = $(CFLAGS) $(SANITIZE)
$(BUILD)/fuzz/%: FLAGS = -std=c11 -D_GNU_SOURCE -g -O2 $(SANITIZE) \
                         -fno-sanitize-recover=all -fsanitize=fuzzer-no-link
$(BUILD)/fuzz/%: CC = clang

define kind
$(BUILD)/$(1)/%.o: kernel/%.c $(KERNEL_HEADS) | setup
	@mkdir -p $$(@D)
	$$(call step,cc,$$@)
	$$(CC) $$(FLAGS) -c -o $$@ $$<
$(BUILD)/$(1)/libszmq.a: $(KERNEL:kernel/%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	$$(call step,ar,$$@)
	$$(AR) rcs $$@ $$^
$(BUILD)/$(1)/%_test: tests/kernel/%_test.c $(BUILD)/$(1)/libszmq.a $(TEST_SUPPORT) $(TEST_HEADS) | setup-for-tests
	$$(call step,cc,$$@)
	$$(CC) $$(FLAGS) -Ikernel -Itests/kernel -o $$@ $$< $(TEST_SUPPORT) \
	    $(BUILD)/$(1)/libszmq.a -lcmocka $$(LIBS)
endef
$(eval $(call kind,plain))
$(eval $(call kind,sanitized))
$(eval $(call kind,poll))
$(eval $(call kind,fuzz))
$(KERNEL:kernel/%.c=$(BUILD)/fuzz/%.o): | setup-for-fuzz

# -------------------------------------------------------------- peers --

# Programs of other libraries, with which the tests talk.  Where npm's package
# cannot be had, the tests say which of them they have skipped.
peers: $(BUILD)/interop/peer setup-for-peers
	@[ -d $(BUILD)/interop/node_modules/zeromq ] || \
	    tools/setup-npm tests/interop/package.json $(BUILD)/interop || true

$(BUILD)/interop/peer: tests/interop/peer.c | setup-for-peers
	@mkdir -p $(@D)
	$(call step,cc,$@)
	$(CC) $(CFLAGS) -o $@ $< -lczmq -lzmq

setup-for-peers:
	@tools/setup python3-zmq libczmq-dev

# --------------------------------------------------------------- swap --

SECONDS   ?= 60
SEQUENCES ?= 1000000
SEED      ?= 1
GIB       ?= 10

.PHONY: fuzz swap-model bench-swap swap-campaign

# Each fuzzer of one parser runs for SECONDS.  Findings stay in build/fuzz;
# those that were understood are kept as tests.
fuzz: $(FUZZERS:%=$(BUILD)/fuzz/%) $(BUILD)/fuzz/parsers $(BUILD)/fuzz/programs \
      $(BUILD)/sanitized/sequence_fuzz
	for name in $(FUZZERS); do \
	    mkdir -p $(BUILD)/fuzz/corpus/$$name && \
	    $(BUILD)/fuzz/$$name -max_total_time=$(SECONDS) -max_len=4096 -timeout=60 \
	        -artifact_prefix=$(BUILD)/fuzz/$$name- -print_final_stats=1 \
	        $(BUILD)/fuzz/corpus/$$name tests/fuzz/corpus/$$name || exit 1; \
	done
	$(HERE) $(BUILD)/fuzz/parsers $$(($(SECONDS) * 3000)) $(SEED)
	$(HERE) $(BUILD)/fuzz/programs -s $(SECONDS) $(SEED)
	$(BUILD)/sanitized/sequence_fuzz -s $(SECONDS) $(SEED)

$(BUILD)/sanitized/sequence_fuzz: $(wildcard tests/fuzz/*.c tests/fuzz/*.h) \
                                  $(BUILD)/sanitized/libszmq.a
	$(call step,cc,$@)
	$(CC) $(CFLAGS) $(SANITIZE) -Ikernel -o $@ $(wildcard tests/fuzz/*.c) \
	    $(BUILD)/sanitized/libszmq.a $(LIBS)

$(BUILD)/fuzz/%: tests/fuzz/bytes/%_fuzz.c tests/fuzz/bytes/bytes.h \
                 $(BUILD)/fuzz/libszmq.a $(TEST_HEADS)
	$(call step,clang,$@)
	$(CC) $(FLAGS) -fsanitize=fuzzer -Ikernel -Itests/kernel -o $@ $< \
	    $(BUILD)/fuzz/libszmq.a $(LIBS)

# The same without libFuzzer, for the inputs in tests/fuzz/corpus.
$(BUILD)/sanitized/%_bytes: tests/fuzz/bytes/%_fuzz.c tests/fuzz/bytes/replay.c \
                            tests/fuzz/bytes/bytes.h $(BUILD)/sanitized/libszmq.a $(TEST_HEADS)
	$(call step,cc,$@)
	$(CC) $(CFLAGS) $(SANITIZE) -Ikernel -Itests/kernel -o $@ $< \
	    tests/fuzz/bytes/replay.c $(BUILD)/sanitized/libszmq.a $(LIBS)

$(BUILD)/fuzz/parsers $(BUILD)/fuzz/programs: $(BUILD)/fuzz/%: tests/fuzz/%.scm \
        $(wildcard tests/fuzz/*.scm) $(BUILD)/egg
	@mkdir -p $(@D)
	$(call step,csc,$@)
	cd tests/fuzz && $(HERE) csc -O2 -o $@ $(<F)

setup-for-fuzz:
	@tools/setup clang libclang-rt-14-dev

swap-model: $(BUILD)/plain/swap_test $(BUILD)/plain/swap_socket_test
	SZ_SEQUENCES=$(SEQUENCES) SZ_SEED=$(SEED) $<
	SZ_PLAYS=$(SEQUENCES) $(BUILD)/plain/swap_socket_test

# ------------------------------------------------------------- faults --

JOBS ?= 2
RUNS ?= -1

.PHONY: faults

faults: $(BUILD)/sanitized/faults $(BUILD)/poll/faults
	$(BUILD)/sanitized/faults -v -j $(JOBS) -n $(RUNS) $(SCENES)
	$(BUILD)/poll/faults -v -j $(JOBS) -n $(RUNS) $(SCENES)

# The kernel's calls of other libraries lead to tests/faults/inject.c.
$(BUILD)/%/faults: $(wildcard tests/faults/*) $(BUILD)/%/libszmq.a
	tests/faults/symbols $(BUILD)/$*/libszmq.a >$(BUILD)/$*/faults.symbols
	objcopy --redefine-syms=$(BUILD)/$*/faults.symbols \
	    $(BUILD)/$*/libszmq.a $(BUILD)/$*/libfaults.a
	$(CC) $(FLAGS) -Ikernel -o $@ $(wildcard tests/faults/*.c) \
	    $(BUILD)/$*/libfaults.a $(LIBS)

# -------------------------------------------------------------- bench --

bench: bench-programs $(BUILD)/bench/egg-checked $(BUILD)/bench/swap
	@tools/setup gnuplot-nox
	$(HERE) BUILD=$(BUILD) QUICK=$(QUICK) csi -s bench/run.scm
	$(BUILD)/bench/swap

bench-swap: $(BUILD)/bench/swap
	$<

# GIB through the disk, every message checked.
swap-campaign: $(BUILD)/bench/swap
	$< campaign $(GIB)

$(BUILD)/bench/swap: bench/swap.c $(BUILD)/plain/libszmq.a
	@mkdir -p $(@D)
	$(call step,cc,$@)
	$(CC) $(CFLAGS) -Ikernel -o $@ $^ $(LIBS)

bench-instructions: bench-programs setup-for-tests
	$(HERE) BUILD=$(BUILD) bench/instructions

bench-programs: $(BUILD)/bench/raw $(BUILD)/bench/egg

$(BUILD)/bench/raw: bench/raw.c bench/measure.h | setup
	@mkdir -p $(@D)
	$(call step,cc,$@)
	$(CC) $(CFLAGS) -o $@ $< $(LIBS)

$(BUILD)/bench/egg: bench/egg.scm bench/measure.h $(BUILD)/egg
	@mkdir -p $(@D)
	$(call step,csc,$@)
	$(HERE) csc -O3 -d0 -I tests -C "-Ibench -D_GNU_SOURCE" -o $@ $<

# As most programs are compiled: with call traces.
$(BUILD)/bench/egg-checked: bench/egg.scm bench/measure.h $(BUILD)/egg
	@mkdir -p $(@D)
	$(call step,csc,$@)
	$(HERE) csc -O3 -I tests -C "-Ibench -D_GNU_SOURCE" -o $@ $<

# --------------------------------------------------------------- soak --

ROUNDS ?= 1000000

ifdef HOURS
soak: soak-peers
else
soak: $(BUILD)/soak/wait
	$(HERE) $(BUILD)/soak/wait $(ROUNDS)
endif

soak-peers: $(BUILD)/soak/peer setup-for-peers
	$(HERE) /usr/bin/python3 -I tests/soak/peers.py $< $(or $(HOURS),1) $(SEED)

$(BUILD)/soak/%: tests/soak/%.scm $(BUILD)/egg
	@mkdir -p $(@D)
	$(call step,csc,$@)
	$(HERE) csc -O2 -I tests/soak -o $@ $<

# Runs of four seconds under a timer of 400 to 2,500 Hz.
RUNS ?= 60

storm: $(BUILD)/storm/storm
	$(HERE) tests/storm/run $(BUILD)/storm/storm $(RUNS)

$(BUILD)/storm/%: tests/storm/%.scm $(wildcard tests/storm/*.scm) $(BUILD)/egg
	@mkdir -p $(@D)
	$(call step,csc,$@)
	cd tests/storm && $(HERE) csc -O2 -o $@ $(<F)

# ------------------------------------------------------------- systems --

.PHONY: test-debian13 test-32bit test-big-endian

test-debian13:
	@tests/system debian13

test-32bit:
	@tests/system i386

test-big-endian:
	@tests/system s390x

# -------------------------------------------------------------- others --

setup:
	@tools/setup

setup-for-tests:
	@tools/setup libcmocka-dev valgrind tmux pandoc graphviz

# ------------------------------------------------------------ hostile --

ATTACKS   ?= 10000
HALF_OPEN ?= 1000

.PHONY: hostile
hostile: egg setup-for-peers
	ulimit -n 8192; $(HERE) /usr/bin/python3 tests/hostile/attack.py $(ATTACKS) $(HALF_OPEN) $(SEED)

.PHONY: lint

lint:
	@tools/lint

format:
	@tools/format

# The documents as HTML, with an index of names.
.PHONY: doc
doc:
	tools/doc $(BUILD)/doc

flags:
	@echo '$(CFLAGS)'

clean:
	rm -rf build
	rm -f *.o *.so *.a *.link *.types *.import.scm *.build.sh *.install.sh

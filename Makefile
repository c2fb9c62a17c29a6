# `make help` lists the targets. `make test` and `make demo` set up a fresh machine by themselves.
CARGO ?= cargo
export CARGO_TARGET_DIR ?= $(CURDIR)/target
# Where rustup puts cargo; a shell that is not a login shell does not know it.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: all
all: ## build the shared and the static library (release)
	$(CARGO) build --release --lib

.PHONY: setup
setup: ## install what is missing on this machine
	scripts/setup.sh

.PHONY: test
test: setup ## everything: style, unit, C, valgrind, comparison, package and demonstration tests
	python3 scripts/test.py

.PHONY: bench
bench: all ## measure beside the released C client and write docs/benchmarks.md; FAST=1: two minutes, only printed
	peer=$$(scripts/get-peer.sh) && export NATS_SERVER=$$(scripts/get-server.sh || true) && \
	c-tests/bench/run.py "$$peer" $(CARGO_TARGET_DIR)/release $(if $(FAST),--fast,--write)

.PHONY: faults
faults: all ## break connections in all ways, beside the released C client; a few minutes
	cmake -S c-tests -B build/faults -DNATS_LIB_DIR=$(CARGO_TARGET_DIR)/release -DNATS_INCLUDE_DIR=$(CURDIR)/include
	cmake --build build/faults --target faults_client
	ln -sf libnats.so $(CARGO_TARGET_DIR)/release/libnats.so.3.14
	peer=$$(scripts/get-peer.sh || true) && server=$$(scripts/get-server.sh || true) && \
	python3 c-tests/faults/run.py --client build/faults/faults/client --ours $(CARGO_TARGET_DIR)/release \
	    $${peer:+--peer "$$peer"} $${server:+--server "$$server"}

.PHONY: demo
demo: setup ## watch a server freeze and come back
	demo/run.sh

.PHONY: fuzz
fuzz: ## look for bytes that break a promise; SECONDS=60 for each target; needs a nightly toolchain
	scripts/fuzz.sh $(or $(SECONDS),60)

.PHONY: headers
headers: ## write include/ anew from the Rust sources
	$(CARGO) run --package nats-headers

.PHONY: compatibility
compatibility: all ## write COMPATIBILITY.md anew
	python3 scripts/compatibility.py $(CARGO_TARGET_DIR)/release/libnats.so

.PHONY: fmt
fmt: setup ## format the Rust, C and Python sources, wrap comments
	python3 scripts/lint.py --fix rust-format c-format python-format width

.PHONY: lint
lint: setup ## check the format of all sources, run clippy
	python3 scripts/lint.py

.PHONY: clean
clean: ## remove what was built
	$(CARGO) clean

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

# The only front door. `make help` lists what there is to do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build image run demo challenge siege test interop hostile hostile-planted judge tcp load mutants sim planted lint reloads soak fuzz fuzz-short fuzz-planted fuzz-coverage fuzz-box fuzz-box-planted bench bench-recording facts ci clean

IMAGE := target/image/bountybox.elf
CARGO ?= cargo

help: ## Say what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

deps: ## Install what building and testing use (Debian packages), where it is missing
	@tools/install build

image: deps ## Build the guest image only
	@appliance/build-image

build: image ## Build the guest image and the bountybox command
	@$(CARGO) build --release --locked -p bountybox

run: demo ## Start the appliance on its embedded default and print a curl line that works

demo: build ## The same as run
	@target/release/bountybox demo

test: build ## Everything that must hold: unit, property, end-to-end on both machines and both nets
	@tools/install test
	@tools/test

interop: build ## Test with real peers: clients of two Debians, a browser, nginx, HAProxy, scanners; writes docs/interop.md
	@tools/install interop
	@tools/interop $(INTEROP)

hostile: build ## Attack a running box in every way we know; judged by a legitimate client too; writes docs/attacks.md
	@tools/install hostile
	@tools/hostile $(HOSTILE)

hostile-planted: deps ## Weaken the build by each patch of tests/hostile/planted: the test that it names must fail, and pass without it
	@tools/install hostile
	@tools/planted attacks

judge: build ## Judge curl, OpenSSL, GnuTLS, Python, Node.js, Go, Java, rustls by answering them wrongly; writes docs/misbehave.md
	@tools/install judge
	@tools/judge $(JUDGE)

tcp: build ## RFC 9293's list, and 100 MiB each way over a wire that delays, loses, reorders and repeats, beside Linux; writes docs/tcp.md
	@$(CARGO) run --locked -q -p tcp -- $(TCP)

load: build ## 50,000 idle connections, slow clients, half-open handshakes, readers that never read: root, 8 GiB, a quarter of an hour; writes docs/load.md
	@$(CARGO) run --quiet --locked -p load -- $(LOAD)

challenge: build ## Serve a box that is there to be broken, in a laboratory with known flags
	@bounty/arbiter-wasm/build
	@target/release/bountybox challenge --lab --arbiter target/wasm/arbiter.wasm

siege: build ## A contest's box under ten minutes of mixed hostile traffic, on both machines: evidence within its bounds, no proof missing, memory flat
	@tools/install test
	@SIEGE_SECONDS=$(or $(TIME),600) $(CARGO) test --locked -p e2e --test e2e -- contest_stands_a_siege

mutants: deps ## Build each mutant of bounty/mutants, or NAMES: its exploit wins a tier of it over the network, and nothing of the real box; MACHINE=process|kvm
	@tools/mutants $(NAMES)

lint: deps ## rustfmt, clippy, rustdoc, cargo-deny
	@tools/lint

reloads: build ## 200 reloads in 60 s under 500 connections/s, on both machines: nothing fails, breaks or sees half a configuration
	@RELOADS=200 RELOAD_EVERY_MS=300 RELOAD_RATE=500 $(CARGO) test --locked -p e2e --test e2e -- reloads_under_load

sim: deps ## SEEDS=1000 runs of the simulator, each thrown by one seed; RERUNS=100 of each, to the byte; SEED=7 [ACTS=1,2] tells one of them
	@$(CARGO) run -q --locked --profile sim -p sim -- $(if $(SEED),--seed $(SEED) $(if $(ACTS),--acts $(ACTS)),--seeds $(or $(SEEDS),$(if $(RERUNS),1,100)) $(if $(FROM),--from $(FROM)) $(if $(RERUNS),--reruns $(RERUNS)))

planted: deps ## Plant each bug of tests/sim/planted into a copy of the tree: the simulator must find it within SEEDS=2000 seeds
	@tools/planted sim

soak: build ## What takes longer than a test may: all 65,536 ports from the inside, one fresh cell each; a minute of mixed load, recorded and replayed
	@PORT_STEP=1 $(CARGO) test --locked -p machine --test hostile closed_ports
	@RECORD_SECONDS=60 $(CARGO) test --locked -p e2e --test e2e -- user/recorded_session

fuzz: deps ## Run every fuzz target, or TARGET, for TIME seconds each (60), JOBS at once (1); a table at the end
	@tools/install fuzz
	@TIME=$(or $(TIME),60) JOBS=$(or $(JOBS),1) tools/fuzz $(TARGET)

fuzz-short: deps ## 20 s a target, all cores: what CI may take
	@tools/install fuzz
	@TIME=20 JOBS=$(or $(JOBS),$(shell nproc)) tools/fuzz

fuzz-planted: deps ## Plant a bug in the boundary of each target, and see it found
	@tools/install fuzz
	@tools/fuzz planted $(TARGET)

fuzz-coverage: ## What seeds and corpora reach, as tables for docs/fuzz.md
	@tools/fuzz coverage

fuzz-box: deps ## AFL++ on the guest image itself for TIME seconds (60), on MACHINE=process|kvm, at STAGE=connected|sealed
	@tools/install fuzz-box
	@TIME=$(or $(TIME),60) tools/fuzz-box

fuzz-box-planted: deps ## Plant each bug of fuzz/box/planted in the guest image, and see AFL++ find it
	@tools/install fuzz-box
	@tools/fuzz-box planted

bench: build ## Measure against nginx, HAProxy, hitch, stunnel; writes docs/bench/
	@tools/install bench
	@tools/bench

bench-recording: build ## What recording costs: the same box with and without, in one run; writes docs/bench/recording.md
	@BENCH_SUBJECTS=kvm/tap,kvm/tap+record,kvm/user,kvm/user+record,process/user,process/user+record $(CARGO) run --locked -q --release -p bench

facts: build ## Print the numbers that README quotes, from this tree
	@tools/facts

# Lint takes the core that linking leaves idle; tests want both. Not by make's own -j, whose job server cargo would look for in vain.
ci: deps ## What CI runs: lint, every test, 200 runs of the simulator, each fuzz target for 20 s, each attack once
	@mkdir -p target && $(MAKE) --no-print-directory lint >target/lint.txt 2>&1 & \
	    lint=$$!; built=0; $(MAKE) --no-print-directory build || built=$$?; \
	    linted=0; wait "$$lint" || linted=$$?; cat target/lint.txt; exit "$$((built | linted))"
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory sim SEEDS=200
	@$(MAKE) --no-print-directory fuzz-short
	@$(MAKE) --no-print-directory hostile HOSTILE=short

clean: ## Remove what was built
	@$(CARGO) clean

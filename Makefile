# The two commands of the README are `make demo` and `make test`; both install what they need (Debian 12, as root or with sudo).
SHELL := /bin/bash
CONFIGURATION ?= debug
SWIFT_BUILD := swift build --configuration $(CONFIGURATION) -debug-info-format none
export CONFIGURATION

.PHONY: help demo demo-down build test test-lab bench fuzz soak chaos check-release lint packages

help:            ## show this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

packages:        ## install the Debian packages that building and the lab need
	@scripts/packages.sh

build: packages  ## build every executable
	$(SWIFT_BUILD)

demo: packages   ## a host cluster, a tenant's cluster and two nodes of its own, on this computer
	@scripts/demo.sh

demo-down:       ## remove every trace of the demo but the cache
	@scripts/demo-down.sh

test: packages   ## pure tests, integration against a real kube-apiserver, and the end-to-end line
	@scripts/test.sh

test-lab: packages  ## every longer lab test; one of them: make test-lab ONLY=name
	@NESTBOX_TEST_LAB=1 scripts/test.sh $(ONLY)

bench: packages  ## speed, as ratios to a floor measured beside it; one of them: make bench ONLY=name, each measured RUNS=5 times
	@Benchmarks/run.sh $(ONLY)

fuzz: packages   ## fuzz every parser of the tunnel, MINUTES=5 in all; one target: make fuzz ONLY=frames
	@scripts/fuzz.sh $(ONLY)

soak: packages   ## the tunnel under faults of all kinds, and what it holds afterwards: a round of MINUTES=30, SEED=n to have it again
	@scripts/campaign.sh soak

chaos: packages  ## three tunnel servers, one killed every 10 s, under load: MINUTES=5, SEED=n; ONLY=pools, operator, control-plane, etcd: in a lab
	@scripts/campaign.sh $(or $(ONLY),chaos)

check-release: packages  ## build for release, and check sizes, linkage and memory
	@scripts/check-release.sh

lint:            ## what CI holds the sources to
	swift format lint --strict -r Sources Tests Package.swift

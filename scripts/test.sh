#!/bin/bash
# The tests; with an argument, those whose names match it.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/phases.sh

swift=(swift build --configuration "$CONFIGURATION" -debug-info-format none)
phase "formatting" swift format lint --strict -r Sources Tests Package.swift
phase "build" "${swift[@]}" --build-tests
bin=$("${swift[@]}" --show-bin-path)
phase "obtain Kubernetes v1.20.2" "$bin/nestbox" artifacts get v1.20.2
phase "tests" swift test --configuration "$CONFIGURATION" -debug-info-format none --skip-build ${1:+--filter "$1"}
phases

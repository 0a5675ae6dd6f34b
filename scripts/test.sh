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
# Against hanging, not against being slow: a module takes seconds, the lab's longer tests most of an hour.
limit=1800
[ "${NESTBOX_TEST_LAB:-}" != 1 ] || limit=10800
tests=(timeout -k 30 "$limit" swift test --configuration "$CONFIGURATION" -debug-info-format none --skip-build)

# What the run came to, and what it skipped.
outcome() { grep -aE '^(✔|✘) Test run|^➜ .*skipped' "$log"; }

# A module's tests in a process of their own, so that no module's load or ports are another's. Once more when they fail: said aloud,
# for a test that passes the second time is to be mended all the same.
module() {
    "${tests[@]}" --filter "^$1\\." >"$log" 2>&1 && outcome && return
    grep -aE '^(✘|↳|error)|Fatal|crashed|Test run' "$log" | head -60
    echo "warning: $1 failed; once more" >&2
    "${tests[@]}" --filter "^$1\\." >"$log" 2>&1 && outcome && return
    cat "$log"
    return 1
}

if [ -n "${1:-}" ]; then
    phase "tests that match $1" "${tests[@]}" --filter "$1"
else
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    for folder in Tests/*Tests; do
        name=${folder#Tests/}
        [ "$name" = EndToEndTests ] || phase "$name" module "$name"
    done
    # Last, and by itself: it wants both cores.
    phase "EndToEndTests: the end-to-end line" module EndToEndTests
fi
phases

#!/bin/bash
# The tests; with an argument, those whose names match it. Leaves the computer as it was, also when it fails or is interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/phases.sh

swift=(swift build --configuration "$CONFIGURATION" -debug-info-format none)
phase "formatting" swift format lint --strict -r Sources Tests Package.swift
phase "build" "${swift[@]}" --build-tests
bin=$("${swift[@]}" --show-bin-path)
phase "obtain Kubernetes v1.20.2" "$bin/nestbox" artifacts get v1.20.2

# Every file of the tests is in a folder that goes with this script, and so do the labs that tests bring up and were not let take down.
scratch=$(mktemp -d /tmp/nestbox-tests.XXXXXX)
chmod 755 "$scratch" # some tests have servers that act as another user
export TMPDIR=$scratch
leave() {
    local lab given=${NESTBOX_CACHE:-$HOME/.cache/nestbox}/end-to-end
    for lab in test labtest; do "$bin/nestbox" lab down --name "$lab" >/dev/null 2>&1 || true; done
    if [ -d "$given" ]; then
        NESTBOX_CACHE=$given "$bin/nestbox" lab down --name test-given >/dev/null 2>&1 || true
        rm -rf "$given"
    fi
    rm -rf "$scratch"
}
trap leave EXIT
log=$scratch/log

# Against hanging, not against being slow: a module takes seconds, the lab's longer tests most of an hour.
limit=1800
[ "${NESTBOX_TEST_LAB:-}" != 1 ] || limit=10800
tests=(swift test --configuration "$CONFIGURATION" -debug-info-format none --skip-build)
alone=(timeout -k 30 "$limit")
# In a process namespace of their own, so that nothing that a test started outlives it. Labs have namespaces of theirs.
[ "$(id -u)" -ne 0 ] || alone+=(unshare --pid --fork --kill-child=KILL --mount-proc)

# What the run came to, and what it skipped; no test at all is a failure.
outcome() { grep -aE '^(✔|✘) Test run|^➜ .*skipped' "$log" && ! grep -aq 'Test run with 0 tests' "$log"; }

module() {
    case $1 in
    EndToEndTests | LabTests) timeout -k 30 "$limit" "${tests[@]}" --filter "^$1\\." ;;
    *) "${alone[@]}" "${tests[@]}" --filter "^$1\\." ;;
    esac >"$log" 2>&1 && outcome
}

# A module's tests in a process of their own, so that no module's load or ports are another's. Once more when they fail: said aloud,
# for a test that passes the second time is to be mended all the same.
twice() {
    module "$1" && return
    grep -aE '^(✘|↳|error)|Fatal|crashed|Test run' "$log" | head -60
    echo "warning: $1 failed; once more" >&2
    module "$1" && return
    cat "$log"
    return 1
}

if [ -n "${1:-}" ]; then
    named() { timeout -k 30 "$limit" "${tests[@]}" --filter "$1" 2>&1 | tee "$log" && outcome >/dev/null; }
    phase "tests that match $1" named "$1"
else
    for folder in Tests/*Tests; do
        name=${folder#Tests/}
        [ "$name" = EndToEndTests ] || phase "$name" twice "$name"
    done
    # Last, and by itself: it wants both cores.
    phase "EndToEndTests: the end-to-end line" twice EndToEndTests
fi
phases

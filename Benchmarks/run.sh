#!/bin/bash
# run.sh [NAME...]: brings up a lab of its own, runs the benchmarks in it (or those named), and takes it down, however it ends. The
# tunnel's and the fleet's need no lab and come before it; the tunnel's is left out of a run of all where there is no release build.
# RUNS=n: how often each is measured (5). BIN=folder of built executables, instead of this checkout's. The lab's operators come from the
# same build as the nestbox that is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
source Benchmarks/measure.sh

benchmarks=(fleet create-cluster join-node scale-up get-clusters idle upgrade grow)
if [ -n "${1:-}" ]; then
    benchmarks=("$@")
elif [ -x .build/release/nestbox-tunnel ] && [ -x .build/release/nestbox-node ]; then
    benchmarks=(tunnel "${benchmarks[@]}")
fi
for name in "${benchmarks[@]}"; do
    [ -f "Benchmarks/$name.sh" ] || { echo "error: there is no benchmark $name: ${benchmarks[*]}" >&2; exit 64; }
done
version=${NESTBOX_BENCH_VERSION:-v1.20.2}
cache=${NESTBOX_CACHE:-$HOME/.cache/nestbox}
# Release where it is built (`make check-release` does): what is measured should be what is shipped.
configuration=release
for product in nestbox nestbox-operator nestbox-tunnel nestbox-node; do [ -x ".build/release/$product" ] || configuration=debug; done
mkdir -p "$cache/locks"
export NESTBOX_BIN=${BIN:-$PWD/.build/$configuration}
configuration=${BIN:-$configuration}
nestbox=$NESTBOX_BIN/nestbox

# Two runs would take each other's lab down.
exec 9>"$cache/locks/bench.lock"
flock -n 9 || { echo "error: another run of the benchmarks is under way on this computer" >&2; exit 1; }
work=$(mktemp -d "$cache/bench.XXXXXX") # on the disk that the lab's volumes are on
has_lab=
down() {
    trap '' INT TERM
    local job
    for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || kill "$job" 2>/dev/null || true; done
    [ -z "$has_lab" ] || "$nestbox" lab down --name bench >"$work/down.log" 2>&1 || cat "$work/down.log" >&2
    rm -rf "$work"
}
trap down EXIT
trap 'exit 130' INT TERM

lab_up() {
    has_lab=1
    echo "Nestbox $("$nestbox" version 2>/dev/null | head -1), built for $configuration; Kubernetes $version"
    "$nestbox" lab up --name bench --machines 2 --version "$version" >"$work/up.log" 2>&1 9>&- || { cat "$work/up.log" >&2; exit 1; }
    eval "$("$nestbox" lab env --name bench)"
    scripts/install-in-lab.sh >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; exit 1; }
    credentials "$KUBECONFIG" "$work/host"
}

echo "$(nproc) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r); $(uptime | sed 's/.*load/load/')"
for name in "${benchmarks[@]}"; do
    [[ $name = @(tunnel|fleet) ]] || [ -n "$has_lab" ] || lab_up
    echo
    echo "$name: $(sed -n '2s/^# //p' "Benchmarks/$name.sh"); $(uptime | sed 's/.*load/load/')"
    source "Benchmarks/$name.sh"
done
exit "$missed"

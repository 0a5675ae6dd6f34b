#!/bin/bash
# fuzz.sh [TARGET...]: fuzzes every parser of the tunnel, or those named, for MINUTES (5) in all, and adds the run to
# docs/campaigns.md. SEED=n repeats a run's choices. `fuzz.sh replay TARGET FILE` runs one input again.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${MINUTES:-5}
seed=${SEED:-$((RANDOM * 32768 + RANDOM + 1))}
((minutes >= 1)) || { echo "error: MINUTES=$minutes: at least one" >&2; exit 64; }
folder=$PWD/.build/fuzzing
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/../lib/clang
library=$(find -L "$clang" -name "libclang_rt.fuzzer_no_main-$(uname -m).a" | head -1)
[ -n "$library" ] || { echo "error: this Swift has no libFuzzer under $clang" >&2; exit 1; }

build=(swift build --package-path Tests/Fuzzing --scratch-path "$folder" --configuration release -debug-info-format none
    --product Fuzz -Xlinker "$library" -Xlinker -lstdc++)
"${build[@]}"
fuzz=$("${build[@]}" --show-bin-path)/Fuzz
# libFuzzer's own handler keeps the input.
export SWIFT_BACKTRACE=enable=no

if [ "${1:-}" = replay ]; then exec "$fuzz" run "$2" "$3"; fi

# A build meanwhile does not change what is fuzzed.
cp "$fuzz" "$folder/running"
fuzz=$folder/running

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <("$fuzz" list)
seconds=$((minutes * 60 / ${#targets[@]}))
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- Sources || commit+="+"
cases=0
result=""
mkdir -p "$folder/found"
for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target log=$folder/$target.log
    mkdir -p "$corpus"
    "$fuzz" seeds "$target" "$corpus"
    "$fuzz" run "$target" -seed="$seed" -max_total_time="$seconds" -max_len=4096 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$folder/found/$target-" "$corpus" >"$log" 2>&1 || {
        result+="${result:+, }finding in $target"
        echo "finding in $target, seed $seed:"
        grep -E 'Fatal|ERROR|Test unit' "$log" || tail -5 "$log"
        found=$(sed -n 's/.*Test unit written to //p' "$log")
        [ ! -f "$found" ] || { echo -n "its input: " && base64 -w0 "$found" && echo; }
    }
    count=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
    echo "$target: ${count:-0} cases in $seconds s, $(find "$corpus" -type f | wc -l) inputs kept"
    cases=$((cases + ${count:-0}))
done

scripts/note-campaign.sh Fuzzing "$commit" "$minutes" "$seed" "$cases | ${result:-no finding}"
[ -z "$result" ]

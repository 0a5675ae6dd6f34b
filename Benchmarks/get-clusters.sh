# For run.sh:
# `nestbox get clusters` beside a bare HTTPS GET of the same list, 20 runs
#
# Ten clusters that are paused before anything is made of them: the list is as long as a real one, and the host idle.

ours() {
    local start=$EPOCHREALTIME
    "$nestbox" get clusters >"$work/list"
    figure=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
}

floor() {
    local start=$EPOCHREALTIME
    get "$work/host" /apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters >"$work/list"
    figure=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
}

for number in $(seq 10); do
    "$nestbox" create cluster "paused-$number" --version "$version" --dry-run -o json | jq '.spec.pausedUntil = "2100-01-01T00:00:00Z"'
done | kubectl apply -f - >/dev/null
ours && floor # the first reads the programs from the disk
kept=$runs runs=20
compare ms
runs=$kept
verdict "get clusters over the bare GET, in ms" "$(minus "$ours_median" "$floor_median")" 60
kubectl delete hostedclusters --all --wait --timeout=120s >/dev/null

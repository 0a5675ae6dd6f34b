# For run.sh:
# a pool of the lab from 1 to 4 nodes, three machines at once, over one machine's join in the same lab (0 to 1)
#
# Both end when the last Node is Ready, and everything is pushed in both, from artifacts that are in the store. As the machines, the
# tenant and the host share this computer's cores, what the three take is weighed beside it: CPU seconds by control group, the pushes
# and imports by what they are on the machine's and on the operator's side.

scaled_nodes() { get "$work/tenant" /api/v1/nodes | jq -e --argjson n "$1" '[.items[] | select(.status.conditions[] | .type == "Ready" and .status == "True")] | length == $n'; }
pool_is_at_rest() { kubectl get machines -o json | jq -e --argjson n "$1" '[.items[].status.phase] | (map(select(. == "Ready")) | length) == $n and (map(select(. == "Ready" or . == "Available")) | length) == length'; }

# cpu_seconds GROUP...: what the control groups below the lab's have used, in seconds.
cpu_seconds() {
    local group total=0
    for group; do
        if [ -f "/sys/fs/cgroup/cpuacct/nestbox-bench/$group/cpuacct.usage" ]; then
            total=$((total + $(<"/sys/fs/cgroup/cpuacct/nestbox-bench/$group/cpuacct.usage") / 1000))
        elif [ -f "/sys/fs/cgroup/nestbox-bench/$group/cpu.stat" ]; then
            total=$((total + $(awk '/^usage_usec/ { print $2 }' "/sys/fs/cgroup/nestbox-bench/$group/cpu.stat")))
        fi
    done
    awk -v t="$total" 'BEGIN { printf "%.2f", t / 1000000 }'
}

# pod_groups NAMESPACE [SELECTOR]: the control groups of its pods.
pod_groups() {
    local uid root=/sys/fs/cgroup/nestbox-bench
    [ ! -d /sys/fs/cgroup/cpuacct/nestbox-bench ] || root=/sys/fs/cgroup/cpuacct/nestbox-bench
    for uid in $(kubectl -n "$1" get pods ${2:+-l "$2"} -o jsonpath='{.items[*].metadata.uid}'); do
        find "$root" -type d -name "*pod$uid*" -printf '%P\n'
    done
}

# Names and groups of what is weighed.
declare -A weighed
# weigh FILE: a line a name, with the CPU seconds so far; `busy` and `idle` are the whole computer's.
weigh() {
    local name
    {
        for name in "${!weighed[@]}"; do echo "$name $(cpu_seconds ${weighed[$name]})"; done
        awk -v tick="$(getconf CLK_TCK)" '/^cpu / { printf "computer %.2f\nidle %.2f\n", ($2 + $3 + $4 + $7 + $8) / tick, ($5 + $6) / tick }' /proc/stat
    } >"$1"
}
# difference BEFORE AFTER: what was used between, in a line, the most first.
difference() {
    awk 'NR == FNR { was[$1] = $2; next } { printf "%s %.1f\n", $1, $2 - was[$1] }' "$1" "$2" | sort -k 2 -rn | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}

# scaled FROM TO: leaves the seconds in $figure and what used the CPU in $note.
scaled() {
    local start
    weigh "$work/before"
    start=$EPOCHREALTIME
    "$nestbox" scale nodepool workers --replicas "$2" >/dev/null
    poll 600 scaled_nodes "$2"
    figure=$(since "$start")
    weigh "$work/after"
    note="$1 to $2: CPU s: $(difference "$work/before" "$work/after")"
    poll 120 pool_is_at_rest "$2"
}

floor() { scaled 0 1; }
# In the pool that the floor made: it comes first.
ours() { scaled 1 4; }
empty() {
    "$nestbox" scale nodepool workers --replicas 0 >/dev/null
    poll 600 pool_is_at_rest 0
}

scale_up() {
    local machine one=() four=() run
    "$nestbox" lab up --name bench --machines 4 --version "$version" >"$work/log" 2>&1 9>&- || { cat "$work/log" >&2; return 1; }
    scripts/register-lab-machines.sh bench >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
    "$nestbox" create cluster scale --version "$version" --wait --timeout 300 >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
    "$nestbox" kubeconfig scale -o "$work/tenant.kubeconfig" 2>/dev/null
    credentials "$work/tenant.kubeconfig" "$work/tenant"
    "$nestbox" create nodepool workers --cluster scale --replicas 0 >/dev/null
    weighed=([machines]="" [lab]=.)
    for machine in 1 2 3 4; do weighed[machines]+=" machine-worker-$machine"; done
    for machine in machines control-planes; do
        weighed[operator-$machine]=$(pod_groups nestbox-system "app.kubernetes.io/name=nestbox-$machine" | tr '\n' ' ')
    done
    weighed[tenant-control-plane]=$(pod_groups "$(kubectl get namespaces -o name | sed -n 's|namespace/\(hcp-.*scale.*\)|\1|p')" | tr '\n' ' ')
    # Not counted: the first of all reads the artifacts from the disk.
    floor
    empty
    printf '%4s %10s %10s %7s  %s\n' run "1 to 4 s" "0 to 1 s" ratio "what used the CPU"
    for run in $(seq "$runs"); do
        floor
        one+=("$figure")
        local one_note=$note
        ours
        four+=("$figure")
        printf '%4s %10s %10s %7s  %s | %s\n' "$run" "$figure" "${one[-1]}" "$(ratio "$figure" "${one[-1]}")" "$note" "$one_note"
        empty
    done
    verdict "1 to 4 machines over one join" "$(ratio "$(median "${four[@]}")" "$(median "${one[@]}")")" 1.5
    "$nestbox" delete cluster scale --wait >"$work/log" 2>&1
}
scale_up

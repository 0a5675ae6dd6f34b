# For run.sh:
# what CLUSTERS (20) tenants created at once take of the control-planes operator, the components' work taken away: CPU and memory
#
# Their pods are told to run on host nodes that there are none of, so nothing of a tenant runs, and what is weighed is the host's side
# alone: keys, namespaces, rights, policies, Services, Secrets, StatefulSets, Deployments, statuses and events, from the first object
# created until each cluster says that its etcd is not scheduled, and then for 60 s more, in which the operator looks at each every 10 s.
# Not weighed: what comes when an etcd and an API server answer (etcd's id, RBAC and addons inside, the kubeconfig, the tenant's watches).

fleet_clusters() {
    local number
    for number in $(seq "$1"); do
        printf 'apiVersion: nestbox.dev/v1alpha1\nkind: HostedCluster\nmetadata: {name: fleet-%s, namespace: default}\nspec: {version: %s, controlPlane: {nodeSelector: {nestbox.dev/no-such: node}}}\n---\n' "$number" "$version"
    done
}

# waiting N: whether so many clusters have all that the host's side gives them.
waiting() {
    get "$work/host" /apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters | jq -e --argjson n "$1" \
        '[.items[] | select(.metadata.name | startswith("fleet-")) | select(.status.conditions[]? | .type == "EtcdAvailable" and .reason == "NotReady")] | length == $n'
}

# used PROCESS: its CPU in milliseconds so far.
used() { awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%d", ($12 + $13) * 1000 / tick }' "/proc/$1/stat"; }
# held PROCESS: KiB of memory of its own.
held() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status"; }

measure_fleet() {
    local count=${CLUSTERS:-20} uid process start cpu memory
    uid=$(kubectl -n nestbox-system get pods -l app.kubernetes.io/name=nestbox-control-planes -o jsonpath='{.items[0].metadata.uid}')
    process=$(grep -lF "$uid" $(pgrep nestbox-operato | sed 's|.*|/proc/&/cgroup|') | cut -d/ -f3 | head -1)
    # Not counted: what the first one of all brings in, code and connections.
    fleet_clusters 1 | kubectl apply -f - >/dev/null
    poll 120 waiting 1
    "$nestbox" delete cluster fleet-1 --wait >"$work/log" 2>&1
    sleep 15
    cpu=$(used "$process") memory=$(held "$process") start=$EPOCHREALTIME
    sleep 60
    local idle=$(($(used "$process") - cpu))
    cpu=$(used "$process") memory=$(held "$process") start=$EPOCHREALTIME
    fleet_clusters "$count" | kubectl apply -f - >/dev/null
    poll 600 waiting "$count"
    local built=$(($(used "$process") - cpu)) took
    took=$(since "$start")
    sleep 60
    local after=$(($(used "$process") - cpu - built))
    local grown=$(($(held "$process") - memory))
    echo "$count tenants built in $took s: $built ms of CPU; the 60 s after: $after ms (with none: $idle ms); $grown KiB more memory of its own"
    verdict "ms of CPU a tenant, to be built" "$(awk -v a="$built" -v n="$count" 'BEGIN { printf "%.1f", a / n }')" 50
    verdict "MB of memory a tenant" "$(awk -v a="$grown" -v n="$count" 'BEGIN { printf "%.2f", a * 1.024 / 1000 / n }')" 1
}

measure_fleet
kubectl delete hostedclusters --all --wait --timeout=300s >/dev/null

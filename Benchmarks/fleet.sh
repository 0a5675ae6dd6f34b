# For run.sh:
# what CLUSTERS (20) tenants created at once add to the control-planes operator, the components' work taken away: CPU and memory
#
# Without a lab. The host is a bare kube-apiserver with its etcd, out of the store; the operator is its own executable with the rights of
# its own manifests; and fleet/standin says of pods that they are ready as soon as they are asked for. Nothing runs in them. Two rows,
# each with a host and an operator of its own:
#   host     nobody answers in the tenants' names: keys, namespaces, rights, policies, Services, Secrets, StatefulSets, Deployments,
#            statuses and events, until each cluster says that its etcd does not answer, and what follows within 10 s
#   serving  the stand-in also answers as each tenant's etcd and API server, and has nothing: besides those the cluster's id, rights and
#            addons inside, the tenant's watches and the kubeconfig, until each cluster is Available, and what follows within 10 s
# Not counted, for it comes once: what the first tenant of all brings in, code and connections.

measure_fleet() {
    local count=${CLUSTERS:-20} side job
    export operator=$NESTBOX_BIN/nestbox-operator version standin=$work/bin/standin
    kubernetes=$cache/kubernetes/$version/$(dpkg --print-architecture)/bin
    etcd=$(echo "$cache"/etcd/*/*/bin/etcd)
    export kubernetes etcd
    for side in "$operator" "$kubernetes/kube-apiserver" "$kubernetes/kubectl" "$etcd"; do
        [ -x "$side" ] || { echo "error: there is no $side: make build, and nestbox artifacts get $version" >&2; return 1; }
    done
    (cd Benchmarks/fleet/standin && GOCACHE=$cache/go-build go build -buildvcs=false -trimpath -o "$standin" .)
    echo "built for $configuration; Kubernetes $version"
    for side in ${ROWS:-host serving}; do
        # A group of its own, so that run.sh can end it; the kernel ends the rest with the first process of the namespace.
        set -m
        unshare --net --mount --pid --fork --kill-child --mount-proc Benchmarks/fleet/row.sh "$work/fleet-$side" "$side" "$count" </dev/null 9>&- &
        job=$!
        set +m
        wait "$job" || { missed=1 && echo "error: row $side could not be measured" >&2 && continue; }
        local took cpu after idle memory requests connections
        source "$work/fleet-$side/figures"
        echo "$side: $count tenants in $took s: $cpu ms of CPU, $memory KiB more memory of its own; the 60 s after: $after ms (with one tenant: $idle ms)"
        echo "$side: a tenant: $requests; $connections"
        verdict "$side: ms of CPU a tenant" "$(ratio "$cpu" "$count")" 50
        verdict "$side: MB of memory a tenant" "$(awk -v a="$memory" -v n="$count" 'BEGIN { printf "%.2f", a * 1.024 / 1000 / n }')" 1
    done
}

measure_fleet

# For run.sh:
# from `nestbox create cluster` to the tenant's API answering, over etcd and that kube-apiserver started bare
#
# Ours ends when the published endpoint answers /readyz to the credentials of the tenant's kubeconfig. The floor starts the store's
# etcd and kube-apiserver side by side with the keys, certificates and flags of the control plane just measured (TLS to etcd, its
# data on the same disk), and ends at the same answer to the same credentials.

# endpoint_known CLUSTER: leaves the published endpoint in $endpoint.
endpoint_known() {
    endpoint=$(get "$work/host" "/apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters/$1" | jq -er '.status.apiEndpoints[0]')
}

kubeconfig_offered() {
    get "$work/host" "/api/v1/namespaces/default/secrets/$1-kubeconfig" | jq -er .data.kubeconfig | base64 -d >"$work/tenant.kubeconfig"
}

ours() {
    local name=bench-$run start=$EPOCHREALTIME namespace answered offered etcd api
    "$nestbox" create cluster "$name" --version "$version" >"$work/log" 2>&1
    local returned
    returned=$(since "$start")
    poll 120 endpoint_known "$name"
    poll 300 curl -skf --max-time 2 "https://$endpoint/readyz"
    answered=$(since "$start")
    poll 60 kubeconfig_offered "$name"
    offered=$(since "$start")
    credentials "$work/tenant.kubeconfig" "$work/tenant"
    poll 60 get "$work/tenant" /readyz
    figure=$(since "$start")
    namespace=$(kubectl get hostedcluster "$name" -o jsonpath='{.status.controlPlaneNamespace}')
    etcd=$(pod_process etcd "$namespace")
    api=$(pod_process kube-apiserver "$namespace")
    note="command returned $returned, etcd started $(minus "$(started "$etcd")" "$start"), kube-apiserver started $(minus "$(started "$api")" "$start"), ready to anyone $answered, kubeconfig $offered"

    rm -rf "$work/floor" && mkdir "$work/floor"
    cp -rL "/proc/$etcd/root/etc/nestbox/etcd" "/proc/$api/root/etc/nestbox/." "$work/floor/"
    tr '\0' '\n' <"/proc/$etcd/cmdline" | tail -n +2 | sed "s|/etc/nestbox|$work/floor|; s|/var/lib/etcd|$work/floor/data|" >"$work/floor/etcd.arguments"
    tr '\0' '\n' <"/proc/$api/cmdline" | tail -n +2 | sed "s|/etc/nestbox|$work/floor|" >"$work/floor/api.arguments"
    echo "etcd=$(echo "$cache"/etcd/*/*/bin/etcd) api=$cache/kubernetes/$version/$(dpkg --print-architecture)/bin/kube-apiserver" >"$work/floor/programs"
    "$nestbox" delete cluster "$name" --wait >"$work/log" 2>&1
    kubectl wait --for=delete "namespace/$namespace" --timeout=120s >/dev/null 2>&1 || true
}

# In a network of its own, so that the ports are the same and nobody else's.
floor() {
    figure=$(unshare -n -m bash -euo pipefail <<END
source Benchmarks/measure.sh
source "$work/floor/programs"
ip link set lo up
ip address add 172.20.0.1/32 dev lo
printf '127.0.0.1 localhost etcd-0\n' >"$work/floor/hosts"
mount --bind "$work/floor/hosts" /etc/hosts
mapfile -t etcd_arguments <"$work/floor/etcd.arguments"
mapfile -t api_arguments <"$work/floor/api.arguments"
cp -r "$work/tenant" "$work/floor/tenant"
echo https://172.20.0.1:6443 >"$work/floor/tenant/server"
start=\$EPOCHREALTIME
"\$etcd" "\${etcd_arguments[@]}" >"$work/floor/etcd.log" 2>&1 &
first=\$!
"\$api" "\${api_arguments[@]}" >"$work/floor/api.log" 2>&1 &
trap 'kill -9 \$! \$first 2>/dev/null; wait 2>/dev/null || true' EXIT
poll 120 get "$work/floor/tenant" /readyz || { tail -3 "$work/floor/etcd.log" "$work/floor/api.log" >&2; exit 1; }
since "\$start"
END
    )
}

compare s
verdict "create cluster over the floor" "$ratio" 1.5

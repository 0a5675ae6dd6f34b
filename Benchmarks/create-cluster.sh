# For run.sh:
# from `nestbox create cluster` to the tenant's API answering, over etcd and that kube-apiserver started bare
#
# Ours ends when the published endpoint answers /readyz to the credentials of the tenant's kubeconfig. The floor starts the store's
# etcd and kube-apiserver side by side with the keys, certificates and flags of the control plane just measured (TLS to etcd, its
# data on the same disk), and ends at the same answer to the same credentials.

source Benchmarks/bare.sh

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

    take_bare "$namespace"
    "$nestbox" delete cluster "$name" --wait >"$work/log" 2>&1
    kubectl wait --for=delete "namespace/$namespace" --timeout=120s >/dev/null 2>&1 || true
}

floor() {
    figure=$(bare '
start=$EPOCHREALTIME
start_etcd
start_api
poll 120 api_answers || last_words
since "$start"
')
}

compare s
verdict "create cluster over the floor" "$ratio" 1.5

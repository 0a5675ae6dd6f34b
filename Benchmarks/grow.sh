# For run.sh:
# from one control-plane replica to three while it serves, over one member of etcd and one API server started bare
#
# Ours is from `nestbox scale cluster --replicas 3` until three members of etcd have a vote and three API servers serve that were told of
# them, as `kubectl rollout status` has it. The one before them may still see its clients off: for 30 s, with a watch open.
# The floor starts the store's etcd with that control plane's own keys, certificates and flags, and when it answers its kube-apiserver, to
# the answer of that: one member and one API server, one after the other, as they depend on each other.

source Benchmarks/bare.sh

# told NAMESPACE: whether one API server serves that was told of three members; rolled_out: whether three do, and no other is kept.
deployment() { get "$work/host" "/apis/apps/v1/namespaces/$1/deployments/control-plane" | jq -e "select(any(.spec.template.spec.containers[].command[]; test(\"^--etcd-servers=([^,]*,){2}\")) and .status.observedGeneration == .metadata.generation) | .status | $2"; }
told() { deployment "$1" '.updatedReplicas >= 1 and .replicas == .updatedReplicas and .availableReplicas >= 1'; }
rolled_out() { deployment "$1" '.replicas == 3 and .updatedReplicas == 3 and .availableReplicas == 3'; }
grown() { get "$work/host" "/apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters/$1" | jq -e ".status | $2"; }

ours() {
    local name=bench-$run start second third one namespace
    "$nestbox" create cluster "$name" --version "$version" --wait --timeout 600 >"$work/log" 2>&1
    "$nestbox" kubeconfig "$name" -o "$work/tenant.kubeconfig" 2>/dev/null
    credentials "$work/tenant.kubeconfig" "$work/tenant"
    namespace=$(kubectl get hostedcluster "$name" -o jsonpath='{.status.controlPlaneNamespace}')
    poll 60 grown "$name" 'all(.conditions[]; .type != "Progressing" or .status == "False")'
    take_bare "$namespace"
    start=$EPOCHREALTIME
    "$nestbox" scale cluster "$name" --replicas 3 >"$work/log" 2>&1
    poll 300 grown "$name" '.etcd.members >= 2'
    second=$(since "$start")
    poll 300 grown "$name" '.etcd.members == 3'
    third=$(since "$start")
    poll 600 told "$namespace"
    one=$(since "$start")
    poll 600 rolled_out "$namespace"
    figure=$(since "$start")
    poll 120 grown "$name" 'all(.conditions[]; .type != "Progressing" or .status == "False")'
    note="two members $second, three $third, an API server of theirs $one, the one before gone $(since "$start")"
    "$nestbox" delete cluster "$name" --wait >"$work/log" 2>&1
    kubectl wait --for=delete "namespace/$namespace" --timeout=120s >/dev/null 2>&1 || true
}

floor() {
    local times
    times=$(bare '
start=$EPOCHREALTIME
start_etcd
poll 120 etcd_answers || last_words
since "$start"
echo
start_api
poll 120 api_answers || last_words
since "$start"
')
    figure=$(tail -n 1 <<<"$times")
    note="etcd $(head -n 1 <<<"$times")"
}

compare s
verdict "1 to 3 over one member and one API server" "$ratio" 2

# For run.sh:
# a patch upgrade of a control plane with one replica, over the bare restart of the same components in the same lab
#
# Ours is from `nestbox upgrade cluster --to` until the status says that the upgrade is completed: every pod is of the new version and
# ready. The floor deletes the control-plane pod, as somebody would by hand, until the one that the Deployment makes instead is ready and
# the API answers. Both start the same programs, under two numbers (a stamp), on the same node, with their images there; ours serves
# meanwhile, the floor does not. etcd stays in both.
#
# NEXT=version: to which; the patch after the lab's by itself.

next=${NEXT:-${version%.*}.$((${version##*.} + 1))}
cluster_status() { get "$work/host" "/apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters/$1" | jq -e ".status | $2"; }
control_plane_pods() { get "$work/host" "/api/v1/namespaces/$namespace/pods?labelSelector=nestbox.dev%2Fcomponent%3Dcontrol-plane"; }
is_made() { control_plane_pods | jq -e --arg v ":$next" 'any(.items[]; any(.spec.containers[]; .image | endswith("/kube-apiserver" + $v)))'; }
# has_another POD: whether one that is not that one is ready, and the API answers.
has_another() {
    control_plane_pods | jq -e --arg old "$1" 'any(.items[]; .metadata.name != $old and any(.status.conditions[]?; .type == "Ready" and .status == "True"))' &&
        get "$work/tenant" /readyz
}
is_upgraded() { cluster_status "$1" ".versionHistory[-1] | .version == \"$next\" and .state == \"Completed\""; }
# at_rest CLUSTER: whether nothing rolls, and one pod is there.
at_rest() {
    cluster_status "$1" 'all(.conditions[]; .type != "Progressing" or .status == "False")' && control_plane_pods | jq -e '.items | length == 1'
}

ours() {
    local start made returned
    cluster=bench-$run
    "$nestbox" create cluster "$cluster" --version "$version" --wait --timeout 600 >"$work/log" 2>&1
    "$nestbox" kubeconfig "$cluster" -o "$work/tenant.kubeconfig" 2>/dev/null
    credentials "$work/tenant.kubeconfig" "$work/tenant"
    namespace=$(kubectl get hostedcluster "$cluster" -o jsonpath='{.status.controlPlaneNamespace}')
    poll 60 at_rest "$cluster"
    start=$EPOCHREALTIME
    "$nestbox" upgrade cluster "$cluster" --to "$next" >"$work/log" 2>&1
    returned=$(since "$start")
    poll 60 is_made
    made=$(since "$start")
    poll 300 is_upgraded "$cluster"
    figure=$(since "$start")
    note="checks and command $returned, its pod made $made"
    poll 120 at_rest "$cluster"
}

floor() {
    local old start
    old=$(control_plane_pods | jq -r '.items[0].metadata.name')
    start=$EPOCHREALTIME
    kubectl -n "$namespace" delete pod "$old" --wait=false >/dev/null
    poll 300 has_another "$old"
    figure=$(since "$start")
    "$nestbox" delete cluster "$cluster" --wait >"$work/log" 2>&1
    kubectl wait --for=delete "namespace/$namespace" --timeout=120s >/dev/null 2>&1 || true
}

[ -d "$cache/kubernetes/$next" ] || "$nestbox" artifacts get "$next" --stamp-of "$version" >"$work/log" 2>&1
"$nestbox" lab up --name bench --version "$version" --tenant-version "$version" --tenant-version "$next" >"$work/log" 2>&1 9>&- || { cat "$work/log" >&2; return 1; }
compare s
verdict "upgrade over the bare restart of its components" "$ratio" 1.5

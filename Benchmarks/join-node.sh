# For run.sh:
# from `nestbox scale nodepool` +1 to Node Ready, the push apart, over the same kubelet started bare on a prepared machine
#
# A machine that was cleaned keeps nothing, so every join pushes everything: programs and images. How long that takes is read off
# the Machine's plan steps as they change (NodeTools, Programs, Image-*) and taken away from ours, whose figure is that of a
# machine with the artifacts already on it. The floor is the other lab machine with the joined one's files and images, put there
# by hand: its containerd started, then its kubelet with a fresh token at the published endpoint, its request approved and its
# pod network set as soon as they are seen.

# on MACHINE: runs the shell's text on standard input there, as root.
on() {
    local name address user key
    read -r name address user key < <("$nestbox" lab machines --name bench | grep "^$1 ")
    shift
    ssh -i "$key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$user@$address" sudo -n "$@"
}

node_ready() { get "$work/tenant" "/api/v1/nodes/$1" | jq -e '.status.conditions[] | select(.type == "Ready" and .status == "True")'; }
machine_is() { [ "$(kubectl get machine worker-1 -o jsonpath='{.status.phase}')" = "$1" ]; }

# Stamps every change of the Machine's phase and of its plan's steps.
watch_machine() {
    get "$work/host" '/apis/nestbox.dev/v1alpha1/machines?watch=1&fieldSelector=metadata.name%3Dworker-1' -N --max-time 900 |
        jq -c --unbuffered '{phase: .object.status.phase} + ([.object.status.plan.steps[]? | {(.name): .state}] | add // {})' |
        while read -r line; do echo "$EPOCHREALTIME $line"; done
}

# step_times FILE: "STEP BEGAN ENDED" lines, in epochs.
step_times() {
    jq -Rr -s '[split("\n")[] | select(. != "") | capture("^(?<at>[0-9.]+) (?<state>.*)$") | {at: (.at | tonumber), state: (.state | fromjson)}] as $seen
        | ($seen | map(.state | keys[]) | unique - ["phase"])[] as $step
        | [$seen[] | select(.state[$step] == "Running") | .at][0] as $began | [$seen[] | select(.state[$step] == "Succeeded") | .at][0] as $ended
        | select($began and $ended) | "\($step) \($began) \($ended)"' "$1" | sort -n -k 2
}

ours() {
    local start watch
    # Killed with the shell that runs it: a watch of an idle object would not notice that its reader is gone.
    set -m
    watch_machine >"$work/steps" 2>/dev/null &
    watch=$!
    set +m
    sleep 0.3
    start=$EPOCHREALTIME
    "$nestbox" scale nodepool workers --replicas 1 >/dev/null
    poll 600 node_ready worker-1
    total=$(since "$start")
    poll 60 machine_is Ready
    kill -- -"$watch" 2>/dev/null
    wait "$watch" 2>/dev/null || true
    step_times "$work/steps" >"$work/times"
    read -r figure push note < <(awk -v start="$start" -v total="$total" '
        $1 ~ /^(NodeTools|Programs|Image-)/ { push += $3 - $2 }
        { steps = steps sprintf(" %s %.1f", $1, $3 - $2); if (NR == 1) first = $2 - start; if ($1 == "StartKubelet") kubelet = $2 - start }
        END { printf "%.2f %.2f all %.2f, push %.2f; claim to first step %.1f, kubelet started at %.1f, Ready %.1f later; steps:%s\n", total - push, push, total, push, first, kubelet, total - kubelet, steps }' "$work/times")
    pushes+=("$push")
    totals+=("$total")
    [ -d "$work/clone" ] || return 0
    "$nestbox" scale nodepool workers --replicas 0 >/dev/null
    poll 300 machine_is Available
}

# The other machine gets what the joined one has, and its images from the store.
prepare_floor() {
    local first second image
    read -r _ first _ < <("$nestbox" lab machines --name bench | grep '^worker-1 ')
    read -r _ second _ < <("$nestbox" lab machines --name bench | grep '^worker-2 ')
    on worker-1 tar -C / -cf - opt/nestbox opt/cni etc/nestbox etc/cni etc/hosts etc/sysctl.d/99-nestbox.conf \
        etc/systemd/system/nestbox-containerd.service etc/systemd/system/nestbox-kubelet.service |
        on worker-2 tar -C / --no-overwrite-dir -xf -
    on worker-2 sh -s <<END
set -e
sed -i 's/--hostname-override=worker-1/--hostname-override=worker-2/; s/--node-ip=$first/--node-ip=$second/' /etc/systemd/system/nestbox-kubelet.service
grep -q worker-2 /etc/hosts || echo '127.0.1.1 worker-2' >>/etc/hosts
sysctl -q -p /etc/sysctl.d/99-nestbox.conf || true
systemctl daemon-reload
systemctl start nestbox-containerd
END
    for image in "$cache"/images/*/*/*.tar "$cache/kubernetes/$version/$(dpkg --print-architecture)/images/kube-proxy.tar"; do
        on worker-2 sh -c '"/opt/nestbox/bin/ctr --address /run/nestbox/containerd/containerd.sock -n k8s.io images import --snapshotter $(cat /etc/nestbox/snapshotter) -"' <"$image" >/dev/null
    done
    on worker-2 sh -s <<'END'
set -e
systemctl stop nestbox-containerd
rm -rf /opt/prepared && cp -a /var/lib/containerd /opt/prepared
END
    mkdir "$work/clone"
    on worker-1 cat /etc/nestbox/bootstrap.kubeconfig >"$work/clone/bootstrap"
    sed -i "s|server: .*|server: $(<"$work/tenant/server")|" "$work/clone/bootstrap"
}

# Nothing of an earlier run, and a fresh token.
reset_floor() {
    kubectl --kubeconfig "$work/tenant.kubeconfig" delete node/worker-2 --ignore-not-found --wait >/dev/null
    on worker-2 sh -s <<'END'
systemctl stop nestbox-kubelet nestbox-containerd
find /sys/fs/cgroup/pids -path '*kubepods*' -name cgroup.procs -exec cat {} + 2>/dev/null | xargs -r kill -9 2>/dev/null
pkill -9 -f containerd-shim
sleep 0.5
grep -oE ' /(var/lib/kubelet|run/nestbox|run/netns|var/lib/containerd)/[^ ]+' /proc/mounts | sort -r | xargs -r umount -l
rm -rf /run/nestbox /var/lib/cni /run/netns/*
find /var/lib/kubelet /var/lib/containerd -mindepth 1 -maxdepth 1 -exec rm -rf {} +
cp -a /opt/prepared/. /var/lib/containerd/
sync
END
    local id secret
    id=$(openssl rand -hex 3)
    secret=$(openssl rand -hex 8)
    kubectl --kubeconfig "$work/tenant.kubeconfig" apply -f - >/dev/null <<END
apiVersion: v1
kind: Secret
metadata: {name: bootstrap-token-$id, namespace: kube-system, labels: {nestbox.dev/machine: worker-2}}
type: bootstrap.kubernetes.io/token
stringData: {token-id: "$id", token-secret: "$secret", usage-bootstrap-authentication: "true", auth-extra-groups: system:bootstrappers:nestbox}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: worker-2, namespace: nestbox-system, labels: {nestbox.dev/record: node}}
data: {addresses: "$second_address", podCIDR: 10.244.200.0/24, notBefore: "9999-12-31T23:59:59Z", since: "$(date -u +%FT%TZ)", epoch: "$run"}
END
    sed -E "s/[a-z0-9]{6}\.[a-z0-9]{16}/$id.$secret/" "$work/clone/bootstrap" | on worker-2 tee /etc/nestbox/bootstrap.kubeconfig >/dev/null
}

floor() {
    local second_address pid registered
    read -r _ second_address _ < <("$nestbox" lab machines --name bench | grep '^worker-2 ')
    reset_floor
    # The clock begins on the machine, when ssh is through.
    on worker-2 bash -c "'echo \$EPOCHREALTIME; systemctl start nestbox-containerd; echo \$EPOCHREALTIME; systemctl start nestbox-kubelet'" >"$work/began" &
    pid=$!
    poll 120 get "$work/tenant" /api/v1/nodes/worker-2
    registered=$EPOCHREALTIME
    get "$work/tenant" /api/v1/nodes/worker-2 -X PATCH -H 'Content-Type: application/merge-patch+json' \
        -d '{"spec": {"podCIDR": "10.244.200.0/24", "podCIDRs": ["10.244.200.0/24"]}}' >/dev/null || true
    poll 120 node_ready worker-2
    wait "$pid"
    local began kubelet
    { read -r began; read -r kubelet; } <"$work/began"
    figure=$(since "$began")
    note="containerd $(minus "$kubelet" "$began"), registered $(minus "$registered" "$began")"
}

join_node() {
    "$nestbox" create cluster join --version "$version" --wait --timeout 300 >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
    "$nestbox" kubeconfig join -o "$work/tenant.kubeconfig" 2>/dev/null
    credentials "$work/tenant.kubeconfig" "$work/tenant"
    local name address user key
    read -r name address user key < <("$nestbox" lab machines --name bench | head -1)
    "$nestbox" create machine "$name" --address "$address" --user "$user" --ssh-key "$key" --reuse AnyTenant >/dev/null
    poll 120 machine_is Available
    "$nestbox" create nodepool workers --cluster join --replicas 0 >/dev/null
    pushes=() totals=() run=0
    # Not counted: its files are what the floor is prepared of.
    ours
    prepare_floor
    "$nestbox" scale nodepool workers --replicas 0 >/dev/null
    poll 300 machine_is Available
    pushes=() totals=()
    compare s
    echo "apart: the push $(median "${pushes[@]}") s; with it $(median "${totals[@]}") s from scale to Ready"
    verdict "join without the push over the floor" "$ratio" 1.5
    "$nestbox" delete cluster join --wait >"$work/log" 2>&1
    poll 300 machine_is Available
    kubectl delete machine "$name" >/dev/null
}
join_node

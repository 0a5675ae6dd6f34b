#!/bin/bash
# From nothing to a tenant's pods on the tenant's own nodes. Every step may be run again: what is there is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/phases.sh

version=${NESTBOX_DEMO_VERSION:-v1.20.2}
swift=(swift build --configuration "$CONFIGURATION" -debug-info-format none)

phase "build Nestbox" "${swift[@]}"
bin=$("${swift[@]}" --show-bin-path)
nestbox=$bin/nestbox
phase "obtain Kubernetes $version" "$nestbox" artifacts get "$version"
phase "bring up the lab: a host cluster and two machines" "$nestbox" lab up --name demo --machines 2 --version "$version"
eval "$("$nestbox" lab env --name demo)" # KUBECONFIG, NESTBOX_LAB_SSH_KEY, PATH with kubectl

phase "install Nestbox on the host cluster" scripts/install-in-lab.sh
phase "register the machines" scripts/register-lab-machines.sh demo
exists() { kubectl get "$1" "$2" >/dev/null 2>&1; }
exists hostedcluster demo || "$nestbox" create cluster demo --version "$version"
exists nodepool workers || "$nestbox" create nodepool workers --cluster demo --replicas 2
phase "the tenant's control plane" kubectl wait --for=condition=Available --timeout=600s hostedcluster/demo
"$nestbox" kubeconfig demo -o demo.kubeconfig
phase "the tenant's nodes" kubectl wait --for=condition=Ready --timeout=900s nodepool/workers

tenant=(kubectl --kubeconfig demo.kubeconfig)
say "A Deployment with a Service, on the tenant's nodes"
"${tenant[@]}" apply -f manifests/samples/hello.yaml
phase "the tenant's pods" "${tenant[@]}" rollout status deployment/hello --timeout=300s
run "${tenant[@]}" get nodes,pods -o wide
run "${tenant[@]}" logs deployment/hello --tail=3
run "${tenant[@]}" exec deployment/hello -- hostname
say "kubectl port-forward service/hello :80, and a page through it"
forwarding=$(mktemp)
"${tenant[@]}" port-forward service/hello :80 >"$forwarding" &
trap 'kill $! 2>/dev/null; rm -f "$forwarding"' EXIT
for _ in $(seq 100); do
    address=$(grep -o '127\.0\.0\.1:[0-9]*' "$forwarding" | head -1) && break
    sleep 0.1
done
curl -fsS --noproxy '*' --max-time 10 "http://$address/"

phases
cat <<EOF

The tenant's cluster is yours. Three commands to try next:
  kubectl --kubeconfig demo.kubeconfig get pods -A -o wide
  eval "\$($nestbox lab env --name demo)" && $nestbox get machines -o wide
  $nestbox scale nodepool workers --replicas 1 --wait
\`make demo-down\` removes it all.
EOF

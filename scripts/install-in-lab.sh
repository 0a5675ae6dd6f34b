#!/bin/bash
# Installs Nestbox on the lab's host cluster, with the kinds first, and waits until both halves of the operator serve.
set -euo pipefail
cd "$(dirname "$0")/.."
kubectl apply -k manifests/crds
kubectl wait --for=condition=Established --timeout=60s crd/hostedclusters.nestbox.dev crd/nodepools.nestbox.dev crd/machines.nestbox.dev
kubectl apply -k manifests/lab
kubectl -n nestbox-system rollout status deployment/nestbox-control-planes --timeout=180s
kubectl -n nestbox-system rollout status deployment/nestbox-machines --timeout=180s

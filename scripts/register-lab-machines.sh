#!/bin/bash
# register-lab-machines.sh LAB: registers the lab's machines, one reached as root and the next as a user with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${NESTBOX_BIN:-$(swift build --configuration "${CONFIGURATION:-debug}" -debug-info-format none --show-bin-path)}
"$bin/nestbox" lab machines --name "$1" | while read -r name address user key; do
    kubectl get machine "$name" >/dev/null 2>&1 && continue
    "$bin/nestbox" create machine "$name" --address "$address" --user "$user" --ssh-key "$key" --reuse AnyTenant
done
# A lab may have none, which kubectl would call an error.
[[ -z $(kubectl get machines --output=name) ]] || kubectl wait --for=condition=Reachable --timeout=120s machines --all

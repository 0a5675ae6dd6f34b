#!/bin/bash
# Removes every trace of the demo but the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(swift build --configuration "$CONFIGURATION" -debug-info-format none --show-bin-path)
[ -x "$bin/nestbox" ] || swift build --configuration "$CONFIGURATION" -debug-info-format none --product nestbox
"$bin/nestbox" lab down --name demo
rm -f demo.kubeconfig

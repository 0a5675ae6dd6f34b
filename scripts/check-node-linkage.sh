#!/bin/bash
# Shows that nestbox-node carries no Foundation, and how big it is stripped: scripts/check-node-linkage.sh BINARY [MAX_MIB]
set -euo pipefail
binary=$1
limit=${2:-25}

if readelf -d "$binary" | grep -E 'NEEDED.*(Foundation|ICU)'; then
    echo "$binary is linked with Foundation" >&2
    exit 1
fi
if nm -a "$binary" 2>/dev/null | grep -E -m5 '\$s(10Foundation|20FoundationEssentials|14ArgumentParser)|CCryptoBoringSSL_'; then
    echo "$binary carries symbols of Foundation, ArgumentParser or swift-crypto" >&2
    exit 1
fi
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$binary"
size=$(stat -c %s "$stripped")
echo "$binary: $((size / 1024 / 1024)) MiB stripped, no Foundation"
if ((size > limit * 1024 * 1024)); then
    echo "more than $limit MiB" >&2
    exit 1
fi

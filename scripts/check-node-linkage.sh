#!/bin/bash
# Shows that nestbox-node needs nothing but glibc, carries no Foundation, and how big it is stripped:
# scripts/check-node-linkage.sh BINARY [MAX_MIB]
set -euo pipefail
binary=$1
limit=${2:-25}

# glibc's own libraries, and the two of GCC's that every Debian's base system has (apt needs them).
allowed='^(libc|libm|libpthread|libdl|librt|libresolv|libutil|libgcc_s|libstdc\+\+|ld-linux[-a-z0-9_]*)\.so\.[0-9]+$'
needed=$(readelf -d "$binary" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
if grep -vE "$allowed" <<<"$needed"; then
    echo "$binary is linked with more than glibc" >&2
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
awk -v binary="$binary" -v size="$size" -v needed="$(tr '\n' ' ' <<<"$needed")" \
    'BEGIN { printf "%s: %.1f MiB stripped, no Foundation, needs %s\n", binary, size / 1048576, needed }'
if ((size > limit * 1024 * 1024)); then
    echo "more than $limit MiB" >&2
    exit 1
fi

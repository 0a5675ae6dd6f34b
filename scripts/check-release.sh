#!/bin/bash
# What a release's executables are held to: size, linkage, and the idle memory of nestbox-node, which runs on every machine of a
# tenant's. Builds them first, one product at a time, which takes the least memory.
set -euo pipefail
cd "$(dirname "$0")/.."

products=(nestbox nestbox-operator nestbox-tunnel nestbox-node)
swift=(swift build --configuration release -debug-info-format none)
for product in "${products[@]}"; do "${swift[@]}" --product "$product"; done
bin=$("${swift[@]}" --show-bin-path)

work=$(mktemp -d)
node=
trap '[ -z "$node" ] || kill "$node" 2>/dev/null || true; rm -rf "$work"' EXIT
printf '%-18s %9s %9s\n' executable MiB stripped
for product in "${products[@]}"; do
    strip -o "$work/stripped" "$bin/$product"
    awk -v name="$product" -v size="$(stat -c %s "$bin/$product")" -v stripped="$(stat -c %s "$work/stripped")" \
        'BEGIN { printf "%-18s %9.1f %9.1f\n", name, size / 1048576, stripped / 1048576 }'
done
scripts/check-node-linkage.sh "$bin/nestbox-node"

# As on a machine whose kubelet has no certificate yet: it forwards, and its agent waits. In a network of its own, for the
# address is the same on every node.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=check -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
cat >"$work/node.conf" <<END
node-name = check
api-address = 172.20.0.1:6443
api-endpoints = 127.0.0.1:30001
tunnel-endpoints = 127.0.0.1:30002
tunnel-server-name = nestbox-tunnel
ca-file = $work/ca.crt
certificate-file = $work/kubelet-client-current.pem
state-directory = $work/state
pod-routes = off
pod-cidr = 10.244.0.0/24
END
mkdir -m 700 "$work/state"
unshare -n sh -c "ip link set lo up; exec '$bin/nestbox-node' run --config '$work/node.conf'" >"$work/log" 2>&1 &
node=$!
sleep 10
[ -d "/proc/$node" ] || { cat "$work/log" >&2; exit 1; }
kib=$(awk '/^VmRSS/ { print $2 }' "/proc/$node/status")
awk -v kib="$kib" -v own="$(awk '/^RssAnon/ { print $2 }' "/proc/$node/status")" \
    'BEGIN { printf "nestbox-node, idle for 10 s: RSS %.1f MB, of it %.1f MB its own\n", kib / 1000, own / 1000 }'
((kib < 20000)) || { echo "nestbox-node takes 20 MB or more" >&2; exit 1; }

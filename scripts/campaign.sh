#!/bin/bash
# campaign.sh soak|chaos: one round of a campaign against the tunnel, as root, in namespaces that end with it however it ends; the
# result is a row in docs/campaigns.md. MINUTES=n (30 at most), SEED=n to have a schedule again, BIN=folder of built executables.
set -euo pipefail
cd "$(dirname "$0")/.."
campaign=$1
case $campaign in
soak) minutes=${MINUTES:-30} ;;
chaos) minutes=${MINUTES:-5} ;;
*) echo "error: campaign.sh soak|chaos" >&2; exit 64 ;;
esac
((minutes >= 1 && minutes <= 30)) || { echo "error: MINUTES=$minutes: a round takes 1 to 30 minutes" >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || { echo "error: network namespaces want root" >&2; exit 1; }
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
bin=${BIN:-}
if [ -z "$bin" ]; then
    build=(swift build --configuration "${CONFIGURATION:-debug}" -debug-info-format none)
    for product in nestbox-tunnel nestbox-node tunnel-campaign; do "${build[@]}" --product "$product"; done
    bin=$("${build[@]}" --show-bin-path)
fi

commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- Sources || commit+="+"

# Of a campaign that was killed with its script only files can be left.
for old in /tmp/nestbox-campaign.*; do
    [ ! -f "$old/pid" ] || kill -0 "$(cat "$old/pid")" 2>/dev/null || rm -rf "$old"
done
work=$(mktemp -d /tmp/nestbox-campaign.XXXXXX)
echo $$ >"$work/pid"
child=
leave() {
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
    [ -z "${KEEP:-}" ] || cp -a "$work" "$KEEP"
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

# Every process is in a process namespace that ends with its first, the campaign, which is killed when this script ends.
# Swift's threads, as root, would make themselves as urgent as any.
nice -n 10 setpriv --pdeathsig KILL --bounding-set -sys_nice unshare --net --mount --pid --fork --kill-child=KILL --mount-proc \
    sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' campaign \
    "$bin/tunnel-campaign" "$campaign" --minutes "$minutes" --seed "$seed" --products "$bin" --directory "$work" &
child=$!
status=0
wait "$child" || status=$?
child=
result=$(cat "$work/result" 2>/dev/null || echo "**failed**: the campaign itself broke off, status $status")
scripts/note-campaign.sh "${campaign^}" "$commit" "$minutes" "$seed" "$result"
exit "$status"

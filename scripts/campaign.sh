#!/bin/bash
# campaign.sh soak|chaos|pools|operator|control-plane|etcd: one round of a campaign, as root. Of the tunnel (soak, chaos) in namespaces
# that end with it however it ends, of node pools (pools, operator) and of control planes (control-plane, etcd) in a lab of its own that
# is taken down however it ends; the result is a row in docs/campaigns.md. MINUTES=n (30 at most), SEED=n to have a schedule again,
# BIN=folder of built executables; in a lab LAB=name of it, and HOLD=1 to leave it up; for operator MACHINES=n (10); for control planes
# KILLS=1 to have the operator killed meanwhile, and for control-plane TIMES=n (5), REPLICAS=1|3 (3), HOST_NODES=1|3 (1).
set -euo pipefail
cd "$(dirname "$0")/.."
campaign=$1
program=tunnel-campaign
case $campaign in
soak) minutes=${MINUTES:-30} ;;
chaos) minutes=${MINUTES:-5} ;;
pools | operator) minutes=${MINUTES:-30} program=pool-campaign ;;
control-plane | etcd) minutes=${MINUTES:-30} program=control-plane-campaign ;;
*) echo "error: campaign.sh soak|chaos|pools|operator|control-plane|etcd" >&2; exit 64 ;;
esac
((minutes >= 1 && minutes <= 30)) || { echo "error: MINUTES=$minutes: a round takes 1 to 30 minutes" >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || { echo "error: namespaces want root" >&2; exit 1; }
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
lab=${LAB:-campaign}
bin=${BIN:-}
if [ -z "$bin" ]; then
    build=(swift build --configuration "${CONFIGURATION:-debug}" -debug-info-format none)
    products=(nestbox-tunnel nestbox-node "$program")
    [ "$program" = tunnel-campaign ] || products+=(nestbox nestbox-operator)
    for product in "${products[@]}"; do "${build[@]}" --product "$product"; done
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
# Ten machines that are nodes want more inotify instances than Linux gives root by default.
inotify=/proc/sys/fs/inotify/max_user_instances
instances=
if [ "$campaign" = operator ] && (($(<$inotify) < 512)); then
    instances=$(<$inotify)
    echo 512 >$inotify
fi
leave() {
    [ -z "$instances" ] || echo "$instances" >$inotify
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
    [ "$program" = tunnel-campaign ] || [ -n "${HOLD:-}" ] || "$bin/nestbox" lab down --name "$lab" >/dev/null 2>&1 || true
    [ -z "${KEEP:-}" ] || cp -a "$work" "$KEEP"
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

# Every process is in a process namespace that ends with its first, the campaign, which is killed when this script ends. A lab is in
# namespaces of its own, and is entered by the process ids of this computer.
# Swift's threads, as root, would make themselves as urgent as any.
case $program in
tunnel-campaign)
    alone=(unshare --net --mount --pid --fork --kill-child=KILL --mount-proc sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' campaign)
    more=()
    ;;
*)
    alone=()
    more=(--lab "$lab" ${HOLD:+--hold})
    case $campaign in
    operator) more+=(--machines "${MACHINES:-10}") ;;
    control-plane) more+=(--times "${TIMES:-5}" --replicas "${REPLICAS:-3}" --host-nodes "${HOST_NODES:-1}" ${KILLS:+--kills}) ;;
    etcd) more+=(${KILLS:+--kills}) ;;
    esac
    ;;
esac
nice -n 10 setpriv --pdeathsig KILL --bounding-set -sys_nice "${alone[@]}" \
    "$bin/$program" "$campaign" --minutes "$minutes" --seed "$seed" --products "$bin" --directory "$work" "${more[@]}" &
child=$!
status=0
wait "$child" || status=$?
child=
result=$(cat "$work/result" 2>/dev/null || echo "**failed**: the campaign itself broke off, status $status")
scripts/note-campaign.sh "${campaign^}" "$commit" "$minutes" "$seed" "$result"
exit "$status"

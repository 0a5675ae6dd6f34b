# For sourcing: a control plane's etcd and kube-apiserver as bare processes, the floor of what starts them in pods.

# take_bare NAMESPACE: what it takes to start those of that control plane by hand, into $work/floor: keys, certificates, flags, programs,
# and the tenant's credentials out of $work/tenant.
take_bare() {
    local etcd api
    etcd=$(pod_process etcd "$1")
    api=$(pod_process kube-apiserver "$1")
    rm -rf "$work/floor" && mkdir "$work/floor"
    cp -rL "/proc/$etcd/root/etc/nestbox/etcd" "/proc/$api/root/etc/nestbox/." "$work/floor/"
    tr '\0' '\n' <"/proc/$etcd/cmdline" | tail -n +2 | sed "s|/etc/nestbox|$work/floor|; s|/var/lib/etcd|$work/floor/data|" >"$work/floor/etcd.arguments"
    tr '\0' '\n' <"/proc/$api/cmdline" | tail -n +2 | sed "s|/etc/nestbox|$work/floor|" >"$work/floor/api.arguments"
    echo "etcd=$(echo "$cache"/etcd/*/*/bin/etcd) api=$cache/kubernetes/$version/$(dpkg --print-architecture)/bin/kube-apiserver" >"$work/floor/programs"
    cp -r "$work/tenant" "$work/floor/tenant"
    echo https://172.20.0.1:6443 >"$work/floor/tenant/server"
}

# bare COMMANDS: runs them where those can be started: in a network of their own, so that the ports are the same and nobody else's. They
# have start_etcd and start_api, which return at once, and etcd_answers and api_answers; what was started ends with them.
bare() {
    rm -rf "$work/floor/data"
    unshare -n -m bash -euo pipefail <<END
source Benchmarks/measure.sh
source "$work/floor/programs"
ip link set lo up
ip address add 172.20.0.1/32 dev lo
printf '127.0.0.1 localhost etcd-0\n' >"$work/floor/hosts"
mount --bind "$work/floor/hosts" /etc/hosts
mapfile -t etcd_arguments <"$work/floor/etcd.arguments"
mapfile -t api_arguments <"$work/floor/api.arguments"
processes=()
start_etcd() { "\$etcd" "\${etcd_arguments[@]}" >"$work/floor/etcd.log" 2>&1 & processes+=(\$!); }
start_api() { "\$api" "\${api_arguments[@]}" >"$work/floor/api.log" 2>&1 & processes+=(\$!); }
etcd_answers() {
    curl -sf --max-time 5 --cacert "$work/floor/kube-apiserver/etcd-ca.crt" --cert "$work/floor/kube-apiserver/etcd-client.crt" \
        --key "$work/floor/kube-apiserver/etcd-client.key" https://etcd-0:2379/health
}
api_answers() { get "$work/floor/tenant" /readyz; }
last_words() { tail -n 3 "$work/floor/etcd.log" "$work/floor/api.log" >&2; exit 1; }
trap 'kill -9 "\${processes[@]}" 2>/dev/null; wait 2>/dev/null || true' EXIT
$1
END
}

#!/bin/bash
# row.sh FOLDER SIDE COUNT: for fleet.sh, in a network and a process namespace of its own, which end with it. Leaves FOLDER/figures. In the
# environment: operator, standin, etcd (programs), kubernetes (a folder of them), version.
set -euo pipefail
source Benchmarks/measure.sh
folder=$1 side=$2 count=$3
server=https://127.0.0.1:16443
mkdir -p "$folder"
export HOME=$folder KUBECONFIG=$folder/admin.kubeconfig
ip link set lo up
# Every address of a Service leads to the stand-in.
ip route add local 10.96.0.0/16 dev lo

keys() {
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${key[@]}" -days 2 -subj /CN=bench -keyout "$folder/ca.key" -out "$folder/ca.crt" 2>/dev/null
    openssl req "${key[@]}" -subj /CN=kube-apiserver -keyout "$folder/server.key" -out "$folder/server.csr" 2>/dev/null
    openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 2 \
        -out "$folder/server.crt" -extfile <(echo "subjectAltName=IP:127.0.0.1") 2>/dev/null
    openssl ecparam -name prime256v1 -genkey -noout -out "$folder/sa.key"
    {
        echo 'admin,admin,1,"system:masters"'
        echo 'operator,system:serviceaccount:nestbox-system:nestbox-control-planes,2,"system:serviceaccounts,system:serviceaccounts:nestbox-system"'
    } >"$folder/tokens.csv"
    local user
    for user in admin operator; do
        printf '{apiVersion: v1, kind: Config, current-context: host, contexts: [{name: host, context: {cluster: host, user: %s}}], clusters: [{name: host, cluster: {server: "%s", certificate-authority: "%s"}}], users: [{name: %s, user: {token: %s}}]}\n' \
            "$user" "$server" "$folder/ca.crt" "$user" "$user" >"$folder/$user.kubeconfig"
    done
}

kubectl() { "$kubernetes/kubectl" "$@"; }
ask() { curl -sf --max-time 5 --cacert "$folder/ca.crt" -H "Authorization: Bearer admin" "$server$1"; }

host_up() {
    "$etcd" --data-dir="$folder/etcd" --listen-client-urls=http://127.0.0.1:12379 --advertise-client-urls=http://127.0.0.1:12379 \
        --listen-peer-urls=http://127.0.0.1:12380 --initial-advertise-peer-urls=http://127.0.0.1:12380 \
        --initial-cluster=default=http://127.0.0.1:12380 >"$folder/etcd.log" 2>&1 &
    # No controller-manager makes the default ServiceAccounts, which pods would wait for.
    "$kubernetes/kube-apiserver" --etcd-servers=http://127.0.0.1:12379 --bind-address=127.0.0.1 --secure-port=16443 \
        --advertise-address=192.0.2.1 --endpoint-reconciler-type=none --tls-cert-file="$folder/server.crt" \
        --tls-private-key-file="$folder/server.key" --client-ca-file="$folder/ca.crt" \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$folder/sa.key" \
        --service-account-signing-key-file="$folder/sa.key" --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=RBAC \
        --token-auth-file="$folder/tokens.csv" --disable-admission-plugins=ServiceAccount --cert-dir="$folder" >"$folder/kube-apiserver.log" 2>&1 &
    poll 120 ask /readyz
    kubectl apply -k manifests/crds
    kubectl wait --for=condition=Established --timeout=60s crd/hostedclusters.nestbox.dev crd/nodepools.nestbox.dev crd/machines.nestbox.dev
    kubectl apply -k manifests/operator
    kubectl create rolebinding nestbox-control-planes --clusterrole=nestbox-hosted-cluster-namespace --serviceaccount=nestbox-system:nestbox-control-planes
    printf 'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: standin, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: example.com/none\n' |
        kubectl apply -f -
}

# clusters NAME...: creates them at once.
clusters() {
    local name
    for name; do
        printf 'apiVersion: nestbox.dev/v1alpha1\nkind: HostedCluster\nmetadata: {name: %s, namespace: default}\nspec: {version: %s, publish: {addresses: [192.0.2.1]}}\n---\n' "$name" "$version"
    done | kubectl apply -f - >/dev/null
}

# built N: waits until so many clusters are as far as they can come on this side.
built() {
    local sought='.type == "EtcdAvailable" and .reason == "NotReady"' start=$SECONDS
    [ "$side" = host ] || sought='.type == "Available" and .status == "True"'
    until ask /apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters |
        jq -e --argjson n "$1" "[.items[] | select(any(.status.conditions[]?; $sought))] | length == \$n" >/dev/null; do
        if ((SECONDS - start > 300)); then
            echo "error: not all of $1 tenants within 300 s; the operator's last words, and a cluster's conditions:" >&2
            tail -5 "$folder/operator.log" >&2
            ask /apis/nestbox.dev/v1alpha1/namespaces/default/hostedclusters | jq -c '.items[0].status.conditions[] | [.type, .status, .reason, .message]' >&2
            return 1
        fi
        sleep 0.25
    done
}

# used: the operator's CPU in milliseconds so far; held: KiB of memory of its own.
used() {
    if ! [ -d "/proc/$process" ]; then
        echo "error: the operator ended; its last words:" >&2
        tail -n 5 "$folder/operator.log" >&2
        return 1
    fi
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%d", ($12 + $13) * 1000 / tick }' "/proc/$process/stat"
}
held() { awk '/^RssAnon/ { print $2 }' "/proc/$process/status"; }
# asked: what it has asked so far, of the host and of tenants, and its passes over clusters; connected: what TLS connections the stand-in
# has had.
asked() {
    curl -sf http://127.0.0.1:18080/metrics |
        awk '/^rest_client_requests_total/ { if ($0 ~ /host="127.0.0.1:16443"/) host += $NF; else rest += $NF }
            /^controller_runtime_reconcile_total.*"hostedcluster"/ { passes += $NF } END { printf "%d %d %d", host, rest, passes }'
}
connected() { curl -sf http://127.0.0.1:8099/; }

keys
host_up >"$folder/host.log"
silent=
[ "$side" = serving ] || silent=-silent
"$standin" -server "$server" -ca "$folder/ca.crt" -token admin $silent >"$folder/standin.log" 2>&1 &
"$operator" run --role control-planes --identity bench --health-port 18080 --kubeconfig "$folder/operator.kubeconfig" >"$folder/operator.log" 2>&1 &
process=$!
clusters first
built 1
sleep 15
start_cpu=$(used)
sleep 60
idle=$(used)
idle=$((idle - start_cpu))

start_cpu=$(used)
start_memory=$(held)
before=($(asked))
dialled=($(connected))
start=$EPOCHREALTIME
clusters $(seq -f fleet-%g "$count")
built $((count + 1))
took=$(since "$start")
sleep 10
cpu=$(used)
now=($(asked))
connections=($(connected))
sleep 60
after=$(used)
memory=$(held)
{
    echo "took=$took cpu=$((cpu - start_cpu)) after=$((after - cpu)) idle=$idle memory=$((memory - start_memory))"
    echo "requests='$(ratio $((now[2] - before[2])) "$count") passes, $(ratio $((now[0] - before[0])) "$count") requests to the host, $(ratio $((now[1] - before[1])) "$count") to others'"
    echo "connections='$(ratio $((connections[1] - dialled[1])) "$count") TLS connections to its etcd, $(ratio $((connections[3] - dialled[3])) "$count") to its API'"
} >"$folder/figures"
grep -v '^$' "$folder/standin.log" >&2 || true

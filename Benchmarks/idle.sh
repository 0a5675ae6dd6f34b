# For run.sh:
# what the operators ask in a minute with nothing to do, and their memory, with CLUSTERS (10) clusters
#
# Requests are counted by the operators' own metrics (rest_client_requests_total, to the host and to every tenant), renewals by
# watching their Leases. The counter does not tell a GET that watches from one that reads: a watch is taken up again every few
# minutes, so a few GETs in the minute are let pass, where polling would show as many more.

# requests POD: its counter, as "METHOD HOST COUNT" lines.
requests() {
    kubectl get --raw "/api/v1/namespaces/nestbox-system/pods/$1:8080/proxy/metrics" |
        sed -nE 's/^rest_client_requests_total\{.*host="([^"]*)",method="([^"]*)"\} ([0-9]+).*/\2 \1 \3/p' |
        awk '{ sum[$1 " " $2] += $3 } END { for (key in sum) print key, sum[key] }' | sort
}

# asked BEFORE AFTER: what was asked in between, by method and by whether it was the host or a tenant.
asked() {
    awk -v host="$host_service" 'NR == FNR { before[$1 $2] = $3; next } { n = $3 - before[$1 $2]; if (n) sum[$1 " to " (index($2, host) ? "the host" : "a tenant")] += n }
        END { for (key in sum) printf "%s%s %d", (any++ ? ", " : ""), key, sum[key] }' "$1" "$2"
}

measure_idle() {
    local count=${CLUSTERS:-10} number pod role uid process before=$work/before after=$work/after
    for number in $(seq "$count"); do
        "$nestbox" create cluster "idle-$number" --version "$version" --wait --timeout 600 >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
    done
    echo "$count clusters Available; 30 s to settle, then 60 s are counted"
    sleep 30
    host_service=$(kubectl get service kubernetes -o jsonpath='{.spec.clusterIP}'):443
    local roles=(control-planes machines)
    for role in "${roles[@]}"; do
        timeout 62 kubectl -n nestbox-system get lease "nestbox-$role" --watch-only -o name >"$work/renewals-$role" 2>/dev/null &
    done
    sleep 1
    for role in "${roles[@]}"; do requests "$(pod_of "$role")" >"$before-$role"; done
    sleep 60
    for role in "${roles[@]}"; do requests "$(pod_of "$role")" >"$after-$role"; done
    wait
    for role in "${roles[@]}"; do
        pod=$(pod_of "$role")
        uid=$(kubectl -n nestbox-system get pod "$pod" -o jsonpath='{.metadata.uid}')
        process=$(grep -lF "$uid" $(pgrep nestbox-operato | sed 's|.*|/proc/&/cgroup|') | cut -d/ -f3 | head -1)
        printf '%-15s asked: %s; renewals of its Lease seen: %s\n' "$role" "$(asked "$before-$role" "$after-$role")" "$(wc -l <"$work/renewals-$role")"
        awk -v role="$role" '/^VmRSS|^RssAnon|^RssFile/ { kib[$1] = $2 } END { printf "%-15s RSS %.1f MB, of it %.1f MB its own and %.1f MB pages of its files\n", role, kib["VmRSS:"] / 1000, kib["RssAnon:"] / 1000, kib["RssFile:"] / 1000 }' "/proc/$process/status"
        verdict "$role: MB of memory" "$(awk '/^VmRSS/ { printf "%.1f", $2 / 1000 }' "/proc/$process/status")" 50
        verdict "$role: requests that are neither a watch nor a renewal" "$(others "$role")" 0
    done
}

pod_of() { kubectl -n nestbox-system get pods -l "app.kubernetes.io/name=nestbox-$1" -o jsonpath='{.items[0].metadata.name}'; }

# others ROLE: requests that are neither a Lease's PUT (one may have fallen between the two counts) nor one of at most 5 GETs.
others() {
    awk -v renewals="$(wc -l <"$work/renewals-$1")" 'NR == FNR { before[$1 $2] = $3; next } { n = $3 - before[$1 $2]; if ($1 == "PUT") puts += n; else if ($1 == "GET") gets += n; else rest += n }
        END { more = puts - renewals; print rest + (more > 1 ? more : 0) + (gets > 5 ? gets : 0) }' "$work/before-$1" "$work/after-$1"
}

measure_idle
kubectl delete hostedclusters --all --wait --timeout=300s >/dev/null

# For sourcing: what the benchmarks share. Ratios, not seconds, are what a benchmark holds itself to: ours and its floor are
# measured in turn, in the same run on the same machine, so that what else runs there weighs on both.
runs=${RUNS:-5}
missed=0

# since EPOCH: seconds from then until now.
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { printf "%.3g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# poll SECONDS COMMAND...: asks each 20 ms until the command succeeds; an error after so many seconds.
poll() {
    local limit=$1 start=$SECONDS
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS - start > limit)); then
            echo "error: not within $limit s: $*" >&2
            return 1
        fi
        sleep 0.02
    done
}

# credentials KUBECONFIG FOLDER: the server and the certificates of a kubeconfig as files, for curl. Without kubectl, for it is
# done while the clock runs.
credentials() {
    field() { sed -nE "s/^ *$1: \"?([^\"]*)\"?\$/\1/p" "$kubeconfig"; }
    local kubeconfig=$1
    mkdir -p "$2"
    field server >"$2/server"
    field certificate-authority-data | base64 -d >"$2/ca.crt"
    field client-certificate-data | base64 -d >"$2/client.crt"
    field client-key-data | base64 -d >"$2/client.key"
}

# get FOLDER PATH [OPTION...]: a bare HTTPS GET with those credentials; fails unless the answer is 2xx.
get() {
    local folder=$1 path=$2
    shift 2
    curl -sf --max-time 5 --cacert "$folder/ca.crt" --cert "$folder/client.crt" --key "$folder/client.key" "$@" "$(<"$folder/server")$path"
}

# pod_process COMM NAMESPACE: the process of that name in a pod of the namespace.
pod_process() {
    local uids process
    uids=$(kubectl -n "$2" get pods -o jsonpath='{range .items[*]}{.metadata.uid}{"\n"}{end}')
    for process in $(pgrep -x "$1"); do
        grep -qF "$uids" "/proc/$process/cgroup" && echo "$process" && return
    done
    echo "error: no process $1 of namespace $2" >&2
    return 1
}

# started PROCESS: the epoch at which a process was started.
started() {
    awk -v now="$EPOCHREALTIME" -v tick="$(getconf CLK_TCK)" 'NR == FNR { up = $1; next } { sub(/.*\) /, ""); printf "%.2f", now - up + $20 / tick }' \
        /proc/uptime "/proc/$1/stat"
}

# verdict WHAT VALUE LIMIT
verdict() {
    if awk -v v="$2" -v l="$3" 'BEGIN { exit !(v <= l) }'; then
        echo "=> $1: $2, at most $3 wanted: met"
    else
        echo "=> $1: $2, at most $3 wanted: MISSED"
        missed=1
    fi
}

# compare UNIT: calls `ours` and `floor` in turn. Each leaves its figure in $figure, and may leave in $note where the time went.
# Leaves the medians in $ours_median and $floor_median, and their ratio in $ratio.
compare() {
    local ours=() floors=() ours_note
    printf '%4s %10s %10s %7s  %s\n' run "ours $1" "floor $1" ratio "where the time went"
    for run in $(seq "$runs"); do
        note=""
        ours
        ours+=("$figure")
        ours_note=$note
        note=""
        floor
        floors+=("$figure")
        printf '%4s %10s %10s %7s  %s\n' "$run" "${ours[-1]}" "$figure" "$(ratio "${ours[-1]}" "$figure")" "$ours_note${note:+ | floor: $note}"
    done
    ours_median=$(median "${ours[@]}")
    floor_median=$(median "${floors[@]}")
    ratio=$(ratio "$ours_median" "$floor_median")
    printf '%4s %10s %10s %7s\n' med. "$ours_median" "$floor_median" "$ratio"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

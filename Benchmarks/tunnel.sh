# For run.sh:
# the tunnel beside a plain TLS relay, upstream's konnectivity and no tunnel at all: speed, memory, fairness, recovery
#
# ROWS="down1 dial ..." measures those rows only (below). SECS=n: how long each load lasts (4). CONNECTIONS=n: how many lie idle
# (4000). KONNECTIVITY=DIR: a folder with upstream's `server` and `agent`; without it their columns stay empty, and the rows of
# either end with the other's are left out. The release build is measured, no other.

rows=(down1 down10 down100 up1 up10 up100 dial echo fair idle delay killed agent compatible)

# figure | what it is | measured against | how: at least (>=) or at most (<=) so many times that baseline; a baseline of 1 is a plain number
table=(
    "down1|down, 1 connection, MiB/s|plain|>=|2"
    "down10|down, 10 connections|plain|>=|1"
    "down100|down, 100 connections|plain|>=|1"
    "up1|up, 1 connection, MiB/s|plain|>=|2"
    "up10|up, 10 connections|plain|>=|1"
    "up100|up, 100 connections|plain|>=|1"
    "cpu-down1|CPU s a GiB, down, 1 connection|1|<=|2.5"
    "cpu-down10|CPU s a GiB, down, 10|1|<=|2.5"
    "cpu-down100|CPU s a GiB, down, 100|1|<=|2.5"
    "cpu-up1|CPU s a GiB, up, 1 connection|1|<=|2.5"
    "cpu-up10|CPU s a GiB, up, 10|1|<=|2.5"
    "cpu-up100|CPU s a GiB, up, 100|1|<=|2.5"
    "dial-p50|dial and first byte, 500/s, p50 ms|1|<=|0.7"
    "dial-p99|the same, p99 ms|1|<=|4"
    "echo|1 KiB echo, 10 connections, a second|1|>=|15000"
    "echo-p99|the same, p99 ms|1|<=|2"
    "fair-alone|1 KiB echo, 20 connections, a second|||"
    "fair|the same beside a stalled reader, %|1|>=|90"
    "fairup|the same beside a stalled target, %|1|>=|90"
    "idle|an idle connection, KiB|1|<=|8"
    "idle-returned|returned after closing, %|1|>=|90"
    "delay|50 ms round trip, 1 connection down, MiB/s|raw|>=|0.8"
    "server-killed|first good dial, server killed, ms|1|<=|300"
    "agent-killed|first good dial, agent killed, ms|1|<=|300"
    "agent-size|the agent, stripped, MB|1|<=|25"
    "agent-rss|the agent, idle, RSS MB|1|<=|15"
)
# The same for a system that has one end of upstream's: against upstream with itself.
compatible_table=(
    "compatible-down1|down, 1 connection, MiB/s|upstream|>=|1"
    "compatible-down10|down, 10 connections|upstream|>=|1"
    "compatible-up1|up, 1 connection|upstream|>=|1"
    "compatible-up10|up, 10 connections|upstream|>=|1"
    "compatible-dial-p50|dial and first byte, 500/s, p50 ms|upstream|<=|1"
    "compatible-dial-p99|the same, p99 ms|upstream|<=|1"
    "compatible-echo|1 KiB echo, 10 connections, a second|upstream|>=|1"
)

# of FIGURE SYSTEM: the median of what was measured, or nothing.
of() {
    local values
    mapfile -t values < <(awk -v f="$1" -v s="$2" '$1 == f && $2 == s { print $3 }' "$work/figures")
    [ ${#values[@]} -eq 0 ] || median "${values[@]}" | awk '{ print $1 + 0 }'
}

# line OURS FIGURE TITLE BASELINE HOW WANTED: a line of the table, and whether it was met.
line() {
    local value baseline against wanted=$5$6 ratio="" verdict=""
    value=$(of "$2" "$1")
    [ -n "$value" ] || return 0
    case $4 in
    "") wanted="" ;;
    1) against=1 ;;
    *) against=$(of "$2" "$4") wanted="$5 $6 × $4" ;;
    esac
    if [ -n "$4" ]; then
        [ "$against" = 1 ] || ratio=$(ratio "$value" "$against")
        verdict=met
        awk -v v="$value" -v b="$against" -v w="$6" -v how="$5" 'BEGIN { exit !(how == ">=" ? v >= w * b : v <= w * b) }' || verdict=MISSED
        [ "$verdict" = met ] || missed=1
    fi
    printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$3" "$(of "$2" raw)" "$(of "$2" plain)" "$(of "$2" upstream)" "$value" "$ratio" "$wanted" "$verdict"
}

show_table() {
    local entry figure title baseline how wanted ours
    echo
    echo "| | raw | plain relay | upstream | ours | ratio | wanted | |"
    echo "|---|---|---|---|---|---|---|---|"
    for entry in "${table[@]}"; do
        IFS='|' read -r figure title baseline how wanted <<<"$entry"
        line ours "$figure" "$title" "$baseline" "$how" "$wanted"
    done
    for ours in our-server our-agent; do
        for entry in "${compatible_table[@]}"; do
            IFS='|' read -r figure title baseline how wanted <<<"$entry"
            line "$ours" "$figure" "${ours/-/ }, upstream's other end: $title" "$baseline" "$how" "$wanted"
        done
    done
}

# An authority, a server's certificate for every name it is reached by, and an agent's.
make_certificates() {
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${key[@]}" -days 2 -subj /CN=bench -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
    local name
    for name in server agent; do
        openssl req "${key[@]}" -subj "/O=system:nodes/CN=system:node:$name" -keyout "$work/$name.key" -out "$work/$name.csr" 2>/dev/null
        openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/$name.crt" \
            -extfile <(echo "subjectAltName=DNS:nestbox-tunnel,DNS:localhost,IP:127.0.0.1,IP:10.77.0.1") 2>/dev/null
    done
    cat "$work/agent.crt" "$work/agent.key" >"$work/agent.pem"
}

measure_tunnel() {
    local row name job wanted=(${ROWS:-${rows[*]}})
    for row in "${wanted[@]}"; do
        [[ " ${rows[*]} " == *" $row "* ]] || { echo "error: the tunnel's table has no row $row: ${rows[*]}" >&2; return 64; }
    done
    for name in nestbox-tunnel nestbox-node; do
        [ -x ".build/release/$name" ] || { echo "error: .build/release has no $name: make check-release builds it" >&2; return 1; }
    done
    export bin=$PWD/.build/release upstream=${KONNECTIVITY:-} seconds=${SECS:-4} connections=${CONNECTIONS:-4000} kills=$((runs > 5 ? runs : 5))
    for name in server agent; do
        [ -z "$upstream" ] || [ -x "$upstream/$name" ] || { echo "error: KONNECTIVITY=$upstream has no $name" >&2; return 1; }
    done
    for name in tunnelload tlsrelay direct delay; do
        (cd "Benchmarks/tunnel/$name" && GOCACHE=$cache/go-build go build -buildvcs=false -trimpath -o "$work/bin/$name" .)
    done
    make_certificates
    : >"$work/figures"
    echo "$(go version | cut -d' ' -f3); $runs runs of $seconds s, medians; congestion control $(</proc/sys/net/ipv4/tcp_congestion_control)"
    # A group of its own, so that run.sh can end it; the kernel ends the rest with the first process of the namespace.
    set -m
    unshare --net --mount --pid --fork --kill-child --mount-proc Benchmarks/tunnel/rows.sh "$work" "${wanted[@]}" </dev/null 9>&- &
    job=$!
    set +m
    wait "$job" || { missed=1 && echo "error: not all of it could be measured" >&2; }
    show_table
}
measure_tunnel

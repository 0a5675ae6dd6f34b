#!/bin/bash
# rows.sh WORK ROW...: measures rows of the tunnel's table and writes them to WORK/figures, a line "figure system value" for each.
# For ../tunnel.sh, which starts it in namespaces of its own (network, processes, mounts): what is left here when it ends, however
# it ends, goes with them. $bin has our release build, WORK/bin the load generator and the relays, $upstream another's binaries.
set -euo pipefail
cd "$(dirname "$0")/../.."
source Benchmarks/measure.sh
trap 'exit 143' INT TERM
work=$1
shift
ulimit -n "$(ulimit -Hn)"
ip link set lo up

# A system is a server and an agent, each ours, upstream's, or the plain relay's.
declare -A server_of=([plain]=plain [upstream]=upstream [ours]=ours [our-server]=ours [our-agent]=upstream)
declare -A agent_of=([plain]=plain [upstream]=upstream [ours]=ours [our-server]=upstream [our-agent]=ours-alone)
declare -A port_of=([plain]=18100 [upstream]=18200 [ours]=18300 [our-server]=18400 [our-agent]=18500)
declare -A server_process=() agent_process=()
# Where the two ends run, as commands in front of theirs, and where they meet.
plane=() node=() meet=127.0.0.1 relay=127.0.0.1

has_upstream() { [ -n "$upstream" ]; }
note() { printf '%s %s %s\n' "$1" "$2" "$3" | tee -a "$work/figures"; }

# background LOG COMMAND...: leaves its process in $process. Disowned, so that nobody is told of its end.
background() {
    local log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null &
    process=$!
    disown "$process"
}

start_server() {
    local folder=$work/$1 port=${port_of[$1]}
    mkdir -p -m 700 "$folder"
    local certificates=(--cluster-cert="$work/server.crt" --cluster-key="$work/server.key" --cluster-ca-cert="$work/ca.crt")
    case ${server_of[$1]} in
    ours) background "$folder/server.log" "${plane[@]}" "$bin/nestbox-tunnel" server --uds-name="$folder/s.sock" --agent-port="$port" \
        --health-port=$((port + 1)) "${certificates[@]}" --log-level=warning ;;
    upstream) background "$folder/server.log" "${plane[@]}" "$upstream/server" --mode=http-connect --uds-name="$folder/s.sock" --server-port=0 \
        --agent-port="$port" --health-port=$((port + 1)) --admin-port=$((port + 2)) "${certificates[@]}" --backend-dial-timeout=8s --v=0 ;;
    plain) background "$folder/server.log" "${plane[@]}" "$work/bin/tlsrelay" -role server -listen "$folder/s.sock" -to "$relay:$port" ;;
    esac
    server_process[$1]=$process
}

start_agent() {
    local folder=$work/$1 port=${port_of[$1]}
    mkdir -p -m 700 "$folder/state"
    local flags=(--proxy-server-host="$meet" --proxy-server-port="$port" --ca-cert="$work/ca.crt" --agent-cert="$work/agent.crt"
        --agent-key="$work/agent.key" --health-server-port=$((port + 3)))
    case ${agent_of[$1]} in
    ours)
        printf '%s\n' "node-name = bench" "api-address = 127.0.0.1:$((port + 5))" "api-endpoints = 127.0.0.1:$((port + 6))" \
            "tunnel-endpoints = $meet:$port" "tunnel-server-name = nestbox-tunnel" "ca-file = $work/ca.crt" \
            "certificate-file = $work/agent.pem" "state-directory = $folder/state" "dial-allow = 127.0.0.0/8" \
            "log-level = warning" >"$folder/node.conf"
        background "$folder/agent.log" "${node[@]}" "$bin/nestbox-node" run --config "$folder/node.conf"
        ;;
    ours-alone) background "$folder/agent.log" "${node[@]}" "$bin/nestbox-tunnel" agent "${flags[@]}" --dial-allow=127.0.0.0/8 --log-level=warning ;;
    upstream) background "$folder/agent.log" "${node[@]}" "$upstream/agent" "${flags[@]}" --admin-server-port=$((port + 4)) --v=0 ;;
    plain) background "$folder/agent.log" "${node[@]}" "$work/bin/tlsrelay" -role relay -listen "$relay:$port" -cert "$work/server.crt" -key "$work/server.key" ;;
    esac
    agent_process[$1]=$process
}

start() {
    local system
    for system in "$@"; do [ "$system" = raw ] || { start_server "$system" && start_agent "$system"; }; done
    for system in "$@"; do
        poll 20 carries "$system" || { tail -n 5 "$work/$system"/*.log >&2; return 1; }
    done
}

# end PROCESS: SIGKILL, and gone.
end() {
    kill -9 "$1" 2>/dev/null || return 0
    while kill -0 "$1" 2>/dev/null; do sleep 0.001; done
}

stop() {
    local system
    for system in "$@"; do
        [ "$system" = raw ] && continue
        end "${server_process[$system]}"
        end "${agent_process[$system]}"
    done
}

# load SYSTEM ARGUMENT...: runs the load generator on the agent's side and leaves what it found in $found, as JSON.
load() {
    local system=$1 front=direct processes=()
    shift
    [ "$system" = raw ] || front=unix:$work/$system/s.sock
    [ -z "${server_process[$system]:-}" ] || processes=(-pids "${server_process[$system]},${agent_process[$system]}")
    found=$(timeout 90 "${node[@]}" "$work/bin/tunnelload" -front "$front" -target-host "$target" "${processes[@]}" "$@")
}
target=127.0.0.1

# carries SYSTEM: whether a dial made now reaches its target.
carries() {
    load "$1" -mode dial -rate 1000 -seconds 0.003
    [ "$(jq .dials <<<"$found")" -gt 0 ]
}

# take FIGURE SYSTEM EXPRESSION: notes what jq makes of $found.
take() { note "$1" "$2" "$(jq -r "$3 * 1000 | round / 1000" <<<"$found")"; }

# in_turn ROW SYSTEM...: measures each in turn, $runs times over.
in_turn() {
    local row=$1 system run
    shift
    for run in $(seq "$runs"); do
        for system in "$@"; do "measure_$row" "$system"; done
    done
}

throughput() { # SYSTEM DIRECTION CONNECTIONS [PREFIX]
    load "$1" -mode "$2" -conns "$3" -seconds "$seconds"
    take "${4:-}$2$3" "$1" .MiB_per_s
    [ "$1" = raw ] || take "${4:-}cpu-$2$3" "$1" '(.cpu_s_per_GiB // 0)'
}
measure_down1() { throughput "$1" down 1; }
measure_down10() { throughput "$1" down 10; }
measure_down100() { throughput "$1" down 100; }
measure_up1() { throughput "$1" up 1; }
measure_up10() { throughput "$1" up 10; }
measure_up100() { throughput "$1" up 100; }

measure_dial() {
    load "$1" -mode dial -rate 500 -seconds "$seconds"
    [ "$(jq .fails <<<"$found")" = 0 ] || echo "$1: $(jq .fails <<<"$found") dials failed" >&2
    take dial-p50 "$1" .p50_ms
    take dial-p99 "$1" .p99_ms
}

measure_echo() {
    load "$1" -mode rps -conns 10 -seconds "$seconds"
    take echo "$1" .per_s
    take echo-p99 "$1" .p99_ms
}

# What 20 echo connections do beside one that stalled, as a part of what they do without it.
measure_fair() {
    local alone
    load "$1" -mode rps -conns 20 -seconds "$seconds"
    alone=$(jq .per_s <<<"$found")
    take fair-alone "$1" .per_s
    for mode in fair fairup; do
        load "$1" -mode "$mode" -conns 20 -seconds "$seconds"
        take "$mode" "$1" ".per_s / $alone * 100"
    done
}

# Fresh processes, whose memory nothing has touched yet.
measure_idle() {
    start "$1"
    sleep 2
    load "$1" -mode idle -conns "$connections"
    stop "$1"
    take idle "$1" .KiB_per_conn
    take idle-returned "$1" '([.rss_before_KiB, .rss_after_KiB, .rss_closed_KiB | add] as [$before, $after, $closed] | ($after - $closed) / ($after - $before) * 100)'
}

# The server stands in a network namespace of its own; the round trip to it takes 50 ms.
delay() {
    local far way
    background /dev/null unshare -n sleep infinity
    far=$process
    poll 5 eval "[ \"\$(readlink /proc/$far/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
    plane=(nsenter -t "$far" -n)
    background "$work/delay.log" "$work/bin/delay" -links to-plane,to-node -each-way 25ms
    way=$process
    poll 5 ip link show to-node || { cat "$work/delay.log" >&2; return 1; }
    ip link set to-node netns "$far"
    ip address add 10.77.0.2/24 dev to-plane
    ip link set to-plane up txqueuelen 100000
    "${plane[@]}" ip address add 10.77.0.1/24 dev to-node
    "${plane[@]}" ip link set to-node up txqueuelen 100000
    "${plane[@]}" ip link set lo up
    meet=10.77.0.1 relay=10.77.0.2 target=10.77.0.2
    mkdir -p "$work/direct"
    background "$work/direct/log" "${plane[@]}" "$work/bin/direct" -listen "$work/direct/s.sock"
    local direct=$process systems=(plain ours)
    ! has_upstream || systems=(plain upstream ours)
    start "${systems[@]}"
    in_turn delay direct "${systems[@]}"
    stop "${systems[@]}"
    end "$direct"
    end "$way"
    end "$far"
    plane=() meet=127.0.0.1 relay=127.0.0.1 target=127.0.0.1
}
measure_delay() {
    load "$1" -mode down -conns 1 -seconds $((2 * seconds))
    take delay "${1/direct/raw}" .MiB_per_s
}

# first_dial SYSTEM START-AGAIN: how long, from now, until a dial that is made each 20 ms is answered by its target.
first_dial() {
    local begin=$EPOCHREALTIME good=$work/good
    rm -f "$good"
    end "$3"
    "$2" "$1"
    until [ -s "$good" ]; do
        { ! carries "$1" 2>/dev/null || echo "$EPOCHREALTIME" >>"$good"; } &
        sleep 0.02
        ((${EPOCHREALTIME/./} - ${begin/./} < 30000000)) || { echo "error: $1 carries nothing 30 s after its end was killed" >&2; return 1; }
    done
    figure=$(awk -v a="$begin" 'NR == 1 { printf "%.0f", ($1 - a) * 1000 }' "$good")
    wait
}
killed() {
    local systems=(plain ours) system run
    ! has_upstream || systems=(plain upstream ours)
    start "${systems[@]}"
    for run in $(seq "$kills"); do
        # A connection that has just begun is not what is killed as a rule.
        sleep 11
        for system in "${systems[@]}"; do
            first_dial "$system" start_server "${server_process[$system]}"
            note server-killed "$system" "$figure"
        done
        sleep 11
        for system in "${systems[@]}"; do
            first_dial "$system" start_agent "${agent_process[$system]}"
            note agent-killed "$system" "$figure"
        done
    done
    stop "${systems[@]}"
}

# The size of the agent's file, and its memory when it is connected and rests.
agent() {
    local systems=(ours) system file
    ! has_upstream || systems=(upstream ours)
    start "${systems[@]}"
    sleep 10
    for system in "${systems[@]}"; do
        file=$bin/nestbox-node
        [ "$system" = ours ] || file=$upstream/agent
        note agent-rss "$system" "$(awk '/^VmRSS/ { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/${agent_process[$system]}/status")"
        strip -o "$work/stripped" "$file"
        note agent-size "$system" "$(stat -c %s "$work/stripped" | awk '{ printf "%.1f", $1 / 1e6 }')"
    done
    stop "${systems[@]}"
}

# Either end ours and the other upstream's, beside upstream with itself.
compatible() {
    has_upstream || return 0
    local systems=(upstream our-server our-agent) row
    start "${systems[@]}"
    for row in down1 down10 up1 up10 dial echo; do in_turn "compatible_$row" "${systems[@]}"; done
    stop "${systems[@]}"
}
measure_compatible_down1() { throughput "$1" down 1 compatible-; }
measure_compatible_down10() { throughput "$1" down 10 compatible-; }
measure_compatible_up1() { throughput "$1" up 1 compatible-; }
measure_compatible_up10() { throughput "$1" up 10 compatible-; }
measure_compatible_dial() {
    load "$1" -mode dial -rate 500 -seconds "$seconds"
    take compatible-dial-p50 "$1" .p50_ms
    take compatible-dial-p99 "$1" .p99_ms
}
measure_compatible_echo() {
    load "$1" -mode rps -conns 10 -seconds "$seconds"
    take compatible-echo "$1" .per_s
}

all=(raw plain ours) relays=(plain ours)
! has_upstream || { all=(raw plain upstream ours) relays=(plain upstream ours); }
for row in "$@"; do
    case $row in
    down1 | down10 | down100 | up1 | up10 | up100 | dial | echo)
        start "${all[@]}"
        in_turn "$row" "${all[@]}"
        stop "${all[@]}"
        ;;
    fair)
        start "${relays[@]}"
        in_turn fair "${relays[@]}"
        stop "${relays[@]}"
        ;;
    idle) in_turn idle "${relays[@]}" ;;
    *) "$row" ;;
    esac
done

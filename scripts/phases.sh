# For sourcing: phases of a script, announced, timed and summed up at the end.
phase_names=()
phase_seconds=()

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }

# run COMMAND...: shows the command as a person would type it, then runs it.
run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# phase NAME COMMAND...: runs the command, and stops the script with its name when it fails.
phase() {
    local name=$1 start=$EPOCHREALTIME
    shift
    say "$name"
    "$@" || {
        printf 'error: "%s" failed: %s\n' "$name" "$*" >&2
        exit 1
    }
    phase_names+=("$name")
    phase_seconds+=("$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
}

phases() {
    say "Time"
    local i
    for i in "${!phase_names[@]}"; do printf '%8s s  %s\n' "${phase_seconds[$i]}" "${phase_names[$i]}"; done
}

/// A clock that is off: certificates and leases of such a node are worth nothing.
enum RepairClock {
    static func step(_ limits: RepairLimits) -> Step {
        RepairLook(subject: .clock, look: look(limits), mend: mend).step("Clock")
    }

    static func look(_ limits: RepairLimits) -> String {
        """
        skew=$(($(date +%s) - now))
        if [ "$skew" -gt \(limits.clockSkewSeconds) ]; then echo "its clock is $skew s ahead of ours"; fi
        if [ "$skew" -lt -\(limits.clockSkewSeconds) ]; then echo "its clock is $((-skew)) s behind ours"; fi
        """
    }

    /// By the machine's own source of time alone: who is right, it or we, is not for us to say.
    private static let mend = """
        is_there() { [ -n "$(systemctl list-unit-files --no-legend "$1" 2>/dev/null)" ]; }
        if command -v chronyc > /dev/null; then
            systemctl restart chrony 2>/dev/null || systemctl restart chronyd 2>/dev/null || true
            timeout 10 chronyc makestep > /dev/null 2>&1 || true
            source=chrony
        elif is_there systemd-timesyncd.service; then
            timedatectl set-ntp true 2>/dev/null || true
            systemctl restart systemd-timesyncd 2>/dev/null || true
            source=systemd-timesyncd
        else
            did "it has neither chrony nor systemd-timesyncd to set it"
            return 0
        fi
        try=0
        while [ -n "$(look)" ] && [ $try -lt 15 ]; do try=$((try + 1)); sleep 1; done
        words=$(look)
        did "$source was started anew${words:+, and still $words}"
        """
}

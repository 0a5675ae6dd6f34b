/// One of the node's services: dead, disabled, stopped by a signal, or deaf.
struct RepairService {
    var subject: RepairSubject
    var unit: String
    /// Shell that succeeds when it answers.
    var answers: String

    static let containerd = RepairService(
        subject: .containerd, unit: "nestbox-containerd.service",
        answers: "timeout 10 \(NodePaths.programs)/ctr --address \(NodePaths.containerdSocket) version > /dev/null 2>&1")

    static func agent(_ parameters: RepairParameters) -> RepairService {
        RepairService(
            subject: .agent, unit: "nestbox-node.service",
            answers: "timeout 5 bash -c 'exec 3<> /dev/tcp/\(parameters.nodeLocalAPIAddress)/\(parameters.apiPort)' 2>/dev/null")
    }

    static func kubelet(_ parameters: RepairParameters) -> RepairService {
        RepairService(
            subject: .kubelet, unit: "nestbox-kubelet.service",
            answers: """
                timeout 10 bash -c '
                    exec 3<> /dev/tcp/127.0.0.1/\(parameters.kubeletHealthPort)
                    printf "GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3
                    head -n 1 <&3 | grep -q " 200 "' 2>/dev/null
                """)
    }

    /// - Parameter anyway: whether it is started anew even where it seems well.
    func step(anyway: Bool) -> Step {
        RepairLook(subject: subject, look: look, mend: mend).step(name, always: anyway, timeout: .seconds(150))
    }

    private var name: String {
        switch subject {
        case .containerd: "Containerd"
        case .agent: "NodeAgent"
        default: "Kubelet"
        }
    }

    /// A process that a signal stopped still has its sockets: only its state tells.
    private var look: String {
        """
        state=$(systemctl is-active \(unit) || true)
        if [ "$state" != active ]; then
            last=$(journalctl -u \(unit) -n 1 -o cat --no-pager 2>/dev/null | cut -c -200 || true)
            echo "\(unit) is ${state:-unknown to systemd}${last:+ ($last)}"
            return 0
        fi
        process=$(systemctl show --property MainPID --value \(unit) 2>/dev/null || true)
        case $(sed -n 's/^State:[[:space:]]*\\(.\\).*/\\1/p' "/proc/${process:-0}/status" 2>/dev/null || true) in
        T | t) echo "\(unit) is stopped by a signal"; return 0 ;;
        esac
        \(answers) || { echo "\(unit) runs and does not answer"; return 0; }
        [ "$(systemctl is-enabled \(unit) 2>/dev/null || true)" = enabled ] || echo "\(unit) is disabled"
        """
    }

    /// Killed, not asked, where it hangs. Containers outlive it.
    private var mend: String {
        """
        systemctl enable --quiet \(unit) 2>/dev/null || true
        case $words in
        *" is disabled")
            did enabled
            return 0
            ;;
        *" runs and does not answer" | *" stopped by a signal")
            systemctl kill --kill-who=main --signal=KILL \(unit) 2>/dev/null || true
            ;;
        esac
        systemctl reset-failed \(unit) 2>/dev/null || true
        timeout 60 systemctl restart \(unit) 2>/dev/null || true
        patience=$(($(date +%s) + 25))
        while words=$(look); [ -n "$words" ] && [ "$(date +%s)" -lt "$patience" ]; do sleep 1; done
        did "restarted${words:+, and still: $words}"
        """
    }
}

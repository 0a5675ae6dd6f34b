import SSHClient

/// What a machine's own services say when its Node does not become Ready.
public enum NodeDiagnosis {
    private static let script = """
        for unit in nestbox-node nestbox-containerd nestbox-kubelet; do
            state=$(systemctl is-active $unit.service)
            [ "$state" = active ] || echo "$unit is $state:"
            journalctl -u $unit.service -p warning -n 3 -o cat --no-pager 2>/dev/null
            [ "$state" = active ] || journalctl -u $unit.service -n 3 -o cat --no-pager 2>/dev/null
        done
        journalctl -u nestbox-kubelet.service -n 60 -o cat --no-pager 2>/dev/null | grep -E '^[EF][0-9]{4} ' | tail -n 3 | cut -c -300
        """

    /// Their state and last complaints on one line, bounded and cleaned; empty when they have none.
    public static func gather(on shell: any MachineShell) async throws -> String {
        MachineWords.cleaned(try await shell.run(script, timeout: .seconds(20)).text)
    }
}

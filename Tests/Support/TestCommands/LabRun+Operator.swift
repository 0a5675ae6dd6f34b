extension LabRun {
    /// Kills one of the operator's two processes; and deletes its pod, for a process that dies again and again would be waited with for
    /// minutes. False when it did not run.
    public func killOperator(_ role: String) async throws -> Bool {
        let killed = try await onHost(
            "for process in $(pgrep -f '^nestbox-operator run --role \(role) '); do kill -KILL $process && echo killed; done")
        guard !killed.isEmpty else { return false }
        try await host.kubectl(
            "-n", "nestbox-system", "delete", "pods", "-l", "app.kubernetes.io/name=nestbox-\(role)", "--grace-period=0", "--force",
            "--wait=false")
        return true
    }
}

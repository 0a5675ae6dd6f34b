/// What systemd runs on a machine that is a node of the host: pure text.
enum HostNodeUnits {
    /// By file name.
    static func files(_ components: [ComponentSpec], environment: [String: String]) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: components.map { ("host-\($0.name).service", unit($0, environment: environment)) })
    }

    /// Containers outlive a restart of containerd or the kubelet.
    private static func unit(_ component: ComponentSpec, environment: [String: String]) -> String {
        let settings = environment.sorted { $0.key < $1.key }.map { "Environment=\($0.key)=\($0.value)" }
        let isRuntime = component.name == "containerd"
        return """
            [Unit]
            Description=\(component.name) of the lab's host
            After=network.target\(isRuntime ? "" : " host-containerd.service")
            StartLimitIntervalSec=0

            [Service]
            Type=\(isRuntime ? "notify" : "simple")
            \(settings.joined(separator: "\n"))
            ExecStartPre=/bin/mkdir -p /run/tmp
            ExecStart=\(([component.program] + component.arguments).joined(separator: " "))
            KillMode=process
            Delegate=yes
            Restart=always
            RestartSec=1
            TasksMax=infinity
            LimitNOFILE=1048576

            """
    }
}

/// Where a lab keeps things: all of it below one folder of the cache.
struct LabPaths: Sendable, Equatable {
    /// The cache's root.
    let cache: String
    let state: String
    /// Beside the state, so that it outlives `down`: one command at a time works on a lab.
    let lock: String

    init(cache: String, name: LabName) {
        self.cache = cache
        state = "\(cache)/lab/\(name)"
        lock = "\(cache)/locks/lab-\(name).lock"
    }

    static func labs(cache: String) -> String { "\(cache)/lab" }
    static func rootfs(cache: String, recipe: String) -> String { "\(cache)/lab-rootfs/\(recipe)" }

    var spec: String { "\(state)/lab.json" }
    var status: String { "\(state)/status.json" }
    /// Which images a node of the host has, beside the disk that they are on.
    func importedImages(of node: HostNode) -> String { "\(node.isEmbedded ? state : machine(node.name))/images.json" }
    var supervisorProcess: String { "\(state)/supervisor.process" }
    var kubeconfig: String { "\(state)/kubeconfig" }
    var pki: String { "\(state)/pki" }
    var configuration: String { "\(state)/conf" }
    /// Of a node of the host that is a machine.
    func configuration(of node: HostNode) -> String { "\(configuration)/\(node.name)" }
    /// What systemd runs on it.
    func units(of node: HostNode) -> String { "\(configuration(of: node))/units" }
    var boot: String { "\(state)/boot" }
    var logs: String { "\(state)/log" }
    var bootLog: String { "\(logs)/boot.log" }
    var volumes: String { "\(state)/volumes" }
    var sshKey: String { "\(state)/ssh/id_ed25519" }
    var authorizedKey: String { "\(sshKey).pub" }
    var machines: String { "\(state)/machines" }
    func machine(_ name: String) -> String { "\(machines)/\(name)" }
    func log(_ name: String) -> String { "\(logs)/\(name).log" }
}

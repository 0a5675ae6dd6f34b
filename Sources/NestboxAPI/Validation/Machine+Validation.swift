import KubernetesAPI

extension Machine {
    /// Everything that is wrong with it as it stands, the defaults in their places; empty when it can be looked at.
    public func validate() -> [FieldError] {
        let spec = withDefaults().spec ?? MachineSpec()
        var errors = FieldErrors()
        errors.require(name, is: .dnsLabel, at: "metadata.name")
        // The operator's record in the tenant is named as the node, beside one of its own.
        errors.require(name != Self.reservedName, "metadata.name", "\(Self.reservedName) is a name that Nestbox keeps for itself")
        errors.checkLabels(metadata.labels, at: "metadata.labels")
        errors.require(spec.address != nil, "spec.address", "is needed: where the machine answers SSH")
        // Not a name: its node is reached at the address that is recorded of it, and names can come to mean another server.
        errors.require(spec.address, is: .address, at: "spec.address")
        if let address = spec.address.flatMap({ IPv4Address($0) }) { errors.checkUsable(address, at: "spec.address") }
        let port = spec.port ?? 22
        errors.require((1...65535).contains(port), "spec.port", "\(port) is not a port: 1 to 65535")
        errors.require(spec.user, is: .userName, at: "spec.user")
        errors.require(spec.nodePool, is: .dnsName, at: "spec.nodePool")
        let architectures = ["amd64", "arm64"]
        errors.require(
            spec.architecture.map(architectures.contains) ?? true, "spec.architecture",
            "\(quoted(spec.architecture ?? "")) is not one of \(architectures.joined(separator: ", "))")
        if joinsByCommand {
            errors.checkOwners(spec)
        } else {
            errors.require(
                spec.sshKeySecret != nil, "spec.sshKeySecret",
                "is needed: the Secret in the operator's namespace that holds the private key"
            )
        }
        errors.require(spec.sshKeySecret, is: .dnsName, at: "spec.sshKeySecret")
        errors.checkHostKey(spec.hostKey, at: "spec.hostKey")
        errors.check(spec.jumpHost, at: "spec.jumpHost")
        for (index, namespace) in (spec.allowedNamespaces ?? []).enumerated() {
            errors.require(namespace, is: .dnsLabel, at: "spec.allowedNamespaces[\(index)]")
        }
        return errors.list
    }

    /// What keeps it from becoming a node of that cluster: an address that the cluster uses otherwise.
    public func validate(in cluster: HostedCluster) -> [FieldError] {
        guard let address = spec?.address, let clash = cluster.withDefaults().spec?.network?.clash(withHostAt: address) else { return [] }
        return [FieldError("spec.address", "\(clash) of HostedCluster \(cluster.key)")]
    }

    private static let reservedName = "api-endpoints"
}

extension FieldErrors {
    /// Of a machine that nobody connects to.
    fileprivate mutating func checkOwners(_ spec: MachineSpec) {
        let none = "is of no use with joinMethod Command: nobody connects to the machine"
        require(spec.sshKeySecret == nil, "spec.sshKeySecret", none)
        require(spec.hostKey == nil, "spec.hostKey", none)
        require(spec.jumpHost == nil, "spec.jumpHost", none)
        // Any tenant's pool of that name could take it otherwise, and its owner would join the wrong cluster.
        require(spec.nodePool != nil, "spec.nodePool", "is needed with joinMethod Command: the pool that it is for")
        require(
            spec.allowedNamespaces?.count == 1, "spec.allowedNamespaces", "is needed with joinMethod Command: the namespace of its pool")
    }

    fileprivate mutating func check(_ jumpHost: JumpHostSpec?, at path: String) {
        guard let jumpHost else { return }
        require(jumpHost.address != nil, "\(path).address", "is needed: where the jump host answers SSH")
        require(jumpHost.address, is: .host, at: "\(path).address")
        let port = jumpHost.port ?? 22
        require((1...65535).contains(port), "\(path).port", "\(port) is not a port: 1 to 65535")
        require(jumpHost.user, is: .userName, at: "\(path).user")
        require(jumpHost.sshKeySecret, is: .dnsName, at: "\(path).sshKeySecret")
        checkHostKey(jumpHost.hostKey, at: "\(path).hostKey")
    }

    /// `ssh-ed25519 AAAA...`, a comment may follow; the key must be of the type before it.
    fileprivate mutating func checkHostKey(_ text: String?, at path: String) {
        guard let text else { return }
        let types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count >= 2, let blob = Base64(encoded: words[1])?.bytes, !text.contains(where: \.isNewline) else {
            return add(path, "is not a host key as ssh-keyscan shows it after the host's name: a type and base64, ssh-ed25519 AAAA...")
        }
        guard types.contains(words[0]) else {
            return add(path, "\(quoted(words[0])) is not one of \(types.joined(separator: ", "))")
        }
        let prefix = [0, 0, 0, UInt8(words[0].utf8.count)] + Array(words[0].utf8)
        require(
            blob.starts(with: prefix) && blob.count > prefix.count + 4, path,
            "what follows \(words[0]) is no key of that type: was it cut off?")
    }
}

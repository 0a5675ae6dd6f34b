import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import SSHClient

extension MachineReconciler {
    /// The members of a key's Secret.
    enum KeyMember: String {
        case current = "ssh-privatekey"
        /// Put there to be tried before it takes the other's place (`nestbox machine rotate-key`).
        case next = "ssh-privatekey-next"
    }

    /// A connection as the Machine and the Secrets say at this moment; host keys must be the pinned ones, once there are such.
    func connect(to machine: Machine, with member: KeyMember = .current) async throws -> SSHConnection {
        let spec = machine.withDefaults().spec ?? MachineSpec()
        let secret = spec.sshKeySecret ?? ""
        // A key given in the spec is for the first connection: cleaning makes a new one, and the old is worth nothing then.
        let pinned = [machine.status?.hostKey ?? spec.hostKey, machine.status?.nextHostKey]
        do {
            let connection = try await SSHConnection.connect(
                to: SSHTarget(host: spec.address ?? "", port: spec.port ?? 22, user: spec.user ?? "root"),
                key: try await key(secret, member, of: "Machine \(machine.name)"), hostKey: Self.policy(pinned),
                through: try await jumpHost(of: machine, spec.jumpHost), logger: logger)
            try await pinJumpHost(of: machine, connection)
            return connection
        } catch SSHError.authenticationRefused(let target, let reason) {
            let name = target.isJumpHost ? spec.jumpHost?.sshKeySecret ?? secret : secret
            throw SSHError.authenticationRefused(target, reason: "\(reason) (that of Secret \(operatorNamespace)/\(name))")
        }
    }

    /// Runs with a connection that is closed afterwards.
    func connected<Result: Sendable>(
        to machine: Machine, with member: KeyMember = .current, _ body: (SSHConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await connect(to: machine, with: member)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Read anew for each connection: a Secret that was changed counts from then on.
    private func key(_ name: String, _ member: KeyMember, of what: String) async throws -> SSHPrivateKey {
        guard let secret = try await client.find(Secret.self, ObjectKey(namespace: operatorNamespace, name: name)) else {
            throw SSHError.unusableKey("there is no Secret \(operatorNamespace)/\(name) with the SSH key of \(what)")
        }
        guard let text = secret.data?[member.rawValue]?.text else {
            throw SSHError.unusableKey("Secret \(operatorNamespace)/\(name) has no \(member.rawValue)")
        }
        do {
            return try SSHPrivateKey(text)
        } catch SSHError.unusableKey(let reason) {
            throw SSHError.unusableKey("Secret \(operatorNamespace)/\(name): \(reason)")
        }
    }

    private func jumpHost(of machine: Machine, _ spec: JumpHostSpec?) async throws -> SSHJumpHost? {
        guard let spec else { return nil }
        return SSHJumpHost(
            target: SSHTarget(host: spec.address ?? "", port: spec.port ?? 22, user: spec.user ?? "root"),
            key: try await key(spec.sshKeySecret ?? "", .current, of: "the jump host of Machine \(machine.name)"),
            // Nobody makes it a new one: what the spec says counts for good.
            hostKey: Self.policy([spec.hostKey ?? machine.status?.jumpHostKey]))
    }

    /// Also when it came into the spec long after the Machine was registered.
    private func pinJumpHost(of machine: Machine, _ connection: SSHConnection) async throws {
        guard let seen = await connection.jumpHostKey, machine.spec?.jumpHost?.hostKey == nil, machine.status?.jumpHostKey == nil else {
            return
        }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.jumpHostKey == nil else { return false }
            now.status?.jumpHostKey = seen.description
            return true
        }
    }

    private static func policy(_ keys: [String?]) -> HostKeyPolicy {
        let pinned = keys.compactMap { $0.flatMap { HostKey($0) } }
        return pinned.isEmpty ? .trustFirst : .pinned(pinned)
    }
}

extension SSHError {
    /// For the condition that says so.
    var conditionReason: String {
        switch self {
        case .hostKeyChanged: "HostKeyChanged"
        case .authenticationRefused: "KeyRefused"
        case .unusableKey: "KeyUnusable"
        case .unreachable, .handshakeFailed, .timeout, .connectionLost, .uploadFailed, .library: "SSHFailed"
        }
    }

    /// Itself, and what to do about it with this Machine.
    func words(for machine: Machine) -> String {
        guard case .hostKeyChanged(_, _, let presented) = self else { return "\(self)" }
        return "\(self); if it was reinstalled: nestbox machine accept-host-key \(machine.name) --fingerprint \(presented.fingerprint)"
    }
}

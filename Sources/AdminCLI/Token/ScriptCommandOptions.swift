import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// Prints the command for a machine that the operator cannot reach, once there is one.
struct ScriptCommandOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the machine fetches from; else the operators' Service.", valueName: "http://host:port"))
    var url: String?
    @Option(help: ArgumentHelp("How long to wait for the command: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 300)
    @OptionGroup var operators: OperatorNamespace

    func print(for name: String, with client: KubernetesClient) async throws {
        try await Waiting<Machine>(client: client, name: name, limit: timeout).wait("given its command", whileThere: Self.missing)
        let machine = try await client.get(Machine.self, name)
        guard let script = machine.status?.script else { throw CommandFailure("machine \(name) changed meanwhile: try again") }
        let command = ScriptCommand(
            machine: name, plan: script.plan, sha256: script.sha256, base: try await base(of: machine, with: client),
            token: script.plan == "Join" ? try await token(of: machine, with: client) : nil)
        Terminal.writeLine(command.line)
    }

    /// Nil once there is a command.
    private static func missing(_ machine: Machine) throws -> String? {
        guard machine.joinsByCommand else {
            throw CommandFailure("machine \(machine.name) is reached by SSH: there is no command for it, its pool joins it by itself")
        }
        let script = machine.status?.script.flatMap { $0.epoch == machine.status?.claim?.epoch ? $0 : nil }
        switch machine.status?.phase {
        case nil: return machine.status?.message ?? "the operator has not seen it yet"
        case .available:
            let pool = machine.spec?.nodePool ?? ""
            return "node pool \(pool) takes it once it has fewer Machines than replicas: nestbox scale nodepool \(pool) --replicas N"
        case .claimed, .joining:
            return script?.plan == "Join" ? nil : machine.status?.message ?? "its script is being made"
        case .quarantined:
            return script?.plan == "Clean" ? nil : machine.status?.message ?? "its script is being made"
        case .ready: throw CommandFailure("machine \(machine.name) is a Ready node: there is nothing to be run on it")
        case .draining, .cleaning, .upgrading, .reimaging: return "it is \(machine.status?.phase?.rawValue ?? "")"
        }
    }

    private func token(of machine: Machine, with client: KubernetesClient) async throws -> String {
        let name = MachineScript.ticketSecret(machine: machine.name)
        let ticket = try await client.find(Secret.self, name, namespace: operators.name)
        guard let token = ticket?.data?[MachineScript.tokenMember]?.text else {
            throw CommandFailure("there is no token for machine \(machine.name) (Secret \(operators.name)/\(name)): try again")
        }
        if let expires = ticket?.data?["expires"]?.text {
            Terminal.say("for machine \(machine.name) at \(machine.spec?.address ?? "") alone, once, until \(expires)")
        }
        return token
    }

    private func base(of machine: Machine, with client: KubernetesClient) async throws -> String {
        if let url { return url.hasSuffix("/") ? String(url.dropLast()) : url }
        let name = MachineScript.serviceName
        guard let service = try await client.find(Service.self, name, namespace: operators.name) else {
            throw CommandFailure(
                "there is no Service \(operators.name)/\(name), where machines fetch from: kubectl apply -k manifests/operator, or --url"
            )
        }
        let port = service.spec?.ports?.first
        if let ingress = service.status?.loadBalancer?.ingress?.first, let host = ingress.ip ?? ingress.hostname {
            return "http://\(host):\(port?.port ?? 80)"
        }
        // A NodePort is on every node of the host: also on the one where the machine's cluster is published.
        var endpoint: String?
        if let claim = machine.status?.claim {
            endpoint = try await client.find(HostedCluster.self, claim.hostedCluster, namespace: claim.namespace)?
                .status?.apiEndpoints?.first
        }
        guard let nodePort = port?.nodePort, let host = endpoint?.split(separator: ":").first else {
            throw CommandFailure("where the machine can fetch from is not known: say --url http://HOST:PORT of Service \(name)")
        }
        return "http://\(host):\(nodePort)"
    }
}

/// One line for a shell. Pure.
struct ScriptCommand {
    var machine: String
    /// `Join` or `Clean`.
    var plan: String
    var sha256: String
    var base: String
    var token: String?

    var line: String {
        let file = "nestbox-\(plan.lowercased())-\(machine).sh"
        let input = token.map { "echo \($0) | " } ?? ""
        // A root without sudo is root enough.
        return "curl -fsS \(base)/sha256/\(sha256) -o \(file) && echo '\(sha256)  \(file)' | sha256sum -c --quiet"
            + " && \(input)$(command -v sudo) sh \(file) \(base)"
    }
}

import TestCampaign
import TestCommands
import TestLoad

/// Upgrades, scalings and renewals in turn, under load; where asked for, while the operator is killed at random.
struct ControlPlaneRound: Sendable {
    private static let patience = Duration.seconds(600)

    let time: Duration
    let seed: UInt64
    let kills: Bool
    let schedule: OperationSchedule
    let tenant: CampaignTenant

    func run() async throws -> String {
        var generator = SeededGenerator(seed: seed)
        var diary = Diary()
        var (version, replicas) = (OperationSchedule.version, schedule.replicas)
        try await tenant.rest(version: version, replicas: replicas, within: Self.patience)
        let end = ContinuousClock.now + time
        for operation in schedule.operations {
            guard .now < end else { break }
            do {
                switch operation {
                case .upgrade(let wanted): version = wanted
                case .scale(let wanted): replicas = wanted
                case .renewal: break
                }
                let wanted = (version: version, replicas: replicas)
                let (isDone, dead) = try await diary.keep(operation.name, in: tenant) {
                    try await whileKilling(&generator) {
                        try await perform(operation, version: wanted.version, replicas: wanted.replicas)
                    }
                }
                guard isDone else {
                    diary.problem("\(operation.name): this nestbox has no command for it")
                    continue
                }
                diary.kills += dead
            } catch let error as CampaignTenant.Restless {
                diary.problem("\(operation.name): \(error)")
                await tenant.tellState()
                break
            }
        }
        // With three replicas nobody is to notice.
        let record = await tenant.log.record
        if schedule.replicas == 3, !kills {
            for name in record.tallies.keys.sorted() where record.failed(during: name) > 0 {
                diary.problem("\(name): \(record.failed(during: name)) requests failed")
            }
        }
        return try await diary.verdict(of: tenant, seed: seed, "\(schedule.replicas) replicas")
    }

    /// Asks for it, and waits until all is as it was asked for. False where there is no command for it.
    private func perform(_ operation: OperationSchedule.Operation, version: String, replicas: Int) async throws -> Bool {
        let host = tenant.lab.host
        switch operation {
        case .upgrade(let version):
            try await host.kubectl(
                "patch", "hostedcluster", "demo", "--type=merge", "-p", #"{"spec": {"version": "\#(version)"}}"#)
        case .scale(let replicas):
            try await host.kubectl(
                "patch", "hostedcluster", "demo", "--type=merge", "-p", #"{"spec": {"controlPlane": {"replicas": \#(replicas)}}}"#)
        case .renewal:
            let before = try await leaf()
            let outcome = try await host.outcome("\(CommandRun.products)/nestbox", ["certificates", "renew", "demo"])
            // Of a usage that nestbox does not know.
            if outcome.code == 64 { return false }
            guard outcome.code == 0 else { throw CommandRun.Failed(description: outcome.error) }
            _ = try await CommandRun.eventually(within: .seconds(120), "another certificate of kube-apiserver") {
                guard try await leaf() != before else { throw CommandRun.Failed(description: "it is the same") }
            }
        }
        try await tenant.rest(version: version, replicas: replicas, within: Self.patience)
        return true
    }

    /// The certificate that the API server shows, by its fingerprint.
    private func leaf() async throws -> String {
        try await tenant.lab.host.shell(
            """
            address=$(kubectl get hostedcluster demo -o jsonpath='{.status.apiEndpoints[0]}')
            openssl s_client -connect $address </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256
            """)
    }

    /// Runs the body; where asked for, the operator is killed again and again meanwhile. The body's result, and how often.
    private func whileKilling(
        _ generator: inout SeededGenerator, _ body: @escaping @Sendable () async throws -> Bool
    ) async throws -> (Bool, Int) {
        guard kills else { return (try await body(), 0) }
        // Who waits for a dead one's lease longer than he lives would do nothing at all for as long as this goes on.
        let pauses = (0..<10).map { _ in Duration.seconds(Double.random(in: 1...20, using: &generator)) }
        let lab = tenant.lab
        let counter = KillCount()
        let isDone = try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for pause in pauses {
                    try await Task.sleep(for: pause)
                    if try await lab.killOperator("control-planes") {
                        await counter.add()
                        say("  killed the operator")
                    }
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
        return (isDone, await counter.count)
    }
}

private actor KillCount {
    private(set) var count = 0
    func add() { count += 1 }
}

import TestCampaign
import TestCommands
import TestLoad

/// Faults of etcd's three members, one after the other, each until all is well again; where asked for, the operator is killed before
/// some of them.
struct EtcdRound: Sendable {
    private static let patience = Duration.seconds(420)

    let time: Duration
    let seed: UInt64
    let kills: Bool
    let tenant: CampaignTenant

    func run() async throws -> String {
        var generator = SeededGenerator(seed: seed)
        var diary = Diary()
        try await tenant.rest(version: OperationSchedule.version, replicas: 3, within: Self.patience)
        let breaker = EtcdBreaker(lab: tenant.lab, namespace: tenant.namespace)
        let end = ContinuousClock.now + time
        var faults = 0
        for (fault, member) in EtcdFault.schedule(200, using: &generator) {
            guard .now < end else { break }
            if kills, Bool.random(using: &generator), try await tenant.lab.killOperator("control-planes") { diary.kills += 1 }
            faults += 1
            do {
                try await diary.keep(fault.rawValue, in: tenant) {
                    say("  etcd-\(member)")
                    try await breaker.cause(fault, to: member)
                    // The StatefulSet takes a moment to see that a pod is gone.
                    try await Task.sleep(for: .seconds(3))
                    try await tenant.rest(version: OperationSchedule.version, replicas: 3, within: Self.patience)
                }
            } catch let error as CampaignTenant.Restless {
                diary.problem("\(fault.rawValue) etcd-\(member): \(error)")
                await tenant.tellState()
                break
            }
        }
        return try await diary.verdict(of: tenant, seed: seed, "\(faults) faults")
    }
}

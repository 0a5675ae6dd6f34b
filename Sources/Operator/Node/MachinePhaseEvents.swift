import ControllerRuntime
import KubernetesAPI
import NestboxAPI
import ServiceLifecycle

/// Tells of each Machine that goes from one phase to another, whoever moved it: seven places do, in two operators.
///
/// Also of what keeps one from being claimed or installed, of which nobody else makes an Event on the Machine.
final class MachinePhaseEvents: ServiceLifecycle.Service {
    private let events: EventRecorder
    private let changes: AsyncStream<InformerChange<Machine>>

    /// What nobody waits for is dropped rather than kept when a fleet changes faster than the host takes Events.
    private static let mostWaiting = 1024

    init(machines: Informer<Machine>, events: EventRecorder) {
        self.events = events
        let (changes, waiting) = AsyncStream.makeStream(
            of: InformerChange<Machine>.self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        self.changes = changes
        machines.onChange { change in
            if !Self.transitions(of: change).isEmpty { waiting.yield(change) }
        }
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            for await change in self.changes {
                for transition in Self.transitions(of: change) {
                    await self.events.record(transition.type, reason: transition.reason, message: transition.message, on: change.object)
                }
            }
        }
    }

    private static let ownEvents: Set = ["ArtifactsAvailable", "Installed", "Claimable", "Listed"]

    static func transitions(of change: InformerChange<Machine>) -> [ConditionTransition] {
        guard case .updated(let old, let new) = change else { return [] }
        let told = ConditionTransition.between(
            old.status?.conditions, new.status?.conditions, types: Machine.conditionTypes.filter { ownEvents.contains($0.name) })
        guard let phase = new.status?.phase, let before = old.status?.phase, phase != before else { return told }
        let holder = new.status?.claim.map { ", held by \($0.namespace)/\($0.nodePool)" } ?? ""
        let why = new.status?.message.map { ": \($0)" } ?? ""
        // Always Normal: what is wrong is told by whoever found it, as a Warning of its own.
        let moved = ConditionTransition(
            type: .normal, reason: "PhaseChanged", message: "went from \(before.rawValue) to \(phase.rawValue)\(holder)\(why)")
        return [moved] + told
    }
}

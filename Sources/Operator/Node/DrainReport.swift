import Foundation
import KubernetesAPI
import NodeJoin

/// What keeps a drain, in words of bounded length, for the Machine's condition and its events. Pure.
struct DrainReport: Equatable {
    /// The reason of a Machine whose pods are gone: nothing brings it back.
    static let drained = "Drained"
    /// Pods with longer to go than this are worth an event.
    private static let longGrace: TimeInterval = 30
    private static let namedPods = 3

    /// Why a pod may not be evicted now, in Kubernetes' own words, by pod.
    var refusals: [String: String] = [:]
    /// When pods that are going will be ended at the latest, by pod; in RFC 3339, and empty where that is not known yet.
    var ends: [String: String] = [:]
    /// Volumes that are attached still.
    var volumes: [String] = []
    /// Anything else that is waited for, in a sentence.
    var other: String?

    init(refusals: [String: String] = [:], terminating: [Pod] = [], volumes: [String] = [], other: String? = nil) {
        self.refusals = refusals
        for pod in terminating { ends[pod.key] = pod.metadata.deletionTimestamp ?? "" }
        self.volumes = volumes
        self.other = other
    }

    /// In one word, for the condition.
    var reason: String {
        if !refusals.isEmpty { return "EvictionRefused" }
        if !ends.isEmpty { return "PodsEnding" }
        return volumes.isEmpty ? "Waiting" : "VolumesAttached"
    }

    var message: String { ([refused, ending, attached, other].compactMap(\.self)).joined(separator: "; ") }

    /// What a person may want to act on: each is worth one event when it is new.
    func warnings(now: Date) -> [String] {
        let isLong = ends.values.compactMap(Timestamp.parse).contains { $0.timeIntervalSince(now) > Self.longGrace }
        return [refused, isLong ? ending : nil].compactMap(\.self)
    }

    /// `The disruption budget web needs 2 healthy pods and has 2 currently. (pods default/a, default/b)`
    private var refused: String? {
        guard !refusals.isEmpty else { return nil }
        let byWords = Dictionary(grouping: refusals.keys.sorted(), by: { refusals[$0] ?? "" }).sorted { $0.value[0] < $1.value[0] }
        let told = byWords.prefix(Self.namedPods).map { "\($0.key) (\(Self.list($0.value)))" }
        return "cannot be evicted: " + told.joined(separator: "; ")
            + (byWords.count > told.count ? "; and \(byWords.count - told.count) other reasons" : "")
    }

    private var ending: String? {
        guard !ends.isEmpty else { return nil }
        // Those first that take the longest.
        let pods = ends.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        let last = ends.values.max() ?? ""
        return "waits for the end of \(Self.list(pods))" + (last.isEmpty ? "" : ", until \(last) at the latest")
    }

    private var attached: String? {
        volumes.isEmpty ? nil : "waits for volumes to be detached: \(Self.first(volumes.sorted()))"
    }

    private static func list(_ pods: [String]) -> String {
        "\(pods.count == 1 ? "pod" : "\(pods.count) pods") \(first(pods))"
    }

    private static func first(_ names: [String]) -> String {
        names.inWords(most: namedPods)
    }
}

extension DrainReport {
    /// Why an eviction was refused: the PodDisruptionBudget's own words, which name it, where it was one.
    static func words(_ status: Status?, otherwise text: String) -> String {
        let budget = status?.details?.causes?.first { $0.reason == "DisruptionBudget" }?.message
        return MachineWords.cleaned(budget ?? status?.message ?? text, limit: 300)
    }
}

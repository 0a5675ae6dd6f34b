import TestCommands

/// What is done to the control plane, in turn. Pure.
struct OperationSchedule: Sendable {
    enum Operation: Equatable, Sendable {
        case upgrade(to: String)
        case scale(to: Int)
        case renewal

        /// One row of the table is all of a kind.
        var name: String {
            switch self {
            case .upgrade: "upgrade"
            case .scale(let replicas): "scale to \(replicas)"
            case .renewal: "leaf renewal"
            }
        }
    }

    static let version = "v1.20.2"
    private static let patch = 2

    var times: Int
    /// As many as there are while it is upgraded and renewed.
    var replicas: Int

    /// Stamps of the same source, each one patch newer: the choreography of an upgrade, and nothing else of it.
    var versions: [String] { (0..<times).map { "v1.20.\(Self.patch + 1 + $0)" } }

    /// Each round ends with as many replicas as it began with.
    var operations: [Operation] {
        versions.flatMap { version -> [Operation] in
            let there = replicas == 1 ? 3 : 1
            return [.upgrade(to: version), .scale(to: there), .scale(to: replicas), .renewal]
        }
    }
}

/// What the host and the HostedCluster say of a control plane. Pure.
struct ControlPlaneSight: Equatable, Sendable {
    /// Wanted, seen by its controller, there, up to date and ready, in this order; `image` is its first container's.
    struct Workload: Equatable, Sendable {
        var wanted = 0
        var isObserved = false
        var there = 0
        var updated = 0
        var ready = 0
        var image = ""

        /// Reads `3 7 7 3 3 3 IMAGE`: replicas, generation, observed generation, status' replicas, updated and ready ones; those that are 0
        /// are not in a status, and come as `-`.
        init(_ text: String) {
            let words = text.split(separator: " ").map(String.init)
            guard words.count == 7 else { return }
            let numbers = words.prefix(6).map { Int($0) ?? 0 }
            wanted = numbers[0]
            isObserved = numbers[1] == numbers[2]
            there = numbers[3]
            updated = numbers[4]
            ready = numbers[5]
            image = words[6]
        }

        init() {}

        func lacks(_ replicas: Int, _ name: String) -> String? {
            guard isObserved, wanted == replicas, there == replicas, updated == replicas, ready == replicas else {
                return "\(name): \(wanted) wanted, \(there) there, \(updated) up to date, \(ready) ready of \(replicas)"
            }
            return nil
        }
    }

    var version = ""
    /// Of condition Available.
    var available = ""
    var controlPlane = Workload()
    var etcd = Workload()

    /// What is not yet as it was asked for, in words.
    func lacking(version wanted: String, replicas: Int) -> [String] {
        var lacking: [String] = []
        if version != wanted { lacking.append("the cluster's version is \(version), not \(wanted)") }
        if available != "True" { lacking.append("Available is \(available)") }
        if !controlPlane.image.hasSuffix(":\(wanted)") { lacking.append("the pods' image is \(controlPlane.image)") }
        return lacking + [controlPlane.lacks(replicas, "control plane"), etcd.lacks(replicas, "etcd")].compactMap { $0 }
    }
}

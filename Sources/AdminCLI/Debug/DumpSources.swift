import KubernetesAPI

/// What a dump reads of one namespace. Paths below `/`, with the places in the API where older servers have the same.
enum DumpSources {
    /// A kind of object, and where it is listed.
    struct List: Sendable {
        var file: String
        /// The first that the server knows counts.
        var groups: [String]
        var resource: String

        init(_ resource: String, in groups: String...) {
            self.resource = resource
            self.groups = groups
            file = "\(resource).yaml"
        }

        func paths(namespace: String?) -> [String] {
            groups.map { group in "/\(group)/" + (namespace.map { "namespaces/\($0)/" } ?? "") + resource }
        }
    }

    /// First, for what they hold is taken out of everything that comes after them.
    static let secrets = List("secrets", in: "api/v1")

    /// Of a namespace that a part of Nestbox runs in.
    static let inside: [List] = [
        List("pods", in: "api/v1"), List("services", in: "api/v1"), List("endpoints", in: "api/v1"),
        List("persistentvolumeclaims", in: "api/v1"), List("configmaps", in: "api/v1"), List("events", in: "api/v1"),
        List("serviceaccounts", in: "api/v1"), List("deployments", in: "apis/apps/v1"), List("replicasets", in: "apis/apps/v1"),
        List("statefulsets", in: "apis/apps/v1"), List("networkpolicies", in: "apis/networking.k8s.io/v1"),
        List("poddisruptionbudgets", in: "apis/policy/v1", "apis/policy/v1beta1"), List("leases", in: "apis/coordination.k8s.io/v1"),
        List("rolebindings", in: "apis/rbac.authorization.k8s.io/v1"),
    ]

    /// Of the host as a whole.
    static let host: [List] = [
        List("nodes", in: "api/v1"), List("storageclasses", in: "apis/storage.k8s.io/v1"),
        List("priorityclasses", in: "apis/scheduling.k8s.io/v1"),
    ]

    static let clusters = List("hostedclusters", in: "apis/nestbox.dev/v1alpha1")
    static let pools = List("nodepools", in: "apis/nestbox.dev/v1alpha1")
    static let machines = List("machines", in: "apis/nestbox.dev/v1alpha1")
    static let events = List("events", in: "api/v1")
}

/// The containers of a pod, and whose logs there are.
struct DumpedContainer: Equatable {
    var name: String
    /// Whether it ran before, and said why it ended perhaps.
    var hasPrevious: Bool

    static func all(of pod: JSONValue) -> [DumpedContainer] {
        let spec = pod["spec"]
        let status = pod["status"]
        let statuses = (status?["initContainerStatuses"]?.array ?? []) + (status?["containerStatuses"]?.array ?? [])
        return ((spec?["initContainers"]?.array ?? []) + (spec?["containers"]?.array ?? [])).compactMap { container in
            guard let name = container["name"]?.string else { return nil }
            let own = statuses.first { $0["name"]?.string == name }
            return DumpedContainer(name: name, hasPrevious: (own?["restartCount"]?.integer ?? 0) > 0)
        }
    }
}

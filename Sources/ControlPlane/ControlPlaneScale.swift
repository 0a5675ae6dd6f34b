/// How many of each part run: as the spec wants it, or on the way there, which the operator goes step by step (etcd grows before the API
/// servers are told of its new members, and API servers forget a member before it goes).
public struct ControlPlaneScale: Sendable, Equatable {
    /// Control-plane pods.
    public var apiServers: Int
    /// Members that API servers are told of: those with a vote, as a learner serves nobody.
    public var etcdServers: Int
    /// Pods of etcd.
    public var etcdPods: Int
    /// Ordinals of etcd's members, while one that was added has to start among them; nil at all other times.
    public var joining: [Int]?

    public init(apiServers: Int, etcdServers: Int, etcdPods: Int, joining: [Int]? = nil) {
        self.apiServers = apiServers
        self.etcdServers = etcdServers
        self.etcdPods = etcdPods
        self.joining = joining
    }

    /// All parts alike, as a new control plane starts.
    public init(replicas: Int) { self.init(apiServers: replicas, etcdServers: replicas, etcdPods: replicas) }
}

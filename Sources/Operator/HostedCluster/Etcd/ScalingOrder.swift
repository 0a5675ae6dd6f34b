/// How a control plane gets from one size to another while it serves: etcd grows before the API server is told of its new members, and that
/// one is told of them before it gets others beside it, so that none starts that is to be replaced at once. API servers forget a member
/// before it goes. Pure.
struct ScalingOrder: Equatable {
    /// What is seen of the API servers.
    struct APIServers: Equatable {
        /// That the Deployment is to run; nil when there is none.
        var wanted: Int?
        /// Members of etcd that the Deployment's pods are told of; nil when there is none.
        var told: Int?
        /// Whether all of them are of its newest template, and ready.
        var isRolledOut: Bool
        /// Pods, of any template, those on their way out too: they still run.
        var running: Int
        /// Those that serve.
        var ready = 0
    }

    /// What the Deployment is to run.
    var apiServers: Int
    /// Members of etcd that they are to be told of.
    var etcdServers: Int
    /// What etcd is to have.
    var etcdMembers: Int
}

extension ScalingOrder {
    /// - Parameters:
    ///   - wanted: 1 or 3: by the spec, or, before etcd holds data, as many as were started.
    ///   - voters: members of etcd that have started and have a vote; nil when it cannot be asked.
    init(wanted: Int, isBootstrapped: Bool, voters: Int?, apiServers seen: APIServers) {
        let now = seen.wanted
        if !isBootstrapped {
            self.init(apiServers: wanted, etcdServers: wanted, etcdMembers: wanted)
        } else if wanted > 1 {
            // Once told of all members they stay so: one that is replaced, or that does not answer, rolls nobody.
            let areTold = seen.told == wanted || (voters ?? 0) >= wanted
            let mayGrow = now == nil || now == wanted || (seen.told == wanted && seen.isRolledOut)
            self.init(apiServers: areTold && mayGrow ? wanted : 1, etcdServers: areTold ? wanted : 1, etcdMembers: wanted)
        } else {
            let isSmall = now == nil || (now == 1 && seen.told == 1 && seen.isRolledOut && seen.running <= 1)
            self.init(apiServers: 1, etcdServers: 1, etcdMembers: isSmall ? 1 : max(voters ?? 3, 1))
        }
    }
}

extension ScalingOrder {
    /// What is missing while etcd has nothing to do, in words; nil when nothing is.
    static func step(wanted: Int, members: Int, _ seen: APIServers) -> String? {
        if members != wanted { return "etcd has \(members) of \(wanted) members with a vote" }
        if seen.wanted != wanted { return "\(wanted) control-plane pods are to run" }
        if seen.ready < wanted { return "\(seen.ready) of \(wanted) control-plane pods serve" }
        if seen.running > wanted { return "control-plane pods are replaced, or on their way out: \(seen.running) run for \(wanted)" }
        return nil
    }
}

import ControlPlane

/// What to do next so that etcd has as many members as wanted, each with its data: one step at a time, by what is seen, so that an
/// operator that dies between two steps goes on. Pure.
///
/// A member is added as a learner, which has no vote and cannot cost the quorum, and gets its vote when it has caught up (etcd docs,
/// "Learner design"). One is taken away by its removal from the list, before its pod goes. One that lost its data is taken away and added.
enum MembershipDecision: Equatable, Sendable {
    /// As many as wanted, all with a vote.
    case settled
    /// Something that was begun is under way: a process starts, a volume goes.
    case wait(String)
    /// Nothing can be done before something else is mended.
    case blocked(String)
    /// The StatefulSet is to run so many.
    case run(replicas: Int)
    /// The volume holds the data of an earlier life of that member: it goes before the member comes back.
    case dropVolume(ordinal: Int)
    /// A new pod of the same name is to be made of one that serves nobody: for the claim that it names, or for what it is told as it starts.
    case renewPod(ordinal: Int)
    /// The same of one that serves, for the newest template.
    case restart(ordinal: Int)
    case add(ordinal: Int)
    /// etcd refuses while the learner lags behind: that is to be asked again.
    case promote(id: String, ordinal: Int)
    /// Before its leader goes, another one is asked to lead.
    case moveLeader(from: Int, to: String)
    case remove(id: String, ordinal: Int)
}

extension MembershipDecision {
    init(wanted: Int, _ sight: EtcdSight) {
        // What is to stay is brought back before anything that stands in for it goes.
        self =
            Self.aboutStrangers(sight) ?? Self.aboutFailedPods(sight) ?? Self.aboutLearner(wanted, sight) ?? Self.aboutBroken(sight)
            ?? Self.aboutPods(sight) ?? Self.aboutLack(wanted, sight) ?? Self.aboutSurplus(wanted, sight)
            ?? Self.aboutVolumes(sight) ?? Self.aboutOutdatedPods(sight) ?? .settled
    }

    private static func aboutStrangers(_ sight: EtcdSight) -> Self? {
        guard let stranger = sight.members.first(where: { $0.ordinal == nil }) else { return nil }
        return .blocked("etcd has a member at \(stranger.peerURL) that Nestbox did not add: remove it, and nothing is changed before")
    }

    /// What an earlier template may keep from serving is made anew at once: nobody misses it.
    private static func aboutFailedPods(_ sight: EtcdSight) -> Self? {
        let failed = sight.outdated.sorted().first { ordinal in
            guard let pod = sight.pods[ordinal], pod != .going, !sight.ready.contains(ordinal), sight.statuses[ordinal] == nil else {
                return false
            }
            return pod != .running || sight.voters.allSatisfy { $0.ordinal == ordinal || sight.isWell($0) }
        }
        return failed.map { .renewPod(ordinal: $0) }
    }

    /// One that was added is brought to its vote before anything else is done, or taken away when it is wanted no more.
    private static func aboutLearner(_ wanted: Int, _ sight: EtcdSight) -> Self? {
        guard let learner = sight.members.first(where: \.isLearner), let ordinal = learner.ordinal else { return nil }
        let name = NestboxName.etcdMember(ordinal)
        if ordinal >= wanted || sight.corrupt.contains(learner.id) { return .remove(id: learner.id, ordinal: ordinal) }
        guard sight.replicas > ordinal else {
            switch learner.hasStarted ? nil : sight.volumes[ordinal] {
            case nil: return .run(replicas: ordinal + 1)
            case .going: return .wait("the volume of the \(name) that was is going")
            case .there, .lost: return .dropVolume(ordinal: ordinal)
            }
        }
        switch sight.pods[ordinal] {
        case .empty, .unusable:
            // It started and lost its data since; it is added anew.
            if learner.hasStarted { return .remove(id: learner.id, ordinal: ordinal) }
            // It was not told yet that it may join, or it found what was left of an earlier life.
            return sight.pods[ordinal] == .empty ? .renewPod(ordinal: ordinal) : dropVolume(ordinal, sight)
        case .withoutVolume: return .renewPod(ordinal: ordinal)
        case .running, .starting, .ended, .going, nil: break
        }
        if sight.volumes[ordinal] == .going, sight.pods[ordinal] != nil { return dropVolume(ordinal, sight) }
        guard learner.hasStarted, sight.isWell(learner) else { return .wait("\(name) joins") }
        if let silent = silent(among: sight.voters, sight) { return .blocked("\(silent): no member is given a vote") }
        return .promote(id: learner.id, ordinal: ordinal)
    }

    /// A member whose data is gone or unreadable is replaced by itself, while all others are well.
    private static func aboutBroken(_ sight: EtcdSight) -> Self? {
        for member in sight.voters {
            guard let ordinal = member.ordinal, let why = sight.damage(of: member) else { continue }
            let others = sight.voters.filter { $0.id != member.id }
            let name = NestboxName.etcdMember(ordinal)
            guard others.count > 1 else {
                return .blocked("\(name) does not start (\(why)), and there are not two others to replace it from")
            }
            if let silent = silent(among: others, sight) {
                return .blocked("\(name) does not start (\(why)); \(silent): it is not replaced")
            }
            if sight.statuses[ordinal]?.isLeader == true { return .moveLeader(from: ordinal, to: others[0].id) }
            return .remove(id: member.id, ordinal: ordinal)
        }
        return nil
    }

    private static func aboutSurplus(_ wanted: Int, _ sight: EtcdSight) -> Self? {
        let surplus = sight.members.filter { $0.ordinal.map { $0 >= wanted } ?? false }
        // One that does not answer goes first: without it there is more to spare.
        guard let member = surplus.first(where: { !sight.isWell($0) }) ?? surplus.last, let ordinal = member.ordinal else { return nil }
        let staying = sight.voters.filter { $0.id != member.id }
        if let silent = silent(among: staying, sight) { return .blocked("\(silent): no member is taken away") }
        guard let heir = staying.first else { return nil }
        if sight.statuses[ordinal]?.isLeader == true { return .moveLeader(from: ordinal, to: heir.id) }
        return .remove(id: member.id, ordinal: ordinal)
    }

    /// As many pods as the last member needs.
    private static func aboutPods(_ sight: EtcdSight) -> Self? {
        let needed = (sight.members.compactMap(\.ordinal).max() ?? 0) + 1
        return sight.replicas == needed ? nil : .run(replicas: needed)
    }

    private static func aboutLack(_ wanted: Int, _ sight: EtcdSight) -> Self? {
        let members = Set(sight.members.compactMap(\.ordinal))
        guard let next = (0..<wanted).first(where: { !members.contains($0) }) else { return nil }
        let name = NestboxName.etcdMember(next)
        if sight.replicas <= next {
            // No pod has run there since: what the volume holds is of an earlier life.
            switch sight.volumes[next] {
            case .there, .lost: return .dropVolume(ordinal: next)
            case .going: return .wait("the volume of the \(name) that was is going")
            case nil: break
            }
        } else {
            switch sight.pods[next] {
            case .empty where sight.volumes[next] == .there: break
            // Its process ends in one way or another: as a member it was removed. A new volume it finds empty, and says so.
            case .empty, .unusable, .ended: return dropVolume(next, sight)
            case .withoutVolume: return .renewPod(ordinal: next)
            case .running, .starting, .going, nil:
                if sight.volumes[next] == .going, let pod = sight.pods[next], pod != .going { return .renewPod(ordinal: next) }
                return .wait("\(name) comes back without its old data")
            }
        }
        if let silent = silent(among: sight.voters, sight) { return .blocked("\(silent): no member is added") }
        return .add(ordinal: next)
    }

    /// Of members that were taken away.
    private static func aboutVolumes(_ sight: EtcdSight) -> Self? {
        let left = sight.volumes.filter { $0.key >= sight.replicas && $0.value != .going }.keys
        return left.min().map { .dropVolume(ordinal: $0) }
    }

    /// What serves is made anew one at a time, while all members answer, and the leader last.
    private static func aboutOutdatedPods(_ sight: EtcdSight) -> Self? {
        let outdated = sight.outdated.sorted(by: >)
        guard let last = outdated.last else { return nil }
        if let silent = silent(among: sight.members, sight) { return .wait("\(silent): no other member is started anew") }
        if let next = outdated.first(where: { sight.statuses[$0]?.isLeader != true }) { return .restart(ordinal: next) }
        if let heir = sight.voters.first(where: { $0.ordinal != last }) { return .moveLeader(from: last, to: heir.id) }
        guard sight.volumes[last] != .going else {
            return .blocked(
                "the volume of \(NestboxName.etcdMember(last)) is being deleted and goes with its pod, which is not started anew")
        }
        return .restart(ordinal: last)
    }

    /// The claim first; it goes when its pod does.
    private static func dropVolume(_ ordinal: Int, _ sight: EtcdSight) -> Self {
        switch sight.volumes[ordinal] {
        case .there, .lost: .dropVolume(ordinal: ordinal)
        case .going, nil: .renewPod(ordinal: ordinal)
        }
    }

    /// Which of them do not answer, in words; nil when all do.
    private static func silent(among members: [EtcdMember], _ sight: EtcdSight) -> String? {
        let silent = members.filter { !sight.isWell($0) }.compactMap(\.ordinal).map(NestboxName.etcdMember)
        guard !silent.isEmpty else { return nil }
        return "\(silent.joined(separator: " and ")) \(silent.count == 1 ? "does" : "do") not answer"
    }
}

extension EtcdSight {
    /// Why the member cannot serve with the data it has; nil for one that only does not answer now.
    func damage(of member: EtcdMember) -> String? {
        if corrupt.contains(member.id) { return "its data differs from the others'" }
        guard let ordinal = member.ordinal, statuses[ordinal] == nil else { return nil }
        return switch pods[ordinal] {
        case .empty: "its data is gone"
        case .withoutVolume: "its volume is gone"
        case .unusable(let why): why
        default: nil
        }
    }
}

extension MembershipDecision {
    /// What is under way, for who waits for it; nil when nothing is.
    var words: String? {
        switch self {
        case .settled: nil
        case .wait(let why), .blocked(let why): why
        case .run(let replicas): "etcd is to run \(replicas) \(replicas == 1 ? "member" : "members")"
        case .dropVolume(let ordinal): "the old volume of \(NestboxName.etcdMember(ordinal)) goes"
        case .renewPod(let ordinal): "\(NestboxName.etcdMember(ordinal)) is started anew"
        case .restart(let ordinal): "\(NestboxName.etcdMember(ordinal)) is started anew with its new settings"
        case .add(let ordinal): "\(NestboxName.etcdMember(ordinal)) is added to etcd as a learner"
        case .promote(_, let ordinal): "\(NestboxName.etcdMember(ordinal)) catches up, and gets its vote then"
        case .moveLeader(let ordinal, _): "\(NestboxName.etcdMember(ordinal)) hands over the lead"
        case .remove(_, let ordinal): "\(NestboxName.etcdMember(ordinal)) is removed from etcd"
        }
    }
}

extension MembershipDecision {
    /// What the StatefulSet is to run from now on, where that changes.
    var replicas: Int? {
        guard case .run(let replicas) = self else { return nil }
        return replicas
    }

    /// When to look again: a step that was made is followed by the next.
    var nextLook: Duration {
        switch self {
        case .settled: .seconds(3600)
        case .blocked: .seconds(15)
        case .wait: .seconds(1)
        default: .milliseconds(200)
        }
    }
}

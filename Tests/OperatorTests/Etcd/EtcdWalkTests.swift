import TestCampaign
import Testing

@testable import Operator

/// The decision against a small model of etcd and of a host that runs its pods, from wherever chance and an operator that is killed between
/// any two steps have brought it.
@Suite struct EtcdWalkTests {
    @Test(arguments: UInt64(1)...400) func settlesAndNeverCostsTheQuorum(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var world = EtcdWorld(members: Bool.random(using: &random) ? 1 : 3)
        var wanted = world.members.count
        for round in 0..<12 {
            // A change of mind, a fault, or both, at any moment of what goes on.
            if Bool.random(using: &random) { wanted = Bool.random(using: &random) ? 1 : 3 }
            if Bool.random(using: &random) { world.fault(using: &random) }
            if Bool.random(using: &random) { world.changeTemplate(using: &random) }
            for _ in 0..<Int.random(in: 0...25, using: &random) { try world.turn(wanted, using: &random) }
            try #require(world.hasQuorum, "seed \(seed), round \(round): \(world)")
        }
        world.mendTemplate()
        for _ in 0..<400 where !world.isSettled(wanted) { try world.turn(wanted, using: &random) }
        #expect(world.isSettled(wanted), "seed \(seed): \(wanted) wanted, \(world)")
    }
}

/// What etcd and a host are, as far as the decision goes.
private struct EtcdWorld: CustomStringConvertible {
    enum Data: Equatable {
        /// Of the member with that id.
        case of(String)
        case damaged
        case nothing
    }

    struct Volume {
        var data = Data.nothing
        var isGoing = false
    }

    enum Process: Equatable {
        case starting
        case running(String)
        case ended(EtcdPod)
    }

    struct Pod {
        var process = Process.starting
        var isGoing = false
        /// That it was made from.
        var template = 0
    }

    struct Lost: Error, CustomStringConvertible { var description: String }

    var members: [EtcdMember] = []
    var replicas: Int
    var volumes: [Int: Volume] = [:]
    var pods: [Int: Pod] = [:]
    var leader: String
    /// The newest; with one of the bad ones no process comes up.
    private var template = 0
    private var badTemplates: Set<Int> = []
    private var nextID = 10
    /// What was written into the ConfigMap last.
    private var told: [Int]?

    init(members count: Int) {
        replicas = count
        leader = "m0"
        for ordinal in 0..<count {
            members.append(MembershipDecisionTests.member(ordinal))
            volumes[ordinal] = Volume(data: .of("m\(ordinal)"))
            pods[ordinal] = Pod(process: .running("m\(ordinal)"))
        }
    }

    var description: String { "members \(members.map { "\($0.id)@\($0.ordinal ?? -1)\($0.isLearner ? "L" : "")" }), \(pods), \(volumes)" }

    private func runs(_ member: EtcdMember) -> Bool {
        guard let ordinal = member.ordinal, let pod = pods[ordinal] else { return false }
        return pod.process == .running(member.id)
    }

    private var voters: [EtcdMember] { members.filter { !$0.isLearner } }

    var hasQuorum: Bool { voters.filter(runs).count > voters.count / 2 }

    func isSettled(_ wanted: Int) -> Bool {
        voters.count == wanted && members.count == wanted && members.allSatisfy(runs) && replicas == wanted && volumes.count == wanted
            && pods.count == wanted && pods.values.allSatisfy { $0.template == template }
            && Set(members.compactMap(\.ordinal)) == Set(0..<wanted)
    }

    // MARK: What chance does

    /// A fault that three members survive: one that is well loses its data or its process, while all are well. One alone is only killed.
    mutating func fault(using random: inout SeededGenerator) {
        guard voters.allSatisfy(runs), voters.count == 3, let victim = voters.randomElement(using: &random), let ordinal = victim.ordinal
        else { return }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: volumes[ordinal]?.data = .nothing
        case 1: volumes[ordinal]?.data = .damaged
        default: break
        }
        pods[ordinal]?.process = .starting
        if leader == victim.id { leader = voters.first(where: runs)?.id ?? leader }
    }

    /// Somebody sets something that etcd's pods are made with, and now and then it is of no use.
    mutating func changeTemplate(using random: inout SeededGenerator) {
        template += 1
        // A lone member that is made of it serves nobody until it is mended.
        if voters.count == 3, Int.random(in: 0..<3, using: &random) == 0 { badTemplates.insert(template) }
    }

    mutating func mendTemplate() {
        if badTemplates.contains(template) { template += 1 }
    }

    /// Either the host goes on with something, or the operator makes one pass.
    mutating func turn(_ wanted: Int, using random: inout SeededGenerator) throws {
        if Bool.random(using: &random) { host(using: &random) } else { try pass(wanted, using: &random) }
        if !voters.contains(where: { $0.id == leader && runs($0) }) { leader = voters.first(where: runs)?.id ?? leader }
    }

    private mutating func host(using random: inout SeededGenerator) {
        let ordinal = Int.random(in: 0..<3, using: &random)
        if ordinal >= replicas, pods[ordinal] != nil { pods[ordinal]?.isGoing = true }
        if pods[ordinal]?.isGoing == true {
            pods[ordinal] = nil
        } else if volumes[ordinal]?.isGoing == true, pods[ordinal] == nil {
            volumes[ordinal] = nil
        } else if ordinal < replicas, pods[ordinal] == nil, volumes[ordinal]?.isGoing != true {
            if volumes[ordinal] == nil { volumes[ordinal] = Volume() }
            pods[ordinal] = Pod(template: template)
        } else if pods[ordinal] != nil {
            startProcess(ordinal)
        }
    }

    private mutating func startProcess(_ ordinal: Int) {
        if case .running(let id) = pods[ordinal]?.process {
            // Who was removed learns it, and ends, sometimes without a word.
            if !members.contains(where: { $0.id == id }) { pods[ordinal]?.process = .ended(ordinal == 0 ? .ended : .unusable("removed")) }
            return
        }
        guard let template = pods[ordinal]?.template, !badTemplates.contains(template) else {
            pods[ordinal]?.process = .ended(.ended)
            return
        }
        switch volumes[ordinal]?.data {
        case .of(let id):
            let isMember = members.contains { $0.id == id }
            pods[ordinal]?.process = isMember ? .running(id) : .ended(.unusable("removed"))
        case .damaged: pods[ordinal]?.process = .ended(.unusable("damaged"))
        case .nothing:
            guard told?.contains(ordinal) == true, let index = members.firstIndex(where: { $0.ordinal == ordinal }),
                members[index].isLearner
            else {
                pods[ordinal]?.process = .ended(.empty)
                return
            }
            members[index].hasStarted = true
            members[index].name = "etcd-\(ordinal)"
            volumes[ordinal]?.data = .of(members[index].id)
            pods[ordinal]?.process = .running(members[index].id)
        case nil: break
        }
    }

    // MARK: What the operator does

    private var sight: EtcdSight {
        var sight = EtcdSight(members: members, statuses: [:], replicas: replicas, volumes: [:], pods: [:])
        for (ordinal, volume) in volumes { sight.volumes[ordinal] = volume.isGoing ? .going : .there }
        for (ordinal, pod) in pods {
            sight.pods[ordinal] =
                switch pod.process {
                case _ where pod.isGoing: .going
                case .starting: .starting
                case .running: .running
                case .ended(let why): why
                }
            if case .running(let id) = pod.process, members.contains(where: { $0.id == id }) {
                sight.statuses[ordinal] = MembershipDecisionTests.status(id, leader: leader)
                sight.ready.insert(ordinal)
            }
            if pod.template != template { sight.outdated.insert(ordinal) }
        }
        return sight
    }

    private mutating func pass(_ wanted: Int, using random: inout SeededGenerator) throws {
        guard hasQuorum else { return }
        let sight = sight
        let decision = MembershipDecision(wanted: wanted, sight)
        told = sight.joining
        if case .run(let count) = decision { replicas = count }
        // Killed before it acts.
        guard Int.random(in: 0..<5, using: &random) > 0 else { return }
        switch decision {
        case .settled, .wait, .blocked, .run: break
        case .dropVolume(let ordinal):
            if case .of(let id) = volumes[ordinal]?.data, members.contains(where: { $0.id == id }) {
                throw Lost(description: "the data of member \(id) is thrown away: \(self)")
            }
            volumes[ordinal]?.isGoing = true
            // Killed between the two.
            if Bool.random(using: &random) { pods[ordinal]?.isGoing = true }
        case .renewPod(let ordinal): pods[ordinal]?.isGoing = true
        case .restart(let ordinal):
            guard voters.allSatisfy(runs) else { throw Lost(description: "a member is started anew while another is down: \(self)") }
            guard voters.count > 1 else {
                // A lone one's pause is known and stated; what it cannot start with it is not made of here.
                if !badTemplates.contains(template) { pods[ordinal]?.template = template }
                break
            }
            pods[ordinal]?.isGoing = true
            // Its process ends at once.
            pods[ordinal]?.process = .starting
        case .add(let ordinal):
            guard !members.contains(where: \.isLearner) else { throw Lost(description: "two learners: \(self)") }
            guard voters.allSatisfy(runs) else { throw Lost(description: "a member is added while another is down: \(self)") }
            members.append(MembershipDecisionTests.member(ordinal, learner: true, started: false, id: "\(nextID)"))
            nextID += 1
        case .promote(let id, _):
            guard let index = members.firstIndex(where: { $0.id == id }), runs(members[index]) else {
                throw Lost(description: "a vote for one that does not run: \(self)")
            }
            members[index].isLearner = false
        case .moveLeader(_, let id): leader = id
        case .remove(let id, _):
            if id == leader { throw Lost(description: "the leader is removed: \(self)") }
            members.removeAll { $0.id == id }
        }
        guard hasQuorum else { throw Lost(description: "\(decision) has cost the quorum: \(self)") }
    }
}

import Logging
import NIOEmbedded
import NIOPosix
import Testing

@testable import Tunnel

@Suite("Where an agent's links lead")
struct ServerLinksTests {
    private let endpoints = ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"].compactMap(Endpoint.init)

    private func attempts(_ link: Int, taken: [Int]) -> [Int?] {
        (0..<6).map { attempt in
            ServerLinks.endpoint(for: link, attempt: attempt, of: endpoints, taken: taken.map { endpoints[$0] })
                .flatMap(endpoints.firstIndex(of:))
        }
    }

    @Test("The links begin at different endpoints, and each comes by all of them")
    func beginning() {
        #expect((0..<3).map { attempts($0, taken: [])[0] } == [0, 1, 2])
        for link in 0..<3 { #expect(Set(attempts(link, taken: [])) == [0, 1, 2]) }
    }

    @Test("An endpoint that no other link has comes first, and at every other attempt")
    func free() { #expect(attempts(1, taken: [0, 2]) == [1, 1, 1, 2, 1, 0]) }

    @Test("One address may lead to several servers: it is tried though another link has it")
    func oneAddress() {
        for attempt in 0..<4 {
            #expect(ServerLinks.endpoint(for: 2, attempt: attempt, of: [endpoints[0]], taken: [endpoints[0]]) == endpoints[0])
        }
        #expect(ServerLinks.endpoint(for: 0, attempt: 0, of: [], taken: []) == nil)
    }

    @Test("As many links as there are servers, by turns those that lead nowhere")
    func wanted() {
        func wanted(_ count: Int, held: Set<Int>) -> [Int] {
            (0..<ServerLinks.most).filter { !held.contains($0) && ServerLinks.isWanted($0, of: count, held: held) }
        }
        #expect(wanted(1, held: []) == [0])
        #expect(wanted(3, held: []) == [0, 1, 2])
        #expect(wanted(9, held: [1]) == [0, 2])
        // The one that is left stays, whichever it is.
        #expect(wanted(1, held: [2]) == [])
        #expect(wanted(2, held: [2]) == [0])
        #expect(wanted(2, held: [0, 1, 2]) == [])
    }

    @Test("A server that speaks again after its link let go of it does not have the link again")
    func leavingServerSpeaks() throws {
        let links = ServerLinks()
        let endpoint = try #require(endpoints.first)
        let leaving = try session()
        #expect(leaving.noteIntroduction() && links.claim("a", of: 1, at: endpoint, for: 0, by: leaving))
        links.release(0, leaving)
        #expect(!leaving.noteIntroduction())
        links.hear(of: 1, for: 0, from: leaving)
        #expect(links.sessions.isEmpty)
        #expect(links.claim("b", of: 1, at: endpoint, for: 0, by: try session()))
        links.hear(of: 2, for: 0, from: leaving)
        #expect(links.sessions.count == 1 && links.sessions.first !== leaving && links.serverCount == 2)
    }

    private func session() throws -> AgentSession {
        let channel = EmbeddedChannel()
        let counters = TunnelCounters()
        let logger = Logger(label: "test")
        return AgentSession(
            channel: channel, connector: TargetConnector(policy: DialPolicy(), resolvers: .singleton),
            limits: DialLimits(counters: counters, memory: ProcessMemory(eventLoop: channel.eventLoop), logger: logger),
            lookInterval: .seconds(1), counters: counters, logger: logger, onMessage: { _, _ in })
    }
}

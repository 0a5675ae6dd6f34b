import Testing

@testable import Tunnel

@Suite("Control messages")
struct ControlMessageTests {
    private func state() throws -> NodeState {
        NodeState(
            apiEndpoints: [try #require(Endpoint("192.0.2.10:30443")), try #require(Endpoint("[fd00::2]:30443"))],
            tunnelEndpoints: [try #require(Endpoint("192.0.2.10:30132"))],
            routes: [PodRoute(pods: try #require(AddressBlock("10.244.1.0/24")), via: try #require(IPAddress("192.168.9.12")))])
    }

    @Test("The text that goes over the wire")
    func golden() throws {
        #expect(
            ControlMessage.state(revision: 7, try state()).text == """
                state 7
                api 192.0.2.10:30443
                api [fd00::2]:30443
                tunnel 192.0.2.10:30132
                route 10.244.1.0/24 192.168.9.12
                end

                """)
        #expect(ControlMessage.confirm(revision: 7).text == "confirm 7\n")
        #expect(ControlMessage.failed(revision: 7, reason: "two\nlines").text == "failed 7 two lines\n")
    }

    @Test("Split anywhere, the same messages come out")
    func split() throws {
        let messages: [ControlMessage] = [
            .state(revision: 1, try state()), .confirm(revision: 1), .failed(revision: 2, reason: "a b c"),
            .state(revision: 3, NodeState()),
        ]
        let bytes = Array(messages.map(\.text).joined().utf8)
        for cut in 0...bytes.count {
            var decoder = ControlDecoder()
            #expect(try decoder.append(bytes[..<cut]) + decoder.append(bytes[cut...]) == messages)
        }
    }

    @Test("A later version's words are passed over")
    func unknown() throws {
        var decoder = ControlDecoder()
        let messages = try decoder.append("hello v9 x\nstate 4\npolicy a b c d\napi 10.0.0.1:1\nend\n".utf8)
        #expect(messages == [.state(revision: 4, NodeState(apiEndpoints: [try #require(Endpoint("10.0.0.1:1"))]))])
    }

    @Test(
        "What cannot be followed is an error",
        arguments: [
            "state\n", "state x\n", "confirm -1\n", "state 1\napi nowhere\n", "state 1\nroute 10.0.0.0/24\n",
            "state 1\nroute 10.0.0.1/24 10.0.0.1\n",
            String(repeating: "x", count: 1025),
        ])
    func broken(text: String) {
        var decoder = ControlDecoder()
        #expect(throws: ControlError.self) { try decoder.append(text.utf8) }
    }

    @Test("A state without an end is bounded")
    func endless() {
        var decoder = ControlDecoder()
        #expect(throws: ControlError.self) {
            _ = try decoder.append("state 1\n".utf8)
            for _ in 0...ControlDecoder.maximumLines { _ = try decoder.append("api 10.0.0.1:1\n".utf8) }
        }
    }

    @Test("A server's id is taken as it is or not at all")
    func serverID() throws {
        var decoder = ControlDecoder()
        #expect(try decoder.append("server a-1 3\n".utf8) == [.server(id: "a-1", count: 3)])
        #expect(throws: ControlError.self) { try decoder.append("server a\tb 3\n".utf8) }
    }

    @Test("A state is sent once; only its newest revision counts as confirmed")
    func publication() throws {
        var publication = ControlPublication()
        let first = try state()
        #expect(publication.publish(first) == .state(revision: 1, first))
        #expect(publication.publish(first) == nil)
        publication.confirmed(2)
        #expect(publication.confirmedState == nil)
        publication.confirmed(1)
        #expect(publication.confirmedState == first)
        #expect(publication.publish(NodeState()) == .state(revision: 2, NodeState()))
        #expect(publication.confirmedState == nil)
        publication.failed(2, reason: "no")
        #expect(publication.failure == "no")
        publication.confirmed(2)
        #expect(publication.failure == nil)
        #expect(publication.confirmedState == NodeState())
    }
}

import NIOCore
import Testing

@testable import Tunnel

@Suite("The CONNECT of kube-apiserver")
struct ConnectRequestTests {
    private func outcome(_ text: String) -> (ConnectRequest.Outcome, taken: Int) {
        var request = ConnectRequest()
        let taken = request.append(Array(text.utf8))
        return (request.outcome, taken)
    }

    @Test("The target counts, the Host header does not")
    func target() throws {
        let header = "CONNECT 10.0.0.1:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        let (outcome, taken) = outcome(header + "\u{16}\u{3}\u{1}")
        #expect(outcome == .target(try #require(Endpoint("10.0.0.1:10250"))))
        #expect(taken == header.utf8.count)
    }

    @Test("An answer comes within 8 s, and the agent gives up on a target before that")
    func answerTime() {
        #expect(FrontDial.answerTime < .seconds(8))
        #expect(NativeProtocol.dialTimeout < FrontDial.answerTime)
    }

    @Test("Split anywhere, it is the same")
    func split() throws {
        let bytes = Array("CONNECT [fd00::1]:443 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: x\r\n\r\nrest".utf8)
        for cut in 0...bytes.count {
            var request = ConnectRequest()
            let taken = request.append(bytes[..<cut]) + request.append(bytes[cut...])
            #expect(request.outcome == .target(try #require(Endpoint("[fd00::1]:443"))))
            #expect(taken == bytes.count - 4)
        }
    }

    @Test(
        "What is refused, and with which status",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 405), ("connect a:1 HTTP/1.1\r\n\r\n", 405), ("CONNECT a HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a:1\r\n\r\n", 400), ("CONNECT a:1 HTTP/2.0\r\n\r\n", 505), ("CONNECT  a:1 HTTP/1.1\r\n\r\n", 400),
            ("\r\n\r\n", 400), ("CONNECT a:1 HTTP/1.1\r\nX: \u{0}\r\n\r\n", 400), ("CONNECT http://a:1/ HTTP/1.1\r\n\r\n", 400),
        ])
    func refused(text: String, status: Int) {
        guard case .failure(let failure) = outcome(text).0 else {
            Issue.record("\(text) was taken")
            return
        }
        #expect(failure.status == status)
    }

    @Test("An endless header ends")
    func endless() {
        var request = ConnectRequest()
        var taken = 0
        while case .incomplete = request.outcome { taken += request.append([UInt8](repeating: 0x41, count: 1000)) }
        #expect(taken == ConnectRequest.maximumHeaderBytes)
        guard case .failure(let failure) = request.outcome else {
            Issue.record("no failure")
            return
        }
        #expect(failure.status == 431)
    }

    @Test("A reason phrase stays one line")
    func reason() {
        let answer = ConnectAnswer.failure(
            DialFailure(status: 502, reason: "no\r\nSet-Cookie: x\u{7}\u{e9}" + String(repeating: "y", count: 999)))
        let lines = answer.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("HTTP/1.1 502 no  Set-Cookie: x???"))
        #expect(lines[0].utf8.count < 300)
    }
}

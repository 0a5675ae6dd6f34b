import NIOCore
import NIOHPACK
import Testing

@testable import Tunnel

@Suite("gRPC's framing")
struct GRPCMessageTests {
    private static func framed(_ messages: [[UInt8]]) -> [UInt8] {
        messages.flatMap { message in
            var buffer = ByteBuffer()
            GRPCMessage.writePrefix(length: message.count, to: &buffer)
            return Array(buffer.readableBytesView) + message
        }
    }

    private static func drain(_ reader: inout GRPCMessageReader) throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while let message = try reader.next() { messages.append(Array(message.readableBytesView)) }
        return messages
    }

    @Test("Cut anywhere, in two or three, the same messages come out")
    func cuts() throws {
        let messages: [[UInt8]] = [[1, 2, 3], [], Array(0...40), [9]]
        let bytes = Self.framed(messages)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var reader = GRPCMessageReader()
                var found: [[UInt8]] = []
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    reader.append(ByteBuffer(bytes: piece))
                    found += try Self.drain(&reader)
                }
                #expect(found == messages)
                #expect(reader.bufferedBytes == 0)
            }
        }
    }

    @Test("Pieces may come before the earlier ones were read")
    func undrained() throws {
        let messages: [[UInt8]] = [Array(repeating: 1, count: 70_000), [2], Array(repeating: 3, count: 9)]
        var reader = GRPCMessageReader()
        let bytes = Self.framed(messages)
        for start in stride(from: 0, to: bytes.count, by: 16_384) {
            reader.append(ByteBuffer(bytes: bytes[start..<min(start + 16_384, bytes.count)]))
        }
        #expect(reader.bufferedBytes == bytes.count)
        #expect(try Self.drain(&reader) == messages)
    }

    @Test("A long message claims no memory before it has come, and one that is too long is refused at its prefix")
    func limits() throws {
        var reader = GRPCMessageReader()
        reader.append(ByteBuffer(bytes: [0, 0, 0x40, 0, 0, 7]))
        #expect(try reader.next() == nil)
        #expect(reader.bufferedBytes == 6)
        for prefix in [[0, 0, 0x40, 0, 1], [0, 0xff, 0xff, 0xff, 0xff]] as [[UInt8]] {
            for cut in 0...4 {
                var reader = GRPCMessageReader()
                reader.append(ByteBuffer(bytes: prefix[..<cut]))
                #expect(try reader.next() == nil)
                reader.append(ByteBuffer(bytes: prefix[cut...]))
                #expect(throws: GRPCMessageError.self) { _ = try reader.next() }
            }
        }
        var compressed = GRPCMessageReader()
        compressed.append(ByteBuffer(bytes: [1]))
        #expect(throws: GRPCMessageError.compressed) { _ = try compressed.next() }
    }

    @Test("A status goes through trailers and back")
    func status() {
        let status = GRPCStatus.unavailable("the agent is 100 % gone: café")
        #expect(status.trailers.first(name: "grpc-message") == "the agent is 100 %25 gone: caf??")
        #expect(GRPCStatus(status.trailers) == .unavailable("the agent is 100 % gone: caf??"))
        #expect(GRPCStatus(GRPCStatus.ok.answer) == .ok)
        #expect(GRPCStatus([:]) == nil)
        #expect(GRPCStatus(["grpc-status": "x", "grpc-message": "a%zz%4"]) == GRPCStatus(code: 2, message: "a%zz%4"))
        #expect(GRPCStatus(["grpc-status": "5", "grpc-message": "a%0d%0Ab"]) == GRPCStatus(code: 5, message: "a  b"))
    }

    @Test("Only a gRPC call of the path is served")
    func requests() {
        let good = GRPCHeaders.request(path: "/AgentService/Connect", authority: "h", metadata: [("agentid", "a")])
        #expect(GRPCHeaders.refusal(of: good, path: "/AgentService/Connect") == nil)
        #expect(GRPCHeaders.refusal(of: good, path: "/ProxyService/Proxy")?.code == 12)
        #expect(GRPCHeaders.single("agentid", in: good) == "a")
        var twice = good
        twice.add(name: "agentid", value: "b")
        #expect(GRPCHeaders.single("agentid", in: twice) == nil)
        #expect(GRPCHeaders.refusal(of: [":method": "GET", ":path": "/AgentService/Connect"], path: "/AgentService/Connect")?.code == 12)
    }
}

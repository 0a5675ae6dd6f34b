import NIOCore
import Testing

@testable import Tunnel

@Suite("Konnectivity packets")
struct KonnectivityPacketTests {
    /// Written by upstream's own code (protobuf for Go).
    static let golden: [(packet: KonnectivityPacket, hex: String)] = [
        (
            .dialRequest(network: "tcp", address: "10.0.0.1:10250", random: 8_646_911_284_551_352_321),
            "121f0a03746370120e31302e302e302e313a313032353018818080808080808078"
        ),
        (.dialResponse(random: 77, connectID: 300, error: ""), "08011a0510ac02184d"),
        (.dialResponse(random: -1, connectID: 0, error: "no"), "08011a0f0a026e6f18ffffffffffffffffff01"),
        (.closeRequest(connectID: 5), "08022a020805"),
        (.closeResponse(connectID: 5, error: "e"), "080332050a01651005"),
        (.closeResponse(connectID: 0, error: ""), "08033200"),
        (.data(connectID: 128, ByteBuffer(string: "hello")), "0804220a0880011a0568656c6c6f"),
        (.closeDial(random: 9), "08053a020809"),
        (.drain, "08064200"),
    ]

    @Test("The bytes are upstream's, both ways", arguments: golden)
    func goldenBytes(packet: KonnectivityPacket, hex: String) throws {
        var written = ByteBuffer()
        packet.write(to: &written)
        let bytes = Hex.bytes(hex)
        #expect(Array(written.readableBytesView) == [0, 0, 0, 0, UInt8(bytes.count)] + bytes)
        #expect(try KonnectivityPacket(reading: ByteBuffer(bytes: bytes)) == packet)
    }

    @Test("What is missing is nought, what is unknown is passed over, and the last of two counts")
    func tolerance() throws {
        func read(_ hex: String) throws -> KonnectivityPacket { try KonnectivityPacket(reading: ByteBuffer(bytes: Hex.bytes(hex))) }
        #expect(try read("") == .dialRequest(network: "", address: "", random: 0))
        #expect(try read("0804") == .data(connectID: 0, ByteBuffer()))
        // The payload of another type than the packet's.
        #expect(try read("080412021807") == .data(connectID: 0, ByteBuffer()))
        #expect(try read("0863") == .unknown(type: 99))
        #expect(try read("08ffffffffffffffffff01") == .unknown(type: -1))
        // Fields 15 (varint), 14 (64 bits), 13 (32 bits), 12 (bytes), then type 6.
        #expect(try read("7805" + "710102030405060708" + "6d01020304" + "62026162" + "0806") == .drain)
        #expect(try read("0805" + "3a020801" + "3a020802") == .closeDial(random: 2))
        // Data.error, which is read by nobody.
        #expect(try read("080422050801120178") == .data(connectID: 1, ByteBuffer()))
        // A known field in another wire type.
        #expect(try read("080222020801" + "2a030a0131") == .closeRequest(connectID: 0))
    }

    @Test(
        "Lengths and varints that lie are errors",
        arguments: [
            ("08", ProtobufError.truncated), ("0880", .truncated), ("08ffffffffffffffffffff01", .varintTooLong),
            ("08ffffffffffffffffff02", .varintTooLong), ("1203", .truncated), ("12ffffffffffffffffff01", .truncated),
            ("1205616263", .truncated), ("7101", .truncated), ("6d01", .truncated), ("00", .fieldNumber), ("0b", .wireType(3)),
            ("0c", .wireType(4)), ("0e", .wireType(6)), ("0f", .wireType(7)), ("0804220a0880011a0568656c6c", .truncated),
            ("0804220508011a0768", .truncated), ("fdffffffffffffffff01", .fieldNumber),
        ])
    func broken(hex: String, error: ProtobufError) {
        #expect(throws: error) { _ = try KonnectivityPacket(reading: ByteBuffer(bytes: Hex.bytes(hex))) }
    }

    @Test("No bytes make it trap, and what is read is written and read alike")
    func garbage() {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<20_000 {
            var bytes = Self.golden.randomElement(using: &generator).map { Hex.bytes($0.hex) } ?? []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let byte = UInt8.random(in: 0...255, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes.insert(byte, at: Int.random(in: 0...bytes.count, using: &generator))
                case 1 where !bytes.isEmpty: bytes[Int.random(in: 0..<bytes.count, using: &generator)] = byte
                case 2 where !bytes.isEmpty: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &generator))
                default: break
                }
            }
            guard let packet = try? KonnectivityPacket(reading: ByteBuffer(bytes: bytes)), !packet.isUnknown else { continue }
            var written = ByteBuffer()
            packet.write(to: &written)
            var reader = GRPCMessageReader()
            reader.append(written)
            let message = try? reader.next()
            #expect(message != nil)
            #expect(reader.bufferedBytes == 0)
            // Strings that are not UTF-8 were mended when they were read.
            #expect(message.flatMap { try? KonnectivityPacket(reading: $0) } == packet)
        }
    }
}

extension KonnectivityPacket {
    fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

enum Hex {
    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// The same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

import NIOCore
import Testing

@testable import Tunnel

@Suite("Where HTTP/2's frames end")
struct FrameBoundariesTests {
    private static func frame(_ length: Int) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff)] + [UInt8](repeating: 0xff, count: 6 + length)
    }

    @Test("Cut anywhere, in two or three, the same ends are found", arguments: [true, false])
    func cuts(afterPreface: Bool) {
        var bytes = [UInt8](repeating: 7, count: afterPreface ? FrameBoundaries.preface : 0)
        var ends: Set<Int> = afterPreface ? [bytes.count] : []
        for length in [0, 5, 300, 1, 0] {
            bytes += Self.frame(length)
            ends.insert(bytes.count)
        }
        for first in stride(from: 0, through: bytes.count, by: 3) {
            for second in stride(from: first, through: bytes.count, by: 7) {
                var boundaries = FrameBoundaries(afterPreface: afterPreface)
                var start = 0
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    let end = boundaries.lastEnd(in: ByteBuffer(bytes: piece).readableBytesView)
                    #expect((start + end == start ? nil : start + end) == ends.filter { $0 > start && $0 <= start + piece.count }.max())
                    start += piece.count
                }
            }
        }
    }
}

import Testing

@testable import KubernetesClient

@Suite struct NewlineFramerTests {
    private func frames(_ chunks: [[UInt8]], limit: Int = 1000) throws -> [String] {
        var framer = NewlineFramer(limit: limit)
        var result: [String] = []
        for chunk in chunks {
            framer.append(chunk)
            while let frame = try framer.next() { result.append(String(decoding: frame, as: UTF8.self)) }
        }
        return result
    }

    @Test func `Chunks may be split anywhere, also inside a character`() throws {
        let text = Array("{\"a\":\"ä€😀\"}\n{}\n\r\n\n{\"b\":2}\n".utf8)
        let whole = try frames([text])
        #expect(whole == ["{\"a\":\"ä€😀\"}", "{}", "{\"b\":2}"])
        for first in 0...text.count {
            for second in first...text.count {
                #expect(try frames([Array(text[..<first]), Array(text[first..<second]), Array(text[second...])]) == whole)
            }
        }
        #expect(try frames(text.map { [$0] }) == whole)
    }

    @Test func `A chunk without a newline is kept, not an end`() throws {
        var framer = NewlineFramer(limit: 100)
        framer.append(Array("{\"a\"".utf8))
        #expect(try framer.next() == nil)
        #expect(framer.pendingBytes == 4)
        framer.append(Array(":1}\n".utf8))
        #expect(try framer.next().map { String(decoding: $0, as: UTF8.self) } == "{\"a\":1}")
        #expect(framer.pendingBytes == 0)
    }

    @Test(arguments: [(9, true), (10, true), (11, false)]) func `A frame has a greatest length`(length: Int, fits: Bool) throws {
        let frame = Array(repeating: UInt8(ascii: "x"), count: length)
        if fits {
            #expect(try frames([frame + [10]], limit: 10).count == 1)
        } else {
            #expect(throws: NewlineFramer.FrameTooLong(limit: 10)) { try frames([frame + [10]], limit: 10) }
            // Without its newline too: what never ends must not be collected for ever.
            #expect(throws: NewlineFramer.FrameTooLong(limit: 10)) { try frames([frame], limit: 10) }
        }
    }
}

/// What a case is made of, as libFuzzer invented it. Once it is used up everything is nought.
struct Input {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }
    mutating func flag() -> Bool { byte() & 1 == 1 }

    mutating func number(below limit: Int) -> Int {
        var value = Int(byte())
        if limit > 256 { value = value << 8 | Int(byte()) }
        if limit > 65536 { value = value << 16 | Int(byte()) << 8 | Int(byte()) }
        return value % limit
    }

    mutating func word() -> UInt32 { (0..<4).reduce(0) { word, _ in word << 8 | UInt32(byte()) } }

    /// Small ones, whole ones and boundaries more often than they would come by chance.
    mutating func size(upTo limit: Int) -> Int {
        switch byte() & 3 {
        case 0: min(Int(byte()), limit)
        case 1: limit - min(Int(byte()), limit)
        default: number(below: limit + 1)
        }
    }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }

    mutating func rest() -> [UInt8] { take(bytes.count) }
}

/// Ends the process when what must hold does not; libFuzzer then prints and keeps the input.
func check(_ condition: Bool, _ otherwise: @autoclosure () -> String, file: StaticString = #file, line: UInt = #line) {
    if !condition { fatalError("FINDING: \(otherwise())", file: file, line: line) }
}

/// Cuts bytes into pieces, in a way that the bytes themselves decide, so that an input is all that a case needs.
func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var state = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let length = state >> 62 == 0 ? Int(state >> 33) % 512 + 1 : Int(state >> 33) % 9 + 1
        let end = min(start + length, bytes.count)
        pieces.append(bytes[start..<end])
        start = end
    }
    return pieces
}

/// Text of a stranger made fit for one line of a header or a log.
public enum OneLine {
    /// Keeps printable ASCII, turns the rest into spaces or question marks, and cuts at `limit`.
    public static func clean(_ text: String, limit: Int = 240) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            guard bytes.count < limit else { break }
            switch byte {
            case 0x20...0x7e: bytes.append(byte)
            case 0x09, 0x0a, 0x0d: bytes.append(0x20)
            default: bytes.append(0x3f)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

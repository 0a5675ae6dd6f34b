import Glibc

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 is the IPv4 address that it is.
public struct IPAddress: Hashable, Sendable {
    /// Four or sixteen bytes, in network order.
    public let bytes: [UInt8]

    /// Nil unless there are four or sixteen bytes.
    public init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4:
            self.bytes = bytes
        case 16:
            let mapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            self.bytes = mapped ? Array(bytes[12..<16]) : bytes
        default:
            return nil
        }
    }

    /// Reads `10.0.0.1` or `fd00::1`, nothing else: no zone, no brackets, no octal.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        // inet_pton reads as far as a NUL only.
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(bytes: withUnsafeBytes(of: &v4) { Array($0) })
            return
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self.init(bytes: withUnsafeBytes(of: &v6) { Array($0) })
    }

    public var isIPv4: Bool { bytes.count == 4 }
}

extension IPAddress: CustomStringConvertible {
    public var description: String {
        if isIPv4 { return bytes.map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = bytes.withUnsafeBytes { inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count)) }
        guard written != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

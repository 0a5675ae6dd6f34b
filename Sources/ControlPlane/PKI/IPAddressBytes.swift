import NestboxAPI

/// IP addresses as X.509 holds them: four bytes, or sixteen.
enum IPAddressBytes {
    static func parse(_ text: String) -> [UInt8]? {
        guard let address = IPv4Address(text) else { return nil }
        return [24, 16, 8, 0].map { UInt8(address.bits >> $0 & 255) }
    }

    /// Dotted for IPv4; IPv6, which Nestbox never asks for, as hexadecimal groups. Nil for any other length.
    static func text(_ bytes: some Collection<UInt8>) -> String? {
        let bytes = Array(bytes)
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        guard bytes.count == 16 else { return nil }
        return stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

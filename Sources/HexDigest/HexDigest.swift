public import Crypto

/// Bytes as lower-case hexadecimal digits.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

extension SHA256 {
    /// The text's SHA-256 as `sha256sum` writes it.
    public static func hexDigest(of text: String) -> String { hexadecimal(hash(data: Array(text.utf8))) }
}

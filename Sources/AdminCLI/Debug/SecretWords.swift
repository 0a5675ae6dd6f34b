import Foundation

/// Which words of a text are secrets by what they look like or by what they are called. Pure.
enum SecretWords {
    /// Of a field, flag or variable: `clientSecret`, `--token`, `DB_PASSWORD`.
    static func isSecret(name: some StringProtocol) -> Bool {
        let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
        return names.contains(plain) || endings.contains { plain.hasSuffix($0) }
    }

    private static let names: Set = ["secret", "authorization", "cookie", "credential", "credentials", "pwd"]
    private static let endings = [
        "password", "passwd", "passphrase", "token", "apikey", "privatekey", "clientsecret", "secretkey", "secretaccesskey",
        "clientkeydata", "tokensecret", "idpsecret",
    ]

    /// What such a name may say without giving anything away.
    static func isHarmless(value: some StringProtocol) -> Bool {
        ["", "true", "false", "null", "~", "none", "<nil>", "nil"].contains(value.lowercased())
    }

    /// By its form: a bootstrap token, a JSON web token, or a private key or a kubeconfig in Base64.
    static func isSecret(word: some StringProtocol) -> Bool {
        isBootstrapToken(word) || isWebToken(word) || isEncodedKey(word)
    }

    /// `abcdef.0123456789abcdef`.
    private static func isBootstrapToken(_ word: some StringProtocol) -> Bool {
        guard word.utf8.count == 23 else { return false }
        return word.utf8.enumerated().allSatisfy { index, byte in
            index == 6 ? byte == UInt8(ascii: ".") : byte.isDigit || (0x61...0x7A).contains(byte)
        }
    }

    /// Also one whose end was cut off.
    private static func isWebToken(_ word: some StringProtocol) -> Bool {
        word.hasPrefix("eyJ") && word.utf8.count >= 36 && word.contains(".")
    }

    /// `-----BEGIN` and `apiVersion` in Base64, with something in them that is for nobody's eyes.
    private static func isEncodedKey(_ word: some StringProtocol) -> Bool {
        guard word.hasPrefix("LS0tLS1CRUdJTi") || word.hasPrefix("YXBpVmVyc2lvb") else { return false }
        let padding = String(repeating: "=", count: (4 - word.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: String(word) + padding) else {
            // Cut in the middle: nobody can tell what the rest says.
            return word.hasPrefix("YXBp") || !word.hasPrefix("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")
        }
        let text = String(decoding: data, as: UTF8.self)
        return ["PRIVATE KEY", "client-key-data", "token:", "password:"].contains { text.contains($0) }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }

    /// What names, tokens and Base64 are made of, but for its padding: letters, digits, and any of `_-.+/`.
    var isWordByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x2B, 0x2F: true
        default: false
        }
    }

    var isBlank: Bool { self == 0x20 || self == 0x09 }
}

import Crypto

/// The key that signs ServiceAccounts' tokens.
public struct ServiceAccountKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// PKCS#8.
    public var privatePEM: String
    /// PKIX, `PUBLIC KEY`.
    public var publicPEM: String

    public init(privatePEM: String, publicPEM: String) {
        self.privatePEM = privatePEM
        self.publicPEM = publicPEM
    }

    /// A new one, ECDSA P-256 (ES256).
    public init() {
        let key = P256.Signing.PrivateKey()
        self.init(privatePEM: PEM.text(key), publicPEM: PEM.text(key.publicKey))
    }

    public var description: String { "a service-account key" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

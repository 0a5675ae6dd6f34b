import FoundationEssentials
import NIOPosix
import NIOSSL

/// What a request has to carry at this moment: files are read and plugins run when what they gave may have changed.
actor Credentials {
    struct Current: Sendable {
        /// The `Authorization` header.
        var authorization: String?
        var tls: TLSConfiguration?
        /// Changes with what it is made of, so that a refused one is not asked for again in vain.
        var generation: Int
    }

    /// client-go reads token files once a minute too: kubelets renew them long before they expire.
    static let fileLifetime: Duration = .seconds(60)
    /// A plugin's credential is asked for anew this long before it expires.
    static let expiryMargin: Double = 30

    private var identity: ClientIdentity
    /// Of the identity; what is read of one that was replaced meanwhile is not kept.
    private var replacements = 0
    private var isReplaced = false
    private let base: TLSConfiguration?
    private let fileLifetime: Duration
    private var current: Current?
    private var material = Material()
    private var validUntil: ContinuousClock.Instant?
    /// The one reading under way, so that many requests at once run a plugin once.
    private var reading: SharedOutcome<Current>?

    fileprivate struct Material: Sendable {
        var authorization: String?
        var certificate: String?
        var key: String?
        var expires: Date?
    }

    /// - Parameter base: the TLS configuration without an identity; nil for plain HTTP.
    init(identity: ClientIdentity, base: TLSConfiguration?, fileLifetime: Duration = Credentials.fileLifetime) {
        self.identity = identity
        self.base = base
        self.fileLifetime = fileLifetime
    }

    func get() async throws -> Current {
        if let current, isValid, !isReplaced { return current }
        return try await refresh()
    }

    /// What is asked from now on carries another identity; what is under way goes on with the one it has.
    func replace(_ identity: ClientIdentity) {
        self.identity = identity
        replacements += 1
        isReplaced = true
    }

    /// Told that the server refused (401) the credential of a generation; true when there is now another one to try.
    func refused(_ generation: Int) async throws -> Bool {
        if isReplaced { return true }
        if let current, current.generation != generation { return true }
        guard canChange else { return false }
        validUntil = .now
        return try await refresh().generation != generation
    }

    private var isValid: Bool { validUntil.map { .now < $0 } ?? true }

    private var canChange: Bool {
        if identity.plugin != nil { return true }
        if case .file = identity.token { return true }
        if case .files = identity.certificate { return true }
        return false
    }

    private func refresh() async throws -> Current {
        let reading = self.reading ?? SharedOutcome { try await self.readAnew() }
        self.reading = reading
        return try await reading.value()
    }

    private func readAnew() async throws -> Current {
        let replacement = replacements
        defer { if replacement == replacements { reading = nil } }
        let read: Material
        do {
            read = try await Self.read(identity)
        } catch {
            // A file that cannot be read for a moment is no reason to stop: what it gave last is tried on.
            if let current, identity.plugin == nil { return current }
            throw error
        }
        guard replacement == replacements else { return try await readAnew() }
        isReplaced = false
        setValidity(of: read)
        if let current, read.sameIdentity(as: material) { return current }
        material = read
        let made = Current(
            authorization: read.authorization, tls: try tls(with: read), generation: (current?.generation ?? 0) + 1)
        current = made
        return made
    }

    private func setValidity(of read: Material) {
        if let expires = read.expires {
            let left = max(expires.timeIntervalSinceNow - Self.expiryMargin, 1)
            validUntil = .now + .seconds(left)
        } else if canChange, identity.plugin == nil {
            validUntil = .now + fileLifetime
        } else {
            validUntil = nil
        }
    }

    private func tls(with material: Material) throws -> TLSConfiguration? {
        guard var tls = base else { return nil }
        guard let certificate = material.certificate, let key = material.key else { return tls }
        try TLSMaterial.install(certificate: certificate, key: key, into: &tls)
        return tls
    }

    private static func read(_ identity: ClientIdentity) async throws -> Material {
        var material = Material()
        switch identity.token {
        case .fixed(let token): material.authorization = "Bearer \(token)"
        case .basic(let user, let password):
            material.authorization = "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
        case .file(let path):
            let token = try await contents(of: path).filter { !$0.isWhitespace }
            guard !token.isEmpty else { throw missing(path, "it is empty") }
            material.authorization = "Bearer \(token)"
        case nil: break
        }
        switch identity.certificate {
        case .pem(let certificate, let key): (material.certificate, material.key) = (certificate, key)
        case .files(let certificate, let key):
            material.certificate = try await contents(of: certificate)
            material.key = try await contents(of: key)
        case nil: break
        }
        if let plugin = identity.plugin {
            let credential = try await plugin.credential()
            if let token = credential.token { material.authorization = "Bearer \(token)" }
            if let certificate = credential.clientCertificate {
                (material.certificate, material.key) = (certificate, credential.clientKey)
            }
            material.expires = credential.expires
        }
        return material
    }

    /// Reads a file away from the cooperative pool.
    private static func contents(of path: String) async throws -> String {
        let bytes = try await NIOThreadPool.singleton.runIfActive { FileManager.default.contents(atPath: path) }
        guard let bytes else { throw missing(path, "it is missing or cannot be read") }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func missing(_ path: String, _ detail: String) -> KubernetesError {
        KubernetesError(code: .credentials, verb: "read", object: path, detail: detail)
    }
}

extension Credentials.Material {
    fileprivate func sameIdentity(as other: Self) -> Bool {
        authorization == other.authorization && certificate == other.certificate && key == other.key
    }
}

import NIOSSL
import Synchronization

/// Where an end's certificate, key and trusted CAs lie, all PEM. The certificate and the key may be one file, as the kubelet's are.
///
/// An end that shows a token instead of a certificate has neither certificate nor key, and one that asks for tokens has no authority:
/// their paths are empty.
public struct TLSFiles: Hashable, Sendable {
    public var certificate: String
    public var key: String
    public var authority: String

    public init(certificate: String, key: String, authority: String) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
    }

    /// What the files are now; a change means that they are to be read again.
    public func stamps() throws(SmallFile.Failure) -> [SmallFile.Stamp] {
        var stamps: [SmallFile.Stamp] = []
        for path in [certificate, key, authority] where !path.isEmpty { stamps.append(try SmallFile.stamp(path)) }
        return stamps
    }

    /// The context of the end that listens: it wants a client certificate of the authority's, if any.
    func serverContext(speaking protocols: [String], wantsCertificate: Bool = true) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try certificateChain().map { .certificate($0) }, privateKey: .privateKey(try privateKey()))
        configuration.minimumTLSVersion = .tlsv12
        if wantsCertificate {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try authorities())
        } else {
            configuration.certificateVerification = .none
        }
        configuration.applicationProtocols = protocols
        return try makeContext(configuration)
    }

    /// The context of the end that dials.
    func clientContext(speaking protocols: [String]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        configuration.trustRoots = .certificates(try authorities())
        if !certificate.isEmpty {
            configuration.certificateChain = try certificateChain().map { .certificate($0) }
            configuration.privateKey = .privateKey(try privateKey())
        }
        configuration.applicationProtocols = protocols
        return try makeContext(configuration)
    }

    private func makeContext(_ configuration: TLSConfiguration) throws -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSFileError(path: certificate, problem: "the certificate and the key of \(key) do not make a TLS identity: \(error)")
        }
    }

    private func certificateChain() throws -> [NIOSSLCertificate] { try certificates(certificate) }
    private func authorities() throws -> [NIOSSLCertificate] { try certificates(authority) }

    private func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        let bytes = try SmallFile.read(path)
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
            guard !certificates.isEmpty else { throw TLSFileError(path: path, problem: "no certificate in it") }
            return certificates
        } catch let error as NIOSSLError {
            throw TLSFileError(path: path, problem: "not a PEM certificate: \(error)")
        }
    }

    private func privateKey() throws -> NIOSSLPrivateKey {
        let bytes = try SmallFile.read(key)
        do {
            // Only the key's own block: what Go accepts around it (certificates, EC PARAMETERS) is not everyone's taste.
            return try NIOSSLPrivateKey(bytes: PEMBlocks.privateKey(in: bytes) ?? bytes, format: .pem)
        } catch {
            // The library's words are about its parser, and must not quote the file's.
            throw TLSFileError(path: key, problem: "no PEM private key in it")
        }
    }
}

/// A certificate or key file that cannot be used.
public struct TLSFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var problem: String
    public var description: String { "\(path): \(problem)" }
}

/// A TLS context made of files, made anew when they change.
final class ReloadingContext: Sendable {
    private let files: TLSFiles
    private let make: @Sendable (TLSFiles) throws -> NIOSSLContext
    private let cached = Mutex<(stamps: [SmallFile.Stamp], context: NIOSSLContext)?>(nil)

    init(_ files: TLSFiles, make: @escaping @Sendable (TLSFiles) throws -> NIOSSLContext) {
        self.files = files
        self.make = make
    }

    /// The context of the files as they are. Blocking.
    func current() throws -> NIOSSLContext {
        do {
            let stamps = try files.stamps()
            if let context = cached.withLock({ $0?.stamps == stamps ? $0?.context : nil }) { return context }
            let context = try make(files)
            cached.withLock { $0 = (stamps, context) }
            return context
        } catch {
            // Half of a rotation: the pair that was good is still good, and the next connection looks again.
            if let context = cached.withLock({ $0?.context }) { return context }
            throw error
        }
    }
}

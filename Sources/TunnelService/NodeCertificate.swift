import Foundation
import SwiftASN1
import Tunnel
import X509

/// Reads a node's identity from its kubelet's client certificate: user `system:node:NAME` in group `system:nodes`.
public struct NodeCertificateIdentifier: AgentIdentifier {
    public init() {}

    public func identity(certificate der: [UInt8]) throws -> AgentIdentity {
        let certificate = try Certificate(derEncoded: der)
        let names = SubjectNames(certificate.subject)
        guard names.organizations.contains("system:nodes"), let user = names.commonName, user.hasPrefix("system:node:") else {
            throw NotANode(subject: OneLine.clean("\(certificate.subject)"))
        }
        return AgentIdentity(node: String(user.dropFirst("system:node:".count)), validity: certificate)
    }
}

/// Takes any certificate that the CA signed: for a tunnel that runs alone, with no record of nodes.
public struct AnyCertificateIdentifier: AgentIdentifier {
    public init() {}

    public func identity(certificate der: [UInt8]) throws -> AgentIdentity {
        let certificate = try Certificate(derEncoded: der)
        return AgentIdentity(node: SubjectNames(certificate.subject).commonName ?? "\(certificate.serialNumber)", validity: certificate)
    }
}

/// Takes the certificate that every server of a control plane shows, by its common name.
public struct ServerCertificateIdentifier: PeerIdentifier {
    private let serverName: String

    public init(serverName: String) { self.serverName = serverName }

    public func check(certificate der: [UInt8]) throws {
        let subject = try Certificate(derEncoded: der).subject
        guard SubjectNames(subject).commonName == serverName else {
            throw NotAPeer(subject: OneLine.clean("\(subject)"), serverName: serverName)
        }
    }
}

/// A certificate of the cluster's that is not a tunnel server's.
public struct NotAPeer: Error, CustomStringConvertible {
    public var subject: String
    public var serverName: String
    public var description: String { "the certificate's subject \"\(subject)\" is not a tunnel server's (want CN=\(serverName))" }
}

/// A certificate of the cluster's that is not a node's.
public struct NotANode: Error, CustomStringConvertible {
    public var subject: String
    public var description: String {
        "the certificate's subject \"\(subject)\" is not a node's (want CN=system:node:NAME, O=system:nodes)"
    }
}

extension AgentIdentity {
    fileprivate init(node: String, validity certificate: Certificate) {
        self.init(
            node: node, notBefore: Int64(certificate.notValidBefore.timeIntervalSince1970),
            notAfter: Int64(certificate.notValidAfter.timeIntervalSince1970))
    }
}

private struct SubjectNames {
    var commonName: String?
    var organizations: [String] = []

    init(_ subject: DistinguishedName) {
        for attribute in subject.joined() {
            // The object identifiers of commonName and organizationName.
            switch "\(attribute.type)" {
            case "2.5.4.3": commonName = String(attribute.value)
            case "2.5.4.10": if let name = String(attribute.value) { organizations.append(name) }
            default: break
            }
        }
    }
}

import Crypto
import Foundation
import HexDigest
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// All of a pool's spec, and of its cluster's, that a node has to be made anew for when it changes. Pure.
///
/// Nothing of what this release of the operator makes of it is in here, nor which programs it brings along: the same spec is the same
/// template under every release, so that an upgrade of the operator rolls out nothing. A cluster's networks and its network plugin cannot
/// change, and so are not in here either.
struct NodeTemplate: Equatable, Sendable {
    var version: KubernetesVersion
    /// Normalized.
    var configuration: NodeConfiguration?

    init(version: KubernetesVersion, configuration: NodeConfiguration?) {
        self.version = version
        self.configuration = configuration?.normalized
    }

    /// Nil while the version is not known.
    init?(_ pool: NodePool, in cluster: HostedCluster?) {
        guard let version = pool.spec?.version ?? cluster?.kubeletVersion else { return nil }
        self.init(version: version, configuration: pool.spec?.nodeConfiguration)
    }

    /// Ten digits of a hash over the spec's own words. Fields that a later release adds to the configuration are not among them until
    /// somebody sets one. Never to be changed: every node of every pool would roll.
    var revision: String {
        var inputs: JSONValue = ["version": .string(version.description)]
        inputs["nodeConfiguration"] = configurationFields.map { .object($0) }
        return String(SHA256.hexDigest(of: inputs.text).prefix(10))
    }

    /// As in the spec; encoding what was decoded from JSON does not fail.
    var configurationFields: [String: JSONValue]? { configuration.flatMap { try? JSONValue(encoding: $0).object } }
}

extension [NodePoolRevision] {
    /// How many a pool remembers: each may hold a whole configuration, and all are in one object.
    static let limit = 5

    /// With this template as the newest.
    func recording(_ template: NodeTemplate, now: Date) -> [NodePoolRevision] {
        let revision = template.revision
        if last?.revision == revision { return self }
        let entry = NodePoolRevision(
            number: (map(\.number).max() ?? 0) + 1, revision: revision, version: template.version,
            nodeConfiguration: template.configurationFields, createdAt: Timestamp.format(now))
        return (filter { $0.revision != revision } + [entry]).suffix(Self.limit)
    }
}

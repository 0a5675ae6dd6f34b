import FoundationEssentials

/// The JSON documents of an OCI image, as far as an image of one layer needs them.
enum ImageDocuments {
    struct Configuration: Encodable {
        struct Process: Encodable {
            var entrypoint: [String]?
            var arguments: [String]?
            var environment: [String]
            var user: String?
            var workingDirectory: String?

            enum CodingKeys: String, CodingKey {
                case entrypoint = "Entrypoint"
                case arguments = "Cmd"
                case environment = "Env"
                case user = "User"
                case workingDirectory = "WorkingDir"
            }
        }
        struct RootFileSystem: Encodable {
            var type = "layers"
            var layers: [String]

            enum CodingKeys: String, CodingKey {
                case type
                case layers = "diff_ids"
            }
        }

        var architecture: String
        var os = "linux"
        var config: Process
        var rootfs: RootFileSystem
    }

    struct Descriptor: Encodable {
        var mediaType: String
        var digest: String
        var size: Int
        var annotations: [String: String]?
    }

    struct Manifest: Encodable {
        var schemaVersion = 2
        var mediaType = "application/vnd.oci.image.manifest.v1+json"
        var config: Descriptor
        var layers: [Descriptor]
    }

    struct Index: Encodable {
        var schemaVersion = 2
        var mediaType = "application/vnd.oci.image.index.v1+json"
        var manifests: [Descriptor]
    }

    /// Keys sorted, so that the same image makes the same bytes.
    static func encode(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }

    static func digest(_ bytes: [UInt8]) -> String {
        var sink = DigestSink()
        bytes.withUnsafeBytes { sink.write($0) }
        return "sha256:\(sink.hexDigest)"
    }
}

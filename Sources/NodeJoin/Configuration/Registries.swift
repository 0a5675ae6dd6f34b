import NestboxAPI

/// Where containerd fetches images, as its `hosts.toml` files: a folder for each registry, read at every pull.
enum Registries {
    static let folder = "\(NodePaths.configuration)/certs.d"

    /// Written anew as a whole: a registry that is no longer named goes.
    static func script(_ registries: [ContainerRegistry]) -> Script {
        let files = registries.flatMap { Self.files($0) }
        return Script("rm -rf \(folder)\n\(files.putAll.body)")
    }

    static func files(_ registry: ContainerRegistry) -> [TextFile] {
        let place = "\(folder)/\(registry.host)"
        let authority = "\(place)/ca.crt"
        var servers = registry.mirrors ?? []
        // Without a word about the registry itself containerd knows where it is, and falls back on it.
        if registry.certificateAuthority != nil || registry.insecure == true {
            servers.append(registry.host == "docker.io" ? "registry-1.docker.io" : registry.host)
        }
        let hosts = servers.map { server in
            let address = server.contains("://") ? server : "https://\(server)"
            var lines = ["[host.\"\(address)\"]", "  capabilities = [\"pull\", \"resolve\"]"]
            if registry.certificateAuthority != nil, !address.hasPrefix("http://") { lines.append("  ca = \"\(authority)\"") }
            if registry.insecure == true { lines.append("  skip_verify = true") }
            return lines.joined(separator: "\n")
        }
        let configuration = TextFile("\(place)/hosts.toml", hosts.joined(separator: "\n\n"))
        return [configuration] + (registry.certificateAuthority.map { [TextFile(authority, $0)] } ?? [])
    }
}

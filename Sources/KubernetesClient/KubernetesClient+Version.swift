import KubernetesAPI

extension KubernetesClient {
    /// What the server calls its version: `v1.36.2`, or with its builder's suffix (`v1.32.4-gke.1`).
    public func serverVersion() async throws -> String {
        let request = APIRequest(.get, path: "/version", query: [])
        guard let version = try await decode(JSONValue.self, of: request)["gitVersion"]?.string else {
            throw request.error(.undecodable, detail: "the answer has no gitVersion")
        }
        return version
    }
}

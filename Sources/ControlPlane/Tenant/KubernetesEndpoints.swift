import KubernetesAPI
import KubernetesVersions

/// `default/kubernetes`, for pods: the address at which every node holds the API server.
enum KubernetesEndpoints {
    private static let name = "kubernetes"
    /// As kube-apiserver itself names the port.
    private static let port = EndpointPort(name: "https", port: NestboxPort.api, protocol: "TCP")

    static func render(_ settings: ClusterSettings) -> [any KubernetesObject] {
        let address = "\(settings.nodeLocalAPIAddress)"
        // The controllers must not mirror it: the slice below is the one.
        let endpoints = Endpoints(
            metadata: tenantMetadata(name, namespace: "default", labels: ["endpointslice.kubernetes.io/skip-mirror": "true"]),
            subsets: [EndpointSubset(addresses: [EndpointAddress(ip: address)], ports: [port])])
        let metadata = tenantMetadata(name, namespace: "default", labels: ["kubernetes.io/service-name": name])
        let ready = [SliceEndpoint(addresses: [address], conditions: SliceEndpointConditions(ready: true))]
        // In a version that the release before has too: for a moment of an upgrade an older API server may be the one to answer.
        let before = KubernetesVersion(settings.version.major, settings.version.minor - 1, 0)
        let slice: any KubernetesObject =
            before.servesEndpointSliceV1
            ? EndpointSlice(metadata: metadata, addressType: "IPv4", endpoints: ready, ports: [port])
            : EndpointSliceV1Beta1(metadata: metadata, addressType: "IPv4", endpoints: ready, ports: [port])
        return [endpoints, slice]
    }
}

import ArgumentParser
import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct TokenKubeadm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeadm", abstract: "Print the kubeadm join command of a cluster.",
        discussion: """
            For a cluster with spec.join.kubeadm: true. The machine's owner brings what kubeadm wants there: containerd, CNI plugins, \
            kubelet, and the images of nestbox-node, kube-proxy and pause where it cannot pull them.

            The token is good for any number of machines for 30 minutes, and for any name that no node has: docs/security.md. A tenant may \
            make others (kubeadm token create).

            Example:
              nestbox token kubeadm demo
            """)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var cluster: String
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let found = try await client.get(HostedCluster.self, cluster, namespace: namespace)
            guard found.withDefaults().spec?.join?.kubeadm == true else {
                throw CommandFailure("cluster \(cluster) lets no machine join by kubeadm: set its spec.join.kubeadm to true")
            }
            guard let endpoint = found.status?.apiEndpoints?.first, let fingerprint = found.status?.caFingerprint else {
                throw CommandFailure("cluster \(cluster) is not published yet: try again when it is Available")
            }
            let token = BootstrapToken()
            let kubeconfig = try await KubeconfigCommand.download(cluster, client, namespace)
            try await KubernetesClient.with(
                try ClientConfiguration.kubeconfig(text: kubeconfig), userAgent: "nestbox/\(ProductVersion.current)",
                logger: CommandLog.logger
            ) { tenant in
                _ = try await tenant.create(token.objectForKubeadm(now: Date()))
            }
            Terminal.writeLine("kubeadm join \(endpoint) --token \(token.value) --discovery-token-ca-cert-hash \(fingerprint)")
        }
    }
}

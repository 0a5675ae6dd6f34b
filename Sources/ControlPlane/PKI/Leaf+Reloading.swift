import FoundationEssentials
import NestboxAPI

/// Who reads a certificate again by itself when its file changes. The others make their pods roll.
extension Leaf {
    /// - Parameter settings: the template decides, for it may not change what rolls an existing control plane; and so does the time that
    ///   is left between a renewal and the old certificate's end.
    public func isReloaded(_ settings: ClusterSettings) -> Bool {
        guard settings.template >= .second else { return Self.reloadedByTheFirst.contains(self) }
        guard let delay = reloadDelay else { return false }
        return delay + Self.volumeDelay < settings.leafLifetime / 3
    }

    /// How long, at most, its holder goes on with the old one after the file has changed; nil for what the pods are rolled for.
    ///
    /// Looked up in upstream's sources, and in v1.20.2's programs for what names itself there:
    /// - kube-apiserver reads its serving certificate (server/dynamiccertificates, `FileRefreshDuration`, since 1.17) and the front proxy's
    ///   (kube-aggregator's `aggregator-proxy-cert`, kubernetes/kubernetes#92791, in 1.20.2) once a minute.
    /// - etcd, and kube-apiserver as its client, read theirs at each handshake (etcd's client/pkg/transport/listener.go,
    ///   `GetCertificate` and `GetClientCertificate`), and what is connected stays so: etcd looks at certificates in handshakes alone.
    /// - kube-controller-manager and kube-scheduler read those of their kubeconfigs at each handshake, and look every five minutes whether
    ///   to close what was opened with another (client-go's transport/cert_rotation.go, kubernetes/kubernetes#79083, since 1.18). Till then
    ///   kube-apiserver, which looks at certificates in each request, takes the old one no longer than it lasts.
    /// - Nestbox's tunnel server looks at its own files with each connection (`TLSFiles`), and once a minute at its kubeconfig's (`Credentials`).
    ///
    /// kube-apiserver as the kubelets' client (pkg/kubelet/client, `makeTransport`) also reads at each handshake, but never closes what it
    /// has open. And an API server has to be started anew once a year whatever else it does: up to 1.32 the certificate by which it speaks
    /// to itself is made at its start, lasts a year, and is never made again (server/options/serving_with_loopback.go,
    /// kubernetes/kubernetes#86552; three years since #130047). So the kubelets' client rolls the pods, in time for both.
    public var reloadDelay: TimeInterval? {
        switch self {
        case .kubeletClient: nil
        case .etcdClient, .etcdServer, .etcdPeer, .etcdOperator, .operatorClient: 0
        case .apiServer, .frontProxyClient, .tunnelServer, .tunnelClient: 60
        case .controllerManager, .scheduler: 300
        }
    }

    /// A kubelet brings a changed Secret into a volume with its next round, a minute later, and asks a cache that may be as old.
    private static let volumeDelay: TimeInterval = 120

    /// The certificate of its own that a kube-apiserver before 1.33 makes when it starts.
    static let longestRunOfAnAPIServer: TimeInterval = 365 * 86400

    private static let reloadedByTheFirst: Set<Leaf> = [.apiServer, .tunnelServer, .etcdServer, .etcdPeer, .etcdOperator, .operatorClient]
}

import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// What the control-planes operator hands to the machines operator for one join: a Secret in the operators' namespace,
/// made when the Machine is claimed, or drained for an upgrade in place, and deleted when its node is Ready or given up.
/// It holds a bootstrap token of 30 minutes and public certificates: nothing that outlives the join.
struct JoinTicket: Equatable, Sendable {
    var machine: String
    /// The claim it was made for: an older ticket is not used.
    var epoch: Int
    /// RFC 3339: when the token in it ends.
    var expires: String
    /// The tenant's cluster CA, PEM.
    var certificateAuthority: String
    var bootstrapKubeconfig: String
    /// KubeletConfiguration, JSON.
    var kubeletConfiguration: String
    var kubernetesVersion: String
    var nodeLocalAPIAddress: String
    var apiEndpoints: [String]
    var tunnelEndpoints: [String]
    var podCIDR: String
    /// The whole cluster's: what is not to be masqueraded.
    var clusterPodCIDR: String
    var networkPlugin: String
    var serviceCIDR: String
    var imageRegistry: String
    var labels: [String: String]
    var taints: [Taint]
    /// For people: `namespace/pool`.
    var holder: String
    var purpose = Purpose.join
    /// The node template's.
    var revision = ""
    /// The control plane's, whose kube-proxy runs on every node.
    var clusterVersion = ""
    var nodeConfiguration: NodeConfiguration?
    /// The token once more, for whoever prints a command with it; nil where the operator joins the machine itself.
    var token: String?

    enum Purpose: String, Sendable {
        case join = "Join"
        /// Of what is a node already: there is no token in it.
        case upgrade = "Upgrade"
    }
}

extension JoinTicket {
    /// When the token in it was made.
    var madeAt: Date? { Timestamp.parse(expires)?.addingTimeInterval(-BootstrapToken.longestLifetime) }

    static func secretName(machine: String) -> String { MachineScript.ticketSecret(machine: machine) }
    private static let tokenMember = MachineScript.tokenMember
    static let label = "nestbox.dev/join"

    func secret(namespace: String) -> Secret {
        var secret = Secret(
            metadata: ObjectMeta(name: Self.secretName(machine: machine), namespace: namespace, labels: [Self.label: machine]))
        secret.type = "nestbox.dev/join"
        secret.stringData = [
            "epoch": String(epoch), "expires": expires, "ca.crt": certificateAuthority, "bootstrap.kubeconfig": bootstrapKubeconfig,
            "kubelet.json": kubeletConfiguration, "version": kubernetesVersion, "nodeLocalAPIAddress": nodeLocalAPIAddress,
            "apiEndpoints": apiEndpoints.joined(separator: ","), "tunnelEndpoints": tunnelEndpoints.joined(separator: ","),
            "podCIDR": podCIDR, "clusterPodCIDR": clusterPodCIDR, "networkPlugin": networkPlugin, "imageRegistry": imageRegistry,
            "serviceCIDR": serviceCIDR, "holder": holder,
            "labels": labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ","),
            "taints": taints.map(\.text).joined(separator: ","), "purpose": purpose.rawValue, "revision": revision,
            "clusterVersion": clusterVersion,
        ]
        if let token { secret.stringData?[Self.tokenMember] = token }
        if let nodeConfiguration, let data = try? JSONEncoder().encode(nodeConfiguration) {
            secret.stringData?["nodeConfiguration"] = String(decoding: data, as: UTF8.self)
        }
        return secret
    }

    /// Nil when the Secret is not a ticket: made by hand, or half of one.
    init?(_ secret: Secret) {
        func field(_ name: String) -> String? { secret.data?[name]?.text }
        guard let machine = secret.metadata.labels?[Self.label], let epoch = field("epoch").flatMap({ Int($0) }),
            let expires = field("expires"), let authority = field("ca.crt"), let bootstrap = field("bootstrap.kubeconfig"),
            let kubelet = field("kubelet.json"), let version = field("version"), let podCIDR = field("podCIDR")
        else { return nil }
        var configuration: NodeConfiguration?
        if let text = field("nodeConfiguration") {
            guard let decoded = try? JSONDecoder().decode(NodeConfiguration.self, from: Data(text.utf8)) else { return nil }
            configuration = decoded
        }
        func list(_ name: String) -> [String] { (field(name) ?? "").split(separator: ",").map(String.init) }
        self.init(
            machine: machine, epoch: epoch, expires: expires, certificateAuthority: authority, bootstrapKubeconfig: bootstrap,
            kubeletConfiguration: kubelet, kubernetesVersion: version, nodeLocalAPIAddress: field("nodeLocalAPIAddress") ?? "",
            apiEndpoints: list("apiEndpoints"), tunnelEndpoints: list("tunnelEndpoints"), podCIDR: podCIDR,
            clusterPodCIDR: field("clusterPodCIDR") ?? "", networkPlugin: field("networkPlugin") ?? "bridge",
            serviceCIDR: field("serviceCIDR") ?? "",
            imageRegistry: field("imageRegistry") ?? "",
            labels: Dictionary(
                list("labels").map { pair in
                    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
                }, uniquingKeysWith: { _, last in last }),
            taints: list("taints").compactMap(Taint.init(text:)), holder: field("holder") ?? "",
            // A ticket of an operator that knew but joins names neither.
            purpose: field("purpose").flatMap(Purpose.init) ?? .join, revision: field("revision") ?? "",
            clusterVersion: field("clusterVersion") ?? "", nodeConfiguration: configuration, token: field(Self.tokenMember))
    }

    func isUpgrade(to revision: String, epoch: Int) -> Bool {
        purpose == .upgrade && self.revision == revision && self.epoch == epoch
    }
}

extension KubernetesClient {
    /// What was left for that machine; nil where nothing was.
    func joinTicket(of machine: Machine, in namespace: String) async throws -> JoinTicket? {
        try await find(Secret.self, ObjectKey(namespace: namespace, name: JoinTicket.secretName(machine: machine.name)))
            .flatMap(JoinTicket.init)
    }
}

extension Taint {
    /// `key=value:Effect`, as kubectl and the kubelet write it.
    var text: String { "\(key)\(value.map { "=\($0)" } ?? ""):\(effect)" }

    init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let pair = parts[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(key: pair[0], value: pair.count > 1 ? pair[1] : nil, effect: String(parts[1]))
    }
}

import ControlPlane
import Crypto
import Foundation
import KubernetesAPI

/// A bootstrap token made for one Machine (Kubernetes docs, "Authenticating with Bootstrap Tokens").
struct BootstrapToken: Sendable {
    static let userPrefix = "system:bootstrap:"
    static let machineLabel = "nestbox.dev/machine"
    static let group = NestboxName.bootstrappersGroup
    static let lifetime: TimeInterval = 30 * 60

    let id: String
    let secret: String
    let machine: String
    let expires: Date

    /// Six and sixteen letters and digits from the system's random generator.
    static func generate(machine: String, now: Date) -> BootstrapToken {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        func text(_ length: Int) -> String { String((0..<length).map { _ in alphabet[Int.random(in: 0..<36, using: &generator)] }) }
        return BootstrapToken(id: text(6), secret: text(16), machine: machine, expires: now.addingTimeInterval(lifetime))
    }

    var text: String { "\(id).\(secret)" }

    var object: Secret {
        var object = Secret(
            metadata: ObjectMeta(name: "bootstrap-token-\(id)", namespace: "kube-system", labels: [Self.machineLabel: machine]))
        object.type = "bootstrap.kubernetes.io/token"
        object.stringData = [
            "token-id": id, "token-secret": secret, "expiration": Timestamp.format(expires), "usage-bootstrap-authentication": "true",
            "auth-extra-groups": Self.group, "description": "Nestbox: for Machine \(machine) alone",
        ]
        return object
    }
}

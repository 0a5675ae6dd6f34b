import KubernetesAPI
import NestboxAPI

extension Machine {
    /// Why it may not be used beside the others, in a sentence: one server belongs to one Machine, the one that was there first.
    /// Nil when no other is the same server, as far as is known.
    func clash(with others: [Machine]) -> String? {
        for other in others where other.name != name && other.isBefore(self) {
            if let address = spec?.address, address == other.spec?.address, port == other.port, way == other.way {
                return "\(address):\(port) is registered as Machine \(other.name) already: one server is one Machine; delete one of the two"
            }
            if let id = status?.facts?.machineID, id == other.status?.facts?.machineID {
                return
                    "the server at \(spec?.address ?? "") is Machine \(other.name) already, or a copy of it: both have the machine-id \(id); "
                    + "delete one of the two, or give the copy an id of its own (rm /etc/machine-id; systemd-machine-id-setup)"
            }
        }
        return nil
    }

    private var port: Int { spec?.port ?? 22 }
    /// Behind another jump host the same private address is another server's, and so it may be at another pool's site that nobody
    /// reaches. On the machine itself the claim file tells.
    private var way: String? {
        joinsByCommand ? "\(spec?.allowedNamespaces?.first ?? "")/\(spec?.nodePool ?? "")" : spec?.jumpHost?.address
    }

    /// The one that is in use first, then the older one, then by name: two that look at each other must agree.
    private func isBefore(_ other: Machine) -> Bool {
        (status?.claim == nil ? 1 : 0, status?.phase == nil ? 1 : 0, metadata.creationTimestamp ?? "", name)
            < (other.status?.claim == nil ? 1 : 0, other.status?.phase == nil ? 1 : 0, other.metadata.creationTimestamp ?? "", other.name)
    }
}

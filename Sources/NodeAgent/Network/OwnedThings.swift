import Tunnel

/// What `nestbox-node` has added to the machine and must take away when it is told to clean up. Kept on disk, because the process
/// that cleans up is another one, and an address that was there before is not ours to remove.
struct OwnedThings: Equatable, Sendable {
    var addresses: [IPAddress] = []
    /// The value that ARP's sysctl had.
    var arpIgnore: String?

    var text: String {
        (addresses.map { "address \($0)" } + (arpIgnore.map { ["arp-ignore \($0)"] } ?? [])).map { $0 + "\n" }.joined()
    }

    init() {}

    /// What cannot be read is passed over.
    init(text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            switch words[0] {
            case "address": if let address = IPAddress(words[1]) { addresses.append(address) }
            case "arp-ignore": arpIgnore = words[1].allSatisfy(\.isNumber) ? String(words[1]) : nil
            default: break
            }
        }
    }
}

/// The state directory's files. Blocking.
struct StateDirectory: Sendable {
    let path: String

    private var ownedPath: String { path + "/owned" }
    private var statePath: String { path + "/state" }

    func prepare() throws(SmallFile.Failure) { try SmallFile.makeDirectory(path) }

    func owned() throws(SmallFile.Failure) -> OwnedThings {
        do {
            return OwnedThings(text: try SmallFile.text(ownedPath))
        } catch  where error.isNotFound {
            return OwnedThings()
        }
    }

    func save(_ owned: OwnedThings) throws(SmallFile.Failure) { try SmallFile.replace(ownedPath, with: owned.text) }

    /// The last state that the control stream brought, or nil if there is none that can be read.
    func state() -> NodeState? {
        guard let text = try? SmallFile.text(statePath) else { return nil }
        var decoder = ControlDecoder()
        guard case .state(_, let state)? = try? decoder.append(text.utf8).last else { return nil }
        return state
    }

    func save(_ state: NodeState) throws(SmallFile.Failure) {
        try SmallFile.replace(statePath, with: ControlMessage.state(revision: 0, state).text)
    }

    func remove() throws(SmallFile.Failure) {
        try SmallFile.remove(ownedPath)
        try SmallFile.remove(statePath)
    }
}

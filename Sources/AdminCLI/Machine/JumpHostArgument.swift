import ArgumentParser
import NestboxAPI

/// `address`, `user@address`, `address:port` or `user@address:port`, as ssh's -J takes it. What each may be is the kind's rule.
struct JumpHostArgument: ExpressibleByArgument, Sendable, Equatable {
    var user: String?
    var address: String
    var port: Int?

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        user = parts.count == 2 ? parts[0] : nil
        let place = (parts.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard user != "", place.count <= 2, !place[0].isEmpty else { return nil }
        address = place[0]
        if place.count == 2 {
            guard let number = Int(place[1]) else { return nil }
            port = number
        }
    }

    func spec(keySecret: String?) -> JumpHostSpec {
        JumpHostSpec(address: address, port: port, user: user, sshKeySecret: keySecret)
    }
}

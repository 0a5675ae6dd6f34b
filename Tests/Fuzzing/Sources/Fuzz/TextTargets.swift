@testable import NodeAgent
@testable import Tunnel

extension Target {
    /// Parsers of text.
    static let texts = [
        Target(
            "connect",
            texts: [
                "CONNECT 10.0.0.1:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nbehind", "CONNECT [fd00::1]:443 HTTP/1.0\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n", "CONNECT name.example:443 HTTP/2\r\n\r\n",
            ], run: connect),
        Target(
            "control",
            texts: [
                "server a 3\nstate 7\napi 192.0.2.10:30443\ntunnel [fd00::1]:30132\nroute 10.244.1.0/24 192.168.9.12\nend\n",
                "confirm 7\nfailed 7 no such route\nholds node-1\ndrops node-1\nlater word\n\n",
            ], run: control),
        Target(
            "identifiers",
            texts: [
                "ipv4=10.0.0.1&host=node%201&default-route=true", "ipv6=fd00%3A%3A1&cidr=10.0.0.0%2F8&&x=%zz", "host=a+b;c", "%41%",
            ], run: identifiers),
        Target(
            "addresses",
            texts: [
                "10.0.0.1:443", "[fd00::1]:443,name.example.:80, 1.2.3.4:5", "10.244.1.0/24", "::ffff:10.0.0.1", "fd00::/8", "::1",
                "fe80::1%eth0", "10.0.0.1\u{0}:1",
            ], run: addresses),
        Target(
            "pem",
            texts: [
                "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\r\nAA==\r\n-----END EC PRIVATE KEY-----\r\n",
                "-----BEGIN PRIVATE KEY-----\nAA\n",
            ], run: pem),
        Target(
            "node-conf",
            texts: [
                "# comment\nnode-name = n1\napi-address = 10.1.2.3:6443\napi-endpoints = 192.0.2.1:30443, [fd00::1]:1\n"
                    + "tunnel-endpoints = name.example:30132\ncertificate-file=/a\nkey-file=/b\nca-file=/c\nstate-directory=/d\n"
                    + "pod-routes = on\npod-cidr = 10.244.1.0/24\ndial-allow = 127.0.0.1/32,fd00::/8\nlog-level = debug\nlater = x\r\n"
            ], run: nodeConfiguration),
    ]

    @Sendable private static func connect(_ bytes: [UInt8]) {
        var whole = ConnectRequest()
        let taken = whole.append(bytes)
        check(taken <= bytes.count, "more was taken than given")
        var parts = ConnectRequest()
        var takenOfParts = 0
        for piece in pieces(bytes) { takenOfParts += parts.append(piece) }
        check(whole.outcome == parts.outcome && taken == takenOfParts, "in pieces: \(parts.outcome), whole: \(whole.outcome)")
        switch whole.outcome {
        case .incomplete: check(taken == bytes.count && taken < ConnectRequest.maximumHeaderBytes, "a header without end")
        case .target(let target): checkEndpoint(target)
        case .failure(let failure):
            let answer = ConnectAnswer.failure(failure)
            check(answer.utf8.allSatisfy { $0 < 0x7f } && answer.split(separator: "\r\n").count == 3, "not an answer: \(answer)")
            check((400...599).contains(failure.status), "not a failure's status: \(failure.status)")
        }
    }

    @Sendable private static func control(_ bytes: [UInt8]) {
        let whole = readControl([bytes[...]])
        let parts = readControl(pieces(bytes))
        check(whole.failed == parts.failed, "control messages fail whole or in pieces only")
        // Those before the error were given already when they came in pieces.
        check(whole.failed || whole.messages == parts.messages, "control messages in pieces are others")
        for message in parts.messages {
            check(readControl([Array(message.text.utf8)[...]]).messages == [message], "\(message) is not what it is when written")
            if case .state(_, let state) = message { (state.apiEndpoints + state.tunnelEndpoints).forEach(checkEndpoint) }
        }
    }

    private static func readControl(_ pieces: [ArraySlice<UInt8>]) -> (messages: [ControlMessage], failed: Bool) {
        var decoder = ControlDecoder()
        var messages: [ControlMessage] = []
        for piece in pieces {
            guard let more = try? decoder.append(piece) else { return (messages, true) }
            messages += more
        }
        return (messages, false)
    }

    @Sendable private static func identifiers(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        check(PercentEncoding.decode(PercentEncoding.encode(text)) == text, "percent encoding loses something of \(text.debugDescription)")
        let status = GRPCStatus(code: 14, message: OneLine.clean(text))
        check(GRPCStatus(status.trailers) == status, "\(status) is not what it is when written")
        guard let identifiers = try? AgentIdentifiers(query: text) else { return }
        let count = identifiers.ipv4.count + identifiers.ipv6.count + identifiers.host.count + identifiers.cidr.count
        check(count + identifiers.unknown.count <= AgentIdentifiers.maximumCount, "too many identifiers")
        for name in identifiers.ipv4 + identifiers.ipv6 + identifiers.host {
            check(identifiers.name(name), "\(name) is not found among \(identifiers)")
        }
    }

    @Sendable private static func addresses(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = IPAddress(text) {
            check(IPAddress(address.description) == address, "\(address) is not what it is when written")
            check(text.utf8.allSatisfy { (0x2e...0x66).contains($0) }, "an address with \(text.debugDescription)")
        }
        if let block = AddressBlock(text) {
            check(AddressBlock(block.description) == block, "\(block) is not what it is when written")
            check(block.contains(block.network) && block.overlaps(block), "\(block) does not contain itself")
        }
        if let endpoint = Endpoint(text) { checkEndpoint(endpoint) }
        let list = Endpoint.list(text) ?? []
        list.forEach(checkEndpoint)
        check(Endpoint.list(list.map(\.description).joined(separator: ",")) == list, "\(list) is not what it is when written")
    }

    private static func checkEndpoint(_ endpoint: Endpoint) {
        check(Endpoint(endpoint.description) == endpoint, "\(endpoint) is not what it is when written")
        check((1...65535).contains(endpoint.port), "a port \(endpoint.port)")
        let isPlain = endpoint.host.utf8.allSatisfy { (0x2d...0x3a).contains($0) || (0x41...0x7a).contains($0) }
        check((1...253).contains(endpoint.host.utf8.count) && isPlain, "a host \(endpoint.host.debugDescription)")
    }

    @Sendable private static func pem(_ bytes: [UInt8]) {
        guard let block = PEMBlocks.privateKey(in: bytes) else { return }
        check(PEMBlocks.privateKey(in: block) == block, "a block is not the block of itself")
        check(block.starts(with: "-----BEGIN ".utf8), "a block that does not begin")
    }

    @Sendable private static func nodeConfiguration(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let read: NodeConfiguration
        do { read = try NodeConfiguration(text: text, path: "node.conf") } catch {
            check("\(error)".hasPrefix("node.conf"), "an error that names no file: \(error)")
            return
        }
        (read.apiEndpoints + read.tunnelEndpoints + [read.apiAddress]).forEach(checkEndpoint)
        let again = """
            node-name = \(read.nodeName)
            api-address = \(read.apiAddress)
            api-endpoints = \(read.apiEndpoints.map(\.description).joined(separator: ","))
            tunnel-endpoints = \(read.tunnelEndpoints.map(\.description).joined(separator: ","))
            tunnel-server-name = \(read.tunnelServerName)
            certificate-file = \(read.tls.certificate)
            key-file = \(read.tls.key)
            ca-file = \(read.tls.authority)
            state-directory = \(read.stateDirectory)
            pod-routes = \(read.podRoutes ? "on" : "off")
            pod-cidr = \(read.podCIDR.map(\.description) ?? "")
            dial-allow = \(read.dialAllow.map(\.description).joined(separator: ","))
            log-level = \(read.logLevel)
            """ + read.unknownKeys.map { "\n\($0) = x" }.joined()
        check((try? NodeConfiguration(text: again, path: "")) == read, "\(read) is not what it is when written:\n\(again)")
    }
}

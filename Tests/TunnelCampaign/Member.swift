import Glibc
import Synchronization
import TestCampaign
import TestTunnel
import Tunnel

/// A server or an agent: a program in a network namespace of its name.
final class Member: Sendable {
    let name: String
    /// A server's front.
    let socket: String
    private let command: [String]
    private let log: String
    private let program = Mutex<Program?>(nil)
    private let starts = Atomic<Int>(0)

    init(name: String, command: [String], directory: String) {
        self.name = name
        self.command = command
        socket = "\(directory)/\(name).sock"
        log = "\(directory)/\(name).log"
    }

    static func server(_ name: String, of all: [String], pki: TestPKI, products: String, directory: String) throws -> Member {
        let files = try pki.server(file: name, address: Network.tunnelAddress(name))
        let peers = all.filter { $0 != name }.map { "\(Network.tunnelAddress($0)):8093" }.joined(separator: ",")
        return Member(
            name: name,
            command: [
                "\(products)/nestbox-tunnel", "server", "--uds-name=\(directory)/\(name).sock", "--server-id=\(name)",
                "--agent-port=8091", "--health-port=8092", "--peers-port=8093", "--peers=\(peers)", "--server-count=\(all.count)",
                "--cluster-cert=\(files.certificate)", "--cluster-key=\(files.key)", "--cluster-ca-cert=\(files.authority)",
                "--graceful-shutdown-timeout=5s",
            ], directory: directory)
    }

    /// An agent as it runs on nodes.
    static func node(_ name: String, servers: [String], pki: TestPKI, products: String, directory: String) throws -> Member {
        let files = try pki.node(name)
        try SmallFile.makeDirectory("\(directory)/\(name)")
        let endpoints = servers.map { "\(Network.tunnelAddress($0)):8091" }.joined(separator: ",")
        try SmallFile.replace(
            "\(directory)/\(name).conf",
            with: """
                node-name = \(name)
                api-address = 172.20.0.1:6443
                api-endpoints = 10.77.1.1:6443
                tunnel-endpoints = \(endpoints)
                tunnel-server-name = nestbox-tunnel
                ca-file = \(files.authority)
                certificate-file = \(files.certificate)
                state-directory = \(directory)/\(name)
                pod-routes = off

                """)
        return Member(
            name: name, command: ["\(products)/nestbox-node", "run", "--config", "\(directory)/\(name).conf"], directory: directory)
    }

    /// An agent that speaks upstream's protocol.
    static func konnectivityAgent(_ name: String, server: String, pki: TestPKI, products: String, directory: String) throws -> Member {
        let files = try pki.node(name)
        return Member(
            name: name,
            command: [
                "\(products)/nestbox-tunnel", "agent", "--proxy-server-host=\(Network.tunnelAddress(server))", "--proxy-server-port=8091",
                "--ca-cert=\(files.authority)", "--agent-cert=\(files.certificate)", "--agent-key=\(files.key)", "--agent-id=\(name)",
            ], directory: directory)
    }

    func start() throws {
        let started = try Program(["ip", "netns", "exec", name] + command, log: log)
        program.withLock { $0 = started }
        starts.add(1, ordering: .relaxed)
    }

    func signal(_ signal: Int32) { program.withLock { $0 }?.signal(signal) }

    /// Ends it and returns once it has ended; SIGKILL follows when that takes longer than it may.
    func stop(_ signal: Int32, within limit: Duration = .seconds(15)) async throws {
        guard let running = program.withLock({ $0 }) else { return }
        try await running.end(signal, within: limit)
        program.withLock { $0 = nil }
    }

    var isRunning: Bool { program.withLock { $0 } != nil }
    /// That it was started once only: what it holds now can be compared to what it held before.
    var hasAlwaysRun: Bool { starts.load(ordering: .relaxed) == 1 }

    /// What the kernel says that it holds.
    func holdings() throws -> Holdings {
        guard let pid = program.withLock({ $0?.pid }) else { throw Program.Failure(description: "\(name) does not run") }
        let status = try SmallFile.text("/proc/\(pid)/status").split(separator: "\n")
        func kib(_ key: String) -> Int {
            status.first { $0.hasPrefix(key + ":") }.flatMap { Int($0.split(whereSeparator: { " \t".contains($0) })[1]) } ?? 0
        }
        var descriptors = 0
        if let folder = opendir("/proc/\(pid)/fd") {
            while readdir(folder) != nil { descriptors += 1 }
            closedir(folder)
        }
        return Holdings(resident: kib("VmRSS"), own: kib("RssAnon"), descriptors: descriptors - 2, threads: kib("Threads"))
    }

    /// What a server says of itself: the value of each of its metrics that is wanted.
    func metrics(_ names: [String]) async throws -> [Int] {
        let text = try await HealthPage.get("/metrics", of: name)
        return try names.map { metric in
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(metric) ") }),
                let value = Double(line.dropFirst(metric.count + 1))
            else { throw Program.Failure(description: "\(name) says nothing of \(metric)") }
            return Int(value)
        }
    }
}

/// Memory in KiB, and counts.
struct Holdings: Sendable {
    var resident: Int
    var own: Int
    var descriptors: Int
    var threads: Int
}

enum HealthPage {
    static func get(_ path: String, of server: String) async throws -> String {
        try await TestConnection.open(host: Network.tunnelAddress(server), port: 8092) { connection in
            try await connection.write("GET \(path) HTTP/1.1\r\nHost: \(server)\r\nConnection: close\r\n\r\n")
            return String(decoding: try await connection.readToEnd(), as: UTF8.self)
        }
    }
}

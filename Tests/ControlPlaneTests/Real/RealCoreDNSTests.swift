import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing

@testable import ControlPlane

/// The Corefile, held to a real CoreDNS with a real API server, on a machine without a resolver.
@Suite(
    .enabled(if: TestBinaries.found != nil, "no Kubernetes and etcd: nestbox artifacts get"),
    .enabled(if: TestBinaries.coreDNS != nil, "no CoreDNS: NESTBOX_TEST_COREDNS names the program"), .timeLimit(.minutes(5)))
struct RealCoreDNSTests {
    @Test func clusterNamesAreAnsweredWhereNobodyCanBeAskedForOthers() async throws {
        try await RealControlPlane.with { tenant in
            try await tenant.start()
            try await withNobody(tenant)
            try await withAnUpstream(tenant)
        }
    }

    private func withNobody(_ tenant: RealControlPlane) async throws {
        // The machine's own: that is how it ends, and what `upstreams` is for.
        _ = try start(tenant, upstreams: nil)
        let status = try await tenant.exitStatusOfLast(within: 20)
        #expect(status != nil && status != 0)
        #expect(tenant.log("coredns").contains("no nameservers found"), "\(tenant.log("coredns").suffix(500))")

        let port = try start(tenant, upstreams: [])
        try await answers(port, "kubernetes.default.svc.cluster.local", .address("10.96.0.1"), tenant)
        try await answers(port, "www.example.com", .failure(2), tenant)
    }

    private func withAnUpstream(_ tenant: RealControlPlane) async throws {
        let upstream = try #require(try RealControlPlane.freePorts([53])[53])
        try tenant.startCoreDNS(
            ".:\(upstream) {\n bind 127.0.0.1\n template IN A example.com {\n answer \"{{ .Name }} 60 IN A 192.0.2.7\"\n }\n}\n")
        let port = try start(tenant, upstreams: ["127.0.0.1:\(upstream)"])
        try await answers(port, "kubernetes.default.svc.cluster.local", .address("10.96.0.1"), tenant)
        try await answers(port, "www.example.com", .address("192.0.2.7"), tenant)
    }

    /// Its Corefile, changed in what only a pod has: a service account, ports of its own, the machine's resolver.
    private func start(_ tenant: RealControlPlane, upstreams: [String]?) throws -> Int {
        var settings = tenant.input.settings
        settings.spec.addons = AddonsSpec(coreDNS: CoreDNSSpec(image: "coredns", upstreams: upstreams))
        try tenant.write("search example.net\n", to: "resolv.conf")
        let ports = try RealControlPlane.freePorts([53, 8080, 8181, 9153])
        func at(_ port: Int) -> String { "127.0.0.1:\(ports[port] ?? 0)" }
        try tenant.startCoreDNS(
            Corefile.render(settings)
                .replacing(".:53 {", with: ".:\(ports[53] ?? 0) {\n    bind 127.0.0.1")
                .replacing("health {", with: "health \(at(8080)) {")
                .replacing("ready\n", with: "ready \(at(8181))\n")
                .replacing("prometheus :9153", with: "prometheus \(at(9153))")
                .replacing("pods insecure", with: "kubeconfig \(tenant.directory)/bootstrap.kubeconfig\n       pods insecure")
                .replacing("/etc/resolv.conf", with: "\(tenant.directory)/resolv.conf"))
        return ports[53] ?? 0
    }

    private enum Answer: Equatable {
        case address(String)
        case failure(Int)
    }

    private func answers(_ port: Int, _ name: String, _ expected: Answer, _ tenant: RealControlPlane) async throws {
        var last: Answer?
        do {
            try await eventually("\(name) is answered with \(expected)") {
                last = try await Self.ask(port, name)
                return last == expected
            }
        } catch {
            Issue.record("\(String(describing: last)): \(tenant.log("coredns").suffix(1000))")
            throw error
        }
    }

    /// One question for an address over UDP; nil when nobody answers.
    private static func ask(_ port: Int, _ name: String) async throws -> Answer? {
        var question: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") { question += [UInt8(label.utf8.count)] + Array(label.utf8) }
        question += [0, 0, 1, 0, 1]
        let asked = question
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let answer = exchange(asked, port: port)
                guard answer.count >= 12 else { return continuation.resume(returning: nil) }
                let code = Int(answer[3] & 15)
                // One record, which ends with the address.
                let address = answer.suffix(4).map(String.init).joined(separator: ".")
                continuation.resume(returning: code == 0 && answer[7] == 1 ? Answer.address(address) : Answer.failure(code))
            }
        }
    }

    private static func exchange(_ bytes: [UInt8], port: Int) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0, send(descriptor, bytes, bytes.count, 0) == bytes.count else { return [] }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &answer, answer.count, 0)
        return Array(answer.prefix(max(0, count)))
    }
}

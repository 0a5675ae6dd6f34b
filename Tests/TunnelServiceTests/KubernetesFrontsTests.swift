import Foundation
import KubernetesAPI
import KubernetesClient
import NIOCore
import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

/// A real kube-apiserver behind each front: its connections to the tenant's side go through the tunnel.
@Suite("kube-apiserver behind the tunnel", .serialized, .timeLimit(.minutes(10)))
struct KubernetesFrontsTests {
    enum Front: String, CaseIterable, Sendable {
        case connectOnSocket, connectOverTLS, grpcOnSocket
    }

    @Test("Webhooks by Service and by URL, an extension API and the node proxy, while agents come and go", arguments: Front.allCases)
    func carries(front: Front) async throws {
        try await TunnelFixture.with { fixture in
            let host = try #require(Self.machineAddress(), "this computer has no address but loopback")
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip(host), try ip("127.0.0.1")]))
            let server = try fixture.makeServer(front: try front.listening(fixture))
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let selector = fixture.directory + "/egress.json"
                try SmallFile.replace(selector, with: try await front.selector(fixture, server).prettyText)
                let port = try await server.agentPort()
                let agent = try fixture.pki.node("n1")
                let names = try fixture.pki.server(file: "extension", dnsNames: ["extension.default.svc"], address: host)
                try await TenantExtension.with(files: names) { target in
                    try await TestKubernetes.with(extraArguments: [
                        "--egress-selector-config-file=\(selector)", "--enable-aggregator-routing=true",
                    ]) { cluster in
                        try await cluster.withClient { client in
                            let tenant = Tenant(client: client, host: host, port: target.port, authority: fixture.pki.authorityPath)
                            try await tenant.register()
                            try await fixture.withAgent(agent, port, of: server) { _ in
                                try await tenant.expectEverything()
                            }
                            try await tenant.expectNoTunnel()
                            for _ in 0..<3 {
                                try await fixture.withAgent(agent, port, of: server) { _ in
                                    try await eventually("the node answers again") {
                                        try await tenant.nodeProxy().status == 200
                                    }
                                    try await tenant.expectEverything()
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// An address of this computer's that Kubernetes lets an endpoint have.
    private static func machineAddress() -> String? {
        (try? System.enumerateDevices())?.lazy.compactMap { $0.address?.ip }.first { $0.isIPv4 && !$0.description.hasPrefix("127.") }?
            .description
    }

    /// What a tenant has registered, and what it sees of it.
    private struct Tenant: Sendable {
        let client: KubernetesClient
        let host: String
        let port: Int
        let authority: String

        func register() async throws {
            try await post(
                "/api/v1/namespaces/default/services",
                [
                    "metadata": ["name": "extension"], "spec": ["ports": [["port": 443, "targetPort": .integer(port)]]],
                ])
            try await post(
                "/api/v1/namespaces/default/endpoints",
                [
                    "metadata": ["name": "extension"],
                    "subsets": [["addresses": [["ip": .string(host)]], "ports": [["port": .integer(port)]]]],
                ])
            // What kube-apiserver goes by since 1.33; up to 1.20 there is none of this version.
            _ = try await client.raw(
                .post, path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
                body: [
                    "metadata": ["name": "extension", "labels": ["kubernetes.io/service-name": "extension"]], "addressType": "IPv4",
                    "endpoints": [["addresses": [.string(host)]]], "ports": [["name": "", "port": .integer(port)]],
                ])
            try await post(
                "/api/v1/nodes",
                [
                    "metadata": ["name": "n1"], "status": ["addresses": [["type": "InternalIP", "address": .string(host)]]],
                ])
            let service: JSONValue = ["namespace": "default", "name": "extension", "port": 443]
            let bundle = JSONValue.string(Data(try SmallFile.read(authority)).base64EncodedString())
            try await post(
                "/apis/apiregistration.k8s.io/v1/apiservices",
                [
                    "metadata": ["name": "v1.sample.nestbox.test"],
                    "spec": [
                        "group": "sample.nestbox.test", "version": "v1", "service": service, "caBundle": bundle,
                        "groupPriorityMinimum": 1000,
                        "versionPriority": 10,
                    ],
                ])
            func webhook(_ name: String, _ resource: String, _ clientConfig: JSONValue) -> JSONValue {
                [
                    "name": .string(name), "clientConfig": clientConfig, "sideEffects": "None", "admissionReviewVersions": ["v1"],
                    "timeoutSeconds": 10,
                    "rules": [["apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [.string(resource)]]],
                ]
            }
            try await post(
                "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
                [
                    "metadata": ["name": "extension"],
                    "webhooks": [
                        webhook("service.nestbox.test", "configmaps", ["service": service.with("path", "/admit"), "caBundle": bundle]),
                        webhook(
                            "url.nestbox.test", "limitranges",
                            ["url": .string("https://\(host):\(port)/admit"), "caBundle": bundle]),
                    ],
                ])
        }

        func expectEverything() async throws {
            try await expectWebhook("/api/v1/namespaces/default/configmaps", [:])
            try await expectWebhook("/api/v1/namespaces/default/limitranges", ["limits": []])
            try await eventually("the extension API answers") {
                try await client.raw(.get, path: "/apis/\(TenantExtension.apiVersion)/things").status == 200
            }
            let (status, body) = try await nodeProxy()
            #expect(status == 200)
            #expect(String(decoding: body, as: UTF8.self).contains("/pods"))
        }

        func nodeProxy() async throws -> (status: Int, body: [UInt8]) {
            try await client.raw(.get, path: "/api/v1/nodes/https:n1:\(port)/proxy/pods")
        }

        func expectNoTunnel() async throws {
            try await eventually("the cause is told") {
                let (status, body) = try await nodeProxy()
                return status >= 500 && String(decoding: body, as: UTF8.self).contains("the agent of node n1 is not connected")
            }
        }

        /// A webhook may take a moment to be known.
        private func expectWebhook(_ path: String, _ spec: JSONValue) async throws {
            @Sendable func object(_ metadata: JSONValue) -> JSONValue { ["metadata": metadata, "spec": spec] }
            try await eventually("\(path) is denied") {
                let answer = try await client.raw(
                    .post, path: path, body: object(["generateName": "denied-", "labels": ["denied": "yes"]]))
                return String(decoding: answer.body, as: UTF8.self).contains("the tenant's webhook denies it")
            }
            let allowed = try await client.raw(.post, path: path, body: object(["generateName": "allowed-"]))
            #expect(allowed.status == 201, "\(String(decoding: allowed.body, as: UTF8.self))")
        }

        private func post(_ path: String, _ body: JSONValue) async throws {
            let answer = try await client.raw(.post, path: path, body: body)
            try #require(answer.status == 201, "\(path): \(String(decoding: answer.body, as: UTF8.self))")
        }
    }
}

extension KubernetesFrontsTests.Front {
    fileprivate func listening(_ fixture: TunnelFixture) throws -> FrontListening {
        switch self {
        case .connectOnSocket: FrontListening(.unix(path: fixture.socket))
        case .grpcOnSocket: FrontListening(.unix(path: fixture.socket), speaking: .grpc)
        case .connectOverTLS: FrontListening(.tcp(host: "127.0.0.1", port: 0, try fixture.pki.server(file: "front", address: "127.0.0.1")))
        }
    }

    /// What kube-apiserver is told of the front.
    fileprivate func selector(_ fixture: TunnelFixture, _ server: TunnelServer) async throws -> JSONValue {
        let transport: JSONValue
        if self == .connectOverTLS {
            let client = try fixture.pki.node("kube-apiserver")
            transport = [
                "tcp": [
                    "url": .string("https://127.0.0.1:\(try await server.frontPort() ?? 0)"),
                    "tlsConfig": [
                        "caBundle": .string(fixture.pki.authorityPath), "clientCert": .string(client.certificate),
                        "clientKey": .string(client.key),
                    ],
                ]
            ]
        } else {
            transport = ["uds": ["udsName": .string(fixture.socket)]]
        }
        let connection: JSONValue = [
            "proxyProtocol": self == .grpcOnSocket ? "GRPC" : "HTTPConnect", "transport": transport,
        ]
        return [
            "apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
            "egressSelections": [["name": "cluster", "connection": connection], ["name": "controlplane", "connection": connection]],
        ]
    }
}

extension JSONValue {
    fileprivate func with(_ key: String, _ value: JSONValue) -> JSONValue {
        var copy = self
        copy[key] = value
        return copy
    }
}

import ControlPlane
import FoundationEssentials
import KubernetesAPI
import TestKubernetes
import Testing

@testable import KubernetesClient

/// Against a real kube-apiserver and etcd.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(10))) struct IntegrationTests {
    private func withNamespace(_ body: (KubernetesClient, String) async throws -> Void) async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.withClient { client in try await body(client, try await cluster.makeNamespace(client)) }
    }

    private func map(_ name: String, _ namespace: String, _ data: [String: String] = [:]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace), data: data)
    }

    @Test func `An object's life`() async throws {
        try await withNamespace { client, namespace in
            let made = try await client.create(map("a", namespace, ["k": "1"]))
            #expect(made.metadata.uid != nil)
            let exists = await #expect(throws: KubernetesError.self) { try await client.create(map("a", namespace)) }
            #expect(exists?.isAlreadyExists == true && exists?.isConflict == false)
            var read = try await client.get(ConfigMap.self, "a", namespace: namespace)
            #expect(read == made)
            read.data = ["k": "2"]
            let updated = try await client.update(read)
            #expect(updated.data == ["k": "2"])
            let conflict = await #expect(throws: KubernetesError.self) { try await client.update(read) }
            #expect(conflict?.isConflict == true)
            #expect(conflict.map { "\($0)" }?.contains("the object has been modified") == true)
            let merged = try await client.patch(ConfigMap.self, "a", namespace: namespace, merge: ["data": ["k": .null, "l": "3"]])
            #expect(merged.data == ["l": "3"])
            let other = await #expect(throws: KubernetesError.self) {
                try await client.delete(ConfigMap.self, "a", namespace: namespace, uid: "11111111-2222-3333-4444-555555555555")
            }
            #expect(other?.isConflict == true)
            try await client.delete(ConfigMap.self, "a", namespace: namespace, uid: made.metadata.uid)
            let gone = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, "a", namespace: namespace) }
            #expect(gone?.isNotFound == true)
            #expect(try await client.find(ConfigMap.self, "a", namespace: namespace) == nil)
        }
    }

    @Test func `Server-side apply owns what it sets, and no more`() async throws {
        try await withNamespace { client, namespace in
            _ = try await client.apply(map("a", namespace, ["mine": "1", "shared": "1"]), fieldManager: "one")
            let second = try await client.apply(map("a", namespace, ["yours": "1"]), fieldManager: "two")
            #expect(second.data == ["mine": "1", "shared": "1", "yours": "1"])
            let conflict = await #expect(throws: KubernetesError.self) {
                try await client.apply(map("a", namespace, ["shared": "2"]), fieldManager: "two", force: false)
            }
            #expect(conflict?.isConflict == true)
            let dry = try await client.apply(map("a", namespace, ["mine": "5"]), fieldManager: "one", dryRun: true)
            #expect(dry.data?["mine"] == "5")
            let third = try await client.apply(map("a", namespace, ["mine": "2"]), fieldManager: "one")
            #expect(third.data == ["mine": "2", "yours": "1"])
            // Applying the same again changes nothing: an idle fleet is silent.
            let fourth = try await client.apply(map("a", namespace, ["mine": "2"]), fieldManager: "one")
            #expect(fourth.metadata.resourceVersion == third.metadata.resourceVersion)
            let any: any KubernetesObject = map("any", namespace)
            #expect(try await client.apply(any, fieldManager: "one").name == "any")
        }
    }

    @Test func `Status and other subresources`() async throws {
        try await withNamespace { client, namespace in
            let labels = ["app": "a"]
            let deployment: JSONValue = [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "a"],
                "spec": [
                    "replicas": 1, "selector": ["matchLabels": ["app": "a"]],
                    "template": ["metadata": ["labels": ["app": "a"]], "spec": ["containers": [["name": "a", "image": "a"]]]],
                ],
            ]
            let answer = try await client.raw(.post, path: "/apis/apps/v1/namespaces/\(namespace)/deployments", body: deployment)
            #expect(answer.status == 201)
            let scale: JSONValue = [
                "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "a", "namespace": .string(namespace)],
                "spec": ["replicas": 3],
            ]
            let scaled = try await client.subresource(.put, "scale", of: Deployment.self, "a", namespace: namespace, body: scale)
            #expect(scaled["spec"]?["replicas"]?.integer == 3)
            var read = try await client.get(Deployment.self, "a", namespace: namespace)
            #expect(read.spec?.replicas == 3)
            #expect(read.spec?.selector?.matchLabels == labels)
            read.status = DeploymentStatus(observedGeneration: 2, replicas: 3)
            #expect(try await client.updateStatus(read).status?.replicas == 3)
            let none = try await client.subresource(.get, "scale", of: Deployment.self, "a", namespace: namespace, body: JSONValue?.none)
            #expect(none["spec"]?["replicas"]?.integer == 3)
        }
    }

    @Test func `Lists in pages, by label and by field`() async throws {
        try await withNamespace { client, namespace in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<25 {
                    var object = map("m\(number)", namespace)
                    object.metadata.labels = ["odd": "\(number % 2 == 1)"]
                    group.addTask { [object] in _ = try await client.create(object) }
                }
                try await group.waitForAll()
            }
            let paged = try await client.pages(
                ConfigMap.self, namespace: namespace, labels: "odd", fields: nil, limit: 4)
            #expect(paged.items.count == 25)
            #expect(Set(paged.items.map(\.name)).count == 25)
            #expect(try await client.list(ConfigMap.self, namespace: namespace, labels: "odd=true").items.count == 12)
            let one = try await client.list(ConfigMap.self, namespace: namespace, fields: "metadata.name=m3")
            #expect(one.items.map(\.name) == ["m3"])
            let bad = await #expect(throws: KubernetesError.self) { try await client.list(ConfigMap.self, labels: "a=(") }
            #expect(bad?.httpStatus == 400)
        }
    }

    @Test func `A watch goes on from a version, misses nothing and repeats nothing`() async throws {
        try await withNamespace { client, namespace in
            var object = try await client.create(map("a", namespace))
            let version = try #require(try await client.list(ConfigMap.self, namespace: namespace).metadata.resourceVersion)
            object.data = ["k": "1"]
            object = try await client.update(object)
            try await client.delete(ConfigMap.self, "a", namespace: namespace)
            _ = try await client.create(map("b", namespace))
            var events: [String] = []
            for try await event in client.watch(
                ConfigMap.self, namespace: namespace, fields: "metadata.name!=kube-root-ca.crt", resourceVersion: version)
            {
                switch event {
                case .modified(let object): events.append("modified \(object.name)")
                case .deleted(let object): events.append("deleted \(object.name)")
                case .added(let object): events.append("added \(object.name)")
                case .bookmark, .undecodable: continue
                }
                if events.count == 3 { break }
            }
            #expect(events == ["modified a", "deleted a", "added b"])
        }
    }

    @Test func `A watch ends when its time is over, after a bookmark`() async throws {
        let cluster = try TestKubernetes.current()
        var configuration = try cluster.configuration()
        configuration.timeouts.watch = 10...10
        try await cluster.withClient(configuration) { client in
            let namespace = try await cluster.makeNamespace(client)
            _ = try await client.create(map("a", namespace))
            var bookmarks = 0
            for try await event in client.watch(ConfigMap.self, namespace: namespace, resourceVersion: "0") {
                if case .bookmark = event { bookmarks += 1 }
            }
            #expect(bookmarks > 0)
        }
    }

    @Test func `Twenty watches and requests share connections without waiting for each other`() async throws {
        try await withNamespace { client, namespace in
            let version = try #require(try await client.list(ConfigMap.self, namespace: namespace).metadata.resourceVersion)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let watch = client.watch(
                            ConfigMap.self, namespace: namespace, fields: "metadata.name=m\(number)", resourceVersion: version)
                        for try await event in watch { if case .added = event { return } }
                        Issue.record("the watch of m\(number) ended without its object")
                    }
                }
                for number in 0..<20 { _ = try await client.create(map("m\(number)", namespace)) }
                try await group.waitForAll()
            }
        }
    }

    @Test func `A token, a name of its own for the server, and what RBAC forbids`() async throws {
        let cluster = try TestKubernetes.current()
        let withToken = ClientConfiguration(
            server: cluster.server, certificateAuthority: cluster.authority.certificatePEM, clientCertificate: nil, clientKey: nil,
            token: TestKubernetes.token, tlsServerName: "test.example")
        let read = try await cluster.withClient(withToken) { client in try await client.get(Namespace.self, "default") }
        #expect(read.name == "default")
        try await cluster.withClient(cluster.configuration(user: "nobody", groups: [])) { client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(Namespace.self, "default") }
            #expect(error?.isForbidden == true)
            #expect(error.map { "\($0)" }?.contains("User \"nobody\" cannot get resource") == true)
        }
        var wrongAuthority = withToken
        wrongAuthority.certificateAuthority = try CertificateAuthority(commonName: "other", lifetime: 600, now: Date()).certificatePEM
        try await cluster.withClient(wrongAuthority) { client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(Namespace.self, "default") }
            #expect(error?.code == .unreachable)
            #expect(error.map { "\($0)" }?.contains("TLS with 127.0.0.1:") == true)
        }
    }

    @Test func `A token that rotates is taken up when the old one is refused`() async throws {
        let cluster = try TestKubernetes.current()
        try await withFolder { folder in
            try Data("of yesterday".utf8).write(to: URL(fileURLWithPath: "\(folder)/token"))
            var configuration = try cluster.configuration()
            configuration.identity = ClientIdentity(token: .file("\(folder)/token"))
            try await cluster.withClient(configuration) { client in
                let error = await #expect(throws: KubernetesError.self) { try await client.get(Namespace.self, "default") }
                #expect(error?.isUnauthorized == true)
                try Data(TestKubernetes.token.utf8).write(to: URL(fileURLWithPath: "\(folder)/token"))
                #expect(try await client.get(Namespace.self, "default").name == "default")
            }
        }
    }

    @Test func `A frozen server is noticed by PING on HTTP2`() async throws {
        try await TestKubernetes.with { cluster in
            var configuration = try cluster.configuration()
            configuration.timeouts.pingInterval = .milliseconds(300)
            configuration.timeouts.pingTimeout = .milliseconds(700)
            try await cluster.withClient(configuration) { client in
                let version = try #require(try await client.list(Namespace.self).metadata.resourceVersion)
                let watching = Task {
                    for try await _ in client.watch(Namespace.self, resourceVersion: version) {}
                }
                try await Task.sleep(for: .seconds(1))
                try cluster.freeze()
                let error = await #expect(throws: KubernetesError.self) { try await watching.value }
                #expect(error?.code == .unreachable)
                try cluster.thaw()
                #expect(try await client.get(Namespace.self, "default").name == "default")
            }
        }
    }

    @Test func `Versions that etcd has forgotten`() async throws {
        try await TestKubernetes.with { cluster in
            try await cluster.withClient { client in
                // Events are served without a cache, so what etcd has forgotten is forgotten.
                func event(_ name: String) -> Event {
                    Event(
                        metadata: ObjectMeta(name: name, namespace: "default"),
                        involvedObject: ObjectReference(kind: "Namespace", namespace: "default", name: "default"), reason: "Test")
                }
                for number in 0..<6 { _ = try await client.create(event("e\(number)")) }
                let page = try await client.raw(.get, path: "/api/v1/namespaces/default/events", query: [("limit", "2")])
                let token = try JSONCoding.decode(ObjectList<Event>.self, from: page.body).metadata.continue
                let last = try await client.create(event("last"))
                try await cluster.compact(to: try #require(last.metadata.resourceVersion.flatMap { Int($0) }))
                var request = try APIRequest(.get, "list", Event.resourceType, namespace: "default")
                request.query = [("limit", "2"), ("continue", try #require(token))]
                let nextPage = request
                let list = await #expect(throws: KubernetesError.self) { _ = try await client.send(nextPage) }
                #expect(list?.isExpired == true)
            }
        }
    }
}

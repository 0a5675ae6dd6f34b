import KubernetesAPI
import NestboxAPI
import Testing

/// What `nodepools/` shows a reader is right, and nothing that could be shown is left out.
@Suite struct SampleTests {
    @Test(arguments: try ManifestFiles.names(in: "nodepools"))
    func samplesAreWhatSchemasAndRulesAsk(file: String) throws {
        let documents = try ManifestFiles.documents("nodepools/\(file)")
        #expect(!documents.isEmpty)
        for document in documents {
            let problems = try problems(of: document)
            #expect(problems.isEmpty, "\(file): \(document.title)")
        }
    }

    /// The pools of a file are for a cluster of one, in the same namespace, and of a version that goes with it.
    @Test func poolsHaveTheirClusters() throws {
        let all = try ManifestFiles.names(in: "nodepools").flatMap { try ManifestFiles.documents("nodepools/\($0)") }
        let clusters = try all.filter { $0["kind"] == "HostedCluster" }.map { try $0.decoded(HostedCluster.self) }
        let pools = try all.filter { $0["kind"] == "NodePool" }.map { try $0.decoded(NodePool.self) }
        #expect(!clusters.isEmpty && !pools.isEmpty)
        for pool in pools {
            let cluster = clusters.first { $0.namespace == pool.namespace && $0.name == pool.spec?.clusterName }
            #expect(cluster != nil, "\(pool.key)")
            #expect(cluster.map { pool.validate(in: $0) } == [], "\(pool.key)")
        }
        #expect(Set(all.map(\.title)).count == all.count, "two samples of one kind have one name")
    }

    @Test func theReferenceNamesEveryField() throws {
        let reference = try ManifestFiles.documents("nodepools/reference.yaml")
        #expect(reference.count == SchemaTests.kinds.count)
        for kind in SchemaTests.kinds {
            let document = try #require(reference.first { $0["kind"]?.string == kind.type.resourceType.kind })
            let schema = try #require(try kind.schema["properties"]?["spec"])
            // An external etcd excludes one of Nestbox's own; external-etcd.yaml shows it.
            let elsewhere = ["spec.taints[].timeAdded", "spec.etcd.external"]
            let unnamed = unnamed(in: document["spec"], schema, at: "spec").filter { !elsewhere.contains($0) }
            #expect(unnamed.isEmpty, "\(document.title)")
        }
    }

    /// Values said to be defaults are.
    @Test func theReferenceIsRightAboutDefaults() throws {
        let reference = try ManifestFiles.documents("nodepools/reference.yaml")
        let written = try #require(try reference.first { $0["kind"] == "HostedCluster" }?.decoded(HostedCluster.self).spec)
        let plain = try #require(HostedCluster(metadata: ObjectMeta(name: "c")).withDefaults().spec)
        #expect(written.network == plain.network)
        #expect(written.certificates == plain.certificates)
        #expect(written.join == plain.join)
        #expect(written.deletionProtection == plain.deletionProtection)
        #expect(written.publish?.type == plain.publish?.type)
        #expect(written.etcd?.storage?.size == plain.etcd?.storage?.size)
        #expect(written.controlPlane?.replicas == plain.controlPlane?.replicas)
        #expect(written.controlPlane?.imageRegistry == plain.controlPlane?.imageRegistry)
        #expect(written.controlPlane?.priorityClassName == plain.controlPlane?.priorityClassName)
        #expect(written.addons?.kubeProxy?.enabled == plain.addons?.kubeProxy?.enabled)
        #expect(written.addons?.coreDNS?.enabled == plain.addons?.coreDNS?.enabled)

        let pool = try #require(try reference.first { $0["kind"] == "NodePool" }?.decoded(NodePool.self).spec)
        let plainPool = try #require(NodePool(metadata: ObjectMeta(name: "p")).withDefaults().spec)
        #expect(pool.replicas == plainPool.replicas)
        #expect(pool.upgrade == plainPool.upgrade)
        #expect(pool.drainTimeout == plainPool.drainTimeout)
        #expect(pool.autoRepair == plainPool.autoRepair)

        let machine = try #require(try reference.first { $0["kind"] == "Machine" }?.decoded(Machine.self).spec)
        let plainMachine = try #require(Machine(metadata: ObjectMeta(name: "m")).withDefaults().spec)
        #expect(machine.port == plainMachine.port)
        #expect(machine.user == plainMachine.user)
        #expect(machine.reuse == plainMachine.reuse)
        #expect(machine.joinMethod == plainMachine.joinMethod)
        let behind = Machine(
            metadata: ObjectMeta(name: "m"), spec: MachineSpec(sshKeySecret: "k", jumpHost: JumpHostSpec(address: "b"))
        ).withDefaults().spec
        #expect(machine.jumpHost?.port == behind?.jumpHost?.port && machine.jumpHost?.user == behind?.jumpHost?.user)
        #expect(behind?.jumpHost?.sshKeySecret == "k")
    }

    private func problems(of document: JSONValue) throws -> [String] {
        let kind = try #require(SchemaTests.kinds.first { $0.type.resourceType.kind == document["kind"]?.string })
        #expect(document["apiVersion"]?.string == kind.type.resourceType.apiVersion)
        let errors: [FieldError] =
            switch document["kind"] {
            case "HostedCluster": try document.exactly(HostedCluster.self).validate()
            case "NodePool": try document.exactly(NodePool.self).validate()
            default: try document.exactly(Machine.self).validate()
            }
        return SchemaCheck.problems(of: document, in: try kind.schema) + errors.map(\.description)
    }

    private func unnamed(in value: JSONValue?, _ schema: JSONValue, at path: String) -> [String] {
        guard let value else { return [path] }
        if let properties = schema["properties"]?.object {
            return properties.flatMap { unnamed(in: value[$0.key], $0.value, at: "\(path).\($0.key)") }
        }
        if let items = schema["items"] { return unnamed(in: value.array?.first, items, at: "\(path)[]") }
        if let values = schema["additionalProperties"] { return unnamed(in: value.object?.values.first, values, at: "\(path).*") }
        return []
    }
}

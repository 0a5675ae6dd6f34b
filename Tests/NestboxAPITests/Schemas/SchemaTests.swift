import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

/// The schemas of `manifests/crds` and the Swift types, held to each other both ways.
@Suite struct SchemaTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var type: any KubernetesObject.Type
        var shortName: String
        var testDescription: String { type.resourceType.kind }

        var definition: JSONValue {
            get throws { try ManifestFiles.document("manifests/crds/\(type.resourceType.resource).yaml") }
        }
        var version: JSONValue {
            get throws { try #require(try definition["spec"]?["versions"]?.array?.first) }
        }
        var schema: JSONValue {
            get throws { try #require(try version["schema"]?["openAPIV3Schema"]) }
        }
    }

    static let kinds = [
        Kind(type: HostedCluster.self, shortName: "hc"), Kind(type: NodePool.self, shortName: "np"),
        Kind(type: Machine.self, shortName: "mach"),
    ]

    @Test(arguments: kinds) func namesAreThoseOfTheSwiftType(kind: Kind) throws {
        let type = kind.type.resourceType
        let definition = try kind.definition
        let names = definition["spec"]?["names"]
        #expect(definition["metadata"]?["name"]?.string == type.description)
        #expect(definition["spec"]?["group"]?.string == type.group)
        #expect(definition["spec"]?["scope"]?.string == (type.namespaced ? "Namespaced" : "Cluster"))
        #expect(names?["kind"]?.string == type.kind)
        #expect(names?["listKind"]?.string == type.kind + "List")
        #expect(names?["plural"]?.string == type.resource)
        #expect(names?["singular"]?.string == type.kind.lowercased())
        #expect(names?["shortNames"] == [.string(kind.shortName)])
        #expect(definition["spec"]?["versions"]?.array?.count == 1)
        #expect(try kind.version["name"]?.string == type.version)
        #expect(try kind.version["subresources"]?["status"] == .object([:]))
    }

    @Test(arguments: kinds) func schemaAndSwiftTypeDescribeTheSame(kind: Kind) throws {
        guard case .object(var swift) = try shape(kind.type), case .object(var schema) = try Shape(schema: schemaWithoutMetadata(kind))
        else {
            Issue.record("not objects")
            return
        }
        swift["metadata"] = nil
        schema["metadata"] = nil
        #expect(Shape.object(swift).differences(from: .object(schema), at: "").isEmpty)
    }

    /// A test of the test: a field more on either side is seen, and so are another type, another enum and a laxer schema.
    @Test func driftIsSeen() throws {
        let swift = try ShapeDecoder.shape(of: MachineClaim.self)
        let schema = Shape.object([
            "namespace": .init(shape: .integer, isRequired: true), "epoch": .init(shape: .integer, isRequired: false),
            "more": .init(shape: .string(oneOf: nil), isRequired: false),
        ])
        let differences = swift.differences(from: schema, at: "claim")
        #expect(differences.contains("claim.more is not in Swift"))
        #expect(differences.contains("claim.podCIDR is not in the schema"))
        #expect(differences.contains("claim.epoch is not optional in Swift, and not required"))
        #expect(differences.contains("claim.namespace: string in Swift, integer in the schema"))
        let phases = Shape.object(["state": .init(shape: .string(oneOf: ["Pending"]), isRequired: true)])
        #expect(!(try ShapeDecoder.shape(of: StepStatus.self)).differences(from: phases, at: "").allSatisfy { !$0.contains("Swift takes") })
    }

    /// Kubernetes' own rules for structural schemas, which an API server would refuse the CRD over.
    @Test(arguments: kinds) func schemasAreStructural(kind: Kind) throws {
        try walk(kind.schema, at: "") { schema, path in
            #expect((schema["type"] == nil) == (schema["x-kubernetes-int-or-string"] != nil), "\(path) has no type, or two")
            #expect(schema["properties"] == nil || schema["additionalProperties"] == nil, "\(path) has both")
            #expect(schema["x-kubernetes-validations"] == nil, "\(path): CEL is not for 1.20")
            if let keys = schema["x-kubernetes-list-map-keys"]?.array {
                let required = schema["items"]?["required"]?.array ?? []
                #expect(keys.allSatisfy { required.contains($0) }, "\(path): keys must be required")
            }
            if schema["type"]?.string == "array" { #expect(schema["x-kubernetes-list-type"] != nil, "\(path): how are lists merged?") }
        }
    }

    @Test(arguments: kinds) func columnsShowWhatThereIs(kind: Kind) throws {
        let columns = try #require(try kind.version["additionalPrinterColumns"]?.array)
        let schema = try kind.schema
        for column in columns {
            let path = try #require(column["jsonPath"]?.string)
            if path == ".metadata.creationTimestamp" { continue }
            // The part before a filter or an index is what the schema speaks of.
            let plain = path.prefix { $0 != "[" }
            var place: JSONValue? = schema
            for name in plain.split(separator: ".") { place = place?["properties"]?[String(name)] }
            #expect(place != nil, "\(path) is not in the schema")
            if plain.count == path.count { #expect(place?["type"] == column["type"], "\(path) is of another type") }
        }
        let shown = columns.filter { ($0["priority"]?.integer ?? 0) == 0 }.compactMap { $0["name"]?.string }
        #expect(shown.last == "Age")
        #expect(Set(shown).count == shown.count)
    }

    @Test func poolsScale() throws {
        let scale: JSONValue = [
            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
        ]
        #expect(try Self.kinds[1].version["subresources"]?["scale"] == scale)
    }

    /// A default of the schema's is written into what is stored, so it must not be one that changes, as a release.
    @Test func defaultsOfTheSchemasAreThoseOfSwift() throws {
        let pool = NodePool(metadata: ObjectMeta(name: "p")).withDefaults()
        var found: [String: JSONValue] = [:]
        for kind in Self.kinds {
            try walk(kind.schema, at: "") { schema, path in
                if let value = schema["default"] { found["\(kind.testDescription)\(path)"] = value }
            }
        }
        #expect(found == ["NodePool.spec.replicas": .integer(try #require(pool.spec?.replicas))])
    }

    /// What a schema lets pass must not be undecodable: an informer could only count it.
    @Test(arguments: ["v1.20.2", "1.36.0", "v1.9999.1", "v01.2.3"])
    func versionsThatASchemaLetsPassDecode(text: String) throws {
        let cluster: JSONValue = ["metadata": ["name": "c"], "spec": ["version": .string(text)]]
        #expect(SchemaCheck.problems(of: cluster, in: try Self.kinds[0].schema).isEmpty)
        #expect(throws: Never.self) { try cluster.decoded(HostedCluster.self) }
    }

    @Test(arguments: ["", "v1.20", "one", "1.20.2.3", "v1.20.2-rc.1", "v1.20.x", "v1.20.12345"])
    func versionsThatAreNoneTheSchemaRefuses(text: String) throws {
        let cluster: JSONValue = ["metadata": ["name": "c"], "spec": ["version": .string(text)]]
        #expect(!SchemaCheck.problems(of: cluster, in: try Self.kinds[0].schema).isEmpty)
    }

    private func shape<T: KubernetesObject>(_ type: T.Type) throws -> Shape { try ShapeDecoder.shape(of: type) }

    private func schemaWithoutMetadata(_ kind: Kind) throws -> JSONValue {
        var schema = try kind.schema
        var properties = try #require(schema["properties"])
        properties["metadata"] = nil
        schema["properties"] = properties
        return schema
    }

    private func walk(_ schema: JSONValue, at path: String, _ visit: (JSONValue, String) throws -> Void) rethrows {
        try visit(schema, path)
        for (name, property) in (schema["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            try walk(property, at: "\(path).\(name)", visit)
        }
        if let items = schema["items"] { try walk(items, at: "\(path)[]", visit) }
        if let values = schema["additionalProperties"] { try walk(values, at: "\(path).*", visit) }
    }
}

import FoundationEssentials
import KubernetesAPI
import Testing

@Suite struct ObjectCodingTests {
    @Test func nothingUnsetIsWritten() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let deployment = Deployment(metadata: ObjectMeta(name: "web"), spec: DeploymentSpec(replicas: 1))
        let text = String(decoding: try encoder.encode(deployment), as: UTF8.self)
        #expect(text == #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":1}}"#)
    }

    @Test func bothVersionsOfAKindKeepItsName() {
        #expect(EndpointSliceV1Beta1.resourceType.kind == EndpointSlice.resourceType.kind)
        #expect(EndpointSliceV1Beta1.resourceType.apiVersion == "discovery.k8s.io/v1beta1")
    }

    @Test func readsANodeAsTheServerWritesIt() throws {
        let text = """
            {"kind":"Node","apiVersion":"v1","metadata":{"name":"n","creationTimestamp":null,"managedFields":[{"manager":"kubelet"}]},
            "spec":{"podCIDR":"10.64.0.0/24","taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]},
            "status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}},
            "conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-08-01T12:00:00Z","reason":"KubeletReady"}]}}
            """
        let node = try JSONDecoder().decode(Node.self, from: Data(text.utf8))
        #expect(node.status?.daemonEndpoints?.kubeletEndpoint?.port == 10250)
        #expect(node.status?.conditions?.first?.status == "True")
        #expect(node.spec?.taints?.first?.effect == "NoSchedule")
    }

    @Test func portsAreNumbersOrNames() throws {
        let port = try JSONDecoder().decode(
            [ServicePort].self, from: Data(#"[{"port":1,"targetPort":"web"},{"port":2,"targetPort":80}]"#.utf8))
        #expect(port.map(\.targetPort) == ["web", 80])
    }
}

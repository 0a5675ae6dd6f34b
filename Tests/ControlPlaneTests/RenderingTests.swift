import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct RenderingTests {
    @Test func namespacesNeverCollideAndFit() {
        let pairs = [("a-b", "c"), ("a", "b-c"), ("kube", "system"), ("a", "b"), ("hcp", "a-b"), ("", "a-b-c")]
        let names = pairs.map { ControlPlaneNamespace.name(namespace: $0.0, cluster: $0.1) }
        #expect(Set(names).count == pairs.count)
        let long = String(repeating: "x", count: 63)
        for name in names + [ControlPlaneNamespace.name(namespace: long, cluster: long)] {
            #expect(name.count <= 63)
            #expect(name.hasPrefix("hcp-"))
            #expect(name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
            #expect(!name.contains("--") || pairs.contains { $0.0.isEmpty })
        }
        #expect(
            ControlPlaneNamespace.name(namespace: long + "1", cluster: long) != ControlPlaneNamespace.name(namespace: long, cluster: long))
    }

    @Test func nothingOfTheHostIsInAPod() throws {
        let input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 36, 2)))
        let pods = try ControlPlane.desiredState(of: input).flatMap(\.objects).compactMap { object in
            (object as? Deployment)?.spec?.template?.spec ?? (object as? StatefulSet)?.spec?.template?.spec
        }
        #expect(pods.count == 2)
        for pod in pods {
            #expect(pod.automountServiceAccountToken == false)
            #expect(pod.enableServiceLinks == false)
            #expect(pod.hostNetwork == nil && pod.hostPID == nil && pod.hostIPC == nil)
            #expect(pod.volumes?.contains { $0.hostPath != nil } == false)
            #expect(pod.securityContext?.runAsNonRoot == true)
            for container in pod.containers ?? [] {
                #expect(container.securityContext?.readOnlyRootFilesystem == true)
                #expect(container.securityContext?.allowPrivilegeEscalation == false)
                #expect(container.securityContext?.capabilities?.drop == ["ALL"])
                #expect(container.livenessProbe != nil)
            }
        }
    }

    @Test func onlyTheAPIServerGatesReadiness() throws {
        let input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        let deployment = try #require(try ControlPlane.pods(input).compactMap { $0 as? Deployment }.first)
        let gating = deployment.spec?.template?.spec?.containers?.filter { $0.readinessProbe != nil }.map(\.name)
        #expect(gating == ["kube-apiserver"])
    }

    @Test func authoritiesKeysReachOnlyWhoSignsWithThem() throws {
        let input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        let holders = try input.keys.secrets(input.settings).filter { secret in
            secret.data?.values.contains { $0.text == input.keys.cluster.keyPEM } ?? false
        }
        #expect(holders.map(\.name) == ["cluster-ca", "kube-controller-manager"])
        for authority in [input.keys.etcd, input.keys.frontProxy] {
            let holders = try input.keys.secrets(input.settings).filter { secret in
                secret.data?.values.contains { $0.text == authority.keyPEM } ?? false
            }
            #expect(holders.count == 1)
        }
    }

    @Test func aReloadedCertificateRollsNothingAndAnotherDoes() throws {
        var input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        let before = try Golden.text(try ControlPlane.pods(input))
        for leaf in Leaf.allCases where leaf.isReloaded(input.settings) {
            input.keys.leaves[leaf] = IssuedCertificate(certificatePEM: "new", keyPEM: "new")
        }
        #expect(try Golden.text(try ControlPlane.pods(input)) == before)
        input.keys.leaves[.kubeletClient] = IssuedCertificate(certificatePEM: "new", keyPEM: "new")
        #expect(try Golden.text(try ControlPlane.pods(input)) != before)
    }

    @Test func newEndpointsRollNothing() throws {
        var input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        let before = try Golden.text(try ControlPlane.pods(input) + ControlPlane.etcd(input))
        input.endpoints = PublishedEndpoints(api: ["198.51.100.1:6443"], tunnel: ["198.51.100.1:8132"])
        #expect(try Golden.text(try ControlPlane.pods(input) + ControlPlane.etcd(input)) == before)
    }

    @Test func closingTheDoorBehindTheBootstrapRollsNothing() throws {
        var input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        let before = ControlPlane.etcd(input)
        input.isBootstrapped = true
        let after = ControlPlane.etcd(input)
        #expect(
            (after[0] as? ConfigMap)?.data == ["initial-cluster-state": "existing", "initial-cluster": "nobody=https://nobody:2380"])
        #expect(try Golden.text([before[1]]) == Golden.text([after[1]]))
    }

    @Test func growingRollsNoMemberAndToldIsOnlyWhoJoins() throws {
        var input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        input.isBootstrapped = true
        let before = try #require(ControlPlane.etcd(input)[1] as? StatefulSet)
        input.scale = ControlPlaneScale(apiServers: 1, etcdServers: 1, etcdPods: 2, joining: [0, 1])
        let joining = ControlPlane.etcd(input)
        #expect(
            (joining[0] as? ConfigMap)?.data?["initial-cluster"] == "etcd-0=https://etcd-0:2380,etcd-1=https://etcd-1:2380")
        let after = try #require(joining[1] as? StatefulSet)
        #expect(after.spec?.replicas == 2 && after.spec?.template == before.spec?.template)
        // API servers are not told of one that has no vote.
        #expect(APIServer.arguments(input)["etcd-servers"] == "https://etcd-0:2379")
        input.scale = ControlPlaneScale(replicas: 3)
        #expect(APIServer.arguments(input)["etcd-servers"]?.split(separator: ",").count == 3)
        func budgets() -> [String] {
            ControlPlane.unneeded(input).filter { $0 is PodDisruptionBudget || $0 is PodDisruptionBudgetV1Beta1 }.map { $0.name }
        }
        #expect(budgets().isEmpty)
        input.scale = ControlPlaneScale(replicas: 1)
        #expect(budgets() == ["control-plane", "etcd"])
        // One is wanted, and three have a vote yet.
        input.scale.etcdPods = 3
        #expect(budgets() == ["control-plane"])
    }

    @Test func aSpecsTolerationOfALostNodeStandsAlone() throws {
        func tolerations(_ given: [Toleration]) throws -> [Int?] {
            let input = try Fixture.input(
                Fixture.cluster(KubernetesVersion(1, 20, 2)) { $0.controlPlane = ControlPlaneSpec(replicas: 3, tolerations: given) })
            let deployment = try ControlPlane.pods(input).compactMap { $0 as? Deployment }.first
            return deployment?.spec?.template?.spec?.tolerations?.map(\.tolerationSeconds) ?? []
        }
        #expect(try tolerations([]) == [5, 5])
        let own = Toleration(key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60)
        #expect(try tolerations([own]) == [60, 5])
        #expect(try tolerations([Toleration(operator: "Exists")]) == [nil])
        #expect(try tolerations([Toleration(key: "dedicated", operator: "Exists")]) == [nil, 5, 5])
    }

    @Test func ownFlagsWinOverExtraOnes() throws {
        let input = try Fixture.input(
            Fixture.cluster(KubernetesVersion(1, 20, 2)) {
                $0.controlPlane = ControlPlaneSpec(
                    extraArguments: ExtraArguments(apiServer: ["authorization-mode": "AlwaysAllow", "v": "4"]))
            })
        #expect(APIServer.arguments(input)["authorization-mode"] == "Node,RBAC")
        #expect(APIServer.arguments(input)["v"] == "4")
    }

    @Test func reservedFlagsAreThoseThatAreSet() throws {
        for minor in KubernetesVersion.supportedMinors {
            let input = try Fixture.input(Fixture.cluster(KubernetesVersion(1, minor, 0)))
            let settings = input.settings
            // What the spec lists as `enable-admission-plugins` is added to ours, so that one is not refused.
            for (component, flags) in [
                ("kube-apiserver", Set(APIServer.arguments(input).keys).subtracting(["enable-admission-plugins"])),
                ("kube-controller-manager", Set(ControllerManager.arguments(settings).keys)),
                ("kube-scheduler", Set(Scheduler.arguments(settings).keys)),
            ] {
                #expect(flags.filter { !ExtraArguments.isReserved($0, of: component) } == [], "\(component)")
            }
        }
    }

    /// Of two versions that serve side by side the older one reads it too.
    @Test func whatIsSharedInAnUpgradeIsOfTheOlderVersion() throws {
        func authentication(_ minor: Int, _ revision: TemplateRevision = .newest) throws -> String? {
            let settings = try ClusterSettings(Fixture.cluster(KubernetesVersion(1, minor, 0), revision: revision))
            let text = AuthenticationConfiguration.render(settings)
            return text?.split(separator: "\"").first { $0.hasPrefix("apiserver.config.k8s.io/") }.map(String.init)
        }
        let expected = [31: nil, 32: "v1beta1", 33: "v1beta1", 34: "v1beta1", 35: "v1", 36: "v1"]
        for (minor, version) in expected {
            #expect(try authentication(minor) == version.map { "apiserver.config.k8s.io/\($0)" }, "1.\(minor)")
        }
        // As it was: nobody is rolled.
        #expect(try authentication(34, .first) == "apiserver.config.k8s.io/v1")

        func slices(_ minor: Int) throws -> String? {
            let settings = try ClusterSettings(Fixture.cluster(KubernetesVersion(1, minor, 0)))
            return KubernetesEndpoints.render(settings).last?.apiVersion
        }
        #expect(try slices(21) == "discovery.k8s.io/v1beta1" && slices(22) == "discovery.k8s.io/v1")
    }

    @Test func publishedEndpointsByNodePort() {
        let service = Service(
            metadata: ObjectMeta(name: "kube-apiserver"), spec: ServiceSpec(ports: [ServicePort(port: 6443, nodePort: 31234)]))
        func node(_ name: String, _ addresses: [NodeAddress]) -> Node {
            Node(metadata: ObjectMeta(name: name), status: NodeStatus(addresses: addresses))
        }
        let nodes = [
            node("b", [NodeAddress(type: "InternalIP", address: "10.0.0.2")]),
            node(
                "a",
                [
                    NodeAddress(type: "Hostname", address: "a"), NodeAddress(type: "InternalIP", address: "fd00::1"),
                    NodeAddress(type: "InternalIP", address: "10.0.0.1"), NodeAddress(type: "ExternalIP", address: "192.0.2.1"),
                ]),
        ]
        let endpoints = PublishedEndpoints(
            publish: PublishSpec(type: "NodePort"), apiService: service, tunnelService: nil, hostNodes: nodes)
        #expect(endpoints.api == ["192.0.2.1:31234", "10.0.0.2:31234"])
        #expect(!endpoints.isComplete)
        #expect(endpoints.apiHosts == ["192.0.2.1", "10.0.0.2"])
        let given = PublishedEndpoints(
            publish: PublishSpec(type: "NodePort", addresses: ["api.example.net"]), apiService: service, tunnelService: service,
            hostNodes: nodes)
        #expect(given.api == ["api.example.net:31234"])
        #expect(given.isComplete)
    }

    @Test func aServiceThatComesBackKeepsItsPort() throws {
        func ports(_ type: String, _ known: PublishedEndpoints) throws -> [Int?] {
            let settings = try ClusterSettings(Fixture.cluster(KubernetesVersion(1, 20, 2)) { $0.publish = PublishSpec(type: type) })
            return PublishedServices.render(settings, known: known, traffic: .cluster).map { $0.spec?.ports?.first?.nodePort }
        }
        let known = PublishedEndpoints(api: ["192.0.2.1:31234", "192.0.2.2:31234"], tunnel: ["192.0.2.1:30001"])
        #expect(try ports("NodePort", known) == [31234, 30001])
        #expect(try ports("NodePort", PublishedEndpoints()) == [nil, nil])
        #expect(try ports("LoadBalancer", known) == [31234, 30001], "whoever comes that way yet still comes")
        let balanced = PublishedEndpoints(api: ["192.0.2.7:6443"], tunnel: ["192.0.2.7:8132"])
        #expect(try ports("LoadBalancer", balanced) == [nil, nil])
        #expect(try ports("NodePort", balanced) == [nil, nil])
    }

    @Test func publishedEndpointsByLoadBalancer() {
        var service = Service(
            metadata: ObjectMeta(name: "tunnel"), spec: ServiceSpec(ports: [ServicePort(port: 8132, nodePort: 31234)]))
        let publish = PublishSpec(type: "LoadBalancer")
        #expect(PublishedEndpoints(publish: publish, apiService: nil, tunnelService: service, hostNodes: []).tunnel.isEmpty)
        service.status = ServiceStatus(
            loadBalancer: LoadBalancerStatus(ingress: [
                LoadBalancerIngress(ip: "192.0.2.7"), LoadBalancerIngress(hostname: "lb.example.net"),
            ]))
        #expect(
            PublishedEndpoints(publish: publish, apiService: nil, tunnelService: service, hostNodes: []).tunnel
                == ["192.0.2.7:8132", "lb.example.net:8132"])
    }

    @Test func bootstrapTokensAreWellFormedAndDoNotPrint() {
        let token = BootstrapToken()
        #expect(token.id.count == 6 && token.secret.count == 16)
        #expect(!"\(token)".contains(token.secret))
        let secret = token.object(forMachine: "worker-1", now: Fixture.now)
        #expect(secret.data?["expiration"]?.text == "2026-08-01T12:30:00Z")
        #expect(secret.data?["usage-bootstrap-signing"] == nil)
        #expect(secret.data?["auth-extra-groups"]?.text == NestboxName.bootstrappersGroup)
    }
}

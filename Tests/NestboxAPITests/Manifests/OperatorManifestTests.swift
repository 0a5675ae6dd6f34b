import KubernetesAPI
import NestboxAPI
import Testing

/// `manifests/operator`: what it holds fits together, and neither half of the operator may more than it needs.
@Suite struct OperatorManifestTests {
    static let roles = ["control-planes", "machines"]
    static let namespace = "nestbox-system"

    static func objects() throws -> [JSONValue] {
        try ManifestFiles.names(in: "manifests/operator").filter { $0 != "kustomization.yaml" }
            .flatMap { try ManifestFiles.documents("manifests/operator/\($0)") }
    }

    static func object<T: KubernetesObject>(_ type: T.Type, _ name: String) throws -> T {
        let object = try #require(
            try objects().first { $0.title == "\(type.resourceType.kind)/\(name)" }, "\(type.resourceType.kind)/\(name)")
        #expect(object["apiVersion"]?.string == type.resourceType.apiVersion)
        #expect(object["metadata"]?["namespace"]?.string == (type.resourceType.namespaced ? namespace : nil))
        return try object.exactly(type)
    }

    /// The kustomize of kubectl 1.20 takes folders as `bases` alone.
    @Test(arguments: ["manifests/crds", "manifests/operator"])
    func kustomizationsNameEveryFile(folder: String) throws {
        let kustomization = try ManifestFiles.document("\(folder)/kustomization.yaml")
        let named = Set((kustomization["resources"]?.array ?? []).compactMap(\.string))
        #expect(named == Set(try ManifestFiles.names(in: folder)).subtracting(["kustomization.yaml"]))
        #expect(Set((kustomization.object ?? [:]).keys) == ["apiVersion", "kind", "resources"])
    }

    @Test func everyObjectIsWholeAndOfNestbox() throws {
        for object in try Self.objects() {
            #expect(object["metadata"]?["labels"]?["app.kubernetes.io/part-of"] == "nestbox", "\(object.title)")
        }
        let namespace = try Self.object(Namespace.self, Self.namespace)
        #expect(namespace.metadata.labels?["nestbox.dev/operator"] == "true")
        _ = try Self.object(PriorityClass.self, Defaults.priorityClassName)
    }

    @Test(arguments: roles) func eachHalfRunsItsRole(role: String) throws {
        let name = "nestbox-\(role)"
        let deployment = try Self.object(Deployment.self, name)
        let pod = try #require(deployment.spec?.template?.spec)
        let container = try #require(pod.containers?.first)
        #expect(deployment.spec?.replicas == 2)
        #expect(
            deployment.spec?.selector?.matchLabels?.allSatisfy { deployment.spec?.template?.metadata?.labels?[$0.key] == $0.value } == true)
        #expect(pod.serviceAccountName == name)
        #expect(pod.priorityClassName == Defaults.priorityClassName)
        #expect(container.image == "nestbox.dev/nestbox-operator:\(Defaults.release)")
        #expect(
            container.args == [
                "run", "--role", role, "--namespace", "$(POD_NAMESPACE)", "--identity", "$(POD_NAME)", "--artifacts", "/var/cache/nestbox",
            ] + (role == "machines" ? ["--pod-address", "$(POD_IP)"] : []))
        let variables: Set = role == "machines" ? ["POD_NAMESPACE", "POD_NAME", "POD_IP"] : ["POD_NAMESPACE", "POD_NAME"]
        #expect(Set(container.env?.compactMap(\.name) ?? []) == variables)
        _ = try Self.object(ServiceAccount.self, name)
    }

    @Test(arguments: roles) func podsHoldNoMoreThanTheyNeed(role: String) throws {
        let pod = try #require(try Self.object(Deployment.self, "nestbox-\(role)").spec?.template?.spec)
        let container = try #require(pod.containers?.first)
        #expect(pod.securityContext?.runAsNonRoot == true)
        #expect(pod.securityContext?.seccompProfile?.type == "RuntimeDefault")
        #expect(container.securityContext?.readOnlyRootFilesystem == true)
        #expect(container.securityContext?.allowPrivilegeEscalation == false)
        #expect(container.securityContext?.capabilities?.drop == ["ALL"])
        #expect(container.resources?.requests?["memory"] != nil && container.resources?.limits?["memory"] != nil)
        #expect(container.livenessProbe != nil && container.readinessProbe != nil)
        let mounted = Set(container.volumeMounts?.compactMap(\.name) ?? [])
        #expect(mounted == Set(pod.volumes?.compactMap(\.name) ?? []))
    }

    @Test(arguments: roles) func rightsAreBoundToTheirRole(role: String) throws {
        let name = "nestbox-\(role)"
        let subject = [RBACSubject(kind: "ServiceAccount", name: name, namespace: Self.namespace)]
        let wide = try Self.object(ClusterRoleBinding.self, name)
        let narrow = try Self.object(RoleBinding.self, name)
        #expect(wide.subjects == subject && narrow.subjects == subject)
        #expect(wide.roleRef?.kind == "ClusterRole" && wide.roleRef?.name == name)
        #expect(narrow.roleRef?.kind == "Role" && narrow.roleRef?.name == name)
        let rules = (try Self.object(ClusterRole.self, name).rules ?? []) + (try Self.object(Role.self, name).rules ?? [])
        for rule in rules {
            for words in [rule.verbs, rule.resources ?? [], rule.apiGroups ?? []] { #expect(!words.isEmpty && !words.contains("*")) }
            #expect(Set(rule.verbs).isDisjoint(with: ["escalate", "impersonate"]))
            #expect(!rule.verbs.contains("bind") || rule.resourceNames == ["nestbox-control-plane-namespace"])
        }
    }

    /// Who listens to hostile machines reads no Secret outside its namespace, writes none but that of its answers, and sees nothing of
    /// tenants.
    @Test func theMachinesHalfSeesNoTenant() throws {
        let rules = try #require(try Self.object(ClusterRole.self, "nestbox-machines").rules)
        let resources = Set(rules.flatMap { $0.resources ?? [] })
        #expect(resources == ["machines", "machines/status", "machines/finalizers", "events"])
        let narrow = try #require(try Self.object(Role.self, "nestbox-machines").rules)
        let secrets = narrow.filter { $0.resources?.contains("secrets") == true }
        #expect(secrets.count == 2)
        for rule in secrets {
            let writes = Set(rule.verbs).intersection(["create", "update", "patch", "delete", "deletecollection"])
            #expect(writes.isEmpty || (writes == ["update"] && rule.resourceNames == [MachineAnswerBox.secretName]))
        }
        let box = try Self.object(Secret.self, MachineAnswerBox.secretName)
        #expect(box.data == nil && box.stringData == nil)
    }

    /// Only the leader serves, and says so: no selector may bring in the other.
    @Test func theLeaderPublishesItself() throws {
        let service = try Self.object(Service.self, MachineScript.serviceName)
        #expect(service.spec?.selector == nil)
        let ports = try #require(try Self.object(Deployment.self, "nestbox-machines").spec?.template?.spec?.containers?.first?.ports)
        let port = try #require(ports.first { $0.name == "artifacts" })
        #expect(service.spec?.ports?.first?.targetPort == .int(port.containerPort))
    }

    /// The lab changes replicas, the store and what the namespace allows, and nothing else.
    @Test func theLabPatchesWhatThereIs() throws {
        let kustomization = try ManifestFiles.document("manifests/lab/kustomization.yaml")
        #expect(kustomization["bases"] == ["../operator"])
        let patches = (kustomization["patchesStrategicMerge"]?.array ?? []).compactMap(\.string)
        #expect(Set(patches) == Set(try ManifestFiles.names(in: "manifests/lab")).subtracting(["kustomization.yaml"]))
        let base = Set(try Self.objects().map(\.title))
        for file in patches {
            let patch = try ManifestFiles.document("manifests/lab/\(file)")
            #expect(base.contains(patch.title), "\(file)")
            if patch["kind"] == "Deployment" { #expect(patch["spec"]?["replicas"] == 1) }
        }
        let machines = try ManifestFiles.document("manifests/lab/machines.yaml")["spec"]?["template"]?["spec"]
        #expect(machines?["volumes"]?.array?.first?["hostPath"]?["path"] == "/var/cache/nestbox")
        #expect(machines?["containers"]?.array?.first?["volumeMounts"]?.array?.first?["readOnly"] == true)
    }

    @Test func theWorkloadSampleIsOfKnownFields() throws {
        for document in try ManifestFiles.documents("manifests/samples/hello.yaml") {
            switch document["kind"] {
            case "Deployment": _ = try document.exactly(Deployment.self)
            case "Service": _ = try document.exactly(Service.self)
            default: Issue.record("\(document.title)")
            }
        }
    }
}

import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestKubernetes
import Testing

/// What each half of the operator may, asked of a real API server in its name.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct RightsTests {
    struct Question: Sendable, CustomTestStringConvertible {
        var role: String
        var verbs: [String]
        var resource: String
        var namespace: String?
        var isAllowed: Bool

        init(_ role: String, _ verbs: [String], _ resource: String, in namespace: String? = nil, _ isAllowed: Bool) {
            (self.role, self.verbs, self.resource, self.namespace, self.isAllowed) = (role, verbs, resource, namespace, isAllowed)
        }

        var testDescription: String {
            "\(role) \(isAllowed ? "may" : "may not") \(verbs) \(resource) in \(namespace ?? "all namespaces")"
        }
    }

    static let all = ["get", "list", "watch", "create", "patch", "delete"]
    static let read = ["get", "list", "watch"]
    static let write = ["get", "list", "create", "update", "patch", "delete"]
    static let tenant = "hcp-a-b-c"
    /// Holds HostedClusters, and was opened to the operator by an admin.
    static let opened = "opened"
    static let own = "nestbox-system"

    static let questions = [
        Question("control-planes", read + ["update"], "hostedclusters.nestbox.dev", true),
        Question("control-planes", ["update", "patch"], "hostedclusters.nestbox.dev/status", true),
        Question("control-planes", read + ["update"], "nodepools.nestbox.dev", true),
        Question("control-planes", ["update", "patch"], "nodepools.nestbox.dev/status", true),
        Question("control-planes", read, "machines.nestbox.dev", true),
        Question("control-planes", ["update", "patch"], "machines.nestbox.dev/status", true),
        Question("control-planes", ["update", "patch", "delete", "create"], "machines.nestbox.dev", false),
        Question("control-planes", ["delete", "create"], "hostedclusters.nestbox.dev", false),
        Question("control-planes", all, "namespaces", true),
        Question("control-planes", write, "secrets", in: tenant, true),
        Question("control-planes", write, "configmaps", in: tenant, true),
        Question("control-planes", write, "services", in: tenant, true),
        Question("control-planes", write, "serviceaccounts", in: tenant, true),
        Question("control-planes", write, "deployments.apps", in: tenant, true),
        Question("control-planes", write, "statefulsets.apps", in: tenant, true),
        Question("control-planes", write, "networkpolicies.networking.k8s.io", in: tenant, true),
        Question("control-planes", write, "poddisruptionbudgets.policy", in: tenant, true),
        Question("control-planes", read, "deployments.apps", true),
        Question("control-planes", read, "services", true),
        Question("control-planes", read, "nodes", true),
        Question("control-planes", read, "pods", in: tenant, true),
        Question("control-planes", read, "persistentvolumeclaims", in: tenant, true),
        Question("control-planes", ["list"], "storageclasses.storage.k8s.io", true),
        Question("control-planes", ["create", "patch"], "events", in: "default", true),
        Question("control-planes", ["get", "create", "update"], "leases.coordination.k8s.io", in: own, true),
        Question("control-planes", ["get", "create", "patch", "delete"], "secrets", in: own, true),
        Question("control-planes", ["create"], "pods/exec", in: tenant, false),
        Question("control-planes", ["get"], "pods/log", in: tenant, false),
        Question("control-planes", ["create", "update"], "pods", in: tenant, false),
        Question("control-planes", ["delete"], "pods", in: tenant, true),
        Question("control-planes", ["update", "patch", "delete"], "nodes", false),
        Question("control-planes", ["create"], "clusterrolebindings.rbac.authorization.k8s.io", false),
        Question("control-planes", ["create"], "serviceaccounts/token", in: "kube-system", false),
        Question("control-planes", all, "secrets", in: "kube-system", false),
        Question("control-planes", ["create", "update", "patch", "delete"], "deployments.apps", in: "kube-system", false),
        Question("control-planes", ["create", "update", "patch", "delete"], "services", in: "kube-system", false),
        Question("control-planes", ["get", "create", "update", "patch"], "secrets", in: opened, true),
        Question("control-planes", ["list", "watch", "delete"], "secrets", in: opened, false),

        Question("machines", read + ["update", "patch"], "machines.nestbox.dev", true),
        Question("machines", ["update", "patch"], "machines.nestbox.dev/status", true),
        Question("machines", ["create", "delete"], "machines.nestbox.dev", false),
        Question("machines", read, "secrets", in: own, true),
        Question("machines", ["create", "update", "patch", "delete"], "secrets", in: own, false),
        Question("machines", ["get", "create", "update"], "leases.coordination.k8s.io", in: own, true),
        Question("machines", ["create", "patch"], "events", in: "default", true),
        Question("machines", read, "secrets", in: tenant, false),
        Question("machines", read, "hostedclusters.nestbox.dev", false),
        Question("machines", read, "nodepools.nestbox.dev", false),
        Question("machines", read, "pods", in: tenant, false),
        Question("machines", ["create"], "namespaces", false),
    ]

    @Test func eachHalfMayWhatItDoes() async throws {
        let cluster = try TestKubernetes.current()
        let kubectl = try Kubectl(cluster)
        try await kubectl("apply", "-k", "manifests/operator")
        try await kubectl("create", "namespace", Self.opened)
        let operators = "nestbox-system:nestbox-control-planes"
        try await kubectl(
            "-n", Self.opened, "create", "rolebinding", "nestbox-control-planes", "--clusterrole=nestbox-hosted-cluster-namespace",
            "--serviceaccount=\(operators)")
        // As the operator does it, which may bind this role and no other.
        let itself = "--as=system:serviceaccount:\(operators)"
        // Rights reach the authorizer a moment after the objects that give them.
        try await eventually("it may make a namespace") { (try? await kubectl("create", "namespace", Self.tenant, itself)) != nil }
        try await kubectl(
            "-n", Self.tenant, "create", "rolebinding", "own", "--clusterrole=nestbox-control-plane-namespace",
            "--serviceaccount=\(operators)", itself)
        await #expect(throws: (any Error).self) {
            try await kubectl(
                "-n", Self.tenant, "create", "rolebinding", "other", "--clusterrole=cluster-admin", "--serviceaccount=\(operators)", itself)
        }
        for role in OperatorManifestTests.roles {
            let user = "system:serviceaccount:nestbox-system:nestbox-\(role)"
            try await cluster.withClient(cluster.configuration(user: user, groups: ["system:serviceaccounts"])) { client in
                try await eventually("\(user) has its rights") {
                    guard try await client.may("watch", "machines.nestbox.dev", in: nil) else { return false }
                    guard role == "control-planes" else { return true }
                    guard try await client.may("get", "secrets", in: Self.tenant) else { return false }
                    return try await client.may("get", "secrets", in: Self.opened)
                }
                for question in Self.questions where question.role == role {
                    for verb in question.verbs {
                        let answer = try await client.may(verb, question.resource, in: question.namespace)
                        #expect(answer == question.isAllowed, "\(verb): \(question.testDescription)")
                    }
                }
            }
        }
    }
}

extension KubernetesClient {
    /// `resource.group/subresource`, as kubectl names them.
    fileprivate func may(_ verb: String, _ resource: String, in namespace: String?) async throws -> Bool {
        let parts = resource.split(separator: "/", maxSplits: 1)
        let name = parts[0].split(separator: ".", maxSplits: 1)
        var attributes: JSONValue = ["verb": .string(verb), "resource": .string(String(name[0]))]
        if name.count > 1 { attributes["group"] = .string(String(name[1])) }
        if parts.count > 1 { attributes["subresource"] = .string(String(parts[1])) }
        if let namespace { attributes["namespace"] = .string(namespace) }
        let review: JSONValue = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": ["resourceAttributes": attributes],
        ]
        let answer = try await raw(.post, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body: review)
        try #require(answer.status == 201)
        return try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))["status"]?["allowed"]?.bool ?? false
    }
}

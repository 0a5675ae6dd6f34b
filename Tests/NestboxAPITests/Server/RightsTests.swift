import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestKubernetes
import Testing

/// What each half of the operator may, asked of a real API server in its name.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(5))) struct RightsTests {
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
    static let tenant = "hcp-a-b-c"
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
        Question("control-planes", all, "secrets", in: tenant, true),
        Question("control-planes", all, "configmaps", in: tenant, true),
        Question("control-planes", all, "services", in: tenant, true),
        Question("control-planes", all, "serviceaccounts", in: tenant, true),
        Question("control-planes", all, "deployments.apps", in: tenant, true),
        Question("control-planes", all, "statefulsets.apps", in: tenant, true),
        Question("control-planes", all, "networkpolicies.networking.k8s.io", in: tenant, true),
        Question("control-planes", all, "poddisruptionbudgets.policy", in: tenant, true),
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
        try await Kubectl(cluster)("apply", "-k", "manifests/operator")
        for role in OperatorManifestTests.roles {
            let user = "system:serviceaccount:nestbox-system:nestbox-\(role)"
            try await cluster.withClient(cluster.configuration(user: user, groups: ["system:serviceaccounts"])) { client in
                // Rights reach the authorizer a moment after the objects that give them.
                try await eventually("\(user) has its rights") { try await client.may("watch", "machines.nestbox.dev", in: nil) }
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

import Foundation
import KubernetesVersions
import TestCommands
import TestLoad
import Testing

extension InTheLab {
    /// A tenant whose keys lie in an etcd that somebody else runs: a pod of the host, with certificates of an authority of its own.
    @Suite("External etcd", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct ExternalEtcd {
        private static let namespace = "shared-etcd"

        @Test func aTenantLivesOnItAndLeavesNothing() async throws {
            try await TestLab.with(machines: 1, stamp: true) { lab in
                let endpoint = try await bringUpEtcd(lab)
                try await etcdctl(lab, "put", "/nestbox/default/another/key", "of somebody else")
                try await create(lab, at: endpoint)
                try await lab.host.nestbox(
                    "create", "nodepool", "workers", "--cluster", "demo", "--replicas", "1", "--wait", "--timeout", "900")
                let tenant = try await lab.tenant("demo")
                try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
                try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
                #expect(try await tenant.kubectl("exec", "deployment/hello", "--", "hostname").hasPrefix("hello-"))

                let prefix = try await lab.host.kubectl("get", "hc", "demo", "-o", "jsonpath={.status.etcdPrefix}")
                #expect(prefix.hasPrefix("/nestbox/default/demo/"))
                #expect(try await keys(lab, below: prefix) > 100)
                let controlPlane = try await lab.host.kubectl("get", "hc", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
                #expect(try await lab.host.kubectl("-n", controlPlane, "get", "statefulsets,pvc", "-o", "name") == "")

                let log = LoadLog()
                try await lab.underLoad(tenant, log) { load in
                    for replicas in ["3", "1"] {
                        await log.begins("to \(replicas)")
                        try await lab.host.nestbox("scale", "cluster", "demo", "--replicas", replicas, "--wait", "--timeout", "300")
                    }
                    await log.begins("to \(lab.stamp)")
                    try await lab.host.nestbox("upgrade", "cluster", "demo", "--to", lab.stamp, "--wait", "--timeout", "300")
                    #expect(try await load.lost() == [])
                }
                let record = await log.record
                for line in record.table { print(line) }
                #expect(record.failures == [])

                try await lab.host.nestbox("delete", "cluster", "demo", "--wait", "--timeout", "600")
                #expect(try await keys(lab, below: prefix) == 0)
                #expect(try await keys(lab, below: "/nestbox/default/another/") == 1)
                try await lab.expectClean("worker-1")
            }
        }

        /// Returns where it answers.
        private func bringUpEtcd(_ lab: TestLab) async throws -> String {
            let tag = try #require(KubernetesVersion(TestLab.hostVersion)).etcdImageTag
            try await lab.host.kubectl("create", "namespace", Self.namespace)
            try await lab.host.kubectl("-n", Self.namespace, "create", "service", "clusterip", "etcd", "--tcp=2379")
            let address = try await lab.host.kubectl("-n", Self.namespace, "get", "service", "etcd", "-o", "jsonpath={.spec.clusterIP}")
            try await lab.host.shell(
                """
                set -e
                mkdir \(lab.folder.path)/etcd; cd \(lab.folder.path)/etcd
                key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
                openssl req -x509 $key -days 2 -subj /CN=shared-etcd-ca -keyout ca.key -out ca.crt
                for of in server client; do
                    openssl req $key -subj /CN=$of -keyout $of.key -out $of.csr
                    openssl x509 -req -in $of.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $of.crt \\
                        -extfile <(echo "subjectAltName=IP:\(address),IP:127.0.0.1")
                done
                kubectl -n \(Self.namespace) create secret generic keys --from-file=ca.crt --from-file=server.crt --from-file=server.key \\
                    --from-file=client.crt --from-file=client.key
                kubectl -n default create secret generic shared-etcd --from-file=ca.crt --from-file=tls.crt=client.crt --from-file=tls.key=client.key
                """)
            try await lab.host.apply(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: etcd, namespace: \(Self.namespace)}
                spec:
                  selector: {matchLabels: {app: etcd}}
                  template:
                    metadata: {labels: {app: etcd}}
                    spec:
                      enableServiceLinks: false # their variables begin with ETCD_, as etcd's settings do
                      containers:
                        - name: etcd
                          image: registry.k8s.io/etcd:\(tag)
                          command:
                            - etcd
                            - --data-dir=/data/etcd
                            - --listen-client-urls=https://0.0.0.0:2379
                            - --advertise-client-urls=https://\(address):2379
                            - --client-cert-auth
                            - --trusted-ca-file=/keys/ca.crt
                            - --cert-file=/keys/server.crt
                            - --key-file=/keys/server.key
                            - --listen-metrics-urls=http://0.0.0.0:2381
                          readinessProbe: {httpGet: {path: /health, port: 2381}, periodSeconds: 1}
                          volumeMounts: [{name: keys, mountPath: /keys}, {name: data, mountPath: /data}]
                      volumes: [{name: keys, secret: {secretName: keys}}, {name: data, emptyDir: {}}]
                """)
            try await lab.host.kubectl("-n", Self.namespace, "rollout", "status", "deployment/etcd", "--timeout=120s")
            return "https://\(address):2379"
        }

        /// The operator may not read a tenant's namespace before somebody lets it, and says how.
        private func create(_ lab: TestLab, at endpoint: String) async throws {
            try await lab.host.apply(
                """
                apiVersion: nestbox.dev/v1alpha1
                kind: HostedCluster
                metadata: {name: demo, namespace: default}
                spec: {version: \(lab.version), etcd: {external: {endpoints: ["\(endpoint)"], secretName: shared-etcd}}}
                """)
            let advice = try await CommandRun.eventually("the operator to ask for what it may not read") {
                let words = try await lab.host.kubectl(
                    "get", "hc", "demo", "-o", "jsonpath={.status.conditions[?(@.type=='EtcdAvailable')].message}")
                guard let start = words.range(of: "let it: ") else { throw CommandRun.Failed(description: words) }
                return String(words[start.upperBound...])
            }
            #expect(advice.hasPrefix("kubectl -n default create rolebinding"))
            try await lab.host.shell(advice)
            try await lab.host.kubectl("wait", "--for=condition=Available", "hostedcluster", "demo", "--timeout=300s")
        }

        @discardableResult
        private func etcdctl(_ lab: TestLab, _ arguments: String...) async throws -> String {
            let keys = ["--cacert=/keys/ca.crt", "--cert=/keys/client.crt", "--key=/keys/client.key"]
            return try await lab.host.kubectl(
                ["-n", Self.namespace, "exec", "deployment/etcd", "--", "etcdctl", "--endpoints=https://127.0.0.1:2379"] + keys + arguments)
        }

        private func keys(_ lab: TestLab, below prefix: String) async throws -> Int {
            try await etcdctl(lab, "get", "--prefix", "--keys-only", prefix).split(separator: "\n").count
        }
    }
}

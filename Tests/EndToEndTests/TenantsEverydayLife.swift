import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// What a tenant does with a cluster every day, and the way that it takes: through the tunnel, and no other.
    @Suite("A tenant's everyday life", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct TenantsEverydayLife {
        @Test func everydayVerbsAndTheTunnelAlone() async throws {
            try await TestLab.with(machines: 2) { lab in
                let tenant = try await lab.createTenant("demo", replicas: 2)
                try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
                try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
                try await everydayVerbs(tenant)
                try await portForward(tenant)
                try await SeenFromOutside(lab: lab, nodes: 2).check()
                try await nothingGoesAroundTheTunnel(lab)
                try await aStoppedTunnelIsAClearError(lab, tenant)
                try await aKubeletWithAWrongCertificateIsRefused(lab, tenant)
            }
        }

        private func everydayVerbs(_ tenant: CommandRun) async throws {
            try await tenant.apply(
                """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: shirts.example.com}
                spec:
                  group: example.com
                  scope: Namespaced
                  names: {plural: shirts, singular: shirt, kind: Shirt}
                  versions:
                    - name: v1
                      served: true
                      storage: true
                      schema:
                        openAPIV3Schema:
                          type: object
                          properties:
                            spec: {type: object, properties: {color: {type: string}}}
                """)
            try await tenant.kubectl("wait", "--for=condition=Established", "crd/shirts.example.com", "--timeout=60s")
            // What a watcher sees of an object that comes, changes and goes.
            async let seen = tenant.shell("timeout 20 \(tenant.kubectl) get shirts -w --no-headers -o custom-columns=C:.spec.color || true")
            for color in ["red", "green"] {
                try await tenant.apply(
                    """
                    apiVersion: example.com/v1
                    kind: Shirt
                    metadata: {name: one}
                    spec: {color: \(color)}
                    """)
            }
            #expect(try await seen.contains("green"))
            try await tenant.kubectl("delete", "shirt", "one")
            #expect(try await tenant.kubectl("get", "shirts", "-o", "name") == "")

            try await tenant.kubectl("create", "serviceaccount", "reader")
            try await tenant.kubectl("create", "rolebinding", "reader", "--clusterrole=view", "--serviceaccount=default:reader")
            let reader = "--as=system:serviceaccount:default:reader"
            try await tenant.kubectl("get", "pods", reader)
            await #expect(throws: CommandRun.Failed.self) { try await tenant.kubectl("delete", "deployment", "hello", reader) }

            #expect(
                try await tenant.shell("timeout 60 \(tenant.kubectl) exec -i deployment/hello -- sh -c 'cat | wc -c' < README.md").contains
                {
                    $0 != "0"
                })
            try await tenant.kubectl("rollout", "restart", "deployment/hello")
            try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
            try await CommandRun.eventually("the old pods to go") {
                let pods = try await tenant.kubectl("get", "pods", "-l", "app=hello", "-o", "name")
                guard pods.split(separator: "\n").count == 2 else { throw CommandRun.Failed(description: pods) }
            }
            try await tenant.kubectl("run", "once", "--image=nestbox.dev/busybox:1", "--restart=Never", "--", "true")
            try await CommandRun.eventually("pod once to end") {
                let phase = try await tenant.kubectl("get", "pod", "once", "-o", "jsonpath={.status.phase}")
                guard phase == "Succeeded" else { throw CommandRun.Failed(description: "it is \(phase)") }
            }
            try await tenant.kubectl("delete", "pod", "once", "--wait", "--timeout=60s")
        }

        private func portForward(_ tenant: CommandRun) async throws {
            let page = try await tenant.shell(
                """
                set -e
                timeout 60 \(tenant.kubectl) port-forward service/hello :80 > "$KUBECONFIG.forward" &
                trap 'kill %1' EXIT
                for _ in $(seq 100); do grep -q Forwarding "$KUBECONFIG.forward" && break; sleep 0.1; done
                curl -fsS --max-time 10 "http://$(grep -o '127.0.0.1:[0-9]*' "$KUBECONFIG.forward" | head -1)/"
                """)
            #expect(page.contains("Hello from hello-"))
        }

        /// The lab's firewall is up: a kubelet is reached from neither the host cluster nor this computer.
        private func nothingGoesAroundTheTunnel(_ lab: TestLab) async throws {
            let address = try await lab.host.kubectl("get", "machine", "worker-1", "-o", "jsonpath={.spec.address}")
            #expect(try await lab.onMachine("worker-1", "bash -c 'exec 3<>/dev/tcp/\(address)/10250' && echo open") == "open\n")
            await #expect(throws: CommandRun.Failed.self) {
                try await lab.host.nestbox(
                    "lab", "exec", "--name", lab.name, "--", "timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/\(address)/10250")
            }
            await #expect(throws: CommandRun.Failed.self) {
                try await lab.host.shell("timeout 3 bash -c 'exec 3<>/dev/tcp/\(address)/10250'")
            }
        }

        private func exec(_ tenant: CommandRun, on node: String) async throws -> String {
            let pod = try await tenant.kubectl(
                "get", "pods", "-l", "app=hello", "--field-selector", "spec.nodeName=\(node),status.phase=Running", "-o",
                "jsonpath={.items[0].metadata.name}")
            return try await tenant.shell("timeout 10 \(tenant.kubectl) exec \(pod) -- hostname")
        }

        private func aStoppedTunnelIsAClearError(_ lab: TestLab, _ tenant: CommandRun) async throws {
            #expect(try await exec(tenant, on: "worker-1").hasPrefix("hello-"))
            try await lab.onMachine("worker-1", "systemctl stop nestbox-node")
            let error = await #expect(throws: CommandRun.Failed.self) { try await exec(tenant, on: "worker-1") }
            #expect(error?.description.contains("the agent of node worker-1 is not connected") == true, "\(String(describing: error))")
            #expect(try await exec(tenant, on: "worker-2").hasPrefix("hello-"), "another node's tunnel is none of its business")
            try await lab.waitForTunnel(connected: false)
            let words = try await lab.host.kubectl(
                "get", "hostedcluster", "demo", "-o", "jsonpath={.status.conditions[?(@.type=='TunnelConnected')].message}")
            #expect(words.contains("no tunnel to 1 of 2 nodes") && words.contains(": worker-1;"), "\(words)")
            try await lab.onMachine("worker-1", "systemctl start nestbox-node")
            try await CommandRun.eventually(within: .seconds(20), "exec on worker-1") {
                _ = try await exec(tenant, on: "worker-1")
            }
            try await lab.waitForTunnel(connected: true)
        }

        /// What the kubelet presents, with the right names, by no authority of the tenant's.
        private func aKubeletWithAWrongCertificateIsRefused(_ lab: TestLab, _ tenant: CommandRun) async throws {
            let address = try await lab.host.kubectl("get", "machine", "worker-1", "-o", "jsonpath={.spec.address}")
            let pem = try await lab.host.shell(
                """
                cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/O=system:nodes/CN=system:node:worker-1' \
                  -addext 'subjectAltName=DNS:worker-1,IP:\(address)' -keyout key.pem -out certificate.pem 2>/dev/null
                cat certificate.pem key.pem
                """)
            let current = "/var/lib/kubelet/pki/kubelet-server-current.pem"
            let before = try await lab.onMachine("worker-1", "readlink \(current)").trimmingCharacters(in: .whitespacesAndNewlines)
            try await lab.onMachine(
                "worker-1",
                """
                cat > /var/lib/kubelet/pki/false.pem <<'EOF'
                \(pem)
                EOF
                ln -sf /var/lib/kubelet/pki/false.pem \(current) && systemctl restart nestbox-kubelet
                """)
            try await CommandRun.eventually(within: .seconds(60), "exec to be refused") {
                do {
                    _ = try await exec(tenant, on: "worker-1")
                } catch let error as CommandRun.Failed where error.description.contains("x509: certificate signed by unknown authority") {
                    return
                }
                throw CommandRun.Failed(description: "exec went through")
            }
            try await lab.onMachine(
                "worker-1", "ln -sf \(before) \(current) && rm /var/lib/kubelet/pki/false.pem && systemctl restart nestbox-kubelet")
            try await CommandRun.eventually(within: .seconds(60), "exec on worker-1") { _ = try await exec(tenant, on: "worker-1") }
        }
    }
}

import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// Machines that the operator cannot reach: what happens on them a person types there.
    @Suite("Joined without SSH", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(40)))
    struct JoinedWithoutSSH {
        @Test func oneCommandMakesOneMachineANodeOnce() async throws {
            try await TestLab.with(machines: 2) { lab in
                let addresses = try await lab.forgetMachines(["worker-1", "worker-2"])
                try await lab.host.nestbox(
                    "create", "cluster", "demo", "--version", lab.version, "--wait", "--timeout", "600")
                try await lab.host.nestbox("create", "nodepool", "workers", "--cluster", "demo", "--replicas", "1")
                let command = try await lab.host.nestbox(
                    "token", "create", "worker-1", "--nodepool", "workers", "--address", addresses["worker-1"] ?? "")
                #expect(try await lab.host.nestbox("token", "command", "worker-1") == command)
                let tenant = try await lab.tenant("demo")

                // Handed to the wrong machine, or changed on the way, it does nothing.
                let wrong = try await lab.typed(on: "worker-2", command)
                #expect(wrong.code != 0 && wrong.error.contains("is not the machine that this was made for"), "\(wrong)")
                #expect(try await lab.onMachine("worker-2", "ls -d /etc/nestbox /opt/nestbox 2>/dev/null || true") == "")
                let changed = try await lab.typed(
                    on: "worker-1", command.replacingOccurrences(of: "&& echo '", with: "&& echo >> nestbox-join-worker-1.sh && echo '"))
                #expect(changed.code != 0 && changed.error.contains("did NOT match"), "\(changed)")
                #expect(try await lab.onMachine("worker-1", "ls -d /etc/nestbox /opt/nestbox 2>/dev/null || true") == "")

                let typed = try await lab.typed(on: "worker-1", command)
                #expect(typed.code == 0, "\(typed)")
                try await tenant.eventuallyReady("worker-1")
                try await CommandRun.eventually("worker-1 to be Ready") {
                    let phase = try await lab.phase(of: "worker-1")
                    guard phase == "Ready" else { throw CommandRun.Failed(description: phase) }
                }
                try await tenant.expectWorkingPods(on: "worker-1")

                // Its token is used up, and what it fetched is gone: also for one that passes itself off as worker-1.
                try await lab.onMachine("worker-2", "ip address add \(addresses["worker-1"] ?? "")/32 dev lo")
                let second = try await lab.typed(on: "worker-2", command)
                #expect(second.code != 0 && second.error.contains("404"), "\(second)")
                let kept = try #require(command.split(separator: "&& ").last.map(String.init))
                let stale = try await lab.typed(on: "worker-2", kept)
                #expect(stale.code != 0 && stale.error.contains("Join stopped at"), "\(stale)")
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n")

                try await leaving(lab, tenant)
            }
        }

        @Test func kubeadmJoins() async throws {
            try await TestLab.with(machines: 2) { lab in
                // One of the pool's beside it: a cluster of both kinds.
                let address = try await lab.host.kubectl("get", "machine", "worker-1", "-o", "jsonpath={.spec.address}")
                try await lab.prepareForKubeadm("worker-1")
                _ = try await lab.forgetMachines(["worker-1"])
                let tenant = try await lab.createTenant("demo", replicas: 1)
                let refused = try await lab.host.outcome("\(CommandRun.products)/nestbox", ["token", "kubeadm", "demo"])
                #expect(refused.code == 1 && refused.error.contains("spec.join.kubeadm"), "\(refused)")
                try await lab.host.kubectl(
                    "patch", "hostedcluster", "demo", "--type=merge", "-p", #"{"spec": {"join": {"kubeadm": true}}}"#)
                // Seen by the operator when what the tenant needs for it is there.
                try await CommandRun.eventually("the tenant to be furnished") {
                    _ = try await tenant.kubectl("get", "daemonset", "nestbox-node", "-n", "kube-system")
                }
                let command = try await lab.host.nestbox("token", "kubeadm", "demo").trimmingCharacters(in: .whitespacesAndNewlines)

                // Not under the name of a node that there is.
                let squatter = try await lab.typed(
                    on: "worker-1", "timeout 60 \(command) --node-name worker-2 --ignore-preflight-errors=all")
                #expect(squatter.code != 0, "\(squatter)")
                let nodes = try await tenant.kubectl("get", "nodes", "-o", "wide", "--no-headers")
                #expect(nodes.split(separator: "\n").count == 1 && !nodes.contains(address), "\(nodes)")
                try await lab.typed(on: "worker-1", "kubeadm reset -f; systemctl stop kubelet; rm -rf /var/lib/kubelet/* /etc/kubernetes")

                let typed = try await lab.typed(on: "worker-1", "\(command) --ignore-preflight-errors=all")
                #expect(typed.code == 0, "\(typed)")
                try await tenant.eventuallyReady("worker-1")
                try await tenant.expectWorkingPods(on: "worker-1")
                #expect(try await tenant.kubectl("logs", "probe").contains("probing"))
                // The agent is there, and on none of the pool's.
                let agents = try await tenant.kubectl(
                    "get", "pods", "-n", "kube-system", "-l", "k8s-app=nestbox-node", "-o", "jsonpath={.items[*].spec.nodeName}")
                #expect(agents == "worker-1")
                // Each reaches the other's pods.
                try await tenant.expectPodsReachEachOther("worker-1", "worker-2")

                // With its Node goes all that was recorded of it.
                try await tenant.kubectl("delete", "pod", "probe", "--wait=false")
                try await tenant.kubectl("delete", "node", "worker-1")
                try await CommandRun.eventually("worker-1 to be forgotten") {
                    let records = try await tenant.kubectl("get", "configmaps", "-n", "nestbox-system", "-o", "name")
                    guard !records.contains("worker-1") else { throw CommandRun.Failed(description: records) }
                }
            }
        }

        /// Its node is drained, and its owner cleans it.
        private func leaving(_ lab: TestLab, _ tenant: CommandRun) async throws {
            try await tenant.kubectl("delete", "pod", "probe", "--wait")
            try await lab.host.nestbox("machine", "quarantine", "worker-1", "--reason", "the branch closes")
            try await CommandRun.eventually(within: .seconds(300), "worker-1 to be Quarantined") {
                let phase = try await lab.phase(of: "worker-1")
                guard phase == "Quarantined" else { throw CommandRun.Failed(description: phase) }
            }
            #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "")
            let clean = try await lab.host.nestbox("token", "command", "worker-1")
            let typed = try await lab.typed(on: "worker-1", clean)
            #expect(typed.code == 0, "\(typed)")
            #expect(try await lab.leftovers(on: "worker-1") == "")
            try await lab.host.nestbox("delete", "machine", "worker-1")
            try await lab.host.nestbox("delete", "nodepool", "workers")
            try await lab.host.nestbox("delete", "cluster", "demo")
        }
    }
}

extension TestLab {
    /// Takes machines out of the inventory, and their SSH servers away: nobody reaches them any more. Their addresses.
    func forgetMachines(_ names: [String]) async throws -> [String: String] {
        var addresses: [String: String] = [:]
        for name in names {
            addresses[name] = try await host.kubectl("get", "machine", name, "-o", "jsonpath={.spec.address}")
            try await host.nestbox("delete", "machine", name)
            try await onMachine(name, "systemctl mask --quiet --now ssh.service ssh.socket 2>/dev/null || systemctl stop ssh")
        }
        return addresses
    }

    /// What a person types into a machine's console as root.
    @discardableResult
    func typed(on machine: String, _ line: String) async throws -> CommandRun.Outcome {
        try await host.outcome(
            "\(CommandRun.products)/nestbox",
            [
                "lab", "exec", "--name", name, "--machine", machine, "--", "sh", "-c",
                "cd /root && export PATH=$PATH:/usr/local/bin && \(line)",
            ])
    }
}

extension TestLab {
    /// What a machine's owner installs before `kubeadm join`: containerd, CNI plugins, kubelet, kubeadm, and the images that it could not
    /// pull. By SSH, while there is one.
    func prepareForKubeadm(_ machine: String) async throws {
        let list = try await host.nestbox("lab", "machines", "--name", name).split(separator: "\n").map { $0.split(separator: " ") }
        guard let words = list.first(where: { $0.first.map(String.init) == machine }), words.count == 4, words[2] == "root" else {
            throw CommandRun.Failed(description: "\(machine) is not reached as root")
        }
        let cache = host.environment["NESTBOX_CACHE"] ?? "\(NSHomeDirectory())/.cache/nestbox"
        let release = "\(cache)/kubernetes/\(version)/amd64"
        try await onHost(
            """
            set -e
            tools=$(ls -d \(cache)/node-tools/*/amd64/node-tools.tar | tail -n 1)
            agent=$(ls -t \(cache)/own-images/nestbox-node-*.tar | head -n 1)
            options="-q -i \(words[3]) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
            scp $options $tools root@\(words[1]):/root/node-tools.tar
            scp $options $agent root@\(words[1]):/root/nestbox-node.tar
            scp $options \(release)/bin/kubelet \(release)/bin/kubeadm root@\(words[1]):/usr/local/bin/
            scp $options \(release)/images/kube-proxy.tar \(cache)/images/pause-*/amd64/pause.tar \(cache)/images/busybox-*/amd64/busybox.tar \
                root@\(words[1]):/root/
            """)
        try await onMachine(machine, Self.kubeadmMachine)
    }

    private static let kubeadmMachine = #"""
        set -e
        export PATH=$PATH:/usr/local/bin
        mkdir -p /opt/nestbox /opt/cni/bin /etc/containerd
        tar -xf /root/node-tools.tar -C /opt/nestbox
        cp /opt/nestbox/cni/* /opt/cni/bin/
        for program in /opt/nestbox/bin/*; do ln -sfn "$program" /usr/local/bin/; done
        echo 1 > /proc/sys/net/ipv4/ip_forward
        [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
        cat > /etc/containerd/config.toml <<'END'
        version = 2
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "registry.k8s.io/pause:3.9"
          restrict_oom_score_adj = true
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
          BinaryName = "/usr/local/bin/runc"
        END
        cat > /etc/systemd/system/containerd.service <<'END'
        [Service]
        Type=notify
        Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        ExecStart=/usr/local/bin/containerd
        KillMode=process
        Delegate=yes
        Restart=always
        [Install]
        WantedBy=multi-user.target
        END
        cat > /etc/systemd/system/kubelet.service <<'END'
        [Unit]
        After=containerd.service
        StartLimitIntervalSec=0
        [Service]
        Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
        # The lab's machines have version 1 of cgroups, their containerd no systemd driver, and their disk is everybody's.
        ExecStart=/usr/local/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml --cgroup-driver=cgroupfs --eviction-hard=memory.available<100Mi --image-gc-high-threshold=100 $KUBELET_KUBEADM_ARGS
        KillMode=process
        Restart=always
        RestartSec=2
        [Install]
        WantedBy=multi-user.target
        END
        # From 1.35 on a kubelet has to be told so.
        ! kubelet --help | grep -q fail-cgroupv1 || sed -i 's/--cgroup-driver=cgroupfs/& --fail-cgroupv1=false/' /etc/systemd/system/kubelet.service
        systemctl daemon-reload
        systemctl enable --quiet --now containerd
        systemctl enable --quiet kubelet
        for image in kube-proxy pause busybox nestbox-node; do ctr -n k8s.io images import /root/$image.tar > /dev/null; done
        rm /root/*.tar
        """#
}

extension CommandRun {
    func eventuallyReady(_ node: String) async throws {
        try await Self.eventually(within: .seconds(600), "node \(node) to be Ready") {
            let told = try await kubectl("wait", "--for=condition=Ready", "node/\(node)", "--timeout=1s")
            guard told.contains("condition met") else { throw Failed(description: told) }
        }
    }

    /// A page that a pod on one node serves, read by a pod on the other, both ways.
    func expectPodsReachEachOther(_ first: String, _ second: String) async throws {
        for (index, node) in [first, second].enumerated() {
            try await apply(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: page-\(index)}
                spec:
                  nodeName: \(node)
                  terminationGracePeriodSeconds: 0
                  containers:
                  - name: page
                    image: nestbox.dev/busybox:1
                    imagePullPolicy: IfNotPresent
                    command: [sh, -c, "mkdir /tmp/www; hostname > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"]
                """)
        }
        try await kubectl("wait", "--for=condition=Ready", "pod/page-0", "pod/page-1", "--timeout=180s")
        for (from, to) in [(0, 1), (1, 0)] {
            let address = try await kubectl("get", "pod", "page-\(to)", "-o", "jsonpath={.status.podIP}")
            try await Self.eventually(within: .seconds(60), "page-\(from) to reach page-\(to) at \(address)") {
                let told = try await kubectl(
                    "exec", "page-\(from)", "--", "timeout", "5", "wget", "-q", "-O", "-", "http://\(address):8080/")
                guard told == "page-\(to)\n" else { throw Failed(description: told) }
            }
        }
    }

    /// For a tenant: a pod on that node reaches the API server as pods do, and answers exec.
    func expectWorkingPods(on node: String) async throws {
        try await apply(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: probe}
            spec:
              nodeName: \(node)
              terminationGracePeriodSeconds: 0
              containers:
              - {name: probe, image: nestbox.dev/busybox:1, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo probing; exec sleep 3600"]}
            """)
        try await kubectl("wait", "--for=condition=Ready", "pod/probe", "--timeout=180s")
        // The Service works as soon as kube-proxy has come to it. Its answer to one who speaks no TLS will do: busybox speaks none that newer
        // API servers take. A connection that was begun too early would wait for minutes.
        try await Self.eventually(within: .seconds(120), "a pod on \(node) to reach kubernetes.default") {
            let told = try await kubectl(
                "exec", "probe", "--", "sh", "-c",
                #"printf 'GET / HTTP/1.0\r\n\r\n' | timeout 10 nc $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT"#)
            guard told.contains("HTTP request to an HTTPS server") else { throw Failed(description: told) }
        }
    }
}

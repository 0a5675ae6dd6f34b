import KubernetesAPI
import NestboxAPI
import Testing

/// One sentence for each thing that is wrong, before anything is touched.
@Suite struct NodeConfigurationValidationTests {
    static func errors(_ configuration: NodeConfiguration) -> [String] {
        NodePoolValidationTests.pool(NodePoolSpec(clusterName: "c", nodeConfiguration: configuration)).validate().map(\.description)
    }

    static let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    static func registries(_ registries: ContainerRegistry...) -> NodeConfiguration {
        NodeConfiguration(containerd: ContainerdConfiguration(registries: registries))
    }

    static func files(_ files: NodeFile...) -> NodeConfiguration { NodeConfiguration(files: files) }

    static let wrong: [(String, NodeConfiguration)] = [
        (
            "kubelet.clusterDNS: is not for a pool to set: the cluster's own DNS is at the address that its networks give it",
            NodeConfiguration(kubelet: ["clusterDNS": ["10.0.0.1"]])
        ),
        (
            "kubelet.staticPodPath: is not for a pool to set: static pods are no API's, so no drain moves them and no upgrade waits for "
                + "them; use a DaemonSet",
            NodeConfiguration(kubelet: ["staticPodPath": "/etc/kubernetes/manifests"])
        ),
        (
            "kubelet.authentication: is not for a pool to set: the API server is let in by the cluster's authority and its RBAC, and nobody "
                + "else is", NodeConfiguration(kubelet: ["authentication": ["anonymous": ["enabled": true]]])
        ),
        (
            "kubelet.serverTLSBootstrap: is not for a pool to set: the kubelet's certificates come from the cluster's authority, approved by "
                + "the operator", NodeConfiguration(kubelet: ["serverTLSBootstrap": false])
        ),
        (
            "kubelet.cgroupDriver: is not for a pool to set: it must agree with containerd's and with what cleaning looks for",
            NodeConfiguration(kubelet: ["cgroupDriver": "cgroupfs"])
        ),
        (
            "kubelet.containerRuntimeEndpoint: is not for a pool to set: each node runs a containerd of Nestbox's",
            NodeConfiguration(kubelet: ["containerRuntimeEndpoint": "unix:///x"])
        ),
        (
            "kubelet.registerWithTaints: is not for a pool to set: taints are spec.taints, which are kept up without a rollout",
            NodeConfiguration(kubelet: ["registerWithTaints": []])
        ),
        (
            "kubelet.featureGates.RotateKubeletServerCertificate: is not for a pool to set: the operator approves the kubelet's certificates",
            NodeConfiguration(kubelet: ["featureGates": ["RotateKubeletServerCertificate": false]])
        ),
        (
            "kubelet.max-pods: \"max-pods\" is not a field of KubeletConfiguration, such as maxPods",
            NodeConfiguration(kubelet: ["max-pods": 5])
        ),
        (
            "containerd.registries[0].host: \"https://docker.io\" is not a registry's host such as docker.io or 10.0.0.5:5000",
            registries(ContainerRegistry(host: "https://docker.io", insecure: true))
        ),
        (
            "containerd.registries[0].host: \"..\" is not a registry's host such as docker.io or 10.0.0.5:5000",
            registries(ContainerRegistry(host: "..", insecure: true))
        ),
        (
            "containerd.registries[1].host: docker.io is there already",
            registries(ContainerRegistry(host: "docker.io", insecure: true), ContainerRegistry(host: "docker.io", insecure: true))
        ),
        (
            "containerd.registries[0].mirrors[0]: \"ftp://x\" is not a mirror such as https://mirror.example.com or 10.0.0.5:5000",
            registries(ContainerRegistry(host: "docker.io", mirrors: ["ftp://x"]))
        ),
        (
            "containerd.registries[0].mirrors[0]: \"a\"]\" is not a mirror such as https://mirror.example.com or 10.0.0.5:5000",
            registries(ContainerRegistry(host: "docker.io", mirrors: ["a\"]"]))
        ),
        (
            "containerd.registries[0]: says neither mirrors, nor certificateAuthority, nor insecure: leave it out",
            registries(ContainerRegistry(host: "docker.io"))
        ),
        (
            "containerd.registries[0].certificateAuthority: is not a certificate in PEM (-----BEGIN CERTIFICATE-----)",
            registries(ContainerRegistry(host: "docker.io", certificateAuthority: "AAAA"))
        ),
        (
            "containerd.registries[0].certificateAuthority: holds a private key, which no node may have",
            registries(ContainerRegistry(host: "docker.io", certificateAuthority: pem + "-----BEGIN PRIVATE KEY-----"))
        ),
        (
            "containerd.registries[0].insecure: is true, and a certificateAuthority is given: any certificate is believed, or those of one "
                + "authority", registries(ContainerRegistry(host: "docker.io", certificateAuthority: pem, insecure: true))
        ),
        (
            "sysctls[net.ipv4.ip_forward]: is not for a pool to set: pods' traffic and the way to the API server need it as it is",
            NodeConfiguration(sysctls: ["net.ipv4.ip_forward": "0"])
        ),
        (
            "sysctls[kernel.modules_disabled]: is not for a pool to set: the kernel does not let it be put back before a reboot, when the "
                + "machine is cleaned", NodeConfiguration(sysctls: ["kernel.modules_disabled": "1"])
        ),
        (
            "sysctls[kernel.core_pattern]: is not for a pool to set: the kernel runs what it names, past everything that cleaning looks at",
            NodeConfiguration(sysctls: ["kernel.core_pattern": "|/x"])
        ),
        (
            "sysctls[net/../../etc]: \"net/../../etc\" is not a kernel setting such as net.core.somaxconn, of fs, kernel, net, user or vm",
            NodeConfiguration(sysctls: ["net/../../etc": "1"])
        ),
        (
            "sysctls[swappiness]: \"swappiness\" is not a kernel setting such as net.core.somaxconn, of fs, kernel, net, user or vm",
            NodeConfiguration(sysctls: ["swappiness": "1"])
        ),
        (
            "sysctls[vm.swappiness]: \"\" is not a kernel setting's value: one line of 1 to 256 printable ASCII characters",
            NodeConfiguration(sysctls: ["vm.swappiness": ""])
        ),
        (
            "files[0].path: \"etc/x\" is not an absolute path such as /etc/chrony/conf.d/pool.conf, without empty, . and .. parts, of "
                + "printable ASCII characters", files(NodeFile(path: "etc/x", content: ""))
        ),
        (
            "files[0].path: \"/etc/../x\" is not an absolute path such as /etc/chrony/conf.d/pool.conf, without empty, . and .. parts, of "
                + "printable ASCII characters", files(NodeFile(path: "/etc/../x", content: ""))
        ),
        (
            "files[0].path: \"/etc/nestbox/kubelet.yaml\" is where Nestbox or the kubelet keep their own",
            files(NodeFile(path: "/etc/nestbox/kubelet.yaml", content: ""))
        ),
        (
            "files[0].path: \"/etc/systemd/system/nestbox-node.service\" is where Nestbox or the kubelet keep their own",
            files(NodeFile(path: "/etc/systemd/system/nestbox-node.service", content: ""))
        ),
        (
            "files[0].path: \"/usr/bin/env\" is where the machine's packages keep programs; /usr/local and /opt are free",
            files(NodeFile(path: "/usr/bin/env", content: ""))
        ),
        (
            "files[0].path: \"/root/.ssh/authorized_keys\" says who may get onto the machine, which is its owner's affair",
            files(NodeFile(path: "/root/.ssh/authorized_keys", content: ""))
        ),
        (
            "files[0].path: \"/etc/sudoers.d/x\" says who may get onto the machine, which is its owner's affair",
            files(NodeFile(path: "/etc/sudoers.d/x", content: ""))
        ),
        (
            "files[0].path: \"/etc/fstab\" belongs to the machine itself, which may not boot or answer without it",
            files(NodeFile(path: "/etc/fstab", content: ""))
        ),
        (
            "files[1].path: /etc/x is there already",
            files(NodeFile(path: "/etc/x", content: ""), NodeFile(path: "/etc/x", content: ""))
        ),
        (
            "files: /etc/x cannot be a file, for /etc/x/y lies in it",
            files(NodeFile(path: "/etc/x/y", content: ""), NodeFile(path: "/etc/x", content: ""))
        ),
        (
            "files[0].mode: \"4755\" is not a file's mode in octal digits, such as 0644, without setuid and the like",
            files(NodeFile(path: "/etc/x", mode: "4755", content: ""))
        ),
        ("files[0].content: holds a zero byte: only text can be written", files(NodeFile(path: "/etc/x", content: "a\0b"))),
        ("preJoinCommands[1]: is empty", NodeConfiguration(preJoinCommands: ["true", " \n"])),
        ("postJoinCommands[0]: holds a zero byte", NodeConfiguration(postJoinCommands: ["a\0"])),
    ]

    @Test(arguments: wrong.indices) func saysWhatIsWrong(index: Int) {
        let (line, configuration) = Self.wrong[index]
        #expect(Self.errors(configuration) == ["spec.nodeConfiguration." + line])
    }

    @Test func moreThanAHistoryHasRoomForIsRefused() {
        let large = Self.files(NodeFile(path: "/etc/x", content: String(repeating: "x", count: 70_000)))
        #expect(
            Self.errors(large) == [
                "spec.nodeConfiguration: 70008 bytes of text are more than the 65536 that a pool's history has room for"
            ])
    }

    @Test func takesWhatIsRight() {
        let configuration = NodeConfiguration(
            kubelet: [
                "maxPods": 50, "evictionHard": ["memory.available": "5%"], "featureGates": ["CPUManager": true], "resolvConf": "/etc/r",
                "cpuManagerPolicy": "static",
            ],
            containerd: ContainerdConfiguration(registries: [
                ContainerRegistry(host: "docker.io", mirrors: ["https://mirror.example.com/docker", "10.0.0.5:5000", "http://m"]),
                ContainerRegistry(host: "r.example.com:5000", certificateAuthority: Self.pem),
                ContainerRegistry(host: "10.0.0.6", insecure: true),
            ]),
            sysctls: ["net.ipv4.tcp_rmem": "4096 131072 6291456", "vm.max_map_count": "262144", "fs.inotify.max_user_watches": "1"],
            files: [
                NodeFile(path: "/etc/x", content: ""), NodeFile(path: "/etc/xy", mode: "600", content: "ä"),
                NodeFile(path: "/usr/local/bin/tool", mode: "0755", content: "#!/bin/sh\n"),
                NodeFile(path: "/etc/systemd/system/my.service", content: ""),
            ], preJoinCommands: ["true"], postJoinCommands: ["if true; then\n  true\nfi"])
        #expect(Self.errors(configuration) == [])
        #expect(Self.errors(NodeConfiguration()) == [])
    }
}

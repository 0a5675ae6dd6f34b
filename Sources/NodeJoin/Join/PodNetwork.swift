import SSHClient

/// The built-in pod network: a bridge on each node, addresses from the node's own part of the pods' network.
enum PodNetwork {
    private static func configuration(_ network: JoinNetwork) -> TextFile {
        TextFile("/etc/cni/net.d/10-nestbox.conflist", network.bridgeConfiguration(masquerades: false))
    }

    /// What leaves the cluster's network leaves under the node's address.
    private static func masquerade(_ network: JoinNetwork) -> SystemdUnit {
        let rule = "POSTROUTING -s \(network.podCIDR) ! -d \(network.clusterPodCIDR) -m comment --comment nestbox-masquerade -j MASQUERADE"
        let iptables = "\(NodePaths.programs)/iptables -w 30 -t nat"
        return SystemdUnit(
            "nestbox-masquerade.service",
            """
            [Unit]
            Description=Outgoing traffic of Nestbox's pods
            Before=nestbox-containerd.service

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/bin/sh -c '\(iptables) -C \(rule) 2>/dev/null || \(iptables) -A \(rule)'
            ExecStop=/bin/sh -c '\(iptables) -D \(rule) || true'

            [Install]
            WantedBy=multi-user.target
            """)
    }

    /// None where the tenant brings a network of their own.
    static func component(_ network: JoinNetwork) -> NodeComponent? {
        guard network.bridge else { return nil }
        let unit = masquerade(network)
        let files = [configuration(network), unit.file]
        return NodeComponent(unit: unit, configure: files.putAll, fingerprint: [unit.file].fingerprint)
    }
}

extension JoinNetwork {
    /// CNI's configuration of the built-in network.
    /// - Parameter masquerades: whether the bridge plugin hides pods behind the node's address. It would hide them from pods on other nodes
    ///   too; on machines that Nestbox joins a rule of `PodNetwork.masquerade` does it for the outside alone.
    public func bridgeConfiguration(masquerades: Bool) -> String {
        """
        {
          "cniVersion": "0.4.0",
          "name": "nestbox",
          "plugins": [
            {
              "type": "bridge",
              "bridge": "cni0",
              "isGateway": true,
              "ipMasq": \(masquerades),
              "hairpinMode": true,
              "ipam": {
                "type": "host-local",
                "ranges": [[{ "subnet": "\(podCIDR)" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
              }
            },
            { "type": "portmap", "capabilities": { "portMappings": true } }
          ]
        }
        """
    }
}

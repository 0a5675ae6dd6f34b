/// What can be seen from the machine itself. Whether the Node is Ready is for the operator to see.
enum LocalChecksStep {
    static func step(_ network: JoinNetwork) -> Step {
        Step(
            "LocalChecks",
            actions: [
                .script(
                    Script(
                        """
                        for unit in nestbox-containerd nestbox-node nestbox-kubelet; do
                            systemctl is-active --quiet $unit || {
                                echo "$unit does not stay up: $(journalctl -u $unit -n 5 -o cat --no-pager 2>/dev/null)" >&2
                                exit 1
                            }
                        done
                        bash -c 'exec 3<> /dev/tcp/\(network.nodeLocalAPIAddress)/\(network.apiPort)' 2>/dev/null || {
                            echo "nothing answers at \(network.nodeLocalAPIAddress):\(network.apiPort), where nestbox-node" \\
                                "forwards to the API server: $(journalctl -u nestbox-node -n 3 -o cat --no-pager 2>/dev/null)" >&2
                            exit 1
                        }
                        """))
            ], timeout: .seconds(20), retry: RetryRule(attempts: 6, delay: .seconds(1)))
    }
}

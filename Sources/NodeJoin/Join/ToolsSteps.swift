import SSHClient

/// Pushes the programs.
enum ToolsSteps {
    static func tools(_ tar: LocalFile) -> Step {
        let packed = "\(NodePaths.root)/node-tools.tar"
        let marker = "\(NodePaths.root)/node-tools.sha256"
        return Step(
            "NodeTools",
            check: Script("[ \"$(cat \(marker))\" = \(tar.sha256) ]\n[ -x \(NodePaths.programs)/containerd ]\n[ -x /opt/cni/bin/bridge ]"),
            actions: [
                .upload([Upload(tar, to: packed)]),
                .script(
                    Script(
                        """
                        tar -xf \(packed) -C \(NodePaths.root) --no-same-owner
                        mkdir -p /opt/cni/bin
                        cp -f \(NodePaths.root)/cni/* /opt/cni/bin/
                        echo \(tar.sha256) > \(marker)
                        rm -f \(packed)
                        """)),
            ], timeout: .seconds(180))
    }

    static func programs(_ artifacts: JoinArtifacts) -> Step {
        Step(
            "Programs",
            actions: [
                .upload([
                    Upload(artifacts.nestboxNode, to: "\(NodePaths.programs)/nestbox-node", mode: 0o755),
                    Upload(artifacts.kubelet, to: "\(NodePaths.programs)/kubelet", mode: 0o755),
                ])
            ])
    }
}

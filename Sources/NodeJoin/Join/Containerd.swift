import Crypto
import HexDigest
import NestboxAPI
import SSHClient

/// A containerd of the node's own, whoever its programs are from: its configuration, folders and socket are ours alone.
enum Containerd {
    static let snapshotterFile = "\(NodePaths.configuration)/snapshotter"

    static let unit = SystemdUnit(
        "nestbox-containerd.service",
        """
        [Unit]
        Description=containerd of Nestbox
        After=network.target local-fs.target

        [Service]
        Type=notify
        Environment=PATH=\(NodePaths.searchPath)
        ExecStart=\(NodePaths.programs)/containerd --config \(NodePaths.configuration)/containerd.toml
        # Containers outlive a restart of containerd.
        KillMode=process
        Delegate=yes
        Restart=always
        RestartSec=2
        TasksMax=infinity
        LimitNOFILE=1048576

        [Install]
        WantedBy=multi-user.target
        """)

    /// Written every time: what it depends on is the machine.
    private static func configure(pauseImage: String, registries: [ContainerRegistry]) -> Script {
        let hosts =
            registries.isEmpty
            ? ""
            : """


            [plugins."io.containerd.grpc.v1.cri".registry]
              config_path = "\(Registries.folder)"
            """
        return Script(
            """
            image=\(shellQuoted(pauseImage))
            restrict=true
            capabilities=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
            [ $((0x$capabilities >> 24 & 1)) = 0 ] || restrict=false
            systemd=false
            [ ! -f /sys/fs/cgroup/cgroup.controllers ] || systemd=true
            trial=\(NodePaths.containerdState)/trial
            umount $trial/merged 2>/dev/null || true
            mkdir -p $trial/lower $trial/upper $trial/work $trial/merged
            snapshotter=native
            if mount -t overlay overlay -o lowerdir=$trial/lower,upperdir=$trial/upper,workdir=$trial/work $trial/merged 2>/dev/null; then
                umount $trial/merged
                snapshotter=overlayfs
            fi
            rm -rf $trial
            echo $snapshotter > \(snapshotterFile)
            # A minimal Debian may lack it, and every sandbox copies it.
            [ -e /etc/hosts ] || printf '127.0.0.1 localhost\\n# made by Nestbox\\n' > /etc/hosts
            put \(NodePaths.configuration)/containerd.toml 644 <<END
            version = 2
            root = "\(NodePaths.containerdState)"
            state = "/run/nestbox/containerd"

            [grpc]
              address = "\(NodePaths.containerdSocket)"

            [plugins."io.containerd.internal.v1.opt"]
              path = "\(NodePaths.containerdState)/opt"

            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "$image"
              # Without CAP_SYS_RESOURCE no score can be lowered, and every sandbox would fail.
              restrict_oom_score_adj = $restrict

            [plugins."io.containerd.grpc.v1.cri".containerd]
              snapshotter = "$snapshotter"

            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"

            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
              BinaryName = "\(NodePaths.programs)/runc"
              SystemdCgroup = $systemd

            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = "/opt/cni/bin"
              conf_dir = "/etc/cni/net.d"\(hosts)
            END
            """)
    }

    static func component(_ parameters: JoinParameters) -> NodeComponent {
        let (artifacts, tools) = (parameters.artifacts, parameters.tools)
        let registries = parameters.nodeConfiguration.containerd?.registries ?? []
        let configuration = configure(pauseImage: artifacts.pauseImage.reference, registries: registries)
        return NodeComponent(
            unit: unit,
            // What is in the registries' own files is read at each pull: no reason to start it anew.
            configure: (registries.isEmpty ? configuration : configuration + Registries.script(registries)) + [unit.file].putAll,
            fingerprint: SHA256.hexDigest(
                of: [configuration.body, unit.file.content, tools.words, artifacts.nodeTools?.sha256 ?? ""].joined(separator: "\n")))
    }

    private static let ctr = "\(NodePaths.programs)/ctr --address \(NodePaths.containerdSocket) --namespace k8s.io"

    /// Pushes one image, unless containerd has it.
    /// - Parameter isPause: no container of a pod uses it, so the kubelet would collect it when the disk fills, and no pod would start any
    ///   more on a machine that cannot pull it: containerd from 1.6.22 and 1.7.2 on tells the kubelet to spare what is marked so.
    static func image(_ image: JoinImage, isPause: Bool = false) -> Step {
        let name = image.reference.split(separator: "/").last.map { $0.prefix { $0 != ":" && $0 != "@" } } ?? "image"
        let packed = "\(NodePaths.root)/images/\(image.archive.sha256).tar"
        let marker = "\(NodePaths.root)/images/\(image.archive.sha256)"
        let pin = isPause ? "\(ctr) images label \(shellQuoted(image.reference)) io.cri-containerd.pinned=pinned > /dev/null\n" : ""
        return Step(
            "Image-\(name)",
            // The reference alone does not tell which content it stands for. The archive goes last: where it is still there, whatever cut
            // this off, all of it is done again.
            check: Script("[ -f \(marker) ]\n[ ! -e \(packed) ]\n\(ctr) images list -q | grep -qxF \(shellQuoted(image.reference))"),
            actions: [
                .upload([Upload(image.archive, to: packed)]),
                .script(
                    Script(
                        """
                        \(ctr) images import --snapshotter "$(cat \(snapshotterFile))" \(packed) > /dev/null
                        \(ctr) images list -q | grep -qxF \(shellQuoted(image.reference)) || {
                            echo "the archive does not hold the image" \(shellQuoted(image.reference)) >&2
                            exit 1
                        }
                        \(pin)touch \(marker)
                        rm -f \(packed)
                        """)),
            ], timeout: .seconds(300))
    }
}

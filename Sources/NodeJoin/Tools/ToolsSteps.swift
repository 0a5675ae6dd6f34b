import Crypto
import HexDigest
import SSHClient

/// Brings the tools and the programs to `/opt/nestbox`, wherever they come from: what runs there need not know.
enum ToolsSteps {
    private static let packages = "\(NodePaths.root)/packages"

    static func tools(_ choice: ToolChoice, tar: LocalFile?) -> [Step] {
        var steps: [Step] = []
        if let tar, !choice.tools(from: .store).isEmpty { steps.append(push(tar)) }
        let packaged = choice.tools(from: .packages)
        if !packaged.isEmpty { steps.append(unpack(packaged)) }
        steps.append(arrange(choice))
        return steps
    }

    private static func push(_ tar: LocalFile) -> Step {
        let packed = "\(NodePaths.root)/node-tools.tar"
        let marker = "\(NodePaths.root)/node-tools.sha256"
        return Step(
            // The archive goes last: where it is still there, whatever cut this off, all of it is done again.
            "NodeTools",
            check: Script("[ \"$(cat \(marker))\" = \(tar.sha256) ]\n[ ! -e \(packed) ]\n[ -x \(NodePaths.programs)/containerd ]"),
            actions: [
                .upload([Upload(tar, to: packed)]),
                .script(
                    Script(
                        """
                        tar -xf \(packed) -C \(NodePaths.root) --no-same-owner
                        rm -f \(NodePaths.root)/tools
                        # The marker must not outlive what it stands for, should the power fail now.
                        sync -f \(NodePaths.root)
                        echo \(tar.sha256) > \(marker)
                        rm -f \(packed)
                        """)),
            ], timeout: .seconds(180))
    }

    /// Debian's packages and what they depend on that the machine lacks, unpacked, with lists and archives of our own: the
    /// machine's package manager does not notice. A program that finds its libraries there is started by a small script.
    private static func unpack(_ tools: [NodeTool]) -> Step {
        let names = tools.map(\.package).joined(separator: " ")
        return Step(
            "Packages", check: Script("[ \"$(cat \(packages)/names)\" = \(shellQuoted(names)) ]"),
            actions: [
                .script(
                    Script(
                        """
                        command -v apt-get > /dev/null || refuse "the artifact store has no tools for it, and it has no apt-get: \(names)"
                        rm -rf \(packages)
                        mkdir -p \(packages)/apt/lists/partial \(packages)/apt/archives/partial \(packages)/root \(NodePaths.programs)
                        fetch() {
                            words=$(DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Update::Error-Mode=any -o Dir::State::Lists=\(packages)/apt/lists \\
                                -o Dir::Cache::Archives=\(packages)/apt/archives -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \\
                                -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Retries=3 "$@" 2>&1) || {
                                echo "its apt-get cannot $1: $(printf '%s\\n' "$words" | grep '^[EW]:' | head -n 3);" \\
                                    "mend its package sources, or bring the tools yourself (nestbox artifacts get)" >&2
                                exit 1
                            }
                        }
                        fetch update
                        fetch install --yes --download-only --no-install-recommends --reinstall \(names)
                        for file in \(packages)/apt/archives/*.deb; do dpkg-deb -x "$file" \(packages)/root; done
                        rm -rf \(packages)/apt
                        libraries=$(find \(packages)/root -name 'lib*.so.*' -exec dirname {} + | sort -u | paste -sd: -)
                        modules=$(find \(packages)/root -type d -name xtables | head -n 1)
                        for program in \(tools.flatMap(\.programs).joined(separator: " ")); do
                            case $program in
                            # What alternatives link to, which only an installed package has.
                            ip*tables*) file="\(packages)/root/usr/sbin/xtables-nft-multi $program" ;;
                            *) file=$(find \(packages)/root -path "*bin/$program" | head -n 1) ;;
                            esac
                            [ -n "$file" ] || refuse "its packages hold no program '$program'"
                            printf '#!/bin/sh\\nLD_LIBRARY_PATH=%s XTABLES_LIBDIR=%s exec %s "$@"\\n' "$libraries" "$modules" "$file" |
                                put \(NodePaths.programs)/"$program" 755
                        done
                        rm -f \(NodePaths.root)/tools
                        sync -f \(NodePaths.root)
                        echo \(shellQuoted(names)) > \(packages)/names
                        """))
            ], timeout: .seconds(300))
    }

    /// Links the machine's own programs to where the others lie, and puts the CNI plugins where every pod network looks.
    private static func arrange(_ choice: ToolChoice) -> Step {
        let own = choice.tools(from: .machine).flatMap(\.programs)
        let folders =
            switch choice.sources[.cni] {
            case .machine: OwnFolders.networkPlugins
            case .packages: ["\(packages)/root/usr/lib/cni"]
            default: ["\(NodePaths.root)/cni"]
            }
        return Step(
            "Tools",
            check: Script("[ \"$(cat \(NodePaths.root)/tools)\" = \(shellQuoted(choice.words)) ]\n[ -x /opt/cni/bin/bridge ]"),
            actions: [
                .script(
                    Script(
                        """
                        mkdir -p \(NodePaths.programs) /opt/cni/bin
                        for program in \(own.joined(separator: " ")); do
                            place=$(command -v "$program") || refuse "its own $program, which was to be used, is gone"
                            ln -sfn "$place" \(NodePaths.programs)/"$program"
                        done
                        plugins=
                        for folder in \(folders.joined(separator: " ")); do
                            if \(NodeTool.networkPlugins.map { "[ -x $folder/\($0) ]" }.joined(separator: " && ")); then plugins=$folder; break; fi
                        done
                        [ -n "$plugins" ] || refuse "the CNI plugins are not in \(folders.joined(separator: ", "))"
                        [ "$plugins" = /opt/cni/bin ] || cp -f "$plugins"/* /opt/cni/bin/
                        echo \(shellQuoted(choice.words)) > \(NodePaths.root)/tools
                        """))
            ], timeout: .seconds(60))
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

import Crypto
import Foundation
import HexDigest

@testable import NodeJoin

/// What stands in for a machine's systemd and for a node's programs: as little as the plans' steps ask of them, but with processes that
/// are there, die with a reboot, and come back where their unit is enabled.
enum StandIns {
    static let ofTheMachine = ["shell": shell, "systemctl": systemctl, "journalctl": "#!/bin/sh\nexit 0\n"]

    private static let shell = """
        #!/bin/sh
        exec nsenter --net=/run/network /bin/sh "$@"

        """

    private static let systemctl = """
        #!/bin/bash
        units=/etc/systemd/system
        state=/run/units
        wants=$units/multi-user.target.wants
        running() { [ -e $state/$1 ] && { [ "$(cat $state/$1)" = none ] || kill -0 "$(cat $state/$1)" 2>/dev/null; }; }
        start() {
            ! running $1 || return 0
            [ -e $units/$1 ] || return 5
            local program
            program=$(sed -n 's/^ExecStart=\\([^ ]*\\).*/\\1/p' $units/$1)
            case $program in
            /bin/sh) echo none > $state/$1 ;;
            *)
                [ -x "$program" ] || return 1
                setsid "$program" infinity > /dev/null 2>&1 < /dev/null &
                echo $! > $state/$1
                ;;
            esac
            case $1 in nestbox-node.service)
                for _ in $(seq 100); do ! bash -c 'exec 3<> /dev/tcp/172.20.0.1/6443' 2>/dev/null || break; sleep 0.05; done ;;
            esac
        }
        stop() {
            if running $1; then
                local process; process=$(cat $state/$1)
                if [ $process != none ]; then
                    kill -KILL $process
                    while kill -0 $process 2>/dev/null && [ "$(sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$process/status 2>/dev/null)" != Z ]; do sleep 0.01; done
                fi
            fi
            rm -f $state/$1
        }
        verb= now= names=
        for word; do
            case $word in
            --now) now=yes ;;
            -*) ;;
            *) if [ -z "$verb" ]; then verb=$word; else names="$names ${word%.service}.service"; fi ;;
            esac
        done
        case $verb in
        boot) for link in $wants/nestbox-*; do [ ! -L "$link" ] || start "${link##*/}"; done ;;
        enable) mkdir -p $wants; for name in $names; do ln -sf $units/$name $wants/$name; done ;;
        disable) for name in $names; do rm -f $wants/$name; [ -z "$now" ] || stop $name; done; rmdir $wants 2>/dev/null ;;
        restart) for name in $names; do stop $name; start $name || code=1; done ;;
        stop) for name in $names; do stop $name; done ;;
        is-active) for name in $names; do if running $name; then echo active; else echo inactive; exit 3; fi; done ;;
        esac
        exit ${code:-0}

        """

    private static let ctr = """
        #!/bin/sh
        images=/var/lib/containerd/nestbox/images
        mkdir -p "${images%/*}"
        case $* in
        *"images list -q"*) [ ! -e $images ] || cat $images ;;
        # Once more is no difference, as with the real one.
        *"images import"*)
            for file; do :; done
            grep -qsxF "$(cat "$file")" $images || cat "$file" >> $images
            sync $images ;;
        esac

        """

    private static let node = """
        #!/usr/bin/perl
        use IO::Socket::INET;
        system("ip addr add 172.20.0.1/32 dev lo 2>/dev/null");
        mkdir "/var/lib/nestbox-node";
        my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => "172.20.0.1", LocalPort => 6443, ReuseAddr => 1) or die;
        while (my $one = $socket->accept) { close $one }

        """

    /// Files to be pushed, in a folder.
    static func artifacts(in folder: String) throws -> JoinArtifacts {
        let files = FileManager.default
        func file(_ name: String, _ text: String) throws -> LocalFile {
            let path = "\(folder)/\(name)"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return try LocalFile(hashing: path)
        }
        for part in ["tools/bin", "tools/cni"] { try files.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true) }
        func tool(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(folder)/tools/\(name)", atomically: false, encoding: .utf8)
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/tools/\(name)")
        }
        try files.copyItem(atPath: "/bin/sleep", toPath: "\(folder)/tools/bin/containerd")
        try tool("bin/ctr", ctr)
        for name in ["containerd-shim-runc-v2", "runc", "iptables", "ip6tables", "conntrack", "socat", "ethtool"]
            + ["iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore"]
        {
            try tool("bin/\(name)", "#!/bin/sh\nexit 0\n")
        }
        for name in ["bridge", "host-local", "loopback", "portmap"] { try tool("cni/\(name)", "#!/bin/sh\nexit 0\n") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/tar")
        process.arguments = ["-cf", "\(folder)/node-tools.tar", "-C", "\(folder)/tools", "."]
        try process.run()
        process.waitUntilExit()
        try files.copyItem(atPath: "/bin/sleep", toPath: "\(folder)/kubelet")
        return JoinArtifacts(
            nodeTools: try LocalFile(hashing: "\(folder)/node-tools.tar"), kubelet: try LocalFile(hashing: "\(folder)/kubelet"),
            nestboxNode: try file("nestbox-node", node),
            pauseImage: JoinImage(archive: try file("pause.tar", "example.com/pause:1\n"), reference: "example.com/pause:1"),
            images: [JoinImage(archive: try file("proxy.tar", "example.com/proxy:1\n"), reference: "example.com/proxy:1")])
    }
}

extension LocalFile {
    init(hashing path: String) throws {
        self.init(path: path, sha256: hexadecimal(SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path)))))
    }
}

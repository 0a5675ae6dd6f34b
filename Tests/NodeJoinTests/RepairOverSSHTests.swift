import Foundation
import Logging
import SSHClient
import TestKubernetes
import TestSSHServer
import Testing

@testable import NodeJoin

/// What `Plan.repair` finds and mends on a machine that answers SSH, whose systemd, containerd and kubelet are stand-ins.
@Suite(
    .enabled(if: SSHServer.isAvailable, "needs root and sshd (NESTBOX_SSHD, /usr/sbin/sshd)"), .serialized, .timeLimit(.minutes(10)))
struct RepairOverSSHTests {
    @Test func aSoundMachineIsLeftAlone() async throws {
        try await UnwellMachine.with { machine async throws in
            let findings = try await machine.repair()
            #expect(findings.words == "")
            #expect(!findings.needsTicket)
            #expect(try await machine.did() == "")
        }
    }

    @Test func deadAndDisabledServicesAreStarted() async throws {
        try await UnwellMachine.with { machine async throws in
            try await machine.sh(
                """
                echo failed > /run/fake/nestbox-containerd.service.state
                echo inactive > /run/fake/nestbox-kubelet.service.state
                echo disabled > /run/fake/nestbox-kubelet.service.enabled
                """)
            #expect(
                try await machine.repair().words == "nestbox-containerd.service is failed (last words): restarted; "
                    + "nestbox-kubelet.service is inactive (last words): restarted")
            #expect(
                try await machine.did()
                    == """
                    enable nestbox-containerd.service
                    reset-failed nestbox-containerd.service
                    restart nestbox-containerd.service
                    enable nestbox-kubelet.service
                    reset-failed nestbox-kubelet.service
                    restart nestbox-kubelet.service

                    """)
            try await machine.sh("echo disabled > /run/fake/nestbox-node.service.enabled; rm /run/fake/did")
            #expect(try await machine.repair().words == "nestbox-node.service is disabled: enabled")
            #expect(try await machine.did() == "enable nestbox-node.service\n")
        }
    }

    /// One process is stopped, one is deaf: neither would end when asked to.
    @Test func hangingServicesAreKilled() async throws {
        try await UnwellMachine.with { machine async throws in
            let deaf = try SilentListener()
            try await machine.sh(
                """
                sleep 600 > /dev/null 2>&1 &
                echo $! > /run/fake/nestbox-containerd.service.pid
                # Before that it is a shell that holds our connection.
                while [ "$(cat /proc/$!/comm)" != sleep ]; do :; done
                kill -STOP $!
                """)
            var parameters = machine.parameters
            parameters.kubeletHealthPort = deaf.port
            let words = try await machine.repair(parameters).words
            #expect(
                words == "nestbox-containerd.service is stopped by a signal: restarted; nestbox-kubelet.service runs and does not answer: "
                    + "restarted, and still: nestbox-kubelet.service runs and does not answer")
            let did = try await machine.did()
            #expect(did.contains("kill --kill-who=main --signal=KILL nestbox-containerd.service\n"))
            #expect(did.contains("kill --kill-who=main --signal=KILL nestbox-kubelet.service\n"))
            #expect(!did.contains("nestbox-node.service"))
        }
    }

    @Test func whatSeemsWellIsStartedAnewWhenNothingElseHelped() async throws {
        try await UnwellMachine.with { machine async throws in
            var parameters = machine.parameters
            parameters.nodeIsGone = true
            let gone = try await machine.repair(parameters).words
            #expect(gone == "restarted")
            #expect(try await machine.did().contains("restart nestbox-kubelet.service"))
            parameters.restartsAll = true
            #expect(try await machine.repair(parameters).words == "restarted; restarted; restarted")
        }
    }

    @Test func aCertificateThatEndedIsAskedForAnew() async throws {
        try await UnwellMachine.with { machine async throws in
            try await machine.sh("cp /etc/nestbox/expired.pem \(UnwellMachine.certificate)")
            let first = try await machine.repair()
            #expect(first.words == "the kubelet's certificate ended at 2020-01-08 00:00:00 UTC" && first.needsTicket)
            #expect(try await machine.did() == "")
            var parameters = machine.parameters
            parameters.bootstrapKubeconfig = "token: t"
            let second = try await machine.repair(parameters)
            #expect(second.words.hasSuffix(": the kubelet asks for a new one") && !second.needsTicket)
            #expect(
                try await machine.sh(
                    "cat /etc/nestbox/bootstrap.kubeconfig; stat -c %a /etc/nestbox/bootstrap.kubeconfig; ls /var/lib/kubelet")
                    == "token: t\n600\npki\n")
            let third = try await machine.repair()
            #expect(third.words == "the kubelet's certificate is gone" && third.needsTicket)
            try await machine.sh("echo no > \(UnwellMachine.certificate)")
            #expect(try await machine.repair().words == "the kubelet's certificate cannot be read")
        }
    }

    /// A filesystem of 8 MiB, of which old images take most.
    @Test func aFullDiskIsFreed() async throws {
        try await UnwellMachine.with { machine async throws in
            var parameters = machine.parameters
            try await machine.sh(
                """
                mount -t tmpfs -o size=8m tmpfs /var/lib/kubelet
                mkdir -p /var/lib/kubelet/pki && cp /etc/nestbox/good.pem \(UnwellMachine.certificate)
                """)
            // Of the other disks, nothing is known.
            parameters.limits.diskMiB = 0
            parameters.limits.inodes = 0
            #expect(try await machine.repair(parameters).words == "")
            let look = RepairDisk.look(RepairLimits(diskMiB: 9, inodes: 0), folders: "/var/lib/kubelet /var/lib/kubelet/pki")
            #expect(try await machine.sh("set -eu; look() {\n\(look)\n}; look") == "the disk of /var/lib/kubelet is full (7 MiB free)\n")
            let inodes = RepairDisk.look(RepairLimits(diskMiB: 0, inodes: 100), folders: "/var/lib/tiny")
            try await machine.sh("mkdir /var/lib/tiny; mount -t tmpfs -o nr_inodes=2000 tmpfs /var/lib/tiny")
            #expect(try await machine.sh("set -eu; look() {\n\(inodes)\n}; look") == "\n")
            try await machine.sh("cd /var/lib/tiny; seq 1950 | xargs touch")
            #expect(
                try await machine.sh("set -eu; look() {\n\(inodes)\n}; look") == "the disk of /var/lib/tiny has no inodes left (49 free)\n")
            try await machine.sh("mount -o remount,ro /var/lib/kubelet")
            #expect(try await machine.repair(parameters).words == "/var/lib/kubelet cannot be written to")
        }
    }

    /// Only what nobody uses, and not what no registry has.
    @Test func onlyUnusedImagesGo() async throws {
        try await UnwellMachine.with { machine async throws in
            try await machine.sh(
                "mount -t tmpfs -o size=8m tmpfs /var/log; mkdir -p /opt/nestbox/images; touch /opt/nestbox/images/left.tar")
            var parameters = machine.parameters
            parameters.limits.diskMiB = 9
            // What else is full on this computer is none of the test's business.
            let words = try await machine.repair(parameters).words
            #expect(words.contains("the disk of /var/log is full"))
            #expect(words.contains(": freed "))
            #expect(
                try await machine.sh("cat /run/fake/removed; ls /opt/nestbox/images")
                    == "docker.io/library/unused:1\ndocker.io/library/unused@sha256:4\n")
            #expect(try await machine.did().contains("journalctl --quiet --vacuum-size=64M\n"))
        }
    }

    @Test func aClockThatIsOffIsSetByTheMachinesOwnSource() async throws {
        try await UnwellMachine.with { machine async throws in
            // Once its source of time is started anew, it is right.
            try await machine.sh(
                """
                cat > /usr/local/sbin/date <<'END'
                #!/bin/sh
                if [ "$*" = +%s ] && [ ! -e /run/fake/clock-is-set ]; then echo $(($(/bin/date +%s) - 4000)); else exec /bin/date "$@"; fi
                END
                chmod 755 /usr/local/sbin/date
                """)
            let words = try await machine.repair().words
            // Less the time that the script took to get there.
            let told = words.wholeMatch(of: /its clock is (39..|4000) s behind ours: systemd-timesyncd was started anew/)
            #expect(told != nil, "\(words)")
            #expect(try await machine.did() == "restart systemd-timesyncd\n")
        }
    }

    @Test func aMachineThatIsAnothersIsLeftAlone() async throws {
        try await UnwellMachine.with { machine async throws in
            try await machine.sh("echo owner=other epoch=1 > /etc/nestbox/claim; echo failed > /run/fake/nestbox-kubelet.service.state")
            let outcome = try await machine.run(.repair(machine.parameters))
            guard case .failed(_, let failure) = outcome.result else {
                Issue.record("it was touched")
                return
            }
            #expect(failure.kind == .refused && failure.message.contains("no longer this plan's"))
            #expect(try await machine.did() == "")
        }
    }
}

/// A machine of OpenSSH's own server, in whose mount namespace the folders of a node hold stand-ins.
private struct UnwellMachine {
    static let certificate = "/var/lib/kubelet/pki/kubelet-client-current.pem"

    let server: SSHServer
    let shell: SSHMachineShell
    let parameters: RepairParameters

    static func with(_ body: @escaping @Sendable (UnwellMachine) async throws -> Void) async throws {
        try await StubServer.with({ _, _ in [.answer(200, "ok")] }) { kubelet in
            let server = try await SSHServer()
            let shell = SSHMachineShell(
                try await SSHConnection.connect(
                    to: server.target, key: server.userKey, hostKey: .trustFirst, logger: Logger(label: "test")))
            // sshd itself answers where nestbox-node would.
            let machine = UnwellMachine(
                server: server, shell: shell,
                parameters: RepairParameters(
                    owner: .example, nodeLocalAPIAddress: "127.0.0.1", apiPort: server.port, kubeletHealthPort: kubelet.port))
            try await machine.sh(setUp)
            try await body(machine)
            await shell.close()
        }
    }

    /// From 2020-01-01 to 2020-01-08.
    private static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBRTCB7AIBATAKBggqhkjOPQQDAjAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMx
        FjAUBgNVBAMMDXN5c3RlbTpub2RlOmEwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMTA4
        MDAwMDAwWjAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFjAUBgNVBAMMDXN5c3Rl
        bTpub2RlOmEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQUNyjRZ4BEatmNPwvF
        vIpPXJhkSPjrczFS98donzAxMMlAaEXR270ryPfSpizII5qpAqDipCMS1egWMinG
        YLtcMAoGCCqGSM49BAMCA0gAMEUCIG63Cdp8YslgtRZlDrr1VKZ5OD2P1Zx7SBZj
        DUFvLwFYAiEAhQQIa5i1xqOtlilkKh42CWtbMSvGDRst0RpkFrcJjBQ=
        -----END CERTIFICATE-----
        """

    /// `/etc` is written to in this namespace alone.
    private static let setUp = """
        set -eu
        mkdir /run/etc
        mount -t tmpfs tmpfs /run/etc
        mkdir /run/etc/upper /run/etc/work
        cp /etc/passwd /run/etc/passwd
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
        cat /run/etc/passwd > /etc/passwd
        for folder in /opt /var/lib /usr/local/sbin; do mount -t tmpfs tmpfs $folder; done
        mkdir -p /etc/nestbox /opt/nestbox/bin /var/lib/kubelet/pki /var/lib/containerd/nestbox /run/fake
        echo 'owner=\(MachineOwner.example.uid) epoch=\(MachineOwner.example.epoch)' > /etc/nestbox/claim
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /O=system:nodes/CN=system:node:a \\
            -keyout /run/key.pem -out /run/certificate.pem 2>/dev/null
        cat /run/certificate.pem /run/key.pem > /etc/nestbox/good.pem
        cat > /etc/nestbox/expired.pem <<'END'
        \(expired)
        END
        cp /etc/nestbox/good.pem \(certificate)
        touch /var/lib/kubelet/kubeconfig
        for unit in containerd node kubelet; do
            echo active > /run/fake/nestbox-$unit.service.state
            echo enabled > /run/fake/nestbox-$unit.service.enabled
        done
        cat > /usr/local/sbin/systemctl <<'END'
        #!/bin/sh
        verb=$1
        for last; do :; done
        file=/run/fake/$last
        case $verb in
        is-active) cat $file.state; [ "$(cat $file.state)" = active ]; exit ;;
        is-enabled) cat $file.enabled; exit ;;
        show) cat $file.pid 2>/dev/null; exit ;;
        list-unit-files) echo "$last enabled"; exit ;;
        enable) echo enabled > $file.enabled ;;
        restart) echo active > $file.state; rm -f $file.pid; [ "$last" != systemd-timesyncd ] || touch /run/fake/clock-is-set ;;
        esac
        echo "$*" | sed 's/ --quiet//' >> /run/fake/did
        END
        cat > /usr/local/sbin/journalctl <<'END'
        #!/bin/sh
        case $* in *vacuum*) echo "journalctl $*" >> /run/fake/did ;; *) echo "last words" ;; esac
        END
        printf '#!/bin/sh\\n' > /usr/local/sbin/timedatectl
        cat > /opt/nestbox/bin/ctr <<'END'
        #!/bin/sh
        shift 2
        case $* in
        version) ;;
        *"images list")
            echo "REF TYPE DIGEST SIZE PLATFORMS LABELS"
            echo "docker.io/library/used:1 t sha256:1 1 MiB l -"
            echo "docker.io/library/used@sha256:1 t sha256:1 1 MiB l -"
            echo "registry.k8s.io/pause:3.9 t sha256:2 1 MiB l -"
            echo "sha256:22 t sha256:2 1 MiB l -"
            echo "nestbox.dev/busybox:1 t sha256:3 1 MiB l -"
            echo "docker.io/library/unused:1 t sha256:4 1 MiB l -"
            echo "docker.io/library/unused@sha256:4 t sha256:4 1 MiB l -"
            ;;
        *"containers list")
            echo "CONTAINER IMAGE RUNTIME"
            echo "0123 docker.io/library/used:1 io.containerd.runc.v2"
            ;;
        *"images remove"*) for last; do :; done; echo "$last" >> /run/fake/removed ;;
        esac
        END
        chmod 755 /usr/local/sbin/* /opt/nestbox/bin/ctr
        """

    @discardableResult
    func sh(_ text: String) async throws -> String {
        let result = try await shell.run(text, timeout: .seconds(30))
        try #require(result.succeeded, "\(result.errorText) in \(text)")
        return result.text
    }

    func run(_ plan: Plan) async throws -> PlanOutcome {
        let connect = { @Sendable in
            SSHMachineShell(
                try await SSHConnection.connect(
                    to: server.target, key: server.userKey, hostKey: .trustFirst, logger: Logger(label: "test")))
        }
        return try await PlanRunner(connect: connect, logger: Logger(label: "test")) { _ in }.run(plan)
    }

    func repair(_ parameters: RepairParameters? = nil) async throws -> RepairFindings {
        var parameters = parameters ?? self.parameters
        // The computer's own disks may be as full as they like.
        if parameters.limits == RepairLimits() { parameters.limits = RepairLimits(diskMiB: 0, inodes: 0) }
        let outcome = try await run(.repair(parameters))
        #expect(outcome.result == .succeeded)
        var outputs = outcome.outputs
        // Nor are its memory and its cgroups this test's.
        for subject in ["memory", "cgroups"] { outputs["found.\(subject)"] = nil }
        return RepairFindings(outputs: outputs)
    }

    /// What the machine's systemd was told to do.
    func did() async throws -> String { try await sh("cat /run/fake/did 2>/dev/null || true") }
}

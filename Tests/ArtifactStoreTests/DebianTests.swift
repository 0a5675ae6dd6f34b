import KubernetesVersions
import Testing

@testable import ArtifactStore

@Suite struct AptSourcesTests {
    private func sources(deb822: String = "", list: String = "") -> String {
        var sources = AptSources(codename: "bookworm")
        sources.add(deb822: deb822)
        sources.add(list: list)
        return sources.text
    }

    @Test func deb822KeepsMirrorsAndDropsTheRest() {
        let text = sources(
            deb822: """
                # Debian
                Types: deb
                # a comment inside
                URIs: http://mirror.example/debian
                Suites: bookworm bookworm-updates bookworm-backports
                Components: main contrib
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                Types: deb
                URIs: https://packages.example/node_20.x
                Suites: nodistro
                Components: main
                Signed-By: /usr/share/keyrings/nodesource.gpg

                Types: deb
                URIs: https://download.example/linux/debian
                Suites: bookworm
                Components: main
                Signed-By:
                 -----BEGIN PGP PUBLIC KEY BLOCK-----
                 abc

                Types: deb
                URIs: http://off.example/debian
                Suites: bookworm
                Components: main
                Enabled: no

                """)
        #expect(
            text == """
                URIs: http://mirror.example/debian
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
                Types: deb deb-src
                Suites: bookworm bookworm-updates
                Components: main

                """)
    }

    @Test func listFormBecomesTheSame() {
        let text = sources(
            list: """
                # deb http://commented.example/debian bookworm main
                deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main contrib # why
                deb-src http://mirror.example/debian bookworm main
                deb http://security.example/debian-security bookworm-security main
                deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.example/linux/debian bookworm stable
                deb https://apt.example/postgres bookworm-pgdg main

                """)
        #expect(
            text == """
                URIs: http://mirror.example/debian
                Architectures: amd64 arm64
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
                Types: deb deb-src
                Suites: bookworm
                Components: main

                URIs: http://security.example/debian-security
                Types: deb deb-src
                Suites: bookworm-security
                Components: main

                """)
    }

    @Test func theSameEntryTwiceIsOne() {
        let line = "deb http://mirror.example/debian bookworm main\n"
        #expect(sources(list: line + line).components == 1)
    }

    @Test func aComputerWithoutDebianIsToldSo() async throws {
        try await withScratch { folder in
            let release = try #require(DebianRelease(osRelease: "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"))
            let error = #expect(throws: ArtifactError.self) { try AptSources.ofThisComputer(release, folder: folder) }
            #expect(error?.kind == .notAvailable)
            try FileSystem.write("deb http://mirror.example/debian bookworm main\n", to: "\(folder)/sources.list")
            #expect(try AptSources.ofThisComputer(release, folder: folder).entries.count == 1)
        }
    }
}

extension String {
    fileprivate var components: Int { split(separator: "\n").count { $0.hasPrefix("URIs") } }
}

@Suite struct DebianVersionTests {
    @Test(arguments: [
        ("1.20.5+really1.20.2-1.1+deb12u1", "1.20.2"), ("3.4.23-4+b4", "3.4.23"), ("1.6.20~ds1-1+deb12u3", "1.6.20"),
        ("1:1.4.7-1+b2", "1.4.7"), ("1.1.1+ds1-3+b5", "1.1.1"),
    ])
    func upstreamVersion(debian: String, upstream: String) {
        #expect(DebianPackages.upstreamVersion(debian) == upstream)
    }

    @Test func findsTheSourceOfAVersion() {
        let versions = ["1.20.5+really1.20.2-1.1+deb12u1", "1.32.3+ds-2"]
        #expect(DebianKubernetes.sourceVersion(of: KubernetesVersion(1, 20, 2), among: versions) == versions[0])
        #expect(DebianKubernetes.sourceVersion(of: KubernetesVersion(1, 32, 3), among: versions) == versions[1])
        #expect(DebianKubernetes.sourceVersion(of: KubernetesVersion(1, 20, 5), among: versions) == nil)
    }

    @Test func aStampIsWhatTheBinariesReport() {
        #expect(
            DebianKubernetes.versionFile(KubernetesVersion(1, 21, 0)) == """
                KUBE_GIT_COMMIT='debian'
                KUBE_GIT_TREE_STATE='clean'
                KUBE_GIT_VERSION='v1.21.0'
                KUBE_GIT_MAJOR='1'
                KUBE_GIT_MINOR='21'

                """)
    }

    @Test func onlyDebianItselfIsDebian() {
        #expect(DebianRelease(osRelease: "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n") == nil)
        #expect(DebianRelease(osRelease: "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")?.codename == "bookworm")
    }

    @Test func whatIsMissingIsNamedInOneCommand() {
        let missing = [
            BuildTools(file: "/nowhere/go", package: "golang-go"), BuildTools(file: "/usr/bin/env", package: "coreutils"),
            BuildTools(file: "/nowhere/jq", package: "jq"),
        ]
        let error = #expect(throws: ArtifactError.self) { try BuildTools.require(missing) }
        #expect(error?.kind == .missingTools)
        #expect(error?.message.hasSuffix("apt-get install golang-go jq") == true)
    }
}

@Suite struct BinaryCheckTests {
    @Test(arguments: [
        ("Kubernetes v1.20.2\n", "v1.20.2"), ("v1.36.2\n", "v1.36.2"), ("Client Version: v1.36.2\nKustomize Version: v5.6.0\n", "v1.36.2"),
        (#"Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2", GitCommit:"debian"}"#, "v1.20.2"),
    ])
    func readsWhatProgramsSay(output: String, version: String) {
        #expect(BinaryCheck.reportedVersion(output)?.description == version)
    }

    @Test func aProgramThatSaysNoVersion() { #expect(BinaryCheck.reportedVersion("usage: vim [file]\n") == nil) }
}

@Suite struct NodeToolsTests {
    @Test func scriptsBringProgramAndLibrariesTogether() {
        #expect(
            NodeToolsRecipe.scripts["iptables-restore"] == """
                #!/bin/sh
                root=${0%/*}/..
                [ -d "$root/libexec" ] || root=/opt/nestbox
                LD_LIBRARY_PATH=$root/lib XTABLES_LIBDIR=$root/lib/xtables exec "$root"/libexec/xtables-nft-multi iptables-restore "$@"

                """)
        #expect(NodeToolsRecipe.scripts["ip6tables-legacy-save"]?.contains("xtables-legacy-multi ip6tables-save") == true)
        #expect(NodeToolsRecipe.scripts.keys.contains("runc"))
    }
}

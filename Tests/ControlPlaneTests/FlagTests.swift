import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

/// Every flag that is passed, held to the `--help` of every version at hand: the artifact store's, and `NESTBOX_TEST_KUBERNETES`.
@Suite struct FlagTests {
    @Test(
        .enabled(if: !TestBinaries.kubernetesDirectories.isEmpty, "no Kubernetes binaries: nestbox artifacts get"),
        arguments: TestBinaries.kubernetesDirectories)
    func everyFlagIsKnown(directory: String) throws {
        let version = try #require(try TestBinaries.version(in: directory))
        let input = try Fixture.input(Fixture.cluster(version))
        let settings = input.settings
        let components = [
            ("kube-apiserver", APIServer.arguments(input)), ("kube-controller-manager", ControllerManager.arguments(settings)),
            ("kube-scheduler", Scheduler.arguments(settings)),
        ]
        for (binary, arguments) in components {
            let known = try flags(of: "\(directory)/\(binary)")
            #expect(Set(arguments.keys).subtracting(known) == [], "\(binary) \(version)")
        }
        let kubelet = try flags(of: "\(directory)/kubelet")
        let passed = KubeletConfiguration.flags(version: version, labels: ["a": "b"], taints: [.init(key: "a", effect: "NoSchedule")])
        #expect(Set(passed.map { String($0.dropFirst(2).prefix { $0 != "=" }) }).subtracting(kubelet) == [], "kubelet \(version)")
    }

    /// `      --name type   what it is`, and `  -v, --v Level`.
    private func flags(of binary: String) throws -> Set<String> {
        var flags: Set<String> = []
        for line in try Command.runBlocking([binary, "--help"]).split(separator: "\n") {
            guard let dashes = line.firstRange(of: "--"), line[..<dashes.lowerBound].allSatisfy({ " ,-".contains($0) || $0.isLetter })
            else {
                continue
            }
            flags.insert(String(line[dashes.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }))
        }
        return flags
    }
}

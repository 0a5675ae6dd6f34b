import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

/// Every flag that is passed, held to the `--help` of every version at hand: the artifact store's, and `NESTBOX_TEST_KUBERNETES`.
@Suite struct FlagTests {
    static let directories = binaryDirectories()

    @Test(.enabled(if: !directories.isEmpty, "no Kubernetes binaries: nestbox artifacts get"), arguments: directories)
    func everyFlagIsKnown(directory: String) throws {
        let version = try #require(KubernetesVersion(try run("\(directory)/kube-apiserver", "--version").split(whereSeparator: \.isWhitespace)[1]))
        let settings = try ClusterSettings(Fixture.cluster(version))
        let components = [
            ("kube-apiserver", APIServer.arguments(settings)), ("kube-controller-manager", ControllerManager.arguments(settings)),
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
        for line in try run(binary, "--help").split(separator: "\n") {
            guard let dashes = line.firstRange(of: "--"), line[..<dashes.lowerBound].allSatisfy({ " ,-".contains($0) || $0.isLetter })
            else {
                continue
            }
            flags.insert(String(line[dashes.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }))
        }
        return flags
    }

    private func run(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    private static func binaryDirectories() -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["NESTBOX_CACHE"] ?? "\(environment["HOME"] ?? "")/.cache/nestbox"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "\(cache)/kubernetes")) ?? []
        let stored = versions.flatMap { version in
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(cache)/kubernetes/\(version)")) ?? []).map {
                "\(cache)/kubernetes/\(version)/\($0)/bin"
            }
        }
        return (stored + [environment["NESTBOX_TEST_KUBERNETES"]].compactMap { $0 }).filter {
            FileManager.default.isExecutableFile(atPath: "\($0)/kube-apiserver")
        }
    }
}

import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// What a person gets wrong, through the built `nestbox`: a sentence on stderr, nothing on stdout, an exit code.
    @Suite struct BadInputTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var line: String
            var code = 64
            var says: String
            var testDescription: String { line }
        }

        static let cases = [
            Case(line: "create cluster Demo_1 --version v1.20.2", says: "metadata.name: \"Demo_1\" is not a DNS label"),
            Case(line: "create cluster \(String(repeating: "a", count: 64)) --version v1.20.2", says: "1 to 63 lower-case letters"),
            Case(line: "create cluster demo --version v1.99.0", says: "v1.99.0 is not a version that this Nestbox knows"),
            Case(line: "create cluster demo --version latest", says: "'latest' is invalid for '--version"),
            Case(line: "create cluster demo --version v1.20.2 --pod-cidr 10.96.0.0/12", says: "overlaps spec.network.pods, 10.96.0.0/12"),
            Case(line: "create cluster demo --version v1.20.2 --pod-cidr 10.244.1.7/16", says: "did you mean 10.244.0.0/16?"),
            Case(line: "create cluster demo --version v1.20.2 --replicas 2", says: "2 is not 1 or 3"),
            Case(line: "create cluster demo --version v1.20.2 --replicas -1", says: "-1 is not 1 or 3"),
            Case(line: "create cluster demo --version v1.20.2 --publish Ingress", says: "\"Ingress\" is not one of NodePort, LoadBalancer"),
            Case(
                line: "create cluster demo --version v1.20.2 -n no-such", code: 1,
                says: "Error from server (NotFound): namespaces \"no-such\""),
            Case(line: "create nodepool p --cluster no-such", code: 1, says: "there is no cluster no-such in namespace"),
            Case(line: "create nodepool p --cluster c --replicas -1", says: "-1 is less than 0"),
            Case(line: "create nodepool p --cluster c --label tier", says: "'tier' is invalid for '--label"),
            Case(
                line: "create machine m --address 10.0.0.300 --ssh-key-secret s",
                says: "\"10.0.0.300\" is not an IPv4 address"),
            Case(line: "create machine m --address 192.0.2.1 --port 0 --ssh-key-secret s", says: "0 is not a port"),
            Case(line: "describe cluster no-such", code: 1, says: "Error from server (NotFound): hostedclusters.nestbox.dev \"no-such\""),
            Case(line: "describe cluster a/status", code: 1, says: "a name has no / and no %"),
            Case(line: "delete machine no-such", code: 1, says: "Error from server (NotFound): machines.nestbox.dev \"no-such\" not found"),
            Case(line: "kubeconfig no-such", code: 1, says: "Error from server (NotFound)"),
            Case(line: "get clusters -l env=(", code: 1, says: "Error from server (BadRequest)"),
            Case(line: "get clusters --context no-such", code: 1, says: "has no context no-such; it has: here, elsewhere"),
            Case(
                line: "get clusters --kubeconfig /no/such/file", code: 1, says: "the kubeconfig /no/such/file is missing or cannot be read"),
            Case(
                line: "get clusters --kubeconfig /etc/hostname", code: 1,
                says: "the kubeconfig /etc/hostname cannot be used: it is not a kubeconfig"),
            Case(line: "debug dump", says: "name a cluster (nestbox debug dump cluster NAME), or say --all"),
            Case(line: "debug dump cluster", says: "which cluster? nestbox debug dump cluster NAME"),
            Case(line: "debug dump cluster no-such", code: 1, says: "Error from server (NotFound)"),
            Case(line: "lab status --name Bad_Name", code: 1, says: "Bad_Name"),
            Case(line: "artifacts import v1.20.2 /no/such/folder", code: 1, says: "/no/such/folder"),
        ]

        /// Words that only Swift says.
        static let swiftWords = ["Error(", "Optional(", "Domain=", "Fatal", "swift", "KubernetesError", "NIO"]

        @Test func eachIsOneClearSentence() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                for wrong in Self.cases {
                    let outcome = try await host.nestbox(wrong.line)
                    #expect(outcome.code == wrong.code, "\(wrong.line): \(outcome.error)")
                    #expect(outcome.output.isEmpty, "\(wrong.line)")
                    #expect(outcome.error.contains(wrong.says), "\(wrong.line): \(outcome.error)")
                    for word in Self.swiftWords { #expect(!outcome.error.contains(word), "\(wrong.line): \(outcome.error)") }
                    let sentence = outcome.error.split(separator: "\n").first ?? ""
                    #expect(sentence.hasPrefix("Error"), "\(wrong.line): \(outcome.error)")
                    // Usage may follow what is wrong with the usage, and nothing else.
                    #expect(outcome.error.split(separator: "\n").count == 1 || wrong.code == 64, "\(wrong.line): \(outcome.error)")
                }
            }
        }

        @Test func aServerThatIsNotThereIsNamed() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                let port = try await freePort()
                let file = "\(host.folder)/refused"
                try host.writeKubeconfig(file, server: "https://127.0.0.1:\(port)", token: "x")
                let outcome = try await host.nestbox("get clusters --kubeconfig \(file)")
                #expect(outcome.code == 1 && outcome.output.isEmpty)
                #expect(outcome.error.contains("cannot connect to 127.0.0.1:\(port): Connection refused; is the host cluster up"))
            }
        }

        @Test func credentialsThatAreNotTakenAreSaidSo() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                let file = "\(host.folder)/stranger"
                try host.writeKubeconfig(file, token: "a-secret-that-is-wrong")
                let outcome = try await host.nestbox("get clusters --kubeconfig \(file)")
                #expect(outcome == .init(code: 1, output: "", error: "Error from server (Unauthorized): Unauthorized\n"))
            }
        }
    }
}

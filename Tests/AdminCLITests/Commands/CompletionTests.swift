import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// The script of `nestbox completion bash`, in bash.
    @Suite struct CompletionTests {
        /// What bash would offer for the last word.
        private func offered(_ host: HostUnderTest, _ words: [String]) async throws -> [String] {
            let script = """
                source <(nestbox completion bash)
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
                _nestbox nestbox "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            var commands = host.commands
            commands.environment["PATH"] = "\(CommandRun.products):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
            let outcome = try await commands.outcome("bash", ["-c", script, "bash", "nestbox"] + words)
            #expect(outcome.error.isEmpty, "\(words): \(outcome.error)")
            return outcome.output.split(separator: "\n").map(String.init)
        }

        /// Asks again, for a completion that takes too long offers nothing, and the computer may be busy.
        private func expect(_ host: HostUnderTest, _ line: String, offers names: [String]) async throws {
            let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let deadline = ContinuousClock.now + .seconds(30)
            var found: [String] = []
            repeat { found = try await offered(host, words) } while found != names && .now < deadline
            #expect(found == names, "\(line)")
        }

        @Test func namesComeFromTheAPI() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                for name in ["demo", "dev", "prod"] { try await host.done("create cluster \(name) --version v1.20.2") }
                try await host.done("create nodepool workers --cluster demo --replicas 1")
                try await expect(host, "describe cluster ", offers: ["demo", "dev", "prod"])
                try await expect(host, "get clusters d", offers: ["demo", "dev"])
                try await expect(host, "kubeconfig p", offers: ["prod"])
                try await expect(host, "create nodepool x --cluster de", offers: ["demo", "dev"])
                try await expect(host, "scale nodepool ", offers: ["workers"])
                let machine = "m-\(host.namespace)"
                try await host.done("create machine \(machine) --ssh-key-secret fleet --address 198.25.0.1")
                for verb in ["check", "clean", "quarantine", "release", "logs", "accept-host-key", "rotate-key"] {
                    try await expect(host, "machine \(verb) \(machine)", offers: [machine])
                }
                try await host.client.delete(Machine.self, machine)
                #expect(try await offered(host, ["describe", "cluster", "-n", "kube-system", ""]).isEmpty)
                try await expect(host, "get clusters -n \(host.namespace)", offers: [host.namespace])
                try await expect(host, "get clusters --context ", offers: ["here", "elsewhere"])
                try await expect(host, "create machine m --reuse ", offers: ["SameTenant", "AnyTenant", "Reimage"])
                try await expect(host, "de", offers: ["describe", "delete", "debug"])
            }
        }

        @Test func whatFailsOffersNothingSoonAndSaysNothing() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                let port = try await freePort()
                let refused = "\(host.folder)/refused"
                try host.writeKubeconfig(refused, server: "https://127.0.0.1:\(port)", token: "x")
                // An address that is kept for examples: nothing there answers, nor refuses.
                let silent = "\(host.folder)/silent"
                try host.writeKubeconfig(silent, server: "https://192.0.2.1:6443", token: "x")
                for file in [refused, silent, "/no/such/file"] {
                    let start = ContinuousClock.now
                    #expect(try await offered(host, ["describe", "cluster", "--kubeconfig", file, ""]).isEmpty)
                    // Far from what a client's patience is: connections are tried for a minute.
                    #expect(ContinuousClock.now - start < .seconds(20), "\(file)")
                }
            }
        }

        @Test(arguments: [("bash", "#!/bin/bash"), ("zsh", "#compdef nestbox"), ("fish", "complete -c 'nestbox'")])
        func everyShellHasAScript(shell: String, part: String) async throws {
            let commands = CommandRun(environment: [:])
            #expect(try await commands.nestbox("completion", shell).contains(part))
        }
    }
}

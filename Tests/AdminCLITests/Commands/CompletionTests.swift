import Foundation
import KubernetesAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

/// The script of `nestbox completion bash`, in bash.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(5))) struct CompletionTests {
    /// What bash would offer for the last word.
    private func offered(_ host: HostUnderTest, _ words: String...) async throws -> [String] {
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

    @Test func namesComeFromTheAPI() async throws {
        try await HostUnderTest.with(try TestKubernetes.current()) { host in
            for name in ["demo", "dev", "prod"] { try await host.done("create cluster \(name) --version v1.20.2") }
            try await host.done("create nodepool workers --cluster demo --replicas 1")
            #expect(try await offered(host, "describe", "cluster", "") == ["demo", "dev", "prod"])
            #expect(try await offered(host, "get", "clusters", "d") == ["demo", "dev"])
            #expect(try await offered(host, "kubeconfig", "p") == ["prod"])
            #expect(try await offered(host, "create", "nodepool", "x", "--cluster", "de") == ["demo", "dev"])
            #expect(try await offered(host, "scale", "nodepool", "") == ["workers"])
            #expect(try await offered(host, "describe", "cluster", "-n", "kube-system", "").isEmpty)
            #expect(try await offered(host, "get", "clusters", "-n", host.namespace) == [host.namespace])
            #expect(try await offered(host, "get", "clusters", "--context", "") == ["here", "elsewhere"])
            #expect(try await offered(host, "create", "machine", "m", "--reuse", "") == ["SameTenant", "AnyTenant"])
            #expect(try await offered(host, "de") == ["describe", "delete"])
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
                #expect(try await offered(host, "describe", "cluster", "--kubeconfig", file, "").isEmpty)
                #expect(ContinuousClock.now - start < .seconds(8), "\(file)")
            }
        }
    }

    @Test func everyShellHasAScript() async throws {
        try await HostUnderTest.with(try TestKubernetes.current()) { host in
            #expect(try await host.done("completion bash").hasPrefix("#!/bin/bash"))
            #expect(try await host.done("completion zsh").hasPrefix("#compdef nestbox"))
            #expect(try await host.done("completion fish").contains("complete -c 'nestbox'"))
            #expect(try await host.nestbox("completion csh").code == 64)
        }
    }
}

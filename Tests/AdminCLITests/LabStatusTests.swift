import Lab
import Testing

@testable import AdminCLI

@Suite struct LabStatusTests {
    @Test func aLineForEachPart() {
        let status = LabStatus(
            name: "demo", phase: .degraded, hostAddress: "10.89.0.2", kubernetesVersion: "v1.20.2",
            components: [PartStatus(name: "kube-apiserver", phase: .running)],
            machines: [PartStatus(name: "worker-1", phase: .restarting, restarts: 2, lastEnd: "exit code 1")])
        #expect(
            LabStatusCommand.table(status) == """
                lab demo: degraded, Kubernetes v1.20.2 at 10.89.0.2
                  kube-apiserver   running      0 restarts
                  worker-1         restarting   2 restarts   last: exit code 1

                """)
    }
}

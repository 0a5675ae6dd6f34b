import KubernetesAPI
import NestboxAPI
import Testing

@Suite struct FactLabelTests {
    static let server = MachineFacts(
        architecture: "arm64", operatingSystem: "Debian GNU/Linux 12 (bookworm)", kernel: "6.1.0-18-arm64", cpus: 128, memoryMiB: 515_843,
        operatingSystemID: "debian", operatingSystemVersion: "12",
        disks: [DiskFact(name: "nvme0n1", sizeGiB: 894, kind: "nvme"), DiskFact(name: "sda", sizeGiB: 7452, kind: "hdd")],
        gpus: [GPUFact(vendor: "intel", device: "8086:56c0", count: 1), GPUFact(vendor: "nvidia", device: "10de:20b5", count: 8)])

    @Test func aServerIsSaidByLabels() {
        #expect(
            Self.server.labels == [
                "nestbox.dev/arch": "arm64", "nestbox.dev/os": "debian", "nestbox.dev/os-version": "12", "nestbox.dev/kernel": "6.1",
                "nestbox.dev/cpus": "128", "nestbox.dev/memory-gib": "512", "nestbox.dev/disks": "2", "nestbox.dev/disk-kind": "nvme",
                "nestbox.dev/disk-gib": "8346", "nestbox.dev/gpu": "nvidia", "nestbox.dev/gpu-device": "10de-20b5", "nestbox.dev/gpus": "9",
            ])
        #expect(MachineFacts().labels.isEmpty)
    }

    /// What the kernel says of memory that was bought by the gigabyte.
    @Test(arguments: [
        (1970, 2), (3919, 4), (7937, 8), (15_987, 16), (32_011, 32), (64_238, 64), (128_838, 128), (257_611, 256), (1_031_700, 1024),
        (2_063_500, 2048), (40_100, 40),
    ])
    func memoryIsAsItWasBought(mebibytes: Int, label: Int) {
        #expect(MachineFacts(memoryMiB: mebibytes).labels["nestbox.dev/memory-gib"] == "\(label)")
    }

    /// A machine may say anything; a label that is none would keep the others from being set.
    @Test func whatIsNoLabelIsLeftOut() {
        let facts = MachineFacts(
            architecture: "x86; rm -rf /", kernel: "six.one", operatingSystemID: String(repeating: "a", count: 64),
            operatingSystemVersion: "-12")
        #expect(facts.labels.isEmpty)
        let selector = LabelSelector(
            matchLabels: ["nestbox.dev/arch": "arm64"],
            matchExpressions: [LabelSelectorRequirement(key: "nestbox.dev/gpu", operator: "Exists")])
        #expect(selector.matches(Self.server.labels))
        #expect(!selector.matches(facts.labels))
    }
}

/// What pools select by, of what a Machine's facts say. The operator sets these labels; one that a person set is the person's.
public enum FactLabel: String, CaseIterable, Sendable {
    /// `amd64` or `arm64`.
    case architecture = "nestbox.dev/arch"
    /// `debian`.
    case operatingSystem = "nestbox.dev/os"
    /// `12`.
    case operatingSystemVersion = "nestbox.dev/os-version"
    /// The first two numbers of it: `6.1`.
    case kernel = "nestbox.dev/kernel"
    case cpus = "nestbox.dev/cpus"
    /// As it was bought: what the kernel keeps for itself is rounded away (`128` for 125.8).
    case memory = "nestbox.dev/memory-gib"
    /// How many disks.
    case disks = "nestbox.dev/disks"
    /// Of the fastest: `nvme`, `ssd`, `hdd` or `virtual`.
    case diskKind = "nestbox.dev/disk-kind"
    /// Of all of them.
    case diskSize = "nestbox.dev/disk-gib"
    /// `nvidia`, `amd` or `intel`; not there without one.
    case gpu = "nestbox.dev/gpu"
    /// PCI ids: `10de-20b5`.
    case gpuDevice = "nestbox.dev/gpu-device"
    /// How many of them.
    case gpus = "nestbox.dev/gpus"
}

extension MachineFacts {
    /// The labels that follow from them. What a machine says may be made up: a value that is none is left out.
    public var labels: [String: String] {
        var labels: [FactLabel: String] = [:]
        labels[.architecture] = architecture
        labels[.operatingSystem] = operatingSystemID
        labels[.operatingSystemVersion] = operatingSystemVersion
        labels[.kernel] = kernel.flatMap { Self.release($0) }
        labels[.cpus] = cpus.map(String.init)
        labels[.memory] = memoryMiB.map { String(Self.nominalGiB($0)) }
        if let disks, !disks.isEmpty {
            labels[.disks] = String(disks.count)
            labels[.diskKind] = ["nvme", "ssd", "hdd", "virtual"].first { kind in disks.contains { $0.kind == kind } }
            labels[.diskSize] = String(disks.reduce(0) { $0 + $1.sizeGiB })
        }
        if let gpus, let first = gpus.max(by: { $0.count < $1.count }) {
            labels[.gpu] = first.vendor
            labels[.gpuDevice] = first.device.replacing(":", with: "-")
            labels[.gpus] = String(gpus.reduce(0) { $0 + $1.count })
        }
        return Dictionary(
            uniqueKeysWithValues: labels.filter { !$0.value.isEmpty && Syntax.labelValue.accepts($0.value) }.map {
                ($0.key.rawValue, $0.value)
            })
    }

    /// `6.1` of `6.1.0-18-amd64`.
    private static func release(_ kernel: String) -> String? {
        let numbers = kernel.split(separator: ".", maxSplits: 2).prefix(2)
        return numbers.count == 2 && numbers.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
            ? numbers.joined(separator: ".") : nil
    }

    /// Rounded up to a size that memory is sold in; the kernel keeps some 2 % for itself.
    private static func nominalGiB(_ mebibytes: Int) -> Int {
        let exact = Double(max(0, mebibytes)) / 1024
        let step: Double =
            switch exact {
            case ...16: 1
            case ...64: 4
            case ...256: 8
            case ...1024: 32
            default: 64
            }
        return Int((exact / step).rounded(.up) * step)
    }
}

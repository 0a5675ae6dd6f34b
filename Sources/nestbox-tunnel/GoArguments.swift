import ArgumentParser
import Glibc
import KubernetesAPI

/// Command lines written for Go's flags: a switch may stand alone or with its value, and a value may be empty, which is as good as
/// none.
enum GoArguments {
    private static let switches: Set<String> = [
        "--sync-forever", "--enable-profiling", "--enable-contention-profiling", "--warn-on-channel-limit", "--count-server-leases",
        "--delete-existing-uds-file", "--enable-lease-controller", "--logtostderr", "--alsologtostderr", "--add-dir-header",
        "--skip-headers", "--skip-log-headers", "--one-output", "--legacy-stderr-threshold-behavior",
    ]

    static func translated(_ arguments: some Sequence<String>) -> [String] {
        arguments.filter { !$0.hasPrefix("--") || $0.firstIndex(of: "=") != $0.indices.last }
            .map { switches.contains($0) ? $0 + "=true" : $0 }
    }
}

/// A length of time as Go writes it: `1h30m`, `100ms`.
struct GoTime: ExpressibleByArgument {
    var duration: Duration
    var defaultValueDescription: String { GoDuration(seconds: duration / .seconds(1)).description }

    init(seconds: Double) { duration = .seconds(seconds) }

    init?(argument: String) {
        guard let time = GoDuration(argument), time.seconds >= 0 else { return nil }
        self.init(seconds: time.seconds)
    }
}

enum ProcessEnvironment {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
}

import ArgumentParser

/// Flags of upstream's log, which its manifests are full of. Logs go to standard error here, and `--log-level` says how much.
struct UpstreamLogFlags: ParsableArguments {
    @Option(name: [.customShort("v"), .customLong("v")]) var verbosity = ""
    @Option var vmodule = ""
    @Option var logtostderr = ""
    @Option var alsologtostderr = ""
    @Option var alsologtostderrthreshold = ""
    @Option var stderrthreshold = ""
    @Option var legacyStderrThresholdBehavior = ""
    @Option var addDirHeader = ""
    @Option var skipHeaders = ""
    @Option var skipLogHeaders = ""
    @Option var oneOutput = ""
    @Option var logBacktraceAt = ""
    @Option var logDir = ""
    @Option var logFile = ""
    @Option var logFileMaxSize = ""
}

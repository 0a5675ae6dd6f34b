import FoundationEssentials

extension ArtifactStore {
    /// What a store may use beside its own folder.
    public struct Settings: Sendable {
        /// An HTTP folder that `nestbox artifacts export` wrote.
        public var mirror: String?
        /// Asks nothing of the internet's official release.
        public var offline: Bool

        public init(mirror: String? = nil, offline: Bool = false) {
            self.mirror = mirror
            self.offline = offline
        }

        /// `NESTBOX_ARTIFACTS_URL`, and `NESTBOX_OFFLINE=1`.
        public static func fromEnvironment(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Settings {
            Settings(
                mirror: environment["NESTBOX_ARTIFACTS_URL"].flatMap { $0.isEmpty ? nil : $0 },
                offline: ["1", "true", "yes"].contains(environment["NESTBOX_OFFLINE"]?.lowercased()))
        }
    }
}

import FoundationEssentials

extension ArtifactStore {
    /// What a store may use beside its own folder.
    public struct Settings: Sendable {
        /// An HTTP folder that `nestbox artifacts export` wrote.
        public var mirror: String?
        /// Where official releases are published.
        public var officialURL: String
        /// Asks nothing of the internet's official release.
        public var offline: Bool

        /// Tells sources on the network apart from those that were found out of reach in this process.
        var unreachable = UnreachableHosts.shared
        var downloader = Downloader()
        /// Whether Debian's packages may be asked.
        var debian = true

        public init(mirror: String? = nil, officialURL: String = "https://dl.k8s.io/release", offline: Bool = false) {
            self.mirror = mirror.map(Self.withoutSlash)
            self.officialURL = Self.withoutSlash(officialURL)
            self.offline = offline
        }

        private static func withoutSlash(_ url: String) -> String {
            var url = url[...]
            while url.hasSuffix("/") { url = url.dropLast() }
            return String(url)
        }

        /// `NESTBOX_ARTIFACTS_URL`, and `NESTBOX_OFFLINE=1`.
        public static func fromEnvironment(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Settings {
            Settings(
                mirror: environment["NESTBOX_ARTIFACTS_URL"].flatMap { $0.isEmpty ? nil : $0 },
                offline: ["1", "true", "yes"].contains(environment["NESTBOX_OFFLINE"]?.lowercased()))
        }
    }
}

/// A processor architecture, by the name that Go, Kubernetes and Debian share.
public enum Architecture: String, Sendable, CaseIterable, Codable {
    case amd64
    case arm64

    #if arch(arm64)
        public static let current = Architecture.arm64
    #else
        public static let current = Architecture.amd64
    #endif

    /// Where Debian keeps this architecture's shared libraries, below `lib` and `usr/lib`.
    var multiarchFolder: String {
        switch self {
        case .amd64: "x86_64-linux-gnu"
        case .arm64: "aarch64-linux-gnu"
        }
    }

    /// The dynamic loader that executables of this architecture name.
    var loader: String {
        switch self {
        case .amd64: "/lib64/ld-linux-x86-64.so.2"
        case .arm64: "/lib/ld-linux-aarch64.so.1"
        }
    }

    /// `e_machine` in the header of this architecture's ELF files.
    var elfMachine: UInt16 {
        switch self {
        case .amd64: 62
        case .arm64: 183
        }
    }
}

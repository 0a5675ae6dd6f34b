// swift-tools-version: 6.2
import PackageDescription

/// Every module is compiled the same way: Swift 6, warnings are errors.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

extension Target.Dependency {
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let nioConcurrency = product(name: "NIOConcurrencyHelpers", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioHPACK = product(name: "NIOHPACK", package: "swift-nio-http2")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTP2 = product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let serviceLifecycleTesting = product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let x509 = product(name: "X509", package: "swift-certificates")
    static let yams = product(name: "Yams", package: "Yams")
}

/// The modules, from the top down: a module imports only those below it.
let modules: [(name: String, dependencies: [Target.Dependency])] = [
    (
        "AdminCLI",
        [
            "ArtifactStore", "ControlPlane", "KubernetesAPI", "KubernetesClient", "KubernetesVersions", "Lab", "NestboxAPI", "SSHClient",
            .argumentParser, .logging, .subprocess, .unixSignals, .yams,
        ]
    ),
    (
        "Lab",
        [
            "ArtifactStore", "ControlPlane", "KubernetesAPI", "KubernetesClient", "KubernetesVersions", "NestboxAPI", .logging, .subprocess,
        ]
    ),
    (
        "Operator",
        [
            "ArtifactStore", "ControlPlane", "ControllerRuntime", "HexDigest", "KubernetesAPI", "KubernetesClient", "KubernetesVersions",
            "PrometheusMetrics",
            "NestboxAPI", "NodeJoin", "SSHClient", .crypto, .hummingbird, .hummingbirdCore, .logging, .serviceLifecycle,
        ]
    ),
    ("NodeJoin", ["ArtifactStore", "HexDigest", "KubernetesVersions", "NestboxAPI", "SSHClient", .crypto, .logging]),
    ("ControlPlane", ["HexDigest", "KubernetesAPI", "KubernetesVersions", "NestboxAPI", .asn1, .crypto, .x509]),
    (
        "TunnelService",
        [
            "ControllerRuntime", "KubernetesAPI", "KubernetesClient", "PrometheusMetrics", "Tunnel", .hummingbird, .logging,
            .asn1, .nioCore, .nioPosix, .serviceLifecycle, .x509,
        ]
    ),
    ("NodeAgent", ["PrometheusMetrics", "Tunnel", .logging, .nioCore, .nioPosix, .nioSSL, .serviceLifecycle]),
    (
        "Tunnel",
        [
            "CMalloc", "PrometheusMetrics", .logging, .nioConcurrency, .nioCore, .nioHPACK, .nioHTTP2, .nioPosix, .nioSSL, .nioTLS,
            .serviceLifecycle,
        ]
    ),
    ("ArtifactStore", ["CCurl", "HexDigest", "KubernetesVersions", .crypto, .logging, .subprocess]),
    ("SSHClient", ["CSSH2", "HexDigest", .crypto, .logging]),
    ("ControllerRuntime", ["KubernetesAPI", "KubernetesClient", "PrometheusMetrics", .logging, .serviceLifecycle]),
    (
        "KubernetesClient",
        [
            "KubernetesAPI", "PrometheusMetrics", .asyncHTTPClient, .logging, .nioCore, .nioHPACK, .nioHTTP1, .nioHTTP2, .nioPosix,
            .nioSSL, .subprocess, .yams,
        ]
    ),
    ("KubernetesVersions", []),
    ("NestboxAPI", ["KubernetesAPI", "KubernetesVersions"]),
    ("KubernetesAPI", []),
    ("HexDigest", [.crypto]),
    ("PrometheusMetrics", []),
]

/// What only a module's tests need.
let testDependencies: [String: [Target.Dependency]] = [
    "AdminCLI": ["TestCommands", "TestKubernetes"],
    "ControlPlane": ["TestKubernetes", "TestListener", .cryptoExtras, .nioCore, .nioPosix, .yams],
    "NestboxAPI": ["KubernetesClient", "TestKubernetes", .subprocess, .yams],
    "NodeJoin": ["Lab", "TestKubernetes", "TestSSHServer"],
    "Operator": ["TestCampaign", "TestCommands", "TestKubernetes", "TestSSHServer", "Tunnel", .yams],
    "SSHClient": ["TestSSHServer"],
    "ControllerRuntime": ["TestKubernetes", .serviceLifecycleTesting],
    "KubernetesClient": ["TestKubernetes", .asyncHTTPClient, .nioEmbedded],
    "Tunnel": [.nioEmbedded],
    "TunnelService": ["NodeAgent", "TestKubernetes", "TestTunnel", .crypto, .nioHTTP1, .nioHPACK, .nioHTTP2, .nioSSL],
]

let package = Package(
    name: "nestbox",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "nestbox", targets: ["nestbox"]),
        .executable(name: "nestbox-operator", targets: ["nestbox-operator"]),
        .executable(name: "nestbox-tunnel", targets: ["nestbox-tunnel"]),
        .executable(name: "nestbox-node", targets: ["nestbox-node"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .executableTarget(name: "nestbox", dependencies: ["AdminCLI", .argumentParser], swiftSettings: settings),
        .executableTarget(
            name: "nestbox-operator", dependencies: ["Operator", "SSHClient", .argumentParser, .logging, .serviceLifecycle, .unixSignals],
            swiftSettings: settings),
        .executableTarget(
            name: "nestbox-tunnel",
            dependencies: [
                "KubernetesAPI", "KubernetesClient", "TunnelService", "Tunnel", .argumentParser, .logging, .serviceLifecycle, .unixSignals,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "nestbox-node", dependencies: ["NodeAgent", "Tunnel", .logging, .serviceLifecycle, .unixSignals], swiftSettings: settings,
            // It runs on machines that have no Swift, whatever the configuration it was built with. What that flag exports to plugins,
            // which there are none of, would keep all of it in the file and, as the kernel maps code by large pieces, in memory.
            linkerSettings: [.unsafeFlags(["-static-stdlib", "-Xlinker", "--no-export-dynamic"])]),
    ]
        + modules.map { .target(name: $0.name, dependencies: $0.dependencies, swiftSettings: settings) }
        + [
            // A real API server for integration tests; no product links it.
            .target(
                name: "TestKubernetes",
                dependencies: [
                    "ArtifactStore", "ControlPlane", "KubernetesAPI", "KubernetesClient", "KubernetesVersions", "TestListener", .logging,
                    .nioCore, .nioHTTP1, .nioPosix, .nioSSL, .subprocess,
                ],
                path: "Tests/Support/TestKubernetes", swiftSettings: settings),
            // A server of a test's own.
            .target(
                name: "TestListener", dependencies: [.nioCore, .nioPosix], path: "Tests/Support/TestListener", swiftSettings: settings),
            // The built executables, run as a person runs them.
            .target(name: "TestCommands", dependencies: [.subprocess], path: "Tests/Support/TestCommands", swiftSettings: settings),
            // A real SSH server for tests; no product links it.
            .target(name: "TestSSHServer", dependencies: ["SSHClient"], path: "Tests/Support/TestSSHServer", swiftSettings: settings),
            // Connections, targets and certificates for tests of the tunnel; no product links it.
            .target(
                name: "TestTunnel", dependencies: ["TestListener", "Tunnel", .asn1, .crypto, .nioCore, .nioPosix, .x509],
                path: "Tests/Support/TestTunnel", swiftSettings: settings),
            // What campaigns share: seeds, options, and how they report.
            .target(name: "TestCampaign", dependencies: [.argumentParser], path: "Tests/Support/TestCampaign", swiftSettings: settings),
            // A constant load on an API, and what its client saw and was promised.
            .target(
                name: "TestLoad", dependencies: ["KubernetesAPI", "KubernetesClient", .logging], path: "Tests/Support/TestLoad",
                swiftSettings: settings),
            // What `make soak` and `make chaos` run.
            .executableTarget(
                name: "tunnel-campaign",
                dependencies: ["TestCampaign", "TestTunnel", "Tunnel", .argumentParser, .crypto, .nioCore, .nioPosix],
                path: "Tests/TunnelCampaign", swiftSettings: settings),
            // What `make chaos ONLY=pools` and `make chaos ONLY=operator` run.
            .executableTarget(
                name: "pool-campaign", dependencies: ["TestCampaign", "TestCommands", .argumentParser], path: "Tests/PoolCampaign",
                swiftSettings: settings),
            // What `make chaos ONLY=control-plane` and `make chaos ONLY=etcd` run.
            .executableTarget(
                name: "control-plane-campaign",
                dependencies: ["KubernetesClient", "TestCampaign", "TestCommands", "TestLoad", .argumentParser, .logging],
                path: "Tests/ControlPlaneCampaign", swiftSettings: settings),
        ]
        + [
            .testTarget(
                name: "EndToEndTests",
                dependencies: ["KubernetesClient", "KubernetesVersions", "TestCommands", "TestLoad", "TestTunnel", .logging],
                swiftSettings: settings),
            .testTarget(
                name: "ControlPlaneCampaignTests", dependencies: ["control-plane-campaign", "TestCampaign", "TestLoad"],
                swiftSettings: settings),
            .testTarget(
                name: "PoolCampaignTests", dependencies: ["pool-campaign", "TestCampaign", "TestCommands"], swiftSettings: settings),
        ]
        + modules.map {
            .testTarget(
                name: "\($0.name)Tests",
                dependencies: [.init(stringLiteral: $0.name)] + $0.dependencies + testDependencies[$0.name, default: []],
                swiftSettings: settings)
        }
)

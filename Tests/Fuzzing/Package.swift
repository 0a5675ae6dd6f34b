// swift-tools-version: 6.2
import PackageDescription

// The fuzz targets, and the modules they fuzz. Those are the main package's own sources, by symbolic links, so that they can be built
// with libFuzzer's instrumentation and nothing else is; that weighs on no build of the main package. `make fuzz` builds and runs it.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
// Optimised, for many cases a second, and with every assertion in all the same.
let fuzzed: [SwiftSetting] = [
    .unsafeFlags(["-enable-testing", "-assert-config", "Debug", "-Xfrontend", "-sanitize=fuzzer"])
]

func nio(_ name: String, in package: String = "swift-nio") -> Target.Dependency { .product(name: name, package: package) }
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "NodeAgent", "Tunnel", logging, nio("NIOCore"), nio("NIOEmbedded"), nio("NIOHTTP2", in: "swift-nio-http2"),
            ],
            swiftSettings: settings + fuzzed),
        .target(
            name: "NodeAgent",
            dependencies: [
                "PrometheusMetrics", "Tunnel", logging, nio("NIOCore"), nio("NIOPosix"), nio("NIOSSL", in: "swift-nio-ssl"), lifecycle,
            ],
            swiftSettings: settings + fuzzed),
        .target(
            name: "Tunnel",
            dependencies: [
                "CMalloc", "PrometheusMetrics", logging, nio("NIOConcurrencyHelpers"), nio("NIOCore"), nio("NIOPosix"), nio("NIOTLS"),
                nio("NIOHPACK", in: "swift-nio-http2"), nio("NIOHTTP2", in: "swift-nio-http2"), nio("NIOSSL", in: "swift-nio-ssl"),
                lifecycle,
            ],
            swiftSettings: settings + fuzzed),
        .target(name: "PrometheusMetrics", swiftSettings: settings),
        .systemLibrary(name: "CMalloc"),
    ]
)

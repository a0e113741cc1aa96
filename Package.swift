// swift-tools-version: 6.2
import PackageDescription

let swift6: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// For the code a request passes: an asynchronous function stays where its caller is, so that no executor is looked up and
/// none switched from call to call.
let onCallersExecutor: [SwiftSetting] = swift6 + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// A library target of the house: what it may import is exactly what is listed here (held by ArchitectureTests).
func module(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: onCallersExecutor)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = [])
    -> Target
{
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swift6)
}

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let yams = product(name: "Yams", package: "Yams")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
}

let package = Package(
    name: "portico",
    products: [
        .executable(name: "app", targets: ["app"]),
        .library(name: "Portico", targets: ["Portico"]),
        .plugin(name: "EmbedResources", targets: ["EmbedResources"]),
    ],
    dependencies: [
        // Sockets and event loops: as fast as nginx here, and nothing else in Swift is.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The logging API that sites and libraries already speak.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // The API that sites and libraries count by.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // HMAC and random bytes for signed cookies and CSRF tokens.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // The command line: parsing, help, completions.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // YAML nodes with line and column, for configuration errors that name their place.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // SQLite: connections, statements, transactions.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .executableTarget(name: "app", dependencies: ["Portico", "Polls"], swiftSettings: swift6),
        .target(
            name: "Polls", dependencies: ["Portico"], path: "Sites/Polls", exclude: ["Documentation", "deploy"],
            swiftSettings: onCallersExecutor, plugins: ["EmbedResources"]),
        module(
            "Portico",
            [
                "Config", "Supervisor", "Server", "Front", "Gateway", "Python", "Web", "Telemetry", "Platform", "HTTP",
                "LiveReload", "Diagnosis", .nioCore, .argumentParser, .logging, .metrics,
            ]),

        module("Config", [.yams]),
        module("Supervisor", ["Platform", .logging]),
        module(
            "Server", ["Gateway", "HTTP", "Platform", "CZlib", .nioCore, .crypto, .logging]),
        .target(
            name: "Python", dependencies: ["Gateway", "HTTP", "Platform", "CPython", .nioCore, .logging],
            resources: [
                .embedInCode("Scripts/portico_probe.py"), .embedInCode("Scripts/portico_process.py"),
                .embedInCode("Scripts/portico_support.py"),
                .embedInCode("Scripts/portico_asgi.py"),
            ], swiftSettings: onCallersExecutor),
        .target(name: "CPython"),
        module("Front", ["Gateway", "HTTP", "Platform", "CZlib", "CDeflate", .nioCore, .logging]),
        module("Gateway", ["HTTP", "Platform", .nioCore, .nioPosix, .logging]),
        module("Diagnosis", ["Gateway", "HTTP", "Platform", .nioCore]),
        module(
            "Web", ["Diagnosis", "Gateway", "Templates", "HTTP", .nioCore, .nioEmbedded, .grdb, .crypto, .logging]),
        module("Templates"),
        module("HTTP", [.nioCore]),
        module("LiveReload", ["Diagnosis", "Gateway", "HTTP", "Platform", .nioCore, .logging]),
        module("Telemetry", ["Platform", .logging, .metrics]),
        module("Platform", ["CPlatform"]),
        .target(name: "CPlatform"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["libz-dev"])]),
        // Whole bodies, in half of zlib's time.
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),

        .plugin(
            name: "EmbedResources", capability: .buildTool(), dependencies: ["embed-resources"],
            path: "Sources/EmbedResources"),
        .executableTarget(name: "embed-resources", path: "Sources/embed-resources", swiftSettings: swift6),

        // What tests share: a folder of their own, and starting the binary and speaking to it.
        .target(name: "TestSupport", dependencies: ["Platform"], path: "Tests/TestSupport", swiftSettings: swift6),

        tests("ArchitectureTests", []),
        tests("ConfigTests", ["Config", "TestSupport"]),
        tests("EndToEndTests", ["app", "Platform", "TestSupport"], exclude: ["Browser", "Clients", "Scripts"]),
        tests(
            "FrontTests", ["Front", "Gateway", "HTTP", "Platform", "CZlib", .nioCore, .nioPosix, .nioEmbedded]),
        tests("GatewayTests", ["Gateway", "HTTP", "Platform", .nioCore, .nioPosix, .nioEmbedded, .logging]),
        tests("HTTPTests", ["HTTP", .nioCore]),
        tests(
            "LiveReloadTests",
            ["LiveReload", "Diagnosis", "Gateway", "HTTP", "Platform", .nioCore, .nioEmbedded, .logging]),
        tests("PlatformTests", ["Platform", "TestSupport"]),
        tests("PollsTests", ["Polls", "Portico"]),
        tests(
            "PorticoTests",
            [
                "Portico", "Polls", "Config", "Front", "Python", "Server", "Telemetry", "Web", "Supervisor", "Platform",
                "TestSupport", .nioCore, .argumentParser,
            ]),
        tests("PythonTests", ["app", "Platform", "TestSupport"]),
        tests(
            "ServerTests", ["Server", "Gateway", "HTTP", "Platform", "CZlib", .nioCore, .nioPosix, .logging],
            exclude: ["Clients"]),
        tests("SupervisorTests", ["Supervisor", "Platform", "TestSupport", .logging]),
        tests("TelemetryTests", ["Telemetry", "Platform", "TestSupport", .logging, .metrics]),
        tests("TemplatesTests", ["Templates", "TestSupport"], exclude: ["Conformance"]),
        tests(
            "WebTests",
            ["Web", "Diagnosis", "Gateway", "HTTP", "Templates", "embed-resources", "TestSupport", .nioCore]),
    ]
)

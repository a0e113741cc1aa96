// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hello-site",
    dependencies: [
        .package(name: "portico", path: "../../..")
    ],
    targets: [
        .executableTarget(
            name: "hello-app", dependencies: [.product(name: "Portico", package: "portico")],
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
                // An asynchronous view stays on its event loop, instead of asking for an executor on the way in and out.
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ])
    ]
)

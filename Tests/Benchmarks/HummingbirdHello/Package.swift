// swift-tools-version: 6.2
// The folder is not called Hummingbird: a package is identified by its folder, and would then shadow its own dependency.
import PackageDescription

let package = Package(
    name: "hummingbird-hello",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1")
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-hello", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ]
)

import Foundation
import Gateway
import HTTP
import NIOEmbedded
import Platform

@testable import Front

/// A directory with files of the test's own, removed with the instance.
final class TemporaryFiles {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("front-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path + "/root", withIntermediateDirectories: true)
        for (name, text) in files { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where the files are served from; beside it there is room for what must not be.
    var root: String { path + "/root" }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = "\(root)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: target)
    }

    /// Sets a file's time, in nanoseconds since 1970.
    func setModified(_ name: String, _ nanoseconds: Int) {
        let time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
        utimensat(AT_FDCWD, "\(root)/\(name)", [time, time], 0)
    }
}

/// A front router on an embedded event loop.
final class FrontFixture {
    let loop = EmbeddedEventLoop()
    let handler: FrontHandler
    /// Kept as long as they are served.
    private var files: TemporaryFiles?

    init(
        _ routes: [RouteDeclaration], sites: [String: any SiteHandler] = [:],
        health: HealthEndpoints = HealthEndpoints(), cache: FileCacheLimits = FileCacheLimits()
    ) throws {
        handler = try FrontHandler(table: RouteTable(routes), sites: sites, health: health, cache: cache)
    }

    /// Serves the files of `files` at `/`, with changes to the set.
    convenience init(
        files: TemporaryFiles, gzip: GzipPolicy? = nil, cache: FileCacheLimits = FileCacheLimits(),
        _ change: (inout FileSet) -> Void = { _ in }
    ) throws {
        var set = FileSet(.directory(files.root))
        change(&set)
        try self.init([RouteDeclaration(.prefix("/"), .files(set), gzip: gzip)], cache: cache)
        self.files = files
    }

    @discardableResult
    func send(_ method: HTTP.Method = .get, _ target: String, _ fields: [(String, String)] = []) -> RecordingExchange {
        let exchange = RecordingExchange(RequestHead(method, target, fields: fields), loop: loop)
        handler.handle(exchange)
        loop.run()
        return exchange
    }
}

import Gateway
import HTTP
import Logging
import NIOCore
import Platform

/// Answers requests with the files of one set, on one event loop (RFC 9110 §8, §13, §14).
///
/// Where a file is and how it is opened is ``FileLocator``'s; what is kept of it, ``FileCache``'s.
final class FileServer {
    /// Whether the request was answered.
    enum Outcome {
        case answered
        /// Nothing was sent; this is what it would have been. 404 lets the next action of the route try.
        case failed(Status)
    }

    private let number: Int
    private let set: FileSet
    private let gzip: GzipPolicy?
    private let cache: FileCache
    private let pool: GzipStreamPool
    private let recheck: TimeAmount
    private let compressedFileSize: Int
    private let locator: FileLocator

    /// A server for file set `number`; `gzip` is its route's.
    init(
        number: Int, set: FileSet, gzip: GzipPolicy?, cache: FileCache, limits: FileCacheLimits, pool: GzipStreamPool,
        logger: Logger
    ) {
        self.number = number
        self.set = set
        self.gzip = gzip
        self.cache = cache
        self.pool = pool
        recheck = TimeAmount(limits.recheck)
        compressedFileSize = limits.compressedFileSize
        locator = FileLocator(set: set, number: number, gzip: gzip, cache: cache, limits: limits, logger: logger)
    }

    /// Answers with the file at `path` (relative, decoded). `fullPath` is the request's, for redirects.
    func serve(
        _ exchange: any Exchange, _ request: RequestHead, path: UnsafeRawBufferPointer,
        fullPath: UnsafeRawBufferPointer
    ) -> Outcome {
        let hash = FileCache.hash(number, path)
        let now = exchange.eventLoop.now
        var entry = cache.entry(number, path, hash: hash)
        if let known = entry, now - known.checked >= recheck || !isUnchanged(known) { entry = nil }
        if let entry { return answer(exchange, request, entry) }
        switch locator.locate(path, hash: hash, now: now) {
        case .file(let entry): return answer(exchange, request, entry)
        case .failed(let status): return .failed(status)
        case .directory:
            guard allows(exchange, request) else { return .answered }
            let query = request.query
            let location = PercentCoding.encodePath(fullPath) + (query.isEmpty ? "/" : "/?\(query)")
            exchange.redirect(location, request.method.isSafe ? .movedPermanently : .permanentRedirect)
            return .answered
        case .listing(let entries):
            guard allows(exchange, request) else { return .answered }
            let page = DirectoryListing.page(fullPath, entries)
            exchange.respond(
                ResponseHead(
                    .ok,
                    [
                        "Content-Type": "text/html; charset=utf-8", "Content-Length": String(page.readableBytes),
                        "Cache-Control": "no-cache",
                    ]), page)
            return .answered
        }
    }

    /// A file that is sent by the kernel must have the length that was promised, so its descriptor is asked every time.
    private func isUnchanged(_ entry: FileEntry) -> Bool {
        guard case .file(let owner) = entry.plain.body, let identity = entry.identity else { return true }
        return FileIdentity(descriptor: owner.file.descriptor) == identity
    }

    private func allows(_ exchange: any Exchange, _ request: RequestHead) -> Bool {
        switch request.method {
        case .get, .head: return true
        default:
            ErrorPage.respond(exchange, request, .methodNotAllowed, ["Allow": "GET, HEAD"])
            return false
        }
    }

    private func answer(_ exchange: any Exchange, _ request: RequestHead, _ entry: FileEntry) -> Outcome {
        let isHead: Bool
        switch request.method {
        case .get: isHead = false
        case .head: isHead = true
        default:
            _ = allows(exchange, request)
            return .answered
        }
        let conditions = FileConditions(request)
        var representation = entry.plain
        var target = exchange
        if conditions.acceptEncoding.prefersGzip, !(conditions.hasRange && conditions.acceptEncoding.identity > 0) {
            if let compressed = compressedForm(entry, isHead: isHead) {
                representation = compressed
            } else if !isHead, entry.isCompressible, let gzip {
                // Too large to keep: compressed on its way out.
                target = GzipFilter(exchange, gzip, pool, accepts: true)
            }
        }
        switch conditions.verdict(representation) {
        case .proceed: break
        case .notModified:
            exchange.respond(representation.notModified, ByteBuffer())
            return .answered
        case .failed: return .failed(.preconditionFailed)
        }
        if conditions.hasRange, !isHead {
            switch conditions.range(of: representation) {
            case .whole: break
            case .unsatisfiable:
                ErrorPage.respond(
                    exchange, request, .rangeNotSatisfiable,
                    ["Content-Range": "bytes */\(representation.count)", "Accept-Ranges": "bytes"])
                return .answered
            case .partial(let ranges):
                PartialContent(representation, ranges).send(to: exchange)
                return .answered
            }
        }
        switch representation.body {
        case .memory(let bytes): target.respond(representation.head, bytes)
        case .file(let owner):
            target.start(representation.head)
            if !isHead { target.write(owner.region(0..<representation.count), keeping: owner) }
            target.finish()
        }
        return .answered
    }

    /// The compressed form: the `.gz` beside the file, or one made once and kept.
    private func compressedForm(_ entry: FileEntry, isHead: Bool) -> Representation? {
        if let compressed = entry.compressed, !isHead || entry.precompressedIdentity != nil { return compressed }
        guard entry.isCompressible, !isHead, entry.plain.count <= compressedFileSize, let gzip,
            let bytes = entry.plain.bytes, let small = pool.compress(bytes, level: gzip.level)
        else { return nil }
        let compressed = Representation(
            body: .memory(small), count: small.readableBytes, tag: entry.plain.tag.weakened,
            modified: entry.plain.modified, contentType: entry.plain.contentType, cacheControl: set.cacheControl,
            coding: .init(isGzip: true, varies: true, supportsRanges: false))
        cache.keep(compressed, in: entry)
        return compressed
    }
}

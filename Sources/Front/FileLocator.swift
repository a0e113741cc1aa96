import HTTP
import Logging
import NIOCore
import Platform

/// Finds the file a path names, on disk or in the binary, and prepares it to be sent. The one place that opens files.
final class FileLocator {
    /// What a path names.
    enum Found {
        case file(FileEntry)
        /// A directory asked for without its slash.
        case directory
        case listing([(name: [UInt8], isDirectory: Bool)])
        case failed(Status)
    }

    /// A file before it was read.
    private struct Candidate {
        var file: OpenedFile
        var name: [UInt8]
    }

    private let set: FileSet
    private let number: Int
    private let gzip: GzipPolicy?
    private let cache: FileCache
    private let limits: FileCacheLimits
    private let directory: ConfinedDirectory?
    private let logger: Logger
    private var lastReport: NIODeadline?
    private var refreshed = NIODeadline.uptimeNanoseconds(0)
    private var isFresh = false

    init(set: FileSet, number: Int, gzip: GzipPolicy?, cache: FileCache, limits: FileCacheLimits, logger: Logger) {
        self.set = set
        self.number = number
        self.gzip = gzip
        self.cache = cache
        self.limits = limits
        self.logger = logger
        if case .directory(let path) = set.source {
            directory = ConfinedDirectory(path: path, links: set.links)
        } else {
            directory = nil
        }
    }

    /// Finds `path`: relative and decoded; empty or with a slash at its end for a directory.
    func locate(_ path: UnsafeRawBufferPointer, hash: UInt64, now: NIODeadline) -> Found {
        guard set.allowsDotFiles || !Self.hasDotFile(path) else { return .failed(.notFound) }
        if case .embedded(let files) = set.source { return embedded(files, path, hash: hash, now: now) }
        do throws(ConfinedDirectory.Failure) {
            return try onDisk(path, hash: hash, now: now)
        } catch {
            // Descriptors kept for large files are the first to go when there are no others.
            guard error == .exhausted, cache.closeFiles() else { return failed(error, path, now) }
            do throws(ConfinedDirectory.Failure) {
                return try onDisk(path, hash: hash, now: now)
            } catch {
                return failed(error, path, now)
            }
        }
    }

    /// Reports what an operator has to know, at most once a second: the requests themselves are in the access log.
    private func failed(_ failure: ConfinedDirectory.Failure, _ path: UnsafeRawBufferPointer, _ now: NIODeadline)
        -> Found
    {
        switch failure {
        case .exhausted, .system:
            if lastReport.map({ now - $0 >= .seconds(1) }) ?? true {
                lastReport = now
                logger.error(
                    "cannot read file",
                    metadata: [
                        "file": "\(String(decoding: path, as: UTF8.self))", "root": "\(set.source)",
                        "reason": "\(failure)",
                    ])
            }
        case .notFound, .forbidden, .notAFile: break
        }
        return .failed(Self.status(failure))
    }

    private static func status(_ failure: ConfinedDirectory.Failure) -> Status {
        switch failure {
        case .notFound, .notAFile: .notFound
        case .forbidden: .forbidden
        case .exhausted: .serviceUnavailable
        case .system: .internalServerError
        }
    }

    /// Whether a segment starts with a dot, other than a first segment `.well-known`.
    private static func hasDotFile(_ path: UnsafeRawBufferPointer) -> Bool {
        var previous: UInt8 = 0x2F
        for (index, byte) in path.enumerated() {
            if byte == 0x2E, previous == 0x2F {
                guard index == 0, path.starts(with: ".well-known".utf8), path.count == 11 || path[11] == 0x2F else {
                    return true
                }
            }
            previous = byte
        }
        return false
    }

    private func onDisk(
        _ path: UnsafeRawBufferPointer, hash: UInt64, now: NIODeadline
    ) throws(ConfinedDirectory.Failure) -> Found {
        guard let directory else { return .failed(.notFound) }
        if !isFresh || now - refreshed >= TimeAmount(limits.recheck) {
            try directory.refresh()
            refreshed = now
            isFresh = true
        }
        let stale = cache.entry(number, path, hash: hash)
        do throws(ConfinedDirectory.Failure) {
            guard path.isEmpty || path.last == 0x2F else {
                let file = try directory.open(path)
                guard file.isDirectory else {
                    return try prepare(Candidate(file: file, name: Array(path)), path, hash, now, stale)
                }
                file.close()
                if let stale { cache.remove(stale) }
                let isServed = set.listsDirectories ? true : try index(Array(path) + [0x2F], in: directory) != nil
                return isServed ? .directory : .failed(.notFound)
            }
            if let candidate = try index(Array(path), in: directory) {
                return try prepare(candidate, path, hash, now, stale)
            }
            if let stale { cache.remove(stale) }
            guard set.listsDirectories else { return .failed(.notFound) }
            let file = try directory.open(path)
            defer { file.close() }
            guard file.isDirectory else { return .failed(.notFound) }
            let entries = try file.entries()
            return .listing(entries.filter { set.allowsDotFiles || $0.name.first != 0x2E })
        } catch {
            if let stale { cache.remove(stale) }
            throw error
        }
    }

    /// The first index file of `path`, which ends in a slash or is empty.
    private func index(
        _ path: [UInt8], in directory: ConfinedDirectory
    ) throws(ConfinedDirectory.Failure) -> Candidate? {
        for name in set.index {
            let full = path + name.utf8
            do throws(ConfinedDirectory.Failure) {
                let file = try directory.open(full)
                if !file.isDirectory { return Candidate(file: file, name: full) }
                file.close()
            } catch {
                guard error == .notFound || error == .notAFile else { throw error }
            }
        }
        return nil
    }

    /// The `.gz` beside `name`, unless it is older than the file itself.
    private func precompressed(_ candidate: Candidate) -> OpenedFile? {
        guard set.servesPrecompressed, !candidate.name.suffix(3).elementsEqual(".gz".utf8),
            let file = try? directory?.open(candidate.name + ".gz".utf8)
        else { return nil }
        guard !file.isDirectory, file.identity.modified >= candidate.file.identity.modified else {
            file.close()
            return nil
        }
        return file
    }

    private func prepare(
        _ candidate: Candidate, _ path: UnsafeRawBufferPointer, _ hash: UInt64, _ now: NIODeadline, _ stale: FileEntry?
    ) throws(ConfinedDirectory.Failure) -> Found {
        let sibling = precompressed(candidate)
        if let stale {
            if stale.identity == candidate.file.identity, stale.precompressedIdentity == sibling?.identity {
                candidate.file.close()
                sibling?.close()
                stale.checked = now
                return .file(stale)
            }
            cache.remove(stale)
        }
        let contentType = set.contentType(String(decoding: candidate.name, as: UTF8.self))
        let identity = candidate.file.identity
        let isCompressible =
            sibling == nil && gzip.map { identity.size >= $0.minSize && $0.types.contains(contentType) } ?? false
        let varies = sibling != nil || isCompressible
        let plain: Representation
        var compressed: Representation?
        do throws(ConfinedDirectory.Failure) {
            plain = try represent(candidate.file, contentType, .init(varies: varies))
        } catch {
            sibling?.close()
            throw error
        }
        if let sibling { compressed = try represent(sibling, contentType, .init(isGzip: true, varies: true)) }
        let entry = FileEntry(
            set: number, path: Array(path), hash: hash, identity: identity, precompressedIdentity: sibling?.identity,
            plain: plain, compressed: compressed, isCompressible: isCompressible, checked: now)
        cache.insert(entry)
        return .file(entry)
    }

    /// Reads a small file; keeps a large one open. Owns the descriptor.
    private func represent(
        _ file: OpenedFile, _ contentType: String, _ coding: Representation.Coding
    ) throws(ConfinedDirectory.Failure) -> Representation {
        let size = file.identity.size
        var body = Representation.Body.memory(ByteBuffer())
        var count = size
        if size > limits.fileSize {
            body = .file(FileDescriptorOwner(file))
        } else {
            defer { file.close() }
            let bytes = try read(file, size)
            count = bytes.readableBytes
            body = .memory(bytes)
        }
        let suffix = coding.isGzip ? "-gz" : ""
        let tag = "\(String(size, radix: 16))-\(String(UInt(bitPattern: file.identity.modified), radix: 16))\(suffix)"
        return Representation(
            body: body, count: count, tag: EntityTag(tag),
            modified: HTTPDate(seconds: file.identity.modified / 1_000_000_000), contentType: contentType,
            cacheControl: set.cacheControl, coding: coding)
    }

    private func read(_ file: OpenedFile, _ size: Int) throws(ConfinedDirectory.Failure) -> ByteBuffer {
        var bytes = ByteBuffer()
        var failure: ConfinedDirectory.Failure?
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { free in
            do throws(ConfinedDirectory.Failure) {
                return try file.read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: free[..<size]))
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension FileLocator {
    private func embedded(
        _ files: EmbeddedFiles, _ path: UnsafeRawBufferPointer, hash: UInt64, now: NIODeadline
    ) -> Found {
        let name = String(decoding: path, as: UTF8.self)
        if let entry = cache.entry(number, path, hash: hash) {
            entry.checked = now
            return .file(entry)
        }
        if name.isEmpty || name.hasSuffix("/") {
            let directory = String(name.dropLast())
            for index in set.index where files[name + index] != nil {
                return embedded(files, name + index, path, hash: hash, now: now)
            }
            guard set.listsDirectories, files.isDirectory(directory) else { return .failed(.notFound) }
            return .listing(files.entries(directory).filter { set.allowsDotFiles || $0.name.first != 0x2E })
        }
        if files.isDirectory(name) {
            let isServed = set.listsDirectories || set.index.contains { files["\(name)/\($0)"] != nil }
            return isServed ? .directory : .failed(.notFound)
        }
        return embedded(files, name, path, hash: hash, now: now)
    }

    private func embedded(
        _ files: EmbeddedFiles, _ name: String, _ path: UnsafeRawBufferPointer, hash: UInt64, now: NIODeadline
    ) -> Found {
        guard let bytes = files[name] else { return .failed(.notFound) }
        let contentType = set.contentType(name)
        let isCompressible = gzip.map { bytes.count >= $0.minSize && $0.types.contains(contentType) } ?? false
        // FNV-1a: which build a file comes from is not known here, so its bytes have to tell.
        let digest = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        let plain = Representation(
            body: .memory(ByteBuffer(bytes: bytes)), count: bytes.count,
            tag: EntityTag("\(String(bytes.count, radix: 16))-\(String(digest, radix: 16))"), modified: files.modified,
            contentType: contentType, cacheControl: set.cacheControl, coding: .init(varies: isCompressible))
        let entry = FileEntry(
            set: number, path: Array(path), hash: hash, identity: nil, precompressedIdentity: nil, plain: plain,
            compressed: nil, isCompressible: isCompressible, checked: now)
        cache.insert(entry)
        return .file(entry)
    }
}

import Glibc
import NIOCore

/// What waits to be sent on a socket: bytes and parts of files, in order.
///
/// Small pieces are copied behind each other into one buffer, so that a response leaves with one system call.
struct SocketOutput {
    /// How a flush ended.
    enum Outcome: Equatable {
        /// Everything was sent.
        case drained
        /// The socket takes no more for now.
        case blocked
        /// The connection is of no more use; `errno`.
        case failed(CInt)
    }

    private enum Piece {
        case bytes(ByteBuffer)
        case file(FileRegion, AnyObject?)

        var count: Int {
            switch self {
            case .bytes(let bytes): bytes.readableBytes
            case .file(let region, _): region.readableBytes
            }
        }
    }

    /// Below this, copying a piece behind what is buffered is cheaper than a system call's vector.
    static let copyLimit = 16 * 1024
    /// Bytes sent before others get their turn.
    private static let turnLimit = 4 << 20
    /// Pieces that one system call takes.
    private static let vectorLimit = 8
    /// A buffer that has grown beyond this is not kept.
    private static let keptCapacity = 32 * 1024

    /// Where the next bytes are written; sent after ``pieces``.
    var tail = ByteBuffer()
    private var pieces = Deque()
    private var queued = 0

    /// Bytes that wait.
    var count: Int { queued + tail.readableBytes }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: ByteBuffer) {
        if bytes.readableBytes <= Self.copyLimit {
            tail.writeImmutableBuffer(bytes)
        } else {
            closeTail()
            push(.bytes(bytes))
        }
    }

    /// A copy of `bytes`, and `end` without its first `skipped` bytes.
    mutating func append(_ bytes: UnsafeRawBufferPointer, before end: StaticString, from skipped: Int = 0) {
        if bytes.count <= Self.copyLimit { tail.writeBytes(bytes) } else { append(ByteBuffer(bytes: bytes)) }
        tail.writeBytes(UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount)[skipped...])
    }

    /// Part of a file; `owner` is held until it was sent.
    mutating func append(_ file: FileRegion, keeping owner: AnyObject?) {
        closeTail()
        push(.file(file, owner))
    }

    /// Lets go of memory while nothing is to be sent.
    mutating func releaseMemory() {
        if isEmpty { tail = ByteBuffer() }
    }

    private mutating func closeTail() {
        guard tail.readableBytes > 0 else { return }
        push(.bytes(tail))
        tail = ByteBuffer()
    }

    private mutating func push(_ piece: Piece) {
        queued += piece.count
        pieces.append(piece)
    }

    // MARK: Sending

    /// Sends as much as `descriptor`, a non-blocking socket, takes, and adds to `total` how much that was.
    mutating func flush(to descriptor: CInt, counting total: inout UInt64) -> Outcome {
        if !pieces.isEmpty { return flushPieces(to: descriptor, counting: &total) }
        let count = tail.readableBytes
        guard count > 0 else { return .drained }
        let sent = tail.withUnsafeReadableBytes { Self.send(descriptor, $0) }
        if sent > 0 { total &+= UInt64(sent) }
        if sent == count {
            if tail.capacity > Self.keptCapacity { tail = ByteBuffer() } else { tail.clear() }
            return .drained
        }
        guard sent >= 0 else { return Self.outcome(errno) }
        tail.moveReaderIndex(forwardBy: sent)
        return .blocked
    }

    /// Whether ``flush(lending:before:to:counting:)`` is worth it for so many bytes, and possible.
    func canLend(_ count: Int) -> Bool { count > Self.copyLimit && pieces.isEmpty }

    /// As ``flush(to:counting:)``, with `bytes` and `end` behind what waits: what of them the socket does not take is copied.
    mutating func flush(
        lending bytes: UnsafeRawBufferPointer, before end: StaticString, to descriptor: CInt,
        counting total: inout UInt64
    ) -> Outcome {
        let sent = sendTail(with: bytes, before: end, to: descriptor)
        let error = errno
        total &+= UInt64(max(sent, 0))
        guard sent >= 0 || Self.outcome(error) == .blocked else { return .failed(error) }
        var left = max(sent, 0)
        let ofTail = min(left, tail.readableBytes)
        tail.moveReaderIndex(forwardBy: ofTail)
        left -= ofTail
        let ofBytes = min(left, bytes.count)
        left -= ofBytes
        guard left < end.utf8CodeUnitCount || ofBytes < bytes.count else {
            tail.clear()
            return .drained
        }
        append(UnsafeRawBufferPointer(rebasing: bytes[ofBytes...]), before: end, from: left)
        return .blocked
    }

    private func sendTail(with bytes: UnsafeRawBufferPointer, before end: StaticString, to descriptor: CInt) -> Int {
        tail.withUnsafeReadableBytes { tail in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { vector in
                let end = UnsafeRawBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount)
                vector[0] = iovec(tail)
                vector[1] = iovec(bytes)
                vector[2] = iovec(end)
                var message = msghdr()
                message.msg_iov = vector.baseAddress
                message.msg_iovlen = vector.count
                return Self.retrying { sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL)) }
            }
        }
    }

    private mutating func flushPieces(to descriptor: CInt, counting total: inout UInt64) -> Outcome {
        closeTail()
        var budget = Self.turnLimit
        while let first = pieces.first {
            guard budget > 0 else { return .blocked }
            let sent: Int
            switch first {
            case .file(let region, _):
                sent = Self.sendFile(descriptor, region, limit: budget)
                // The file lost bytes that were promised: whoever reads on would take what follows for them.
                if sent == 0, region.readableBytes > 0 { return .failed(EIO) }
            case .bytes: sent = sendBytes(to: descriptor)
            }
            guard sent >= 0 else { return Self.outcome(errno) }
            budget -= sent
            total &+= UInt64(sent)
            drop(sent)
        }
        return .drained
    }

    /// Sends the bytes before the next file in one call, up to ``vectorLimit`` pieces of them.
    private func sendBytes(to descriptor: CInt) -> Int {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.vectorLimit) { vector in
            var message = msghdr()
            message.msg_iov = vector.baseAddress
            return gather(into: vector, &message, from: 0, to: descriptor)
        }
    }

    /// Adds the pieces from `index` on to `vector`, then sends it: the memory of each stays where it is until then.
    private func gather(
        into vector: UnsafeMutableBufferPointer<iovec>, _ message: inout msghdr, from index: Int, to descriptor: CInt
    ) -> Int {
        let next = pieces[index]
        guard index < vector.count, case .bytes(let bytes)? = next else {
            // What follows is to leave in full segments with them.
            let flags = CInt(MSG_NOSIGNAL) | (next == nil ? 0 : CInt(MSG_MORE))
            return Self.retrying { sendmsg(descriptor, &message, flags) }
        }
        return bytes.withUnsafeReadableBytes {
            vector[index] = iovec($0)
            message.msg_iovlen = index + 1
            return gather(into: vector, &message, from: index + 1, to: descriptor)
        }
    }

    /// Takes `count` bytes off the front.
    private mutating func drop(_ count: Int) {
        queued -= count
        var left = count
        while let first = pieces.first {
            let size = first.count
            guard size <= left else {
                switch first {
                case .bytes(var bytes):
                    bytes.moveReaderIndex(forwardBy: left)
                    pieces.replaceFirst(.bytes(bytes))
                case .file(var region, let owner):
                    region.moveReaderIndex(forwardBy: left)
                    pieces.replaceFirst(.file(region, owner))
                }
                return
            }
            left -= size
            pieces.removeFirst()
        }
    }

    private static func outcome(_ error: CInt) -> Outcome {
        error == EAGAIN || error == EWOULDBLOCK ? .blocked : .failed(error)
    }

    private static func send(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
        retrying { Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)) }
    }

    private static func sendFile(_ descriptor: CInt, _ region: FileRegion, limit: Int) -> Int {
        var offset = off_t(region.readerIndex)
        let count = min(region.readableBytes, limit)
        let sent = try? region.fileHandle.withUnsafeFileDescriptor { file in
            retrying { sendfile(descriptor, file, &offset, count) }
        }
        return sent ?? 0
    }

    private static func retrying(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    /// A queue whose storage is made with its first element: most connections never have one.
    private struct Deque {
        private var items: [Piece] = []
        private var start = 0

        var isEmpty: Bool { start == items.count }
        var first: Piece? { start < items.count ? items[start] : nil }

        /// Counted from the first; nil behind the last.
        subscript(index: Int) -> Piece? { start + index < items.count ? items[start + index] : nil }

        mutating func append(_ piece: Piece) { items.append(piece) }

        mutating func replaceFirst(_ piece: Piece) { items[start] = piece }

        mutating func removeFirst() {
            start += 1
            if start == items.count {
                items = []
                start = 0
            } else if start >= 64 {
                items.removeFirst(start)
                start = 0
            } else {
                // What was sent is held no longer.
                items[start - 1] = .bytes(ByteBuffer())
            }
        }
    }
}

extension iovec {
    /// Of memory that is only read.
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}

import Glibc
import Logging
import NIOCore
import Platform

/// Whoever speaks on a connected socket. Called on the socket's event loop.
protocol SocketHandler: AnyObject {
    /// Whether the handler has a use for bytes now; while not, they wait in the kernel, and the sender with them.
    var wantsBytes: Bool { get }
    /// There is something to be read by ``SocketChannel/receive(into:)``.
    func socketIsReadable(_ socket: SocketChannel)
    /// The socket takes more again, after ``SocketChannel/isWritable`` was false.
    func socketIsWritable(_ socket: SocketChannel)
    /// The connection is gone. Called once, never out of a call the handler makes.
    func socketIsLost(_ socket: SocketChannel)
}

/// One connected, non-blocking socket on an event loop: reads when there is something, writes what it is given, and waits
/// for the kernel where it must. What the bytes mean is its handler's business. Confined to its loop.
final class SocketChannel: DescriptorWatcher {
    /// What a read brought.
    enum Received {
        case bytes(Int)
        /// Nothing for now.
        case nothing
        /// The other end sends no more.
        case end
        /// The connection is gone.
        case lost
    }

    /// More than this waiting to be sent makes the socket unwritable...
    private static let highMark = 64 * 1024
    /// ...until less than this is left.
    private static let lowMark = 32 * 1024
    /// The first read of a connection; each that fills its buffer doubles the next.
    private static let leastRead = 2 * 1024
    /// What is taken in at once before others get their turn.
    private static let mostRead = 64 * 1024

    let loop: ServerLoop
    /// Set before ``open()``; a connection that changes its protocol changes its handler.
    var handler: (any SocketHandler)?
    /// What waits to be sent. Write here, then ``flush()``.
    var output = SocketOutput()

    private var descriptor: CInt
    private var interest: Poller.Events = []
    private var readSize = leastRead
    private var wasSmall = false
    private var isBlocked = false
    private var isFull = false
    private var whenSent: (() -> Void)?
    private let logger: Logger
    /// Whether the other end has closed its half.
    private(set) var isInputClosed = false

    /// Called when the socket was closed, after the handler was told.
    private let whenClosed: () -> Void

    /// Takes over a connected socket.
    init(adopting descriptor: CInt, on loop: ServerLoop, logger: Logger, whenClosed: @escaping () -> Void) {
        self.descriptor = descriptor
        self.loop = loop
        self.logger = logger
        self.whenClosed = whenClosed
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    var isOpen: Bool { descriptor >= 0 }

    /// Starts watching the socket.
    func open() throws(SystemError) {
        var isOn: CInt = 1
        // Fails on Unix sockets, which have nothing to delay.
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<CInt>.size))
        let events: Poller.Events = [.readable, .inputClosed]
        try loop.watch(descriptor, events, self)
        interest = events
    }

    // MARK: Input

    func descriptorIsReady(_ events: Poller.Events) {
        if events == .readable { return readable() }
        if events.contains(.writable) { send() }
        guard isOpen, !events.isDisjoint(with: [.readable, .inputClosed, .error, .hangUp]) else { return }
        // A connection that is gone both ways is told at once, or it would be reported for ever.
        if !events.isDisjoint(with: [.error, .hangUp]), isInputClosed || handler?.wantsBytes != true { return close() }
        readable()
    }

    private func readable() {
        guard let handler else { return }
        if handler.wantsBytes { handler.socketIsReadable(self) } else { updateInterest() }
    }

    /// Reads what has come, up to ``mostRead``, behind what `buffer` holds: a request that came as a whole is seen as a
    /// whole. After `.end` the handler calls ``updateInterest()``.
    func receive(into buffer: inout ByteBuffer) -> Received {
        var total = 0
        while total < Self.mostRead {
            let size = readSize
            let count = read(size, into: &buffer)
            guard count > 0 else { return total > 0 ? .bytes(total) : received(count) }
            loop.received &+= UInt64(count)
            total += count
            guard count == size else { break }
            readSize = min(size * 2, Self.mostRead)
        }
        adapt(to: total)
        return .bytes(total)
    }

    /// What `recv` says; less than 0 is the negative error number.
    private func read(_ size: Int, into buffer: inout ByteBuffer) -> Int {
        guard descriptor >= 0 else { return -Int(EBADF) }
        var count = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { free in
            repeat { count = recv(descriptor, free.baseAddress, size, 0) } while count < 0 && errno == EINTR
            if count < 0 { count = -Int(errno) }
            return max(count, 0)
        }
        return count
    }

    /// Two small reads one after the other make the next smaller.
    private func adapt(to count: Int) {
        guard count < readSize / 4 else { return wasSmall = false }
        if wasSmall { readSize = max(readSize / 2, Self.leastRead) }
        wasSmall.toggle()
    }

    /// What a read means that brought nothing.
    private func received(_ count: Int) -> Received {
        switch -count {
        case 0:
            isInputClosed = true
            return .end
        case Int(EAGAIN), Int(EWOULDBLOCK): return .nothing
        default:
            // Resets and broken pipes: the client is gone, which is its own affair.
            logger.debug("connection error", metadata: ["error": "\(SystemError.message(CInt(-count)))"])
            close()
            return .lost
        }
    }

    /// Reading goes on, or pauses, as the handler wants it now.
    func updateInterest() {
        guard descriptor >= 0 else { return }
        var events: Poller.Events = []
        if !isInputClosed, handler?.wantsBytes == true { events.formUnion([.readable, .inputClosed]) }
        if isBlocked { events.formUnion(.writable) }
        guard events != interest else { return }
        interest = events
        loop.change(descriptor, events)
    }

    /// Whether reading is paused because the handler had no use for what came.
    var isReadPaused: Bool { !isInputClosed && !interest.contains(.readable) }

    /// Whether there is something to be read that nobody has read yet.
    var hasInput: Bool {
        var byte: UInt8 = 0
        return descriptor >= 0 && recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    /// Calls `body` with the socket's descriptor; false when the socket is closed.
    func withDescriptor(_ body: (CInt) -> Bool) -> Bool { descriptor >= 0 && body(descriptor) }

    /// How long ago the last of what came has come, in nanoseconds: how long it waited for this loop. 0 where the kernel
    /// does not say (Unix sockets).
    var inputAge: UInt64 {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard descriptor >= 0, getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else {
            return 0
        }
        return UInt64(info.tcpi_last_data_recv) * 1_000_000
    }

    // MARK: Output

    /// False while more waits to be sent than a connection should hold.
    var isWritable: Bool { !isFull }

    /// Room for small writes, in the loop's spare memory. To be called before writing to ``output`` itself.
    @inline(__always)
    func prepareOutput() {
        if output.tail.capacity == 0 { swap(&output.tail, &loop.spareOutput) }
    }

    /// Adds to what waits to be sent; it leaves with the next flush.
    func write(_ bytes: ByteBuffer) {
        prepareOutput()
        output.append(bytes)
        noteFilling()
    }

    /// As ``write(_:)``, of a file; `owner` is held until it was sent.
    func write(_ file: FileRegion, keeping owner: AnyObject?) {
        output.append(file, keeping: owner)
        noteFilling()
    }

    /// To be called after writing to ``output`` itself.
    @inline(__always)
    func noteFilling() {
        if output.count > Self.highMark { isFull = true }
    }

    /// Sends what the kernel takes; the rest follows by itself.
    func flush() {
        // Once it takes no more, the kernel says when it does again.
        if !isBlocked { send() }
    }

    /// Sends what waits, `bytes`, and `end`; what of them the kernel does not take is copied.
    func send(lent bytes: UnsafeRawBufferPointer, before end: StaticString) {
        guard descriptor >= 0 else { return }
        guard !isBlocked, output.canLend(bytes.count) else {
            prepareOutput()
            output.append(bytes, before: end)
            noteFilling()
            return flush()
        }
        let outcome = output.flush(lending: bytes, before: end, to: descriptor, counting: &loop.sent)
        noteFilling()
        flushed(outcome)
    }

    private func send() {
        guard descriptor >= 0 else { return }
        flushed(output.flush(to: descriptor, counting: &loop.sent))
    }

    private func flushed(_ outcome: SocketOutput.Outcome) {
        switch outcome {
        case .drained:
            // What waits next, on whichever connection, is written where the caches are warm.
            if output.tail.capacity > 0 {
                if loop.spareOutput.capacity == 0 {
                    swap(&output.tail, &loop.spareOutput)
                } else {
                    output.releaseMemory()
                }
            }
            if isBlocked {
                isBlocked = false
                updateInterest()
            }
            if let sent = whenSent {
                whenSent = nil
                sent()
            }
        case .blocked:
            if !isBlocked {
                isBlocked = true
                updateInterest()
            }
        case .failed(let error):
            logger.debug("connection error", metadata: ["error": "\(SystemError.message(error))"])
            return close()
        }
        if isFull, output.count < Self.lowMark {
            isFull = false
            handler?.socketIsWritable(self)
        }
    }

    /// Flushes, and calls `sent` when everything was sent; never if the connection is lost before.
    func flush(then sent: @escaping () -> Void) {
        whenSent = sent
        flush()
    }

    /// Lets go of memory that an idle connection has no use for.
    func releaseMemory() { output.releaseMemory() }

    // MARK: End

    /// Sends no more: the other end sees the end of the stream. Reading goes on.
    func closeOutput() {
        guard descriptor >= 0 else { return }
        shutdown(descriptor, CInt(SHUT_WR))
        updateInterest()
    }

    /// Closes at once; what was not sent is lost.
    func close() {
        guard descriptor >= 0 else { return }
        loop.unwatch(descriptor)
        _ = Glibc.close(descriptor)
        descriptor = -1
        output = SocketOutput()
        whenSent = nil
        loop.assumeIsolated().execute { [self] in lost() }
    }

    /// Closes so that the other end sees a reset.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func loopEnds() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
        lost()
    }

    private func lost() {
        let lost = handler
        handler = nil
        lost?.socketIsLost(self)
        whenClosed()
    }

    // MARK: Addresses

    var remoteAddress: NIOCore.SocketAddress? { Self.address(descriptor, getpeername) }
    var localAddress: NIOCore.SocketAddress? { Self.address(descriptor, getsockname) }

    private static func address(
        _ descriptor: CInt, _ call: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> NIOCore.SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_INET: .init(bytes.loadUnaligned(as: sockaddr_in.self))
            case AF_INET6: .init(bytes.loadUnaligned(as: sockaddr_in6.self))
            case AF_UNIX: .init(bytes.loadUnaligned(as: sockaddr_un.self))
            default: nil
            }
        }
    }
}

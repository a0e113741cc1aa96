import CPlatform
import Glibc
import Synchronization

/// A stream socket that listens. It never accepts by itself: whoever serves does that on ``descriptor``.
///
/// Sockets made here are close-on-exec and not inherited by children unless handed over. A Unix socket's file is removed by
/// ``close()``, but only by the process that bound it and only while the file is still the one it made.
public final class ListeningSocket: Sendable {
    /// How long the queue of connections not yet accepted may be; the kernel cuts it to `net.core.somaxconn`.
    public static let defaultBacklog: Int32 = 4096

    /// Who may connect to a Unix socket: those that may write its file. What is nil is left as the system makes it.
    public struct FileAccess: Equatable, Sendable {
        /// The permission bits.
        public var mode: UInt32?
        /// The owner's number.
        public var user: UInt32?
        /// The group's number.
        public var group: UInt32?

        public init(mode: UInt32? = nil, user: UInt32? = nil, group: UInt32? = nil) {
            self.mode = mode
            self.user = user
            self.group = group
        }
    }

    /// Where it listens, with the real port.
    public let address: SocketAddress

    private struct State {
        var descriptor: Int32?
        var file: UnixSocketFile?
    }
    private let state: Mutex<State>

    init(descriptor: consuming Descriptor, address: SocketAddress, file: UnixSocketFile? = nil) {
        self.address = address
        state = Mutex(State(descriptor: descriptor.release(), file: file))
    }

    /// Takes over an inherited listening socket, or a bound one, which is made to listen.
    /// - Parameter file: its file, when this process made it (running another program) and is to remove it.
    public convenience init(
        inheriting number: Int32, backlog: Int32 = defaultBacklog, file: UnixSocketFile? = nil
    ) throws(BindError) {
        guard number >= 0, fcntl(number, F_GETFD) >= 0 else {
            throw .badDescriptor(number, reason: "it is not open")
        }
        var kind: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_TYPE, &kind, &length) == 0 else {
            throw .badDescriptor(number, reason: "it is not a socket")
        }
        guard kind == Int32(SOCK_STREAM.rawValue) else {
            throw .badDescriptor(number, reason: "it is not a stream socket")
        }
        var isListening: Int32 = 0
        if getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) != 0 || isListening == 0 {
            guard listen(number, backlog) == 0 else {
                throw .badDescriptor(number, reason: "it is neither listening nor bound")
            }
        }
        do {
            let address = try SocketAddress.local(of: number)
            let descriptor = Descriptor(adopting: number)
            try descriptor.setCloseOnExec(true)
            self.init(descriptor: descriptor, address: address, file: file)
        } catch {
            throw .system("fd:\(number)", error)
        }
    }

    deinit { close() }

    /// The descriptor to accept from, owned by this object; -1 once closed.
    public var descriptor: Int32 { state.withLock { $0.descriptor ?? -1 } }

    /// The file of a Unix socket that this process made; nil for other sockets, and once closed.
    public var file: UnixSocketFile? { state.withLock { $0.file } }

    /// A descriptor of the same socket with an owner of its own, for an event loop that closes what it is given.
    public func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(adopting: try SystemError.check(cplatform_duplicate(descriptor), "dup of the socket on \(address)"))
    }

    /// Closes this descriptor and removes the Unix socket's file. Connections are refused once every process that shares the
    /// socket has closed it; connections still in the queue at that moment are reset.
    public func close() {
        let (descriptor, file) = state.withLock { state in
            defer { state = State() }
            return (state.descriptor, state.file)
        }
        file?.removeIfOurs()
        if let descriptor { _ = Glibc.close(descriptor) }
    }
}

extension ListeningSocket {
    /// Waits for the next connection of a listening socket, which comes non-blocking and close-on-exec. Fails with EINTR
    /// when a signal woke the thread.
    public static func accept(from listener: Int32) throws(SystemError) -> Int32 {
        try SystemError.check(cplatform_accept(listener), "accept")
    }
}

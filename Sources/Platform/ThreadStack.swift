import CPlatform
import Glibc
import Synchronization

/// Where a thread of this process stands, found out without its help, and without any lock it may hold: it is sent a signal,
/// whose handler takes the stack.
public struct ThreadStack: Sendable {
    /// Return addresses, the innermost first.
    public let addresses: [UInt]
    /// What the thread had said it does (``ThreadWork``), or nil.
    public let work: String?
    /// The number of what it does (``ThreadWork/begin(token:)``); 0 for none.
    public let token: UInt
    /// What the handler of somebody else had to say (``chainHandler()``): Python's stack. Nil without one.
    public let text: String?

    private static let lock = Mutex(())

    /// The signal, which nobody else in the process may use.
    public static var signal: Int32 { cplatform_realtime_signal(6) }

    /// Has the signal answered in this process, which it would end otherwise.
    public static func install() throws(SystemError) {
        _ = try SystemError.check(cplatform_stack_install(signal), "sigaction")
    }

    /// Lets the calling thread be asked, whatever signal mask it has inherited.
    public static func allowHere() { _ = cplatform_unblock_signal(signal) }

    /// A file for the output of a handler that somebody else is about to install for ``signal``; ``chainHandler()`` then
    /// makes it a part of ours.
    public static func chainOutput() throws(SystemError) -> Int32 {
        try SystemError.check(cplatform_stack_chain_output(), "memfd_create")
    }

    public static func chainHandler() throws(SystemError) {
        _ = try SystemError.check(cplatform_stack_chain(signal), "sigaction")
    }

    /// The stack of `thread`; nil when it has ended, or does not answer (because it is in the kernel and not to be
    /// disturbed). System calls it is in may be cut short by it: for threads that have had their time. `next` is a signal that
    /// the thread gets before it goes on.
    public init?(of thread: ThreadID, followedBy next: Int32? = nil) {
        let taken = Self.lock.withLock { _ -> (cplatform_stack, String?)? in
            var stack = cplatform_stack()
            guard cplatform_stack_take(thread.number, Self.signal, next ?? 0, 250, &stack) == 0 else { return nil }
            return (stack, Self.chainedText())
        }
        guard case (var stack, let text)? = taken else { return nil }
        let count = Int(stack.count)
        addresses = withUnsafeBytes(of: &stack.addresses) { bytes in
            // The first two are the handler and what called it.
            bytes.bindMemory(to: UInt.self).prefix(count).dropFirst(2).map { $0 }
        }
        let length = Int(stack.work_count)
        work = withUnsafeBytes(of: &stack.work) { bytes in
            length > 0 ? String(decoding: bytes.prefix(length), as: UTF8.self) : nil
        }
        token = UInt(bitPattern: stack.token)
        self.text = text
    }

    private static func chainedText() -> String? {
        let file = cplatform_stack_chain_output()
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = pread(file, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

/// A thread of this process, as the kernel numbers it.
public struct ThreadID: Sendable, Hashable {
    public let number: Int32

    public init(number: Int32) { self.number = number }

    /// The calling thread.
    public static var current: ThreadID { ThreadID(number: cplatform_thread_id()) }

    /// Sends it a signal; false when it has ended.
    @discardableResult
    public func send(_ signal: Int32) -> Bool { cplatform_signal_thread(number, signal) == 0 }
}

/// What the calling thread is doing: text that a look at its stack (``ThreadStack``) finds, without a lock or a copy.
public struct ThreadWork {
    private let work: cplatform_work

    /// Says that the thread works on what `text` names, until ``restore()`` of the result, which is what it did before. The
    /// bytes stay in place meanwhile.
    @inline(__always)
    public static func begin(_ text: UnsafeRawBufferPointer) -> ThreadWork {
        ThreadWork(work: cplatform_begin_work(cplatform_work(text: text.baseAddress, count: text.count, token: 0)))
    }

    /// As ``begin(_:)``, with a number instead of text; 0 ends it.
    @inline(__always)
    public static func begin(token: UInt) {
        _ = cplatform_begin_work(cplatform_work(text: nil, count: 0, token: Int(bitPattern: token)))
    }

    @inline(__always)
    public func restore() { _ = cplatform_begin_work(work) }
}

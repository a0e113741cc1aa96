import CPlatform

/// A set of descriptors that one thread waits on (epoll, level-triggered).
public final class Poller {
    /// What a descriptor is awaited for, or ready for.
    public struct Events: OptionSet, Sendable {
        public let rawValue: UInt32

        @inlinable
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        // The kernel's numbers (EPOLLIN...), the same on every Linux.
        public static let readable = Events(rawValue: 0x1)
        public static let writable = Events(rawValue: 0x4)
        /// Always reported, awaited or not.
        public static let error = Events(rawValue: 0x8)
        /// Both directions are closed; always reported.
        public static let hangUp = Events(rawValue: 0x10)
        /// The other end sends no more.
        public static let inputClosed = Events(rawValue: 0x2000)
    }

    /// A descriptor that is ready.
    public struct Ready: Sendable {
        public let descriptor: Int32
        public let events: Events
    }

    private static let capacity = 256

    private let file: Descriptor
    private let ready: UnsafeMutablePointer<cplatform_ready>

    public init() throws(SystemError) {
        file = Descriptor(adopting: try SystemError.check(cplatform_poller(), "epoll_create"))
        ready = .allocate(capacity: Self.capacity)
    }

    deinit { ready.deallocate() }

    /// Waits for `events` of `descriptor` from now on. It ends by itself when the last descriptor of the file is closed.
    public func add(_ descriptor: Int32, _ events: Events) throws(SystemError) {
        _ = try SystemError.check(cplatform_poller_add(file.rawValue, descriptor, events.rawValue), "epoll_ctl")
    }

    /// Waits for other events of a descriptor that was added.
    public func change(_ descriptor: Int32, _ events: Events) throws(SystemError) {
        _ = try SystemError.check(cplatform_poller_change(file.rawValue, descriptor, events.rawValue), "epoll_ctl")
    }

    /// Waits for a descriptor no more.
    public func remove(_ descriptor: Int32) throws(SystemError) {
        _ = try SystemError.check(cplatform_poller_remove(file.rawValue, descriptor), "epoll_ctl")
    }

    /// Waits until something is ready, a signal comes, or `milliseconds` have passed (-1: for ever). `body` is called with
    /// each descriptor that is ready.
    public func wait(milliseconds: Int32, _ body: (Ready) -> Void) throws(SystemError) {
        let count = try SystemError.check(
            cplatform_poller_wait(file.rawValue, ready, Int32(Self.capacity), milliseconds), "epoll_wait")
        for index in 0..<Int(count) {
            body(Ready(descriptor: ready[index].fd, events: Events(rawValue: ready[index].events)))
        }
    }
}

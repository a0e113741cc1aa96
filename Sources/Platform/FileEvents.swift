import Glibc

/// What the kernel says of files in watched directories (inotify(7)): the entries of each directory, not what lies deeper.
///
/// Directories are watched rather than files, because editors and `kubectl` put a new file in the place of the old one.
public final class FileEvents: Sendable {
    /// A watched directory.
    public struct Watch: Hashable, Sendable {
        let number: Int32
    }

    /// Something happened.
    public enum Event: Equatable, Sendable {
        /// An entry of the directory was written, made, removed, renamed or touched.
        case changed(Watch, name: String, isDirectory: Bool)
        /// The directory itself is gone, and is watched no more.
        case gone(Watch)
        /// More happened than the kernel could keep: everything may have changed.
        case overflow
    }

    private let file: Descriptor

    public init() throws(SystemError) {
        file = Descriptor(
            adopting: try SystemError.checkErrno(inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)), "inotify"))
    }

    /// Readable while events wait to be taken.
    public var descriptor: Int32 { file.rawValue }

    /// Watches the entries of `directory`. Watching it a second time answers the same watch. `ENOSPC` says that the
    /// user's limit is reached (`fs.inotify.max_user_watches`).
    public func watch(_ directory: String) throws(SystemError) -> Watch {
        let events =
            IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF
            | IN_MOVE_SELF
        let mask = UInt32(events) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
        return Watch(
            number: try SystemError.checkErrno(
                inotify_add_watch(file.rawValue, directory, mask), "inotify \(directory)"))
    }

    /// Watches a directory no more.
    public func forget(_ watch: Watch) { inotify_rm_watch(file.rawValue, watch.number) }

    /// The events that wait, in their order. Never blocks.
    public func take() -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(file.rawValue, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return events }
            buffer.withUnsafeBytes { Self.parse(UnsafeRawBufferPointer(rebasing: $0[..<count]), into: &events) }
        }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, into events: inout [Event]) {
        let headSize = MemoryLayout<inotify_event>.size
        var start = 0
        while start + headSize <= bytes.count {
            let head = bytes.loadUnaligned(fromByteOffset: start, as: inotify_event.self)
            let end = start + headSize + Int(head.len)
            guard end <= bytes.count else { return }
            let name = bytes[(start + headSize)..<end].prefix { $0 != 0 }
            start = end
            let watch = Watch(number: head.wd)
            if head.mask & UInt32(IN_Q_OVERFLOW) != 0 {
                events.append(.overflow)
            } else if head.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0 {
                if events.last != .gone(watch) { events.append(.gone(watch)) }
            } else if !name.isEmpty {
                events.append(
                    .changed(
                        watch, name: String(decoding: name, as: UTF8.self),
                        isDirectory: head.mask & UInt32(IN_ISDIR) != 0))
            }
        }
    }
}

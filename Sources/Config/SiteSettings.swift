/// One of `sites`.
public struct SiteSettings: Sendable, Hashable {
    /// Where its code is.
    public enum Source: Sendable, Hashable {
        /// Compiled into the binary, under this name.
        case swift(String)
        /// A Python application, `module:callable`.
        case python(module: String, callable: String)
    }

    /// `gateway`
    public enum Gateway: String, Sendable, CaseIterable {
        /// What the application offers.
        case auto
        /// Called synchronously, on a worker thread.
        case wsgi
        /// Called on the event loop.
        case asgi
    }

    /// `loop`
    public enum Loop: String, Sendable, CaseIterable {
        /// asyncio's own, as a guest of the server's.
        case asyncio
        /// uvloop, on a thread of its own.
        case uvloop
    }

    /// One of `settings`: a value, by YAML's core schema (`on` and `yes` are text).
    public enum Value: Sendable, Hashable {
        /// `true`, `false`
        case boolean(Bool)
        /// Whole numbers.
        case integer(Int)
        /// Numbers with a point or an exponent.
        case number(Double)
        /// Everything else, and everything in quotes.
        case text(String)
        /// Text that came from a secret.
        case secret(Secret)
    }

    /// Whether it is compiled into the binary.
    public var isSwift: Bool { if case .swift = source { true } else { false } }

    /// Its key under `sites`.
    public let name: String
    /// Its code.
    public let source: Source
    /// How it is called.
    public let gateway: Gateway
    /// The SQLite file, an absolute path; set for Swift sites.
    public let database: String?
    /// Working directory and first entry of `sys.path`, an absolute path.
    public let directory: String?
    /// An absolute path.
    public let virtualenv: String?
    /// An interpreter or a libpython, an absolute path.
    public let interpreter: String?
    /// The event loop of an asynchronous Python application.
    public let loop: Loop
    /// `timeout`: for it to answer; nil for `timeouts.request`.
    public let timeout: TimeLimit?
    /// What the site wants to know.
    public let settings: [String: Value]
}
